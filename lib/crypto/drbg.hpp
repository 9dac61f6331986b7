// SPDX-License-Identifier: Apache-2.0
// Random bytes for keys and nonces: raw noise from the board is tested, condensed and stretched by CTR_DRBG with AES-256
// (NIST SP 800-90A, mbedTLS). A board whose noise fails its test gets no key.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::crypto {

// Raw noise for one seed. Counted at one bit of entropy a byte it holds twice the 256 bits that the seed needs.
constexpr std::size_t raw_entropy_size = 512;
constexpr std::size_t drbg_output_size_max = 1024;  // of one call
constexpr std::int32_t drbg_request_count_max = 1 << 20;    // of one seed

// The two continuous tests of SP 800-90B, section 4.4, for byte samples that claim one bit of entropy each, with a false
// alarm once in 2^20. They find a source that is stuck or has lost most of its noise, not one that merely is predictable.
class EntropyHealth {
 public:
  //   entropy_failed  one value came repetition_max times in a row, or proportion_max times among window_size samples.
  //                   It stays so: a source that failed once is not trusted again before a reset
  Error add(std::uint8_t sample);

  static constexpr std::uint32_t repetition_max = 21;
  static constexpr std::uint32_t window_size = 512;
  static constexpr std::uint32_t proportion_max = 311;

 private:
  bool has_failed_ = false;
  bool has_last_ = false;
  std::uint8_t last_ = 0;
  std::uint32_t repetitions_ = 0;
  std::uint8_t window_first_ = 0;
  std::uint32_t window_count_ = 0;  // samples of the window so far
  std::uint32_t window_same_ = 0;   // of them, equal to the first
};

class Drbg {
 public:
  Drbg();
  Drbg(const Drbg&) = delete;
  Drbg& operator=(const Drbg&) = delete;
  ~Drbg();

  // `raw` is noise as the source gives it, unconditioned where the board can; `device` sets devices apart whose noise is
  // poor (a serial number, or nothing). May be called again to reseed.
  //   wrong_length    other than raw_entropy_size bytes
  //   entropy_failed  the noise fails its health test; the generator is then unseeded
  Error seed(Bytes raw, Bytes device);

  //   not_ready  not seeded, or drbg_request_count_max calls after it
  //   too_large  more than drbg_output_size_max bytes
  Error generate(MutableBytes output);

 private:
  bool is_seeded_ = false;
  std::int32_t requests_ = 0;
  // mbedTLS's context: 320 bytes with 32-bit pointers.
  static constexpr std::size_t context_size = sizeof(void*) == 4 ? 320 : 512;
  alignas(8) std::array<std::uint8_t, context_size> context_{};
};

// A new private key, uniform below the group order.
//   not_ready       the generator is not seeded
//   entropy_failed  the generator gave no valid key in a row of tries, which chance does not explain
Error generate_key(Drbg& drbg, PrivateKey& key);

}  // namespace wattproof::crypto
