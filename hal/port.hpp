// SPDX-License-Identifier: Apache-2.0
// What a board must give so that a node can live on it. A port is any type with these members; the compiler checks it,
// there is no base class and no virtual call (a closed call graph gives a stack bound). hal/runner.hpp does the rest.
#pragma once

#include <concepts>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/secp256k1.hpp"
#include "node/node.hpp"

namespace wattproof::hal {

// What went wrong between a node and its board. The board logs it; the node learns of it by its own inputs.
enum class Fault : std::uint8_t {
  restore = 0,    // a stored record could not be read, or the node refused it
  send = 1,       // the link refused a frame
  store = 2,      // a record could not be written
  sign = 3,       // the key could not sign
  relay = 4,      // the relay could not be driven
  set_point = 5,  // the setpoint could not be driven
  overrun = 6,    // the node kept asking without end; the rest waits for the next turn
};

template <class T>
concept Port = requires(T port, const Hash32& digest, crypto::Signature& signature, MutableBytes into, Bytes bytes,
                        std::uint8_t record_id, bool on, std::int32_t power_w, const node::Evidence& why, bool& sensed, Fault fault, Error error) {
  // Milliseconds since this boot; never goes back.
  { port.now() } -> std::same_as<BootMs>;
  // Fills `into` from a healthy entropy source, else entropy_failed and the node must not start.
  { port.entropy(into) } -> std::same_as<Error>;
  // Hands one frame to the link. May lose it; never blocks.
  { port.send(bytes) } -> std::same_as<Error>;
  // Keeps a record so that a power cut leaves the old or the new one. Returns after it is durable.
  { port.write_record(record_id, bytes) } -> std::same_as<Error>;
  // Reads the newest record into `into`: its part, or record_absent / record_corrupt.
  { port.read_record(record_id, into) } -> std::same_as<Result<std::uint32_t>>;
  // Signs with the device key, which never leaves the port.
  { port.sign(digest, signature) } -> std::same_as<Error>;
  // Drives the outputs. `why` goes to the log.
  { port.set_relay(on, why) } -> std::same_as<Error>;
  { port.set_point(power_w, why) } -> std::same_as<Error>;
  // Reads the contact back; not_ready where the board cannot.
  { port.sense_relay(sensed) } -> std::same_as<Error>;
  // Tells of a fault; `error` is what the board or the node said about it. Must not fail.
  { port.report(fault, error) } -> std::same_as<void>;
};

}  // namespace wattproof::hal
