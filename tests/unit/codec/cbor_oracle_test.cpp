// SPDX-License-Identifier: Apache-2.0
// lib/codec/cbor against libcbor, an implementation that this project did not write. The rule that is tested in both
// directions: CborReader accepts an input if and only if libcbor decodes it as one document of the types that wattproof
// speaks, within its limits, and libcbor's own encoder gives back the very same bytes.
#include <cbor.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "codec/cbor.hpp"
#include "support/effort.hpp"
#include "support/vectors.hpp"

namespace wattproof::codec {
namespace {

using testing::to_hex;

// Where a case costs twenty times as much, every sixteenth third byte has to do.
constexpr unsigned third_byte_step = testing::is_slow_build ? 16 : 1;

constexpr std::uint32_t count_max = 64;
constexpr std::uint32_t string_max = 64;

// What libcbor says about an input: whether it is one of our documents, and a trace of what it holds.
class Oracle {
 public:
  // The trace, or "refused".
  std::string decode(Bytes input) {
    trace_.clear();
    reencoded_.clear();
    left_.clear();
    refused_ = started_ = false;
    std::size_t position = 0;
    const cbor_callbacks callbacks = all_callbacks();
    while (!refused_ && (!started_ || !left_.empty())) {
      const cbor_decoder_result result =
          cbor_stream_decode(input.data() + position, input.size() - position, &callbacks, this);
      if (result.status != CBOR_DECODER_FINISHED) return "refused";
      position += result.read;
    }
    if (refused_ || position != input.size() || !equal(reencoded_, input)) return "refused";
    return trace_;
  }

 private:
  static Oracle& self(void* context) { return *static_cast<Oracle*>(context); }

  template <class Encode>
  void put(Encode encode) {
    std::array<std::uint8_t, 16> buffer{};
    const std::size_t size = encode(buffer.data(), buffer.size());
    reencoded_.insert(reencoded_.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  }

  void item() {
    started_ = true;
    if (!left_.empty()) --left_.back();
    while (!left_.empty() && left_.back() == 0) left_.pop_back();
  }

  void number(std::uint64_t value) {
    trace_ += "u" + std::to_string(value) + ",";
    put([&](unsigned char* to, std::size_t size) { return cbor_encode_uint(value, to, size); });
    item();
  }

  void negative(std::uint64_t value) {
    // The reader is asked for int64, so a magnitude above its range is out of range there.
    refused_ = refused_ || value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    trace_ += "n" + std::to_string(value) + ",";
    put([&](unsigned char* to, std::size_t size) { return cbor_encode_negint(value, to, size); });
    item();
  }

  void string(bool is_text, Bytes value) {
    refused_ = refused_ || value.size() > string_max;
    for (const std::uint8_t c : value) refused_ = refused_ || (is_text && (c < 0x20 || c > 0x7e));
    trace_ += (is_text ? "t" : "b") + to_hex(value) + ",";
    put([&](unsigned char* to, std::size_t size) {
      return is_text ? cbor_encode_string_start(value.size(), to, size)
                     : cbor_encode_bytestring_start(value.size(), to, size);
    });
    reencoded_.insert(reencoded_.end(), value.begin(), value.end());
    item();
  }

  void array(std::size_t count) {
    refused_ = refused_ || count > count_max || left_.size() == cbor_depth_max;
    trace_ += "a" + std::to_string(count) + ",";
    put([&](unsigned char* to, std::size_t size) { return cbor_encode_array_start(count, to, size); });
    started_ = true;
    if (!left_.empty()) --left_.back();
    left_.push_back(count);
    while (!left_.empty() && left_.back() == 0) left_.pop_back();
  }

  void simple(const char* name, std::uint8_t code) {
    trace_ += name;
    reencoded_.push_back(code);
    item();
  }

  void refuse() {
    refused_ = true;
    started_ = true;
  }

  static cbor_callbacks all_callbacks() {
    cbor_callbacks c = cbor_empty_callbacks;
    c.uint8 = [](void* o, std::uint8_t v) { self(o).number(v); };
    c.uint16 = [](void* o, std::uint16_t v) { self(o).number(v); };
    c.uint32 = [](void* o, std::uint32_t v) { self(o).number(v); };
    c.uint64 = [](void* o, std::uint64_t v) { self(o).number(v); };
    c.negint8 = [](void* o, std::uint8_t v) { self(o).negative(v); };
    c.negint16 = [](void* o, std::uint16_t v) { self(o).negative(v); };
    c.negint32 = [](void* o, std::uint32_t v) { self(o).negative(v); };
    c.negint64 = [](void* o, std::uint64_t v) { self(o).negative(v); };
    c.byte_string = [](void* o, cbor_data data, std::size_t size) { self(o).string(false, {data, size}); };
    c.string = [](void* o, cbor_data data, std::size_t size) { self(o).string(true, {data, size}); };
    c.array_start = [](void* o, std::size_t count) { self(o).array(count); };
    c.boolean = [](void* o, bool value) { self(o).simple(value ? "T," : "F,", value ? 0xf5 : 0xf4); };
    c.null = [](void* o) { self(o).simple("N,", 0xf6); };
    c.byte_string_start = [](void* o) { self(o).refuse(); };
    c.string_start = [](void* o) { self(o).refuse(); };
    c.indef_array_start = [](void* o) { self(o).refuse(); };
    c.indef_map_start = [](void* o) { self(o).refuse(); };
    c.map_start = [](void* o, std::size_t) { self(o).refuse(); };
    c.tag = [](void* o, std::uint64_t) { self(o).refuse(); };
    c.float2 = [](void* o, float) { self(o).refuse(); };
    c.float4 = [](void* o, float) { self(o).refuse(); };
    c.float8 = [](void* o, double) { self(o).refuse(); };
    c.undefined = [](void* o) { self(o).refuse(); };
    c.indef_break = [](void* o) { self(o).refuse(); };
    return c;
  }

  std::string trace_;
  std::vector<std::uint8_t> reencoded_;
  std::vector<std::size_t> left_;
  bool refused_ = false;
  bool started_ = false;
};

// Reads one item of whatever type with the reader under test, and appends it to the trace.
Error read_any(CborReader& reader, std::string& trace) {
  const auto kind = reader.peek();
  if (!kind) return kind.error();
  switch (*kind) {
    case CborKind::unsigned_integer: {
      const auto value = reader.read_uint();
      trace += "u" + std::to_string(*value) + ",";
      return value.error();
    }
    case CborKind::negative_integer: {
      const auto value = reader.read_int(std::numeric_limits<std::int64_t>::min(), -1);
      trace += "n" + std::to_string(static_cast<std::uint64_t>(-1 - *value)) + ",";
      return value.error();
    }
    case CborKind::bytes: {
      const auto value = reader.read_bytes(string_max);
      trace += "b" + to_hex(*value) + ",";
      return value.error();
    }
    case CborKind::text: {
      const auto value = reader.read_text(string_max);
      trace += "t" + to_hex(*value) + ",";
      return value.error();
    }
    case CborKind::array: {
      const auto count = reader.read_array_up_to(count_max);
      trace += "a" + std::to_string(*count) + ",";
      return count.error();
    }
    case CborKind::boolean: {
      const auto value = reader.read_boolean();
      trace += *value ? "T," : "F,";
      return value.error();
    }
    case CborKind::null: trace += "N,"; return reader.read_null();
  }
  return Error::wrong_type;
}

std::string decode(Bytes input) {
  CborReader reader(input);
  std::string trace;
  Error error = Error::none;
  // finish() is truncated as long as items are missing; each item takes at least one byte.
  for (std::size_t i = 0; i <= input.size() && reader.finish() == Error::truncated && ok(error); ++i) {
    error = read_any(reader, trace);
  }
  return ok(reader.finish()) && ok(error) ? trace : "refused";
}

bool agree(Oracle& oracle, Bytes input, std::uint64_t& accepted) {
  const std::string expected = oracle.decode(input);
  const std::string actual = decode(input);
  EXPECT_EQ(actual, expected) << to_hex(input);
  if (expected != "refused") ++accepted;
  return actual == expected;
}

TEST(cbor_oracle, agrees_with_libcbor_on_every_input_of_up_to_three_bytes) {
  Oracle oracle;
  std::uint64_t accepted = 0;
  ASSERT_TRUE(agree(oracle, {}, accepted));
  for (unsigned a = 0; a < 256; ++a) {
    const std::array<std::uint8_t, 1> one = {static_cast<std::uint8_t>(a)};
    ASSERT_TRUE(agree(oracle, one, accepted));
    for (unsigned b = 0; b < 256; ++b) {
      const std::array<std::uint8_t, 2> two = {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)};
      ASSERT_TRUE(agree(oracle, two, accepted));
      for (unsigned c = 0; c < 256; c += third_byte_step) {
        const std::array<std::uint8_t, 3> three = {two[0], two[1], static_cast<std::uint8_t>(c)};
        ASSERT_TRUE(agree(oracle, three, accepted));
      }
    }
  }
  EXPECT_GT(accepted, 10'000U);
}

// A valid document, written by the writer under test.
std::vector<std::uint8_t> random_document(std::mt19937_64& random) {
  std::array<std::uint8_t, 1024> buffer{};
  CborWriter writer(buffer);
  std::uint32_t wanted = 1;
  std::uint32_t depth_left = cbor_depth_max;
  for (std::uint32_t items = 0; wanted > 0 && items < 40; ++items) {
    --wanted;
    const std::uint64_t value = random() >> random() % 64;
    switch (items == 0 ? 4 : random() % 7) {
      case 0: writer.uint(value); break;
      case 1: writer.integer(-1 - static_cast<std::int64_t>(value >> 1)); break;
      case 2: writer.bytes(std::vector<std::uint8_t>(random() % 30, static_cast<std::uint8_t>(value))); break;
      case 3: {
        const std::vector<std::uint8_t> text(random() % 30, static_cast<std::uint8_t>(0x20 + random() % 95));
        writer.text(text);
        break;
      }
      case 4: {
        const std::uint32_t count = depth_left > 0 ? static_cast<std::uint32_t>(random() % 5) : 0;
        if (depth_left > 0) --depth_left;
        if (depth_left == 0) {
          writer.null();
        } else {
          writer.array(count);
          wanted += count;
        }
        break;
      }
      case 5: writer.boolean(value % 2 == 0); break;
      default: writer.null(); break;
    }
  }
  for (; wanted > 0; --wanted) writer.null();
  const auto document = writer.finish();
  EXPECT_TRUE(document) << error_name(document.error());
  return {document->begin(), document->end()};
}

TEST(cbor_oracle, agrees_with_libcbor_on_random_documents_and_their_mutants) {
  std::mt19937_64 random(20260101);
  Oracle oracle;
  std::uint64_t accepted = 0;
  const std::uint64_t cases = testing::case_count(1'000'000);
  ASSERT_GT(cases, 0U);
  for (std::uint64_t i = 0; i < cases; ++i) {
    std::vector<std::uint8_t> input = random_document(random);
    if (i % 4 != 0 && !input.empty()) {
      const std::size_t at = random() % input.size();
      switch (random() % 4) {
        case 0: input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << random() % 8)); break;
        case 1: input.erase(input.begin() + static_cast<std::ptrdiff_t>(at)); break;
        case 2: input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random())); break;
        default: input.resize(at); break;
      }
    }
    ASSERT_TRUE(agree(oracle, input, accepted)) << "case " << i;
    // A quarter was not mutated and must be accepted.
    if (i % 4 == 0) {
      ASSERT_NE(decode(input), "refused");
    }
  }
  EXPECT_GT(accepted, cases / 4);
  EXPECT_LT(accepted, cases);
}

}  // namespace
}  // namespace wattproof::codec
