// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/config_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#define TOML_EXCEPTIONS 0
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace wattproof::firmware {
namespace {

const toml::table& as_table(const void* table) { return *static_cast<const toml::table*>(table); }
const toml::node& as_node(const void* node) { return *static_cast<const toml::node*>(node); }

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

std::string range_text(std::int64_t min, std::int64_t max) {
  return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

bool in_range(const toml::node& node, std::int64_t min, std::int64_t max, std::int64_t& value) {
  const std::optional<std::int64_t> integer = node.value_exact<std::int64_t>();
  if (!integer || *integer < min || *integer > max) return false;
  value = *integer;
  return true;
}

}  // namespace

struct ConfigReader::Document {
  toml::table table;
};

ConfigReader::ConfigReader() : document_(std::make_unique<Document>()) {}
ConfigReader::~ConfigReader() = default;

bool ConfigReader::open(const std::filesystem::path& file) {
  file_ = file;
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(file, code);
  if (code) {
    complain(0, code.message());
    return false;
  }
  if (size > config_file_size_max) {
    complain(0, "larger than 1 MiB");
    return false;
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) {
    complain(0, std::strerror(errno));
    return false;
  }
  toml::parse_result result = toml::parse(text.str(), file.string());
  if (!result) {
    complain(result.error().source().begin.line, std::string(result.error().description()));
    return false;
  }
  document_->table = std::move(result).table();
  return true;
}

ConfigSection ConfigReader::root() { return {*this, &document_->table, "", 1}; }

void ConfigReader::complain(std::uint32_t line, const std::string& what) { complaints_.push_back({line, what}); }

std::vector<std::string> ConfigReader::errors() const {
  std::vector<Complaint> sorted = complaints_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Complaint& a, const Complaint& b) { return a.line < b.line; });
  std::vector<std::string> texts;
  for (const Complaint& complaint : sorted) {
    const std::string place = complaint.line == 0 ? "" : ":" + std::to_string(complaint.line);
    texts.push_back(file_.string() + place + ": " + complaint.text);
  }
  return texts;
}

bool ConfigSection::has(std::string_view key) const { return table_ != nullptr && as_table(table_).contains(key); }

const void* ConfigSection::node(std::string_view key) {
  asked_.emplace_back(key);
  return table_ == nullptr ? nullptr : as_table(table_).get(key);
}

const void* ConfigSection::require(std::string_view key, bool is_required) {
  const void* found = node(key);
  if (found == nullptr && is_required) complain(key, "is missing");
  return found;
}

void ConfigSection::complain(std::string_view key, const std::string& what) {
  const toml::node* found = table_ == nullptr ? nullptr : as_table(table_).get(key);
  const std::string full = name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  reader_->complain(found == nullptr ? line_ : line_of(*found), full + ": " + what);
}

std::int64_t ConfigSection::integer(std::string_view key, std::int64_t min, std::int64_t max, std::optional<std::int64_t> fallback) {
  const void* found = require(key, !fallback);
  std::int64_t value = fallback.value_or(min);
  if (found != nullptr && !in_range(as_node(found), min, max, value)) complain(key, "must be " + range_text(min, max));
  return value;
}

bool ConfigSection::boolean(std::string_view key, std::optional<bool> fallback) {
  const void* found = require(key, !fallback);
  if (found == nullptr) return fallback.value_or(false);
  const std::optional<bool> value = as_node(found).value_exact<bool>();
  if (!value) complain(key, "must be true or false");
  return value.value_or(false);
}

std::string ConfigSection::text(std::string_view key, std::optional<std::string> fallback) {
  const void* found = require(key, !fallback);
  if (found == nullptr) return fallback.value_or("");
  const std::optional<std::string> value = as_node(found).value_exact<std::string>();
  if (!value || value->empty()) complain(key, "must be a text that is not empty");
  return value.value_or("");
}

std::size_t ConfigSection::choice(std::string_view key, std::span<const std::string_view> words, std::optional<std::size_t> fallback) {
  const void* found = require(key, !fallback);
  if (found == nullptr) return fallback.value_or(words.size());
  const std::string value = as_node(found).value_exact<std::string>().value_or("");
  const auto match = std::find(words.begin(), words.end(), value);
  if (match != words.end()) return static_cast<std::size_t>(match - words.begin());
  std::string known;
  for (const std::string_view word : words) known += (known.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  complain(key, "must be one of " + known);
  return words.size();
}

void ConfigSection::hex(std::string_view key, std::span<std::uint8_t> into) {
  const void* found = require(key, true);
  if (found == nullptr) return;
  const std::string value = as_node(found).value_exact<std::string>().value_or("");
  const bool is_hex = value.size() == 2 + 2 * into.size() && value.starts_with("0x") &&
                      value.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
  if (!is_hex) return complain(key, "must be 0x and " + std::to_string(2 * into.size()) + " hexadecimal digits");
  for (std::size_t i = 0; i < into.size(); ++i) {
    into[i] = static_cast<std::uint8_t>(std::stoul(value.substr(2 + 2 * i, 2), nullptr, 16));
  }
}

std::vector<std::int32_t> ConfigSection::series(std::string_view key, std::int32_t min, std::int32_t max, std::size_t count_max,
                                                std::optional<std::int32_t> fallback) {
  const void* found = require(key, !fallback);
  if (found == nullptr) return {fallback.value_or(0)};
  std::int64_t value = 0;
  if (in_range(as_node(found), min, max, value)) return {static_cast<std::int32_t>(value)};
  const toml::array* array = as_node(found).as_array();
  const std::string wanted = "must be " + range_text(min, max) + ", or an array of 1 to " + std::to_string(count_max) + " of them";
  if (array == nullptr || array->empty() || array->size() > count_max) {
    complain(key, wanted);
    return {0};
  }
  std::vector<std::int32_t> values;
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (!in_range(*array->get(i), min, max, value)) {
      complain(key, "entry " + std::to_string(i) + " must be " + range_text(min, max));
      return {0};
    }
    values.push_back(static_cast<std::int32_t>(value));
  }
  return values;
}

std::vector<std::string> ConfigSection::texts(std::string_view key, std::size_t count_max) {
  const void* found = require(key, true);
  if (found == nullptr) return {};
  const toml::array* array = as_node(found).as_array();
  std::vector<std::string> values;
  bool good = array != nullptr && !array->empty() && array->size() <= count_max;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const std::optional<std::string> value = array->get(i)->value_exact<std::string>();
    good = value.has_value();
    if (good) values.push_back(*value);
  }
  if (!good) complain(key, "must be an array of 1 to " + std::to_string(count_max) + " texts");
  return good ? values : std::vector<std::string>{};
}

std::filesystem::path ConfigSection::path(std::string_view key, std::optional<std::string> fallback) {
  const std::string value = text(key, std::move(fallback));
  if (value.empty()) return {};
  return reader_->file().parent_path() / value;
}

ConfigSection ConfigSection::section(std::string_view key) {
  const void* found = node(key);
  const std::string full = name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  if (found == nullptr) return {*reader_, nullptr, full, line_};
  const toml::table* table = as_node(found).as_table();
  if (table == nullptr) complain(key, "must be a table");
  return {*reader_, table, full, line_of(as_node(found))};
}

std::vector<std::string> ConfigSection::section_names() const {
  std::vector<std::string> names;
  if (table_ == nullptr) return names;
  for (const auto& [key, value] : as_table(table_)) {
    if (value.is_table()) names.emplace_back(key.str());
  }
  return names;
}

void ConfigSection::finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, value] : as_table(table_)) {
    if (std::find(asked_.begin(), asked_.end(), key.str()) == asked_.end()) complain(key.str(), "is not known here");
  }
}

}  // namespace wattproof::firmware
