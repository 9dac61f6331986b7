// SPDX-License-Identifier: Apache-2.0
// The simulated board of DeviceLife, as a port.
#pragma once

#include "hal/runner.hpp"
#include "sim/device_life.hpp"

namespace wattproof::testing {

class DeviceLife::Port {
 public:
  explicit Port(DeviceLife& life) : life_(life), store_(life.flash_, {}) {}

  Error mount() { return store_.mount(); }

  BootMs now() { return life_.boot_now(); }
  Error entropy(MutableBytes into) {
    for (std::uint8_t& byte : into) byte = static_cast<std::uint8_t>(life_.random_.next() >> 56);
    return Error::none;
  }
  Error send(Bytes frame);
  Error write_record(std::uint8_t id, Bytes record);
  Result<std::uint32_t> read_record(std::uint8_t id, MutableBytes into);
  Error sign(const Hash32& digest, crypto::Signature& signature) {
    signature = life_.key_.sign(digest);
    return Error::none;
  }
  Error set_relay(bool on, const node::Evidence& why);
  Error set_point(std::int32_t power_w, const node::Evidence& why);
  Error sense_relay(bool& on) {
    on = life_.relay_.sensed(life_.world_now());
    return Error::none;
  }
  void report(hal::Fault, Error) {}

 private:
  DeviceLife& life_;
  store::RecordStore<store::SimFlash> store_;
};

struct DeviceLife::Board {
  explicit Board(DeviceLife& life) : port(life), runner(node, port) {}
  Port port;
  node::Node node;
  hal::Runner<Port, node::Node> runner;
};

}  // namespace wattproof::testing
