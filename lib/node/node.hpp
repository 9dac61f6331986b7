// SPDX-License-Identifier: Apache-2.0
// A device as one state machine without I/O: something happens (Input), the node says what to do about it (Actions).
// `step` is the only door.
//
// What a step may cost: at most one public-key operation, one device problem, and hashing of at most one frame's
// content and one vector block. Whatever remains is asked for by a wake-up time. The relay guard runs first in every step,
// so nothing that arrives can keep it from switching off.
//
// Life of a node: configure, restore every record that the board has, start, then step for ever. Memory: the object
// itself (no heap); one per device: sizeof is 14,072 bytes on a Cortex-M4 and 14,936 on x86-64 with 96 slots and 32 validators.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "chain/head.hpp"
#include "control/relay_guard.hpp"
#include "node/config.hpp"
#include "node/fetch.hpp"
#include "node/io.hpp"
#include "node/records.hpp"
#include "schedule/epoch.hpp"
#include "schedule/participant.hpp"
#include "solver/solve.hpp"

namespace wattproof::node {

enum class Mode : std::uint8_t {
  starting = 0,   // its boot is not yet on record
  proving = 1,    // waits to see its own check-in under a final header
  idle = 2,       // fresh, but no schedule covers the present
  following = 3,  // fresh, and a proven schedule covers the present
  stale = 4,      // no fresh head
  conflict = 5,   // two final headers at one height were seen: nothing from this chain counts any more
};

class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Takes the configuration over (arrays of the device description stay the caller's). Errors of check_config, and
  //   unexpected  the node runs already
  Error configure(const Config& config);

  // Gives back what the board stored, before start. A record that cannot be read is left out and the error returned: the
  // node then starts without it (no schedule, a message answered anew, the head from the checkpoint).
  //   not_ready         not configured, or started already
  //   unknown_kind      no such record id
  //   wrong_device      of another device, chain or registry
  //   head_rolled_back  a head below the checkpoint
  //   and the decoders' errors
  Error restore(RecordId id, Bytes record);

  // Begins a boot. `entropy` is fresh from the board in every boot.
  //   not_ready  not configured
  Error start(BootMs now, const std::array<std::uint8_t, 32>& entropy);

  // `now` never goes back; an earlier time is taken as the latest one seen.
  const Actions& step(BootMs now, const Input& input);

  Mode mode() const;
  const chain::TrustedHead& head() const { return head_; }
  Error last_error() const { return last_error_; }      // what was refused last, for logs; errors do not stop a node
  std::uint32_t error_count() const { return error_count_; }
  bool relay_is_on() const { return relay_on_; }
  std::int32_t setpoint_w() const { return setpoint_w_; }
  std::uint32_t answered_round() const { return signed_round_; }
  std::uint64_t followed_epoch() const;

 private:
  enum class Stage : std::uint8_t { none, check_in, head, words, epoch_head, vectors, record };
  enum class Signing : std::uint8_t { none, check_in, update };
  enum class UpdateState : std::uint8_t { none, unsigned_, signing, storing, ready };
  static constexpr std::uint32_t settled_max = 4;
  static constexpr std::uint32_t bit(RecordId id) { return 1u << static_cast<std::uint8_t>(id); }

  // node.cpp: inputs, actions, records
  FetchContext context() { return {config_, head_, freshness_, now_}; }
  void take_input(const Input& input);
  void take_frame(Bytes bytes);
  void take_stored(std::uint8_t record_id, bool is_ok);
  void take_signature(const crypto::Signature& signature, bool is_ok);
  void add(const Action& action);
  void note(Error error);
  void ask_signature();
  void ask_record();
  Result<Bytes> encode_record(RecordId id);
  void send_one();
  BootMs next_wake();

  // node_evidence.cpp: what to prove next, and what follows from it
  void advance();
  void begin_session();
  BootMs next_session() const;    // when begin_session may find something to do
  void begin_epoch(std::uint64_t epoch);
  std::uint64_t epoch_to_look_at() const;
  void on_words();
  void on_check_in();
  void renew_check_in();
  void raise_boot_count(std::uint64_t nonce_seen);
  void forget_check_in();
  void on_epoch_head();
  void on_vectors();
  void on_record();
  void ask_data(message::What what, Stage stage, std::uint32_t size, const Hash32& expected, MutableBytes into);
  void end_session(Error error);
  void answer(const schedule::Record& record);
  void adopt(bool is_fallback);
  std::size_t place_for(bool is_fallback) const;  // among schedules_; schedules_.size() if none may go
  void settle(std::uint64_t epoch);
  bool is_settled(std::uint64_t epoch) const;
  const Schedule* schedule_of(std::uint64_t epoch) const;
  const Schedule* schedule_before(const schedule::EpochHead& head) const;
  void keep_head();

  // node_outputs.cpp: relay and setpoint
  void update_outputs();
  BootMs next_output() const;     // when a slot begins or the head gets stale
  const Schedule* current_schedule(ChainSeconds chain_now) const;
  bool wants_relay(const Schedule& schedule, std::uint32_t slot) const;
  void drive(const control::RelayOutput& output, const Schedule* schedule, std::uint32_t slot);

  Config config_{};
  Owner owner_{};
  bool is_configured_ = false;
  bool is_started_ = false;
  BootMs now_{};
  BootMs started_{};
  Actions actions_{};

  chain::TrustedHead head_{};
  chain::Freshness freshness_{};
  Fetch fetch_{};
  Stage stage_ = Stage::none;
  BootMs looked_{};                       // when a session last ended
  message::Notice notice_{};              // the gateway's newest hint
  bool has_news_ = false;                 // it differs from the hint before, or something was proved that opens the next step
  std::uint64_t open_epoch_ = 0;          // proved open when last looked at
  std::array<std::uint64_t, settled_max> settled_{};
  std::uint32_t settled_next_ = 0;

  std::uint64_t epoch_ = 0;               // of the session
  Hash32 record_word_{};
  std::array<std::uint8_t, schedule::head_size> head_bytes_{};
  std::array<std::uint8_t, schedule::record_size_max> record_bytes_{};
  schedule::EpochHead epoch_head_{};
  schedule::Vectors vectors_{};

  Address scheduler_{};
  Hash32 scheduler_domain_{};
  bool is_scheduler_known_ = false;

  std::uint32_t boot_count_ = 0;
  std::uint64_t nonce_ = 0;
  bool is_boot_count_raised_ = false;     // once a boot: two devices with one key must not wear their stores out
  bool is_nonce_stored_ = false;
  crypto::Signature check_in_signature_{};
  bool is_check_in_signed_ = false;
  BootMs check_in_begun_{};               // when the nonce was sent first
  BootMs check_in_sent_{};
  bool is_check_in_sent_ = false;
  bool is_check_in_proved_ = false;       // this nonce was seen on the chain
  bool is_check_in_turn_over_ = false;    // it was looked for just now; an epoch is next

  schedule::Participant participant_{};
  SignedUpdate update_{};
  UpdateState update_state_ = UpdateState::none;
  std::uint64_t signed_epoch_ = 0;        // the newest round that a signature exists for: no earlier one is signed again
  std::uint32_t signed_round_ = 0;
  Signing signing_ = Signing::none;
  BootMs signing_retry_{};
  std::array<std::int32_t, slot_count_max> own_x_{};
  std::array<std::int32_t, slot_count_max> target_w_{};

  std::array<Schedule, 2> schedules_{};   // followed only once stored
  std::array<bool, 2> is_schedule_stored_{};

  std::uint32_t records_due_ = 0;         // bit: RecordId
  std::uint8_t record_in_flight_ = 0;
  BootMs record_retry_{};
  BootMs head_stored_{};

  bool is_link_up_ = false;
  bool hello_due_ = false;
  bool check_in_due_ = false;
  bool update_due_ = false;
  bool status_due_ = false;
  BootMs status_sent_{};

  // The solver's memory while a step decides, and after it the record and the frame that the step gives away. Those are the
  // caller's until the next step, which solves before it writes any, so the two are never in use together.
  static constexpr std::size_t shared_words =
      std::max<std::size_t>(solver::workspace_words(slot_count_max), (std::size_t{record_size_max} + frame_size_max + 7) / sizeof(std::uint64_t));
  solver::WorkspaceView workspace() { return shared_; }
  MutableBytes record_buffer() { return shared_bytes().first(record_size_max); }
  MutableBytes frame_buffer() { return shared_bytes().subspan(record_size_max, frame_size_max); }
  MutableBytes shared_bytes() { return {reinterpret_cast<std::uint8_t*>(shared_.data()), sizeof(shared_)}; }
  std::array<std::uint64_t, shared_words> shared_{};

  std::optional<control::RelayGuard> guard_{};
  bool relay_on_ = false;
  std::int32_t setpoint_w_ = 0;
  bool are_outputs_driven_ = false;       // the first step drives them whatever they are
  message::Sensed sensed_ = message::Sensed::unknown;
  std::uint64_t justified_by_block_ = 0;

  Error last_error_ = Error::none;
  std::uint32_t error_count_ = 0;
};

}  // namespace wattproof::node
