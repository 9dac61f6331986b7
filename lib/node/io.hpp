// SPDX-License-Identifier: Apache-2.0
// What goes into a node and what comes out of it. The caller owns every byte: the node keeps no pointer to an input after
// step returns, and the spans inside Actions are valid until the next step.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::node {

constexpr std::uint32_t actions_max = 8;

enum class InputKind : std::uint8_t {
  tick,        // nothing but time
  frame,       // one frame from the link, at most frame_size_max bytes (longer ones are dropped and counted)
  link_up,     // the link can carry frames from now on
  link_down,
  button,      // the person: output forced on or off for a while, or released
  meter,       // measured power
  sensed,      // the relay contact as the board reads it back
  stored,      // the answer to a write_record action
  signature,   // the answer to a sign action
  opened,      // the relay is open only from now on: a closing failed, or an opening took more than one try
};

enum class ButtonCommand : std::uint8_t { release, force_on, force_off };

struct Input {
  InputKind kind = InputKind::tick;
  Bytes frame{};                                   // frame
  ButtonCommand button = ButtonCommand::release;   // button
  std::uint32_t button_s = 0;                      // button: for how long, at most override_s_max
  std::int32_t power_w = 0;                        // meter
  bool relay_on = false;                           // sensed
  std::uint8_t record_id = 0;                      // stored
  bool ok = false;                                 // stored, signature: false if the board could not
  crypto::Signature signature{};                   // signature
};

// Why an output has the state that it has. Block and epoch are 0 for a person's command, a trip and a fallback; but the
// enrolled fallback of an epoch that was proved to have failed names them.
enum class Reason : std::uint8_t { fallback = 0, schedule = 1, override_by_person = 2, trip = 3 };

struct Evidence {
  Reason reason = Reason::fallback;
  std::uint64_t epoch = 0;
  std::uint32_t slot = 0;
  std::uint64_t block_number = 0;   // the verified header under which the device's own record was proved
  Hash32 block_hash{};
};

enum class ActionKind : std::uint8_t {
  send,          // hand `bytes` to the link; may be lost
  set_relay,     // drive the relay to `on`; a board that cannot open it tries again until it can
  set_point,     // drive the setpoint output to `power_w`
  write_record,  // store `bytes` under record_id durably, then answer with an input `stored`
  sign,          // sign `digest` with the device key, then answer with an input `signature`
  wake_at,       // call step with a tick at `wake` at the latest
};

struct Action {
  ActionKind kind = ActionKind::wake_at;
  Bytes bytes{};                // send, write_record
  bool on = false;              // set_relay
  std::int32_t power_w = 0;     // set_point
  std::uint8_t record_id = 0;   // write_record
  Hash32 digest{};              // sign
  BootMs wake{};                // wake_at
  Evidence evidence{};          // set_relay, set_point
};

struct Actions {
  std::array<Action, actions_max> items{};
  std::uint32_t count = 0;
};

// Records that a node asks its board to keep. At boot the board gives back the newest of each (Node::restore). Two
// schedules: today's stands until tomorrow's has taken over, so the older of the two is replaced.
enum class RecordId : std::uint8_t { boot = 1, head = 2, message = 3, schedule_a = 4, schedule_b = 5 };
constexpr std::uint32_t record_size_max = 1024;

}  // namespace wattproof::node
