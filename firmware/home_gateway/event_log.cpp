// SPDX-License-Identifier: Apache-2.0
#include "event_log.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <stdexcept>

namespace wattproof::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::uint32_t notes_per_minute_max = 30;  // of one name

std::int64_t wall_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

EventLog::EventLog(const std::string& path) : file_(path, std::ios::app) {
  if (!file_) throw std::runtime_error("events file " + path + ": " + std::strerror(errno));
}

void EventLog::event(const char* name, ordered_json fields) {
  ordered_json line = {{"event", name}, {"time_ms", wall_ms()}};
  line.update(fields);
  write(line, true);
}

void EventLog::note(const char* name, const std::string& detail) {
  Rate& rate = rates_[name];
  const std::int64_t now_ms = wall_ms();
  if (rate.minute != now_ms / 60'000) {
    if (rate.suppressed > 0) {
      write({{"event", name}, {"time_ms", now_ms}, {"suppressed", rate.suppressed}}, false);
    }
    rate = {now_ms / 60'000, 0, 0};
  }
  if (++rate.count > notes_per_minute_max) {
    ++rate.suppressed;
    return;
  }
  write({{"event", name}, {"time_ms", now_ms}, {"detail", detail}}, false);
}

void EventLog::write(const ordered_json& line, bool to_file) {
  const std::string text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  if (!is_quiet_) std::cout << text << std::endl;
  if (to_file && file_.is_open()) file_ << text << std::endl;
}

}  // namespace wattproof::gateway
