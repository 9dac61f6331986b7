// SPDX-License-Identifier: Apache-2.0
// What a device tells people and programs. People: one line an event on standard output, with the priority prefix that
// journald reads when it is the reader. Programs: JSON, one object a line, in a file of their own.
// A flood of one kind of event is cut: the first ones are written, later ones are counted and the count is told.
// Changes of an output are never cut; the relay guard bounds them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "node/node.hpp"

namespace wattproof::firmware {

enum class Level : std::uint8_t { error = 0, warning = 1, info = 2, debug = 3 };

constexpr std::uint32_t event_burst_max = 20;       // of one kind, then
constexpr std::uint64_t event_refill_ms = 10'000;   // one more after each such time

// "0x" and two digits a byte.
std::string to_hex(Bytes bytes);
const char* reason_name(node::Reason reason);

class Event {
 public:
  explicit Event(std::string_view name) : name_(name) {}
  Event& add(std::string_view key, std::int64_t value);
  Event& add(std::string_view key, std::uint64_t value);
  Event& add(std::string_view key, std::uint32_t value) { return add(key, std::uint64_t{value}); }
  Event& add(std::string_view key, std::int32_t value) { return add(key, std::int64_t{value}); }
  Event& add(std::string_view key, bool value);
  Event& add(std::string_view key, std::string_view value);
  Event& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  Event& add(std::string_view key, Error error) { return add(key, error_name(error)); }
  // reason, epoch, slot, block, block_hash
  Event& add(const node::Evidence& evidence);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& line() const { return line_; }
  [[nodiscard]] const std::string& json() const { return json_; }

 private:
  std::string name_;
  std::string line_;  // " key=value" each
  std::string json_;  // ,"key":value each
};

class EventLog {
 public:
  EventLog() = default;
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void set_level(Level level) { level_ = level; }
  // Appends to `file`. False if it cannot be written.
  bool open_events(const std::filesystem::path& file);

  // `ms` is the node's boot time; `real_ms` is what the limit on repetition counts in.
  void write(Level level, const Event& event, std::uint64_t ms, std::uint64_t real_ms);
  // Without a limit: for changes of an output.
  void write_always(Level level, const Event& event, std::uint64_t ms);

  // Events that were not written.
  [[nodiscard]] std::uint64_t suppressed() const { return suppressed_; }

 private:
  struct Budget {
    std::uint32_t left = event_burst_max;
    std::uint64_t refilled_ms = 0;
    std::uint64_t suppressed = 0;
  };
  bool take(Budget& budget, std::uint64_t real_ms);

  Level level_ = Level::info;
  std::FILE* events_ = nullptr;
  std::map<std::string, Budget> budgets_;
  std::uint64_t suppressed_ = 0;
};

}  // namespace wattproof::firmware
