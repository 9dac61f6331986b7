// SPDX-License-Identifier: Apache-2.0
// A device as the operator describes it: what it can do, and with that the terms it is enrolled with.
//   {"slots":24,"slot_seconds":3600,"device":{...as solve takes it...},
//    "address":"0x..", "min_w":[] or n, "max_w":[] or n, "fallback_w":[] or n}
// The last four may be left out: the address for a device that is not enrolled by this document, the limits where those of
// the device's kind are right, the fallback where it is 0 W (a fixed load: its profile).
#pragma once

#include "device_json.hpp"

namespace wattproof::tool {

struct DeviceDocument {
  solver::Grid grid;
  DeviceDescription description;
  std::optional<Address> address;
  std::vector<std::int32_t> min_w;       // one entry, or one per slot
  std::vector<std::int32_t> max_w;
  std::vector<std::int32_t> fallback_w;
};

// Throws InputError; also where the limits contradict each other or the fallback leaves them.
void read_device_document(const Json& document, const std::string& path, DeviceDocument& result);

// The bytes that the registry keeps the hashes of (docs/SPEC.md section 3).
ByteVector encode_limits(const DeviceDocument& device);
ByteVector encode_fallback(const DeviceDocument& device);

}  // namespace wattproof::tool
