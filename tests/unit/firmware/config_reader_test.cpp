// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/config_reader.hpp"

#include <gtest/gtest.h>

#include <array>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

using testing::ScratchFolder;

// The complaints about `text` after `read` has asked its questions, without the folder's name.
template <class Read>
std::vector<std::string> complaints(const std::string& text, Read read) {
  const ScratchFolder folder;
  ConfigReader reader;
  if (reader.open(folder.write("a.toml", text))) {
    ConfigSection root = reader.root();
    read(root);
    root.finish();
  }
  std::vector<std::string> errors = reader.errors();
  for (std::string& error : errors) error = error.substr(folder.path().string().size() + 1);
  return errors;
}

TEST(config_reader, names_the_line_of_what_is_no_toml) {
  const std::vector<std::string> errors = complaints("a = 1\nb = = 2\n", [](ConfigSection&) {});
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].substr(0, 10), "a.toml:2: ");
}

TEST(config_reader, names_a_file_that_is_not_there) {
  ConfigReader reader;
  EXPECT_FALSE(reader.open("/nonexistent/a.toml"));
  ASSERT_EQ(reader.errors().size(), 1u);
  EXPECT_EQ(reader.errors()[0], "/nonexistent/a.toml: No such file or directory");
}

TEST(config_reader, complains_in_the_order_of_the_file_and_about_unknown_keys) {
  const std::vector<std::string> errors = complaints("z = 1\na = \"x\"\n[t]\nq = true\n", [](ConfigSection& root) {
    static_cast<void>(root.integer("a", 0, 9));
    ConfigSection table = root.section("t");
    static_cast<void>(table.integer("missing", 0, 9));
    table.finish();
  });
  EXPECT_EQ(errors, (std::vector<std::string>{"a.toml:1: z: is not known here", "a.toml:2: a: must be an integer from 0 to 9",
                                              "a.toml:3: t.missing: is missing", "a.toml:4: t.q: is not known here"}));
}

TEST(config_reader, keeps_integers_to_their_range_and_type) {
  const auto read = [](ConfigSection& root) { static_cast<void>(root.integer("a", -5, 5)); };
  EXPECT_TRUE(complaints("a = -5", read).empty());
  EXPECT_TRUE(complaints("a = 5", read).empty());
  for (const char* text : {"a = -6", "a = 6", "a = 1.0", "a = true", "a = \"1\"", "a = [1]", "a = 9223372036854775807"}) {
    EXPECT_EQ(complaints(text, read).size(), 1u) << text;
  }
}

TEST(config_reader, reads_a_series_as_one_number_or_one_per_slot) {
  std::vector<std::int32_t> series;
  const auto read = [&](ConfigSection& root) { series = root.series("a", -10, 10, 3); };
  EXPECT_TRUE(complaints("a = 7", read).empty());
  EXPECT_EQ(series, std::vector<std::int32_t>{7});
  EXPECT_TRUE(complaints("a = [1, -2, 3]", read).empty());
  EXPECT_EQ(series, (std::vector<std::int32_t>{1, -2, 3}));
  for (const char* text : {"a = []", "a = [1, 2, 3, 4]", "a = [1, 11]", "a = [1, \"x\"]", "a = 1.5", "a = [[1]]"}) {
    EXPECT_EQ(complaints(text, read).size(), 1u) << text;
  }
}

TEST(config_reader, reads_hexadecimal_of_exactly_one_length) {
  std::array<std::uint8_t, 2> bytes{};
  const auto read = [&](ConfigSection& root) { root.hex("a", bytes); };
  EXPECT_TRUE(complaints("a = \"0xAb12\"", read).empty());
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 2>{0xab, 0x12}));
  for (const char* text : {"a = \"0xab1\"", "a = \"0xab123\"", "a = \"ab12\"", "a = \"0xab1g\"", "a = 0xab12", ""}) {
    EXPECT_EQ(complaints(text, read).size(), 1u) << text;
  }
}

TEST(config_reader, knows_booleans_words_and_texts) {
  static constexpr std::array<std::string_view, 2> words = {"none", "gpio"};
  std::size_t choice = 9;
  const auto read = [&](ConfigSection& root) {
    static_cast<void>(root.boolean("b"));
    choice = root.choice("c", words);
    static_cast<void>(root.text("t"));
  };
  EXPECT_TRUE(complaints("b = true\nc = \"gpio\"\nt = \"x\"", read).empty());
  EXPECT_EQ(choice, 1u);
  const std::vector<std::string> errors = complaints("b = 1\nc = \"gpoi\"\nt = \"\"", read);
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors[1], "a.toml:2: c: must be one of \"none\", \"gpio\"");
}

TEST(config_reader, starts_relative_paths_at_the_folder_of_the_file) {
  const ScratchFolder folder;
  ConfigReader reader;
  ASSERT_TRUE(reader.open(folder.write("a.toml", "a = \"x/y\"\nb = \"/etc/z\"\n")));
  ConfigSection root = reader.root();
  EXPECT_EQ(root.path("a"), folder.path() / "x/y");
  EXPECT_EQ(root.path("b"), "/etc/z");
}

TEST(config_reader, refuses_a_file_beyond_its_limit) {
  const ScratchFolder folder;
  ConfigReader reader;
  EXPECT_FALSE(reader.open(folder.write("a.toml", std::string(config_file_size_max + 1, '#'))));
  ASSERT_EQ(reader.errors().size(), 1u);
}

}  // namespace
}  // namespace wattproof::firmware
