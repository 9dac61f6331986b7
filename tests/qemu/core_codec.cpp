// SPDX-License-Identifier: Apache-2.0
// Codecs: known answers, then what they say to thousands of damaged inputs, mixed into the trace.
#include "codec/abi.hpp"
#include "codec/cbor.hpp"
#include "codec/rlp.hpp"
#include "core_report.hpp"

namespace wattproof::core {
namespace {

constexpr std::uint32_t damaged_count = 20'000;

void known_answers(Report& report) {
  // ["cat", "dog"] and 1024, from the yellow paper's examples.
  constexpr auto list = hex("c88363617483646f67");
  codec::RlpReader reader = codec::open_rlp_list(list);
  CORE_CHECK(report, equal(reader.string(), hex("636174")));
  CORE_CHECK(report, equal(reader.string(), hex("646f67")));
  CORE_CHECK(report, reader.finish() == Error::none);
  CORE_CHECK(report, equal(codec::rlp_integer(1024).view(), hex("820400")));
  CORE_CHECK(report, codec::check_rlp(hex("8100")) == Error::non_canonical);

  // RFC 8949, appendix A.
  std::array<std::uint8_t, 16> buffer{};
  codec::CborWriter writer(buffer);
  writer.array(3);
  writer.integer(-1000);
  writer.uint(1'000'000'000'000);
  writer.null();
  const Result<Bytes> written = writer.finish();
  CORE_CHECK(report, written && equal(*written, hex("833903e71b000000e8d4a51000f6")));

  CORE_CHECK(report, codec::abi_int(-1) == hex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"));
}

void damaged_rlp(Report& report) {
  constexpr auto nested = hex("d0c88363617483646f6782040083010203c0");
  Random random(1);
  std::uint32_t accepted = 0;
  for (std::uint32_t i = 0; i < damaged_count; ++i) {
    auto bytes = nested;
    bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.next());
    const Bytes input = Bytes(bytes).first(random.below(bytes.size() + 1));
    const Error error = codec::check_rlp(input);
    accepted += error == Error::none;
    report.mix(static_cast<std::uint64_t>(error));
  }
  CORE_CHECK(report, accepted > 0 && accepted < damaged_count);
}

void integers_come_back(Report& report) {
  Random random(2);
  bool all_equal = true;
  for (std::uint32_t i = 0; i < damaged_count / 10; ++i) {
    const auto value = static_cast<std::int64_t>(random.next() >> random.below(64));
    std::array<std::uint8_t, 9> buffer{};
    codec::CborWriter writer(buffer);
    writer.integer(value);
    const Result<Bytes> written = writer.finish();
    if (!written) {
      all_equal = false;
      continue;
    }
    codec::CborReader reader(*written);
    const Result<std::int64_t> read = reader.read_int(INT64_MIN, INT64_MAX);
    all_equal = all_equal && read && *read == value && reader.finish() == Error::none;
    report.mix(*written);
  }
  CORE_CHECK(report, all_equal);
}

}  // namespace

void test_codec(Report& report) {
  known_answers(report);
  damaged_rlp(report);
  integers_come_back(report);
}

}  // namespace wattproof::core
