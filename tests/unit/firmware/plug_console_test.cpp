// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_console.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/crc32.hpp"

namespace wattproof::firmware {
namespace {

class plug_console : public testing::Test {
 protected:
  std::string text_of(const Line& line) { return {line.begin(), line.end()}; }

  // Types a whole line; the command that it ended in is kept.
  std::string type(const std::string& text) {
    Line reply;
    for (const char letter : text + "\n") {
      const Command command = console.take(letter, now_ms, reply);
      if (command != Command::none) last = command;
    }
    return text_of(reply);
  }

  std::string watch(std::uint64_t after_ms) {
    now_ms += after_ms;
    Line reply;
    console.watch(now_ms, reply);
    return text_of(reply);
  }

  static std::string hex(std::uint32_t number) {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", number);
    return text;
  }

  std::string begin(const std::vector<std::uint8_t>& document) {
    return type("begin " + std::to_string(document.size()) + " " + hex(store::crc32(document)));
  }

  Console console;
  Command last = Command::none;
  std::uint64_t now_ms = 1000;
};

TEST_F(plug_console, knows_its_words_and_no_others) {
  type("identity\r");
  EXPECT_EQ(last, Command::identity);
  type("status");
  EXPECT_EQ(last, Command::status);
  type("forget settings");
  EXPECT_EQ(last, Command::forget_settings);
  type("forget everything");
  EXPECT_EQ(last, Command::forget_everything);
  last = Command::none;
  for (const char* text : {"identit", "identity x", "statuss", "forget", "forget key", "key", "FORGET everything", " "}) {
    EXPECT_EQ(type(text), "error unknown_kind") << text;
  }
  EXPECT_EQ(type(""), "");
  EXPECT_EQ(last, Command::none);
}

TEST_F(plug_console, takes_a_document_part_by_part) {
  const std::vector<std::uint8_t> document = {0x81, 0x01, 0xab};
  EXPECT_EQ(begin(document), "ok");
  EXPECT_EQ(type("data 0 8101"), "ok");
  EXPECT_EQ(type("data 2 ab"), "ok");
  EXPECT_EQ(type("commit"), "");
  EXPECT_EQ(last, Command::commit);
  EXPECT_EQ(std::vector<std::uint8_t>(console.document().begin(), console.document().end()), document);
}

TEST_F(plug_console, forgets_a_line_that_is_cut_in_half) {
  Line reply;
  for (const char letter : std::string("data 0 81")) console.take(letter, now_ms, reply);
  EXPECT_EQ(watch(line_ms_max), "");
  EXPECT_EQ(watch(1), "error truncated");
  EXPECT_EQ(watch(line_ms_max + 1), "");
  type("identity");
  EXPECT_EQ(last, Command::identity);
}

TEST_F(plug_console, forgets_a_document_that_is_cut_in_half) {
  const std::vector<std::uint8_t> document(100, 0x55);
  begin(document);
  EXPECT_EQ(type("data 0 5555"), "ok");
  EXPECT_EQ(watch(document_ms_max), "");
  EXPECT_EQ(watch(1), "error truncated");
  EXPECT_FALSE(console.is_receiving());
  EXPECT_EQ(type("data 2 55"), "error not_ready");
  EXPECT_EQ(type("commit"), "error not_ready");
}

TEST_F(plug_console, refuses_a_commit_before_the_end) {
  begin(std::vector<std::uint8_t>(4));
  type("data 0 0000");
  EXPECT_EQ(type("commit"), "error truncated");
  EXPECT_EQ(type("commit"), "error not_ready");
  EXPECT_EQ(last, Command::none);
}

TEST_F(plug_console, refuses_a_document_with_another_checksum) {
  std::vector<std::uint8_t> document = {1, 2, 3};
  begin(document);
  type("data 0 010203");
  EXPECT_EQ(type("commit"), "");
  begin(document);
  type("data 0 010204");
  last = Command::none;
  EXPECT_EQ(type("commit"), "error record_corrupt");
  EXPECT_EQ(last, Command::none);
  EXPECT_FALSE(console.is_receiving());
}

TEST_F(plug_console, refuses_what_is_too_large) {
  EXPECT_EQ(type("begin 0 00000000"), "error too_large");
  EXPECT_EQ(type("begin " + std::to_string(settings_size_max + 1) + " 00000000"), "error too_large");
  EXPECT_EQ(type("begin " + std::to_string(settings_size_max) + " 00000000"), "ok");
  EXPECT_EQ(type("begin 3 00000000"), "ok");
  EXPECT_EQ(type("data 0 00000000"), "error too_large");
  EXPECT_EQ(type("data 0 000000"), "ok");
  EXPECT_EQ(type("data 3 00"), "error too_large");
}

TEST_F(plug_console, refuses_a_line_that_is_too_long_and_takes_the_next) {
  EXPECT_EQ(type(std::string(command_size_max, 'x')), "error unknown_kind");
  EXPECT_EQ(type(std::string(command_size_max + 1, 'x')), "error too_large");
  EXPECT_EQ(type(std::string(100'000, 'x')), "error too_large");
  type("identity");
  EXPECT_EQ(last, Command::identity);
}

TEST_F(plug_console, notices_a_line_that_was_lost_or_came_twice) {
  begin(std::vector<std::uint8_t>(4));
  EXPECT_EQ(type("data 1 00"), "error unexpected");
  EXPECT_EQ(type("data 0 00"), "ok");
  EXPECT_EQ(type("data 0 00"), "error unexpected");
  EXPECT_EQ(type("data 1 00"), "ok");
}

TEST_F(plug_console, refuses_numbers_that_are_none) {
  for (const char* text : {"begin", "begin 3", "begin 3 1234567", "begin 3 123456789", "begin -3 12345678", "begin 4294967299 12345678", "begin 3 1234567G",
                           "begin 3 ABCDEF01", "begin 3 12345678 9"}) {
    EXPECT_EQ(type(text).substr(0, 6), "error ") << text;
    EXPECT_FALSE(console.is_receiving()) << text;
  }
  begin(std::vector<std::uint8_t>(4));
  for (const char* text : {"data", "data 0", "data 0 ", "data 0 0", "data 0 0x", "data 0 zz", "data x 00", "data 0 00 "}) {
    EXPECT_EQ(type(text).substr(0, 6), "error ") << text;
  }
}

TEST_F(plug_console, forgets_an_unfinished_document_when_another_begins) {
  begin(std::vector<std::uint8_t>(4));
  type("data 0 0000");
  EXPECT_EQ(begin({0x77}), "ok");
  EXPECT_EQ(type("data 0 77"), "ok");
  type("commit");
  EXPECT_EQ(last, Command::commit);
}

TEST_F(plug_console, survives_every_byte) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      Line reply;
      console.take(static_cast<char>(first), now_ms, reply);
      console.take(static_cast<char>(second), now_ms, reply);
    }
  }
  type("");
  type("identity");
  EXPECT_EQ(last, Command::identity);
}

}  // namespace
}  // namespace wattproof::firmware
