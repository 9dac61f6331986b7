// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_console.hpp"

#include <algorithm>

#include "store/crc32.hpp"

namespace wattproof::firmware {
namespace {

// Cuts the first word off.
Bytes word_of(Bytes& rest) {
  const auto space = std::find(rest.begin(), rest.end(), ' ');
  const Bytes word = rest.first(static_cast<std::size_t>(space - rest.begin()));
  rest = rest.subspan(word.size() + (space == rest.end() ? 0 : 1));
  return word;
}

bool is_word(Bytes word, const char* text) {
  std::size_t i = 0;
  for (; i < word.size() && text[i] != 0; ++i) {
    if (word[i] != static_cast<std::uint8_t>(text[i])) return false;
  }
  return i == word.size() && text[i] == 0;
}

int digit_of(std::uint8_t letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

// At most nine digits of base 10, or exactly eight of base 16.
Result<std::uint32_t> number_of(Bytes word, std::uint32_t base) {
  if (word.empty() || word.size() > 9 || (base == 16 && word.size() != 8)) return Error::wrong_length;
  std::uint32_t number = 0;
  for (const std::uint8_t letter : word) {
    const int digit = digit_of(letter);
    if (digit < 0 || static_cast<std::uint32_t>(digit) >= base) return Error::wrong_type;
    number = number * base + static_cast<std::uint32_t>(digit);
  }
  return number;
}

void answer(Line& reply, Error error) {
  if (error == Error::none) reply.add("ok");
  else reply.add("error ").add(error_name(error));
}

}  // namespace

Command Console::take(char letter, std::uint64_t now_ms, Line& reply) {
  if (letter == '\r') return Command::none;
  if (letter != '\n') {
    if (line_size_ == 0 && !is_too_long_) line_begun_ms_ = now_ms;
    if (line_size_ < line_.size()) line_[line_size_++] = letter;
    else is_too_long_ = true;
    return Command::none;
  }
  const bool is_too_long = is_too_long_;
  const std::uint32_t size = line_size_;
  is_too_long_ = false;
  Command command = Command::none;
  if (is_too_long) answer(reply, Error::too_large);
  else if (size != 0) command = run(reply, now_ms);
  line_size_ = 0;
  return command;
}

Command Console::run(Line& reply, std::uint64_t now_ms) {
  Bytes rest(reinterpret_cast<const std::uint8_t*>(line_.data()), line_size_);
  const Bytes word = word_of(rest);
  if (is_word(word, "identity") && rest.empty()) return Command::identity;
  if (is_word(word, "status") && rest.empty()) return Command::status;
  if (is_word(word, "commit") && rest.empty()) return commit(reply);
  if (is_word(word, "forget") && is_word(rest, "settings")) return Command::forget_settings;
  if (is_word(word, "forget") && is_word(rest, "everything")) return Command::forget_everything;
  Error error = Error::unknown_kind;
  if (is_word(word, "begin")) error = begin(rest, now_ms);
  if (is_word(word, "data")) error = data(rest, now_ms);
  answer(reply, error);
  return Command::none;
}

Error Console::begin(Bytes arguments, std::uint64_t now_ms) {
  is_receiving_ = false;
  const Result<std::uint32_t> size = number_of(word_of(arguments), 10);
  const Result<std::uint32_t> crc = number_of(word_of(arguments), 16);
  if (!size) return size.error();
  if (!crc) return crc.error();
  if (!arguments.empty()) return Error::trailing_bytes;
  if (*size == 0 || *size > document_.size()) return Error::too_large;
  size_ = *size;
  crc_ = *crc;
  received_ = 0;
  is_receiving_ = true;
  received_ms_ = now_ms;
  return Error::none;
}

// In order, so that a line that was lost is noticed by the next one.
Error Console::data(Bytes arguments, std::uint64_t now_ms) {
  if (!is_receiving_) return Error::not_ready;
  const Result<std::uint32_t> offset = number_of(word_of(arguments), 10);
  if (!offset) return offset.error();
  if (*offset != received_) return Error::unexpected;
  if (arguments.empty() || (arguments.size() & 1) != 0) return Error::wrong_length;
  const std::size_t count = arguments.size() >> 1;
  if (count > size_ - received_) return Error::too_large;
  for (std::size_t i = 0; i < count; ++i) {
    const int high = digit_of(arguments[2 * i]), low = digit_of(arguments[2 * i + 1]);
    if (high < 0 || low < 0) return Error::wrong_type;
    document_[received_ + i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  received_ += static_cast<std::uint32_t>(count);
  received_ms_ = now_ms;
  return Error::none;
}

Command Console::commit(Line& reply) {
  Error error = Error::none;
  if (!is_receiving_) error = Error::not_ready;
  else if (received_ != size_) error = Error::truncated;
  else if (store::crc32(document()) != crc_) error = Error::record_corrupt;
  if (error == Error::none) return Command::commit;
  is_receiving_ = false;
  answer(reply, error);
  return Command::none;
}

void Console::watch(std::uint64_t now_ms, Line& reply) {
  if ((line_size_ != 0 || is_too_long_) && now_ms - line_begun_ms_ > line_ms_max) {
    line_size_ = 0;
    is_too_long_ = false;
    answer(reply, Error::truncated);
  } else if (is_receiving_ && now_ms - received_ms_ > document_ms_max) {
    is_receiving_ = false;
    answer(reply, Error::truncated);
  }
}

}  // namespace wattproof::firmware
