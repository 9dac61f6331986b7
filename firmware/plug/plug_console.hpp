// SPDX-License-Identifier: Apache-2.0
// The serial line of a plug, as a person or plug_line.py speaks it: one command a line, one answer a line that begins with "ok" or
// "error". It can tell the identity, take settings and forget them; it can neither show nor take a key.
//
//   identity                  ok address=0x.. version=.. board=..
//   status                    ok ..
//   begin SIZE CRC32          a settings document of so many bytes follows; forgets an unfinished one
//   data OFFSET HEX           its next bytes, in order, at most 64 a line
//   commit                    checks all of it, stores it, then resets
//   forget settings|everything
//
// A line that breaks off is dropped after line_ms_max, a document after document_ms_max: both are told as "error truncated", and
// what was stored before stays.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "firmware/plug/plug_settings.hpp"
#include "firmware/plug/plug_text.hpp"

namespace wattproof::firmware {

constexpr std::uint32_t command_size_max = 160;
constexpr std::uint64_t line_ms_max = 2'000;
constexpr std::uint64_t document_ms_max = 30'000;

enum class Command : std::uint8_t { none, identity, status, commit, forget_settings, forget_everything };

class Console {
 public:
  // Takes one character. Gives the command that the firmware must answer, if the line ended in one; `reply` holds the answer to
  // all others, or nothing.
  Command take(char letter, std::uint64_t now_ms, Line& reply);
  // To be called now and then: drops what broke off.
  void watch(std::uint64_t now_ms, Line& reply);

  // The document, once a commit was asked for and its checksum is right.
  [[nodiscard]] Bytes document() const { return Bytes(document_).first(size_); }
  [[nodiscard]] bool is_receiving() const { return is_receiving_; }
  void forget_document() { is_receiving_ = false; }

  // Room for a stored document while the plug boots: the same memory.
  MutableBytes room() { return document_; }

 private:
  Command run(Line& reply, std::uint64_t now_ms);
  Command commit(Line& reply);
  Error begin(Bytes arguments, std::uint64_t now_ms);
  Error data(Bytes arguments, std::uint64_t now_ms);

  std::array<char, command_size_max> line_{};
  std::uint32_t line_size_ = 0;
  bool is_too_long_ = false;
  std::uint64_t line_begun_ms_ = 0;
  std::array<std::uint8_t, settings_size_max> document_{};
  std::uint32_t size_ = 0;
  std::uint32_t received_ = 0;
  std::uint32_t crc_ = 0;
  bool is_receiving_ = false;
  std::uint64_t received_ms_ = 0;
};

}  // namespace wattproof::firmware
