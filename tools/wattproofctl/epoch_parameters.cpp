// SPDX-License-Identifier: Apache-2.0
#include "epoch_parameters.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/limits.hpp"

namespace wattproof::tool {
namespace {

constexpr std::int64_t gamma_max = (std::int64_t{1} << 40) - 1;
constexpr std::size_t column_count_max = 64;

std::vector<std::int32_t> narrowed(const std::vector<std::int64_t>& values) {
  std::vector<std::int32_t> result;
  for (const std::int64_t value : values) result.push_back(static_cast<std::int32_t>(value));
  return result;
}

std::vector<std::int32_t> series_of(ObjectReader& object, const char* name, std::size_t slots) {
  if (!object.member(name).is_array()) {
    return std::vector<std::int32_t>(slots, static_cast<std::int32_t>(object.integer(name, INT32_MIN, INT32_MAX)));
  }
  const std::vector<std::int32_t> values = narrowed(object.integers(name, slots, INT32_MIN, INT32_MAX));
  if (values.size() != slots) object.fail(name, "must have one entry per slot, " + std::to_string(slots));
  return values;
}

EpochParameters from_json(const std::string& text) {
  const Json document = parse_document(text);
  ObjectReader fields(document, "");
  EpochParameters parameters;
  parameters.price = narrowed(fields.integers("price", slot_count_max, INT32_MIN, INT32_MAX));
  if (parameters.price.empty()) fields.fail("price", "is empty");
  const std::size_t slots = parameters.price.size();
  parameters.slot_seconds = static_cast<std::uint32_t>(fields.integer("slot_seconds", 1, 3600));
  if (3600 % parameters.slot_seconds != 0) fields.fail("slot_seconds", "must divide 3600");
  parameters.base_w = fields.has("base_w") ? series_of(fields, "base_w", slots) : std::vector<std::int32_t>(slots);
  parameters.cap_w = series_of(fields, "cap_w", slots);
  parameters.gamma = static_cast<std::uint64_t>(fields.integer_or("gamma", 0, 0, gamma_max));
  fields.finish();
  return parameters;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) {
    const auto first = cell.find_first_not_of(" \t\r");
    const auto last = cell.find_last_not_of(" \t\r");
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

class CsvReader {
 public:
  CsvReader(const std::string& path, const std::string& text) : path_(path), stream_(text) {
    std::string line;
    if (!next(line)) fail("is empty");
    names_ = split(line);
    if (names_.size() > column_count_max) fail("has too many columns");
  }

  std::size_t column(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    return found == names_.end() ? column_count_max : static_cast<std::size_t>(found - names_.begin());
  }

  bool next_row() {
    std::string line;
    if (!next(line)) return false;
    cells_ = split(line);
    if (cells_.size() != names_.size()) {
      fail("has " + std::to_string(cells_.size()) + " columns, not " + std::to_string(names_.size()));
    }
    return true;
  }

  std::int32_t number(std::size_t column) const {
    const std::string& cell = cells_[column];
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size()) {
      fail(names_[column] + ": \"" + cell.substr(0, 32) + "\" is not a whole number of 32 bits");
    }
    return value;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError("", path_ + ":" + std::to_string(line_) + ": " + what);
  }

 private:
  // The next line that is neither empty nor a comment.
  bool next(std::string& line) {
    while (std::getline(stream_, line)) {
      ++line_;
      if (line.find_first_not_of(" \t\r") != std::string::npos && line.front() != '#') return true;
    }
    return false;
  }

  std::string path_;
  std::istringstream stream_;
  std::size_t line_ = 0;
  std::vector<std::string> names_;
  std::vector<std::string> cells_;
};

EpochParameters from_csv(const std::string& path, const std::string& text) {
  CsvReader reader(path, text);
  const std::size_t slot = reader.column("slot");
  const std::size_t price = reader.column("price");
  const std::size_t base = reader.column("base_w");
  const std::size_t cap = reader.column("cap_w");
  for (const auto& [name, column] : {std::pair{"slot", slot}, {"price", price}, {"base_w", base}, {"cap_w", cap}}) {
    if (column == column_count_max) reader.fail(std::string("has no column ") + name);
  }
  EpochParameters parameters;
  while (reader.next_row()) {
    const std::size_t expected = parameters.slots();
    const std::int32_t found = reader.number(slot);
    if (found < 0 || static_cast<std::size_t>(found) != expected) {
      reader.fail("slot " + std::to_string(expected) + " is missing, slot " + std::to_string(found) + " comes in its place");
    }
    if (expected >= slot_count_max) reader.fail("has more than " + std::to_string(slot_count_max) + " slots");
    parameters.price.push_back(reader.number(price));
    parameters.base_w.push_back(reader.number(base));
    parameters.cap_w.push_back(reader.number(cap));
  }
  const std::size_t slots = parameters.slots();
  if (slots == 0) reader.fail("has no slots");
  // A CSV file is one day.
  const bool is_day = day_s % slots == 0 && 3600 % (day_s / slots) == 0;
  if (!is_day) reader.fail("ends after " + std::to_string(slots) + " slots; a day has 24, 48, 96 or 288");
  parameters.slot_seconds = day_s / static_cast<std::uint32_t>(slots);
  return parameters;
}

}  // namespace

ByteVector EpochParameters::encode() const {
  ByteVector bytes(8);
  store_be64(bytes.data(), gamma);
  for (std::size_t t = 0; t < slots(); ++t) {
    ethereum::append_int32(bytes, price[t]);
    ethereum::append_int32(bytes, base_w[t]);
    ethereum::append_int32(bytes, cap_w[t]);
  }
  return bytes;
}

EpochParameters read_epoch_parameters(const std::string& path, const std::string& text) {
  if (path.ends_with(".csv")) return from_csv(path, text);
  try {
    return from_json(text);
  } catch (const InputError& error) {
    throw InputError(path, error);
  }
}

}  // namespace wattproof::tool
