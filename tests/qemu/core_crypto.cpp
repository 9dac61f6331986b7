// SPDX-License-Identifier: Apache-2.0
// Hash and signatures: known answers (Keccak reference; the example of EIP-155) and a chain of recoveries.
#include "core_report.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::core {
namespace {

constexpr std::uint32_t recovery_count = 8;

void hashes(Report& report) {
  CORE_CHECK(report, crypto::keccak256({}) == hex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"));
  // Every length up to two blocks and a bit, so that each position of the padding is met; whole and in two pieces.
  std::array<std::uint8_t, 300> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
  bool pieces_agree = true;
  for (std::size_t size = 0; size <= message.size(); ++size) {
    const Bytes whole = Bytes(message).first(size);
    crypto::Keccak256 pieces;
    pieces.update(whole.first(size / 3));
    pieces.update(whole.subspan(size / 3));
    const Hash32 digest = crypto::keccak256(whole);
    pieces_agree = pieces_agree && pieces.finish() == digest;
    report.mix(Bytes(digest));
  }
  CORE_CHECK(report, pieces_agree);
}

void signatures(Report& report) {
  constexpr auto key = hex("4646464646464646464646464646464646464646464646464646464646464646");
  constexpr auto digest = hex("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
  constexpr auto expected = hex(
      "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
      "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d8300");
  constexpr auto signer = hex("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
  crypto::Signature signature{};
  CORE_CHECK(report, crypto::sign(key, digest, signature) == Error::none && signature == expected);
  const Result<Address> recovered = crypto::recover_address(digest, expected);
  CORE_CHECK(report, recovered && *recovered == signer);
  const Result<Address> own = crypto::address_of(key);
  CORE_CHECK(report, own && *own == signer);
}

void recoveries(Report& report) {
  constexpr auto signature = hex(
      "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
      "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d8300");
  Hash32 digest{};
  for (std::uint32_t i = 0; i < recovery_count; ++i) {
    digest = crypto::keccak256(digest);
    const Result<Address> address = crypto::recover_address(digest, signature);
    CORE_CHECK(report, static_cast<bool>(address));
    report.mix(Bytes(*address));
  }
}

}  // namespace

void test_crypto(Report& report) {
  hashes(report);
  signatures(report);
  recoveries(report);
}

}  // namespace wattproof::core
