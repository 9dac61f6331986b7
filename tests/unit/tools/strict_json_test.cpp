// SPDX-License-Identifier: Apache-2.0
#include "strict_json.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace wattproof::tool {
namespace {

// The field that a refusal names; "" if it names none, "ok" if nothing was refused.
template <class Read>
std::string refused_by(const char* text, Read read) {
  try {
    const Json document = parse_document(text);
    ObjectReader object(document, "");
    read(object);
    object.finish();
    return "ok";
  } catch (const InputError& error) {
    return error.field;
  }
}

TEST(strict_json, reads_whole_numbers_alone) {
  const auto read = [](ObjectReader& object) { object.integer("a", -5, 5); };
  EXPECT_EQ(refused_by(R"({"a":5})", read), "ok");
  EXPECT_EQ(refused_by(R"({"a":-5})", read), "ok");
  for (const char* text : {R"({"a":6})", R"({"a":-6})", R"({"a":1.0})", R"({"a":1e0})", R"({"a":"1"})", R"({"a":true})",
                           R"({"a":null})", R"({"a":18446744073709551615})", R"({"a":99999999999999999999})", R"({})"}) {
    EXPECT_EQ(refused_by(text, read), "a") << text;
  }
}

TEST(strict_json, names_unknown_and_doubled_fields) {
  const auto read = [](ObjectReader& object) { object.integer("a", 0, 9); };
  EXPECT_EQ(refused_by(R"({"a":1,"b":2})", read), "b");
  EXPECT_EQ(refused_by(R"({"a":1,"a":1})", read), "a");
  EXPECT_EQ(refused_by(R"({"x":[[],{"b":0}],"a":{"b":[1,{"c":{}},{"d":1,"e":[{}],"d":1}]}})", read), "a.b[2].d");
}

TEST(strict_json, names_the_path_of_a_nested_field) {
  const auto read = [](ObjectReader& object) {
    ObjectReader inner = object.object("inner");
    inner.integers("list", 3, 0, 9);
    inner.finish();
  };
  EXPECT_EQ(refused_by(R"({"inner":{"list":[1,2]}})", read), "ok");
  EXPECT_EQ(refused_by(R"({"inner":{"list":[1,10]}})", read), "inner.list[1]");
  EXPECT_EQ(refused_by(R"({"inner":{"list":[1,2,3,4]}})", read), "inner.list");
  EXPECT_EQ(refused_by(R"({"inner":{"list":[1],"more":0}})", read), "inner.more");
  EXPECT_EQ(refused_by(R"({"inner":[]})", read), "inner");
}

TEST(strict_json, reads_hexadecimal_of_the_size_asked_for) {
  const auto read = [](ObjectReader& object) { object.hex_array<2>("h"); };
  EXPECT_EQ(refused_by(R"({"h":"0xAb01"})", read), "ok");
  for (const char* text : {R"({"h":"ab01"})", R"({"h":"0xab0"})", R"({"h":"0xab"})", R"({"h":"0xab0102"})", R"({"h":7})"}) {
    EXPECT_EQ(refused_by(text, read), "h") << text;
  }
}

TEST(strict_json, refuses_what_is_no_document) {
  for (const char* text : {"", "{", "{} {}", "[1,]", "{'a':1}", "nul"}) EXPECT_THROW(parse_document(text), InputError) << text;
  EXPECT_THROW(parse_document(std::string(100, '[') + std::string(100, ']')), InputError);
}

TEST(strict_json, names_the_file_that_is_no_document) {
  const auto path = std::filesystem::temp_directory_path() / "wattproof-no-json";
  std::ofstream(path) << "{";
  try {
    load_document(path.string());
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).rfind(path.string() + ": not JSON: parse error at line 1", 0), 0u) << error.what();
  }
  std::filesystem::remove(path);
}

TEST(strict_json, reads_no_more_than_it_is_told) {
  const auto path = std::filesystem::temp_directory_path() / "wattproof-strict-json";
  std::ofstream(path) << "0123456789";
  EXPECT_EQ(read_document(path.string(), 10), "0123456789");
  EXPECT_THROW(read_document(path.string(), 9), InputError);
  std::filesystem::remove(path);
  EXPECT_THROW(read_document(path.string(), 10), InputError);
}

}  // namespace
}  // namespace wattproof::tool
