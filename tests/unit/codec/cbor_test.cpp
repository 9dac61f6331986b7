// SPDX-License-Identifier: Apache-2.0
#include "codec/cbor.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "support/vectors.hpp"

namespace wattproof::codec {
namespace {

using testing::ascii;
using testing::from_hex;
using testing::to_hex;

constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t i64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t i64_max = std::numeric_limits<std::int64_t>::max();

std::string written(const std::function<void(CborWriter&)>& write) {
  std::array<std::uint8_t, 256> buffer{};
  CborWriter writer(buffer);
  write(writer);
  const auto result = writer.finish();
  return result ? to_hex(*result) : error_name(result.error());
}

TEST(cbor, writes_the_examples_of_rfc_8949) {
  const std::vector<std::pair<std::int64_t, std::string>> numbers = {
      {0, "00"}, {1, "01"}, {10, "0a"}, {23, "17"}, {24, "1818"}, {25, "1819"}, {100, "1864"}, {1000, "1903e8"},
      {1000000, "1a000f4240"}, {1000000000000, "1b000000e8d4a51000"}, {-1, "20"}, {-10, "29"}, {-100, "3863"},
      {-1000, "3903e7"}};
  for (const auto& [value, expected] : numbers) {
    EXPECT_EQ(written([&](CborWriter& w) { w.integer(value); }), expected);
    const auto bytes = from_hex(expected);
    CborReader reader(bytes);
    EXPECT_EQ(*reader.read_int(i64_min, i64_max), value);
    EXPECT_EQ(reader.finish(), Error::none);
  }
  EXPECT_EQ(written([](CborWriter& w) { w.uint(u64_max); }), "1bffffffffffffffff");
  EXPECT_EQ(written([](CborWriter& w) { w.boolean(false); }), "f4");
  EXPECT_EQ(written([](CborWriter& w) { w.boolean(true); }), "f5");
  EXPECT_EQ(written([](CborWriter& w) { w.null(); }), "f6");
  EXPECT_EQ(written([](CborWriter& w) { w.bytes({}); }), "40");
  EXPECT_EQ(written([](CborWriter& w) { w.bytes(from_hex("01020304")); }), "4401020304");
  EXPECT_EQ(written([](CborWriter& w) { w.text(ascii("IETF")); }), "6449455446");
  EXPECT_EQ(written([](CborWriter& w) { w.text(ascii("\"\\")); }), "62225c");
  EXPECT_EQ(written([](CborWriter& w) { w.array(0); }), "80");
  EXPECT_EQ(written([](CborWriter& w) {
              w.array(3);
              w.uint(1);
              w.array(2);
              w.uint(2);
              w.uint(3);
              w.array(2);
              w.uint(4);
              w.uint(5);
            }),
            "8301820203820405");
  EXPECT_EQ(written([](CborWriter& w) {
              w.array(25);
              for (std::uint64_t i = 1; i <= 25; ++i) w.uint(i);
            }),
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
}

TEST(cbor, takes_the_shortest_head_at_every_boundary) {
  for (const std::uint64_t value : {std::uint64_t{23}, std::uint64_t{24}, std::uint64_t{0xff}, std::uint64_t{0x100},
                                    std::uint64_t{0xffff}, std::uint64_t{0x10000}, std::uint64_t{0xffffffff},
                                    std::uint64_t{0x100000000}, u64_max}) {
    const auto bytes = from_hex(written([&](CborWriter& w) { w.uint(value); }));
    CborReader reader(bytes);
    EXPECT_EQ(*reader.read_uint(), value);
    EXPECT_EQ(reader.finish(), Error::none);
  }
  for (const char* longer : {"1817", "190018", "1900ff", "1a00000100", "1a0000ffff", "1b0000000000010000",
                             "1b00000000ffffffff", "5800", "58170000", "9800", "3817", "f814", "f90015"}) {
    const auto bytes = from_hex(longer);
    CborReader reader(bytes);
    const auto kind = reader.peek();
    Error error = Error::none;
    if (!kind) {
      error = reader.read_null();
    } else if (*kind == CborKind::bytes) {
      error = reader.read_bytes(100).error();
    } else if (*kind == CborKind::array) {
      error = reader.read_array(0);
    } else {
      error = reader.read_int(i64_min, i64_max).error();
    }
    EXPECT_EQ(error, Error::non_canonical) << longer;
    EXPECT_EQ(reader.finish(), Error::non_canonical) << longer;
  }
}

TEST(cbor, writes_the_ends_of_the_integer_ranges) {
  for (const std::int64_t value : {i64_min, i64_min + 1, i64_max}) {
    const auto bytes = from_hex(written([&](CborWriter& w) { w.integer(value); }));
    CborReader reader(bytes);
    EXPECT_EQ(*reader.read_int(i64_min, i64_max), value);
  }
  for (const char* beyond : {"3b8000000000000000", "1b8000000000000000", "3bffffffffffffffff"}) {
    const auto bytes = from_hex(beyond);
    CborReader reader(bytes);
    EXPECT_EQ(reader.read_int(i64_min, i64_max).error(), Error::out_of_range) << beyond;
  }
}

TEST(cbor, holds_readers_to_their_limits) {
  const auto number = from_hex("1903e8");
  EXPECT_EQ(CborReader(number).read_uint(999).error(), Error::out_of_range);
  EXPECT_EQ(*CborReader(number).read_uint(1000), 1000U);
  EXPECT_EQ(CborReader(number).read_int(1001, 2000).error(), Error::out_of_range);
  EXPECT_EQ(CborReader(number).read_int(-5, 999).error(), Error::out_of_range);
  const auto string = from_hex("4401020304");
  EXPECT_EQ(CborReader(string).read_bytes(3).error(), Error::too_large);
  EXPECT_EQ(to_hex(*CborReader(string).read_bytes(4)), "01020304");
  EXPECT_EQ(CborReader(string).read_fixed<5>().error(), Error::wrong_length);
  EXPECT_EQ(CborReader(string).read_fixed<3>().error(), Error::wrong_length);
  EXPECT_EQ(to_hex(*CborReader(string).read_fixed<4>()), "01020304");
  const auto array = from_hex("820102");
  EXPECT_EQ(CborReader(array).read_array(1), Error::wrong_length);
  EXPECT_EQ(CborReader(array).read_array_up_to(1).error(), Error::too_large);
  EXPECT_EQ(*CborReader(array).read_array_up_to(2), 2U);
  // A length that no memory holds is refused by the limit, never believed.
  const auto huge = from_hex("5bffffffffffffffff00");
  EXPECT_EQ(CborReader(huge).read_bytes(0xffffffff).error(), Error::too_large);
  const auto many = from_hex("9bffffffffffffffff00");
  EXPECT_EQ(CborReader(many).read_array_up_to(0xffffffff).error(), Error::too_large);
  const auto beyond_any = from_hex("9a00010001");
  EXPECT_EQ(CborReader(beyond_any).read_array_up_to(0xffffffff).error(), Error::too_large);
}

TEST(cbor, names_a_wrong_type) {
  const std::vector<std::string> items = {"01", "20", "4100", "6161", "80", "f4", "f6"};
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto bytes = from_hex(items[i]);
    const auto expect = [&](std::size_t own, Error error) {
      EXPECT_EQ(error, i == own ? Error::none : Error::wrong_type) << items[i];
    };
    expect(0, CborReader(bytes).read_uint().error());
    expect(2, CborReader(bytes).read_bytes(9).error());
    expect(3, CborReader(bytes).read_text(9).error());
    expect(4, CborReader(bytes).read_array(0));
    expect(5, CborReader(bytes).read_boolean().error());
    expect(6, CborReader(bytes).read_null());
  }
}

TEST(cbor, speaks_no_maps_tags_floats_or_other_simple_values) {
  for (const char* foreign : {"a0", "c001", "f93c00", "fa47c35000", "fb3ff199999999999a", "f7", "f0", "f818", "e0"}) {
    const auto bytes = from_hex(foreign);
    EXPECT_EQ(CborReader(bytes).peek().error(), Error::wrong_type) << foreign;
    EXPECT_NE(CborReader(bytes).read_null(), Error::none) << foreign;
    EXPECT_NE(CborReader(bytes).read_boolean().error(), Error::none) << foreign;
  }
}

TEST(cbor, refuses_indefinite_lengths_and_reserved_heads) {
  for (const char* open : {"5f4100ff", "5c", "5d", "5e"}) {
    const auto bytes = from_hex(open);
    EXPECT_EQ(CborReader(bytes).read_bytes(9).error(), Error::non_canonical) << open;
  }
  const auto array = from_hex("9f01ff");
  EXPECT_EQ(CborReader(array).read_array_up_to(9).error(), Error::non_canonical);
  const auto text = from_hex("7f6161ff");
  EXPECT_EQ(CborReader(text).read_text(9).error(), Error::non_canonical);
  const auto stop = from_hex("ff");
  EXPECT_EQ(CborReader(stop).read_null(), Error::non_canonical);
}

TEST(cbor, notices_every_truncation) {
  std::array<std::uint8_t, 128> buffer{};
  CborWriter writer(buffer);
  writer.array(5);
  writer.uint(70000);
  writer.bytes(from_hex("0102030405"));
  writer.text(ascii("abc"));
  writer.array(1);
  writer.integer(-5000000000);
  writer.boolean(true);
  const Bytes whole = *writer.finish();
  const auto read_all = [](CborReader& reader) {
    (void)reader.read_array(5);
    (void)reader.read_uint();
    (void)reader.read_bytes(10);
    (void)reader.read_text(10);
    (void)reader.read_array(1);
    (void)reader.read_int(i64_min, i64_max);
    (void)reader.read_boolean();
    return reader.finish();
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CborReader reader(whole.first(size));
    EXPECT_EQ(read_all(reader), Error::truncated) << size;
  }
  CborReader reader(whole);
  EXPECT_EQ(read_all(reader), Error::none);
  EXPECT_EQ(reader.position(), whole.size());
}

TEST(cbor, keeps_the_first_error) {
  const auto bytes = from_hex("83190001" "02" "03");
  CborReader reader(bytes);
  EXPECT_EQ(reader.read_array(3), Error::none);
  EXPECT_EQ(reader.read_uint().error(), Error::non_canonical);
  EXPECT_EQ(reader.read_uint().error(), Error::non_canonical);
  EXPECT_EQ(reader.peek().error(), Error::non_canonical);
  EXPECT_EQ(reader.read_array(0), Error::non_canonical);
  EXPECT_EQ(reader.finish(), Error::non_canonical);
}

TEST(cbor, holds_one_document_and_no_more) {
  const auto two = from_hex("0102");
  CborReader reader(two);
  EXPECT_TRUE(reader.read_uint());
  EXPECT_EQ(reader.finish(), Error::trailing_bytes);
  EXPECT_EQ(reader.peek().error(), Error::unexpected);
  EXPECT_EQ(reader.read_uint().error(), Error::unexpected);

  // An item of the outer array is not taken for one of the inner array: the inner one is closed by its count.
  const auto inner = from_hex("82810102");
  CborReader inner_reader(inner);
  EXPECT_EQ(inner_reader.read_array(2), Error::none);
  EXPECT_EQ(inner_reader.finish(), Error::truncated);
  EXPECT_EQ(inner_reader.read_array(1), Error::none);
  EXPECT_TRUE(inner_reader.read_uint());
  EXPECT_TRUE(inner_reader.read_uint());
  EXPECT_EQ(inner_reader.read_uint().error(), Error::unexpected);
}

TEST(cbor, watches_the_writer_count_its_items) {
  EXPECT_EQ(written([](CborWriter&) {}), "not_ready");
  EXPECT_EQ(written([](CborWriter& w) {
              w.array(2);
              w.uint(1);
            }),
            "not_ready");
  EXPECT_EQ(written([](CborWriter& w) {
              w.uint(1);
              w.uint(2);
            }),
            "unexpected");
  EXPECT_EQ(written([](CborWriter& w) {
              w.array(1);
              w.array(0);
              w.null();
            }),
            "unexpected");
  EXPECT_EQ(written([](CborWriter& w) { w.text(ascii("a\nb")); }), "out_of_range");
  const auto after_the_end = [](const std::function<void(CborWriter&)>& add) {
    return written([&](CborWriter& w) {
      w.uint(1);
      add(w);
      w.text(ascii("a\nb"));  // the first error is the one that is told
    });
  };
  EXPECT_EQ(after_the_end([](CborWriter& w) { w.integer(-1); }), "unexpected");
  EXPECT_EQ(after_the_end([](CborWriter& w) { w.bytes(ascii("a")); }), "unexpected");
  EXPECT_EQ(after_the_end([](CborWriter& w) { w.text(ascii("a")); }), "unexpected");
  EXPECT_EQ(after_the_end([](CborWriter& w) { w.boolean(true); }), "unexpected");
  EXPECT_EQ(after_the_end([](CborWriter& w) { w.null(); }), "unexpected");
  EXPECT_EQ(after_the_end([](CborWriter& w) { w.array(0); }), "unexpected");
  EXPECT_EQ(written([](CborWriter& w) { w.array(cbor_array_count_max + 1); }), "too_large");
}

TEST(cbor, bounds_the_depth_in_both_directions) {
  const auto nest = [](std::uint32_t depth) {
    return written([&](CborWriter& w) {
      for (std::uint32_t i = 0; i < depth; ++i) w.array(1);
      w.uint(0);
    });
  };
  EXPECT_EQ(nest(cbor_depth_max), "818181818181818100");
  EXPECT_EQ(nest(cbor_depth_max + 1), "too_deep");
  const auto bytes = from_hex("81818181818181818100");
  CborReader reader(bytes);
  for (std::uint32_t i = 0; i < cbor_depth_max; ++i) EXPECT_EQ(reader.read_array(1), Error::none);
  EXPECT_EQ(reader.read_array(1), Error::too_deep);
}

TEST(cbor, never_writes_beyond_the_buffer) {
  for (std::size_t size = 0; size <= 12; ++size) {
    std::array<std::uint8_t, 16> memory;
    memory.fill(0xee);
    CborWriter writer(MutableBytes(memory).first(size));
    writer.array(2);
    writer.uint(u64_max);
    writer.bytes(from_hex("07"));
    EXPECT_EQ(writer.finish().error(), size < 12 ? Error::capacity : Error::none) << size;
    for (std::size_t i = size; i < memory.size(); ++i) EXPECT_EQ(memory[i], 0xee) << size;
  }
}

TEST(cbor, accepts_only_printable_text) {
  for (unsigned c = 0; c < 256; ++c) {
    const std::array<std::uint8_t, 2> bytes = {0x61, static_cast<std::uint8_t>(c)};
    const bool printable = c >= 0x20 && c <= 0x7e;
    EXPECT_EQ(CborReader(bytes).read_text(1).error(), printable ? Error::none : Error::out_of_range) << c;
  }
}

}  // namespace
}  // namespace wattproof::codec
