// SPDX-License-Identifier: Apache-2.0
// CRC-32 (ISO-HDLC: polynomial 0x04c11db7 reflected, as in Ethernet and zip). Finds torn and rotten data, not malice.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace wattproof::store {

class Crc32 {
 public:
  void update(Bytes bytes);
  std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = 0xffffffff;
};

std::uint32_t crc32(Bytes bytes);

}  // namespace wattproof::store
