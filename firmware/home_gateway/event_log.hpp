// SPDX-License-Identifier: Apache-2.0
// What happens, as JSON lines: {"event":...,"time_s":...}. Everything goes to standard output; with a file, the events
// that a watcher follows (rounds, schedules, transactions) go there too.
#pragma once

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace wattproof::gateway {

class EventLog {
 public:
  EventLog() = default;
  // Appends to `path` as well. Throws std::runtime_error if it cannot be written.
  explicit EventLog(const std::string& path);

  // A line for the log and the file.
  void event(const char* name, nlohmann::ordered_json fields = nlohmann::ordered_json::object());

  // A line for the log alone. The same name is written at most so often a minute; the rest is counted and told once.
  void note(const char* name, const std::string& detail);
  void quiet() { is_quiet_ = true; }  // nothing on standard output

 private:
  struct Rate {
    std::int64_t minute = 0;
    std::uint32_t count = 0;
    std::uint64_t suppressed = 0;
  };
  void write(const nlohmann::ordered_json& line, bool to_file);

  std::ofstream file_;
  std::map<std::string, Rate> rates_;
  bool is_quiet_ = false;
};

}  // namespace wattproof::gateway
