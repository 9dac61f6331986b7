// SPDX-License-Identifier: Apache-2.0
// Reading JSON documents without guessing: every field is named by its reader, unknown, missing and doubled fields are
// refused, numbers are whole numbers, sizes and depth are bounded. A refusal names the field by its path.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "hex_text.hpp"

namespace wattproof::tool {

using Json = nlohmann::ordered_json;
using ethereum::ByteVector;

constexpr std::size_t document_size_max = 16u << 20;
constexpr int document_depth_max = 16;

// The document, an option or a file is not what was asked for.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& field_path, const std::string& detail)
      : std::runtime_error(field_path.empty() ? detail : field_path + ": " + detail), field(field_path) {}
  // The same with the file that it is about.
  InputError(const std::string& file, const InputError& error)
      : std::runtime_error(file + ": " + error.what()), field(error.field) {}
  std::string field;
};

// The whole content of a file, or of standard input for "-". Throws InputError if it cannot be read or is longer.
std::string read_document(const std::string& path, std::size_t size_max = document_size_max);

// Throws InputError for anything but one JSON value without doubled names.
Json parse_document(const std::string& text);

// Both; the error of a file that is not JSON names it.
Json load_document(const std::string& path, std::size_t size_max = document_size_max);

// The fields of one object. Every member of the object must be asked for before finish().
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string path);

  bool has(const char* name);  // and not null
  std::int64_t integer(const char* name, std::int64_t min, std::int64_t max);
  std::int64_t integer_or(const char* name, std::int64_t fallback, std::int64_t min, std::int64_t max);
  std::uint64_t uint64(const char* name);
  bool boolean(const char* name);
  const std::string& text(const char* name);
  ByteVector hex(const char* name, std::size_t size_max);
  template <std::size_t size>
  std::array<std::uint8_t, size> hex_array(const char* name) {
    const ByteVector bytes = hex(name, size);
    if (bytes.size() != size) fail(name, "must have " + std::to_string(size) + " bytes");
    return to_array<size>(bytes);
  }
  std::vector<std::int64_t> integers(const char* name, std::size_t count_max, std::int64_t min, std::int64_t max);
  const Json& member(const char* name);
  const Json& array(const char* name, std::size_t count_max);
  ObjectReader object(const char* name);

  // Refuses members that nobody asked for.
  void finish() const;
  [[noreturn]] void fail(const char* name, const std::string& detail) const;
  std::string path_of(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

 private:
  const Json& object_;
  std::string path_;
  std::set<std::string> asked_;
};

// One element of an array, named as path[index].
std::int64_t integer_of(const Json& value, const std::string& path, std::int64_t min, std::int64_t max);
ByteVector hex_of(const Json& value, const std::string& path, std::size_t size_max);

}  // namespace wattproof::tool
