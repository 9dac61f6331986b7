// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/device_events.hpp"

#include <algorithm>
#include <cstdlib>

namespace wattproof::firmware {
namespace {

// journald takes "<3>" at the start of a line as the priority; a person at a terminal wants the word.
std::string prefix(Level level) {
  static const bool is_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  static constexpr const char* words[] = {"error ", "warning ", "info ", "debug "};
  static constexpr const char* priorities[] = {"<3>", "<4>", "<6>", "<7>"};
  return (is_journal ? priorities : words)[static_cast<std::size_t>(level)];
}

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      quoted += '\\';
      quoted += character;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Only our own words and the operating system's reach this; what is not printable ASCII is shown by its code.
      static constexpr char digits[] = "0123456789abcdef";
      quoted += "\\u00";
      quoted += digits[byte >> 4];
      quoted += digits[byte & 15];
    } else {
      quoted += character;
    }
  }
  return quoted + '"';
}

}  // namespace

std::string to_hex(Bytes bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

const char* reason_name(node::Reason reason) {
  switch (reason) {
    case node::Reason::fallback: return "fallback";
    case node::Reason::schedule: return "schedule";
    case node::Reason::override_by_person: return "override_by_person";
    case node::Reason::trip: return "trip";
  }
  return "unknown";
}

Event& Event::add(std::string_view key, std::int64_t value) {
  line_ += " " + std::string(key) + "=" + std::to_string(value);
  json_ += "," + json_text(key) + ":" + std::to_string(value);
  return *this;
}

Event& Event::add(std::string_view key, std::uint64_t value) {
  line_ += " " + std::string(key) + "=" + std::to_string(value);
  json_ += "," + json_text(key) + ":" + std::to_string(value);
  return *this;
}

Event& Event::add(std::string_view key, bool value) {
  const char* word = value ? "true" : "false";
  line_ += " " + std::string(key) + "=" + word;
  json_ += "," + json_text(key) + ":" + word;
  return *this;
}

Event& Event::add(std::string_view key, std::string_view value) {
  const bool is_word = !value.empty() && value.find_first_of(" \"\\=\n\t") == std::string_view::npos;
  line_ += " " + std::string(key) + "=" + (is_word ? std::string(value) : json_text(value));
  json_ += "," + json_text(key) + ":" + json_text(value);
  return *this;
}

// Programs get every field every time; a person is spared the zeros of a fallback.
Event& Event::add(const node::Evidence& evidence) {
  add("reason", reason_name(evidence.reason));
  const std::string short_line = line_;
  add("epoch", evidence.epoch).add("slot", evidence.slot).add("block", evidence.block_number).add("block_hash", to_hex(evidence.block_hash));
  if (evidence.reason != node::Reason::schedule) line_ = short_line;
  return *this;
}

EventLog::~EventLog() {
  if (events_ != nullptr) std::fclose(events_);
}

bool EventLog::open_events(const std::filesystem::path& file) {
  events_ = std::fopen(file.c_str(), "ae");
  if (events_ != nullptr) std::setvbuf(events_, nullptr, _IOLBF, 4096);
  return events_ != nullptr;
}

bool EventLog::take(Budget& budget, std::uint64_t real_ms) {
  const std::uint64_t earned = (real_ms - budget.refilled_ms) / event_refill_ms;
  if (earned != 0) {
    budget.left = static_cast<std::uint32_t>(std::min<std::uint64_t>(event_burst_max, budget.left + earned));
    budget.refilled_ms += earned * event_refill_ms;
  }
  if (budget.left == 0) return false;
  --budget.left;
  return true;
}

void EventLog::write(Level level, const Event& event, std::uint64_t ms, std::uint64_t real_ms) {
  Budget& budget = budgets_.try_emplace(event.name(), Budget{.refilled_ms = real_ms}).first->second;
  if (!take(budget, real_ms)) {
    ++budget.suppressed;
    ++suppressed_;
    return;
  }
  Event written = event;
  if (budget.suppressed != 0) written.add("suppressed_before", budget.suppressed);
  budget.suppressed = 0;
  write_always(level, written, ms);
}

void EventLog::write_always(Level level, const Event& event, std::uint64_t ms) {
  if (level <= level_) {
    std::printf("%s%s%s\n", prefix(level).c_str(), event.name().c_str(), event.line().c_str());
    std::fflush(stdout);
  }
  // A full disk must not stop the device: what could not be written is lost, and the next line is tried again.
  if (events_ == nullptr) return;
  std::fprintf(events_, "{\"ms\":%llu,\"event\":\"%s\"%s}\n", static_cast<unsigned long long>(ms), event.name().c_str(), event.json().c_str());
  std::clearerr(events_);
}

}  // namespace wattproof::firmware
