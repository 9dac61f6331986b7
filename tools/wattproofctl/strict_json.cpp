// SPDX-License-Identifier: Apache-2.0
#include "strict_json.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

namespace wattproof::tool {
namespace {

std::string read_stream(std::istream& stream, const std::string& name, std::size_t size_max) {
  std::string text;
  std::string part(65536, '\0');
  while (stream) {
    stream.read(part.data(), static_cast<std::streamsize>(part.size()));
    text.append(part, 0, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > size_max) {
      throw InputError("", name + ": longer than " + std::to_string(size_max) + " bytes");
    }
  }
  if (stream.bad()) throw InputError("", name + ": cannot be read");
  return text;
}

// Follows the parser to see names that occur twice and depth without bound.
class Watch {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > document_depth_max) throw InputError("", "nested deeper than " + std::to_string(document_depth_max));
    if (event == Event::object_start || event == Event::array_start) levels_.push_back({event == Event::array_start});
    if (event == Event::object_end || event == Event::array_end) levels_.pop_back();
    if (event == Event::key) {
      levels_.back().key = parsed.get<std::string>();
      if (!levels_.back().names.insert(levels_.back().key).second) throw InputError(path(), "is there twice");
    }
    const bool is_end_of_value = event == Event::value || event == Event::object_end || event == Event::array_end;
    if (is_end_of_value && !levels_.empty()) ++levels_.back().index;
    return true;
  }

 private:
  struct Level {
    bool is_array = false;
    std::size_t index = 0;  // of the element that is read, in an array
    std::string key{};      // the last one, in an object
    std::set<std::string> names{};
  };

  std::string path() const {
    std::string text;
    for (const Level& level : levels_) {
      if (level.is_array) text += "[" + std::to_string(level.index) + "]";
      else text += (text.empty() ? "" : ".") + level.key;
    }
    return text;
  }

  std::vector<Level> levels_;
};

}  // namespace

std::string read_document(const std::string& path, std::size_t size_max) {
  if (path == "-") return read_stream(std::cin, "standard input", size_max);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError("", path + ": " + std::strerror(errno));
  return read_stream(file, path, size_max);
}

Json parse_document(const std::string& text) {
  Watch watch;
  try {
    return Json::parse(text, std::ref(watch));
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 2, ..": the first word says nothing to a reader.
    const std::string text_of_error = error.what();
    const std::size_t end_of_name = text_of_error.find("] ");
    throw InputError("", "not JSON: " + (end_of_name == std::string::npos ? text_of_error : text_of_error.substr(end_of_name + 2)));
  }
}

Json load_document(const std::string& path, std::size_t size_max) {
  const std::string text = read_document(path, size_max);
  try {
    return parse_document(text);
  } catch (const InputError& error) {
    throw InputError(path == "-" ? "standard input" : path, error);
  }
}

ObjectReader::ObjectReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object_.is_object()) throw InputError(path_, path_.empty() ? "the document must be an object" : "must be an object");
}

void ObjectReader::fail(const char* name, const std::string& detail) const { throw InputError(path_of(name), detail); }

bool ObjectReader::has(const char* name) {
  asked_.insert(name);
  return object_.contains(name);
}

const Json& ObjectReader::member(const char* name) {
  if (!has(name)) fail(name, "is missing");
  return object_.at(name);
}

std::int64_t ObjectReader::integer(const char* name, std::int64_t min, std::int64_t max) {
  return integer_of(member(name), path_of(name), min, max);
}

std::int64_t ObjectReader::integer_or(const char* name, std::int64_t fallback, std::int64_t min, std::int64_t max) {
  return has(name) ? integer(name, min, max) : fallback;
}

std::uint64_t ObjectReader::uint64(const char* name) {
  const Json& value = member(name);
  const bool is_natural = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!is_natural) fail(name, "must be a whole number of at most 64 bits, not negative");
  return value.get<std::uint64_t>();
}

bool ObjectReader::boolean(const char* name) {
  const Json& value = member(name);
  if (!value.is_boolean()) fail(name, "must be true or false");
  return value.get<bool>();
}

const std::string& ObjectReader::text(const char* name) {
  const Json& value = member(name);
  if (!value.is_string()) fail(name, "must be text");
  return value.get_ref<const std::string&>();
}

ByteVector ObjectReader::hex(const char* name, std::size_t size_max) { return hex_of(member(name), path_of(name), size_max); }

const Json& ObjectReader::array(const char* name, std::size_t count_max) {
  const Json& value = member(name);
  if (!value.is_array()) fail(name, "must be an array");
  if (value.size() > count_max) fail(name, "has more than " + std::to_string(count_max) + " entries");
  return value;
}

std::vector<std::int64_t> ObjectReader::integers(const char* name, std::size_t count_max, std::int64_t min,
                                                 std::int64_t max) {
  const Json& value = array(name, count_max);
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < value.size(); ++i) {
    numbers.push_back(integer_of(value[i], path_of(name) + "[" + std::to_string(i) + "]", min, max));
  }
  return numbers;
}

ObjectReader ObjectReader::object(const char* name) { return ObjectReader(member(name), path_of(name)); }

void ObjectReader::finish() const {
  for (const auto& [name, value] : object_.items()) {
    if (!asked_.contains(name)) throw InputError(path_of(name), "is not a known field");
  }
}

std::int64_t integer_of(const Json& value, const std::string& path, std::int64_t min, std::int64_t max) {
  if (!value.is_number_integer()) throw InputError(path, "must be a whole number");
  const bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
  if (!fits || value.get<std::int64_t>() < min || value.get<std::int64_t>() > max) {
    throw InputError(path, "must be from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value.get<std::int64_t>();
}

ByteVector hex_of(const Json& value, const std::string& path, std::size_t size_max) {
  if (!value.is_string()) throw InputError(path, "must be hexadecimal text");
  std::optional<ByteVector> bytes = ethereum::parse_hex(value.get_ref<const std::string&>());
  if (!bytes) throw InputError(path, "must be \"0x\" and an even number of hexadecimal digits");
  if (bytes->size() > size_max) throw InputError(path, "has more than " + std::to_string(size_max) + " bytes");
  return std::move(*bytes);
}

}  // namespace wattproof::tool
