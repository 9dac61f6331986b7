// SPDX-License-Identifier: Apache-2.0
// Handling of secrets in memory: erase them so that no optimiser can drop it, compare them without telling where.
#pragma once

#include <type_traits>

#include "base/bytes.hpp"

namespace wattproof::crypto {

// Overwrites with zeros. The compiler may not remove it, even if the memory is never read again.
void wipe(MutableBytes secret);

// Wipes a local secret on every way out of its scope.
template <class T>
class WipedAtExit {
  static_assert(std::is_trivially_copyable_v<T>, "a plain value");

 public:
  explicit WipedAtExit(T& secret) : secret_(secret) {}
  WipedAtExit(const WipedAtExit&) = delete;
  WipedAtExit& operator=(const WipedAtExit&) = delete;
  ~WipedAtExit() { wipe({reinterpret_cast<std::uint8_t*>(&secret_), sizeof(T)}); }

 private:
  T& secret_;
};

// True if both have one length and equal bytes. The time depends on the length alone; unequal lengths return at once.
[[nodiscard]] bool constant_time_equal(Bytes a, Bytes b);

// Marks bytes that were computed from a secret and are public from here on: a signature, a public key, whether a tag was
// right. It is no code, except in the constant-time check, which follows every secret until it gets here.
#ifdef WATTPROOF_CONSTANT_TIME_CHECK
void reveal(const void* data, std::size_t size);
#else
inline void reveal(const void*, std::size_t) {}
#endif

}  // namespace wattproof::crypto
