// SPDX-License-Identifier: Apache-2.0
// Reads a TOML file so that a person learns everything that is wrong with it at once: each complaint names file, line
// and key. A key that nobody asked for is a complaint too, since a misspelt limit would otherwise be a missing one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattproof::firmware {

constexpr std::uintmax_t config_file_size_max = 1 << 20;

// Of a number that was read within bounds that fit.
constexpr std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }

class ConfigReader;

// One table of the file. A table that is not there answers every question with its default; what is required is then
// missing, and the complaint names the line of the table around it.
class ConfigSection {
 public:
  [[nodiscard]] std::uint32_t line() const { return line_; }
  [[nodiscard]] bool has(std::string_view key) const;

  // `fallback` empty: the key is required.
  std::int64_t integer(std::string_view key, std::int64_t min, std::int64_t max, std::optional<std::int64_t> fallback = {});
  bool boolean(std::string_view key, std::optional<bool> fallback = {});
  std::string text(std::string_view key, std::optional<std::string> fallback = {});
  // The index of the word in `words`; words.size() after a complaint.
  std::size_t choice(std::string_view key, std::span<const std::string_view> words, std::optional<std::size_t> fallback = {});
  // 0x and exactly 2 * into.size() digits.
  void hex(std::string_view key, std::span<std::uint8_t> into);
  // One integer for all slots, or an array of them.
  std::vector<std::int32_t> series(std::string_view key, std::int32_t min, std::int32_t max, std::size_t count_max,
                                   std::optional<std::int32_t> fallback = {});
  std::vector<std::string> texts(std::string_view key, std::size_t count_max);
  // A path; a relative one starts at the folder of the file.
  std::filesystem::path path(std::string_view key, std::optional<std::string> fallback = {});

  ConfigSection section(std::string_view key);
  // The names of the tables below this one.
  [[nodiscard]] std::vector<std::string> section_names() const;

  // Adds a complaint about a key of this section, for rules that one key alone cannot break.
  void complain(std::string_view key, const std::string& what);
  // Complains about every key that was never asked for. Call it last.
  void finish();

 private:
  friend class ConfigReader;
  ConfigSection(ConfigReader& reader, const void* table, std::string name, std::uint32_t line)
      : reader_(&reader), table_(table), name_(std::move(name)), line_(line) {}
  const void* node(std::string_view key);
  const void* require(std::string_view key, bool is_required);

  ConfigReader* reader_;
  const void* table_;  // toml::table; the library stays inside config_reader.cpp
  std::string name_;
  std::uint32_t line_;
  std::vector<std::string> asked_;
};

class ConfigReader {
 public:
  ConfigReader();
  ~ConfigReader();
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  // Reads and parses; false if that failed, and errors() says where.
  bool open(const std::filesystem::path& file);
  ConfigSection root();

  // In the order of the file.
  [[nodiscard]] std::vector<std::string> errors() const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  void complain(std::uint32_t line, const std::string& what);

 private:
  struct Document;
  std::unique_ptr<Document> document_;
  std::filesystem::path file_;
  struct Complaint {
    std::uint32_t line;
    std::string text;
  };
  std::vector<Complaint> complaints_;
};

}  // namespace wattproof::firmware
