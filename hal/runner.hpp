// SPDX-License-Identifier: Apache-2.0
// Lets a node live on a board: hands it what happens, does what it asks, and gives it the answers that it waits for.
// One owner, one thread; no heap. The board's main loop is:
//
//   runner.start();
//   for (;;) { wait until runner.wake() or until something happened; runner.feed(what happened); runner.run(); }
//
// A relay that could not be opened is tried again in every run() until it obeys, and so is a setpoint. One that could not
// be closed stays open: closed later than the guard believes, its run could be cut too short. Either way the node is told
// from when on the relay is open, since its guard counts the pause from there.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>

#include "base/check.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/secret.hpp"
#include "hal/port.hpp"
#include "node/node.hpp"

namespace wattproof::hal {

// The node is stepped and the relay sensed at least this often, whatever wake-up it asked for. A shorter period costs
// processor time; a longer one delays what the relay guard does by itself (fallback, minimum times).
constexpr std::uint64_t tick_ms_max = 1000;

// Steps that one input may cause by answers to its own actions. A node needs two or three; a node that asks for more is
// not trusted to stop, and the rest waits for the next turn so that the outputs are still served.
constexpr std::uint32_t answer_steps_max = 32;

// Records are looked for under the ids 1 to this; a node of today uses fewer.
constexpr std::uint8_t record_id_max = 8;

template <class T>
concept Steppable = requires(T node, BootMs now, const node::Input& input, node::RecordId id, Bytes bytes,
                             const std::array<std::uint8_t, 32>& entropy) {
  { node.restore(id, bytes) } -> std::same_as<Error>;
  { node.start(now, entropy) } -> std::same_as<Error>;
  { node.step(now, input) } -> std::same_as<const node::Actions&>;
};

template <Port PortType, Steppable NodeType>
class Runner {
 public:
  Runner(NodeType& node, PortType& port) : node_(node), port_(port) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Gives the node its records and its entropy and takes the first step. A record that cannot be read is reported and
  // left out: a node without it is more careful, never less.
  //   entropy_failed  the board's source is not healthy; the node must not run
  //   any error of the node's own start
  Error start() {
    restore_records();
    std::array<std::uint8_t, 32> entropy{};
    const crypto::WipedAtExit wiped(entropy);
    WATTPROOF_TRY(port_.entropy(entropy));
    WATTPROOF_TRY(node_.start(port_.now(), entropy));
    started_ = true;
    sensed_ = port_.now();
    feed({.kind = node::InputKind::tick});
    return Error::none;
  }

  // Something happened.
  void feed(const node::Input& input) {
    if (!started_) return;
    step(input);
    answer();
  }

  // To be called whenever wake() has come, and harmless at any other time.
  void run() {
    if (!started_) return;
    if (relay_failed_) drive_relay(relay_);  // an opening
    if (set_point_failed_) drive_set_point(set_point_);
    answer();
    const BootMs now = port_.now();
    if (now.since(sensed_) >= tick_ms_max) sense(now);
    if (now >= wake_ || now.since(ticked_) >= tick_ms_max) feed({.kind = node::InputKind::tick});
  }

  // When run() has something to do at the latest.
  [[nodiscard]] BootMs wake() const {
    if (answer_count_ != 0 || relay_failed_ || set_point_failed_) return ticked_;
    const BootMs latest = (sensed_ < ticked_ ? sensed_ : ticked_).plus(tick_ms_max);
    return wake_ < latest ? wake_ : latest;
  }

 private:
  // What an answer needs of an Input. A node asks for one signature at a time, so that one lies beside the queue.
  struct Answer {
    node::InputKind kind = node::InputKind::stored;
    std::uint8_t record_id = 0;
    bool ok = false;
  };
  static constexpr std::uint32_t answers_max = 2 * node::actions_max;

  // Not inlined: its buffer must not lie below the first step.
  [[gnu::noinline]] void restore_records() {
    std::array<std::uint8_t, node::record_size_max> record{};
    for (const node::RecordId id : {node::RecordId::boot, node::RecordId::head, node::RecordId::message, node::RecordId::schedule_a,
                                    node::RecordId::schedule_b}) {
      const Result<std::uint32_t> size = port_.read_record(static_cast<std::uint8_t>(id), record);
      if (size.error() == Error::record_absent) continue;
      const Error error = size ? node_.restore(id, Bytes(record).first(*size)) : size.error();
      if (error != Error::none) port_.report(Fault::restore, error);
    }
  }

  void step(const node::Input& input) {
    ticked_ = port_.now();
    // A wake-up that has not come yet stays: a tick too many is harmless, one too few is not.
    if (wake_ <= ticked_) wake_ = ticked_.plus(tick_ms_max);
    const node::Actions& actions = node_.step(ticked_, input);
    for (std::uint32_t i = 0; i < actions.count; ++i) perform(actions.items[i]);
  }

  // Answers queue up while the actions of a step are performed, since the next step ends their lifetime.
  void answer() {
    for (std::uint32_t steps = 0; answer_count_ != 0; ++steps) {
      if (steps == answer_steps_max) {
        port_.report(Fault::overrun, Error::rate_limited);
        return;
      }
      const Answer& answer = answers_[answer_first_];
      node::Input input{.kind = answer.kind};
      input.record_id = answer.record_id;
      input.ok = answer.ok;
      if (answer.kind == node::InputKind::signature) {
        input.signature = signature_;
        signature_waits_ = false;
      }
      answer_first_ = (answer_first_ + 1) % answers_max;
      --answer_count_;
      step(input);
    }
  }

  void perform(const node::Action& action) {
    switch (action.kind) {
      case node::ActionKind::send: note(Fault::send, port_.send(action.bytes)); return;
      case node::ActionKind::set_relay: drive_relay(action); return;
      case node::ActionKind::set_point: drive_set_point(action); return;
      case node::ActionKind::write_record: return store(action);
      case node::ActionKind::sign: return sign(action.digest);
      case node::ActionKind::wake_at:
        if (action.wake < wake_) wake_ = action.wake;
        return;
    }
  }

  // The copy keeps no span of the node's: only the output and its reason are needed for another try.
  void drive_relay(const node::Action& action) {
    relay_.on = action.on;
    relay_.evidence = action.evidence;
    const bool was_failed = relay_failed_;
    const bool has_failed = !note(Fault::relay, port_.set_relay(relay_.on, relay_.evidence));
    relay_failed_ = has_failed && !relay_.on;
    if (relay_.on ? has_failed : was_failed && !has_failed) push({.kind = node::InputKind::opened});
  }

  void drive_set_point(const node::Action& action) {
    set_point_.power_w = action.power_w;
    set_point_.evidence = action.evidence;
    set_point_failed_ = !note(Fault::set_point, port_.set_point(set_point_.power_w, set_point_.evidence));
  }

  void store(const node::Action& action) {
    const bool done = note(Fault::store, port_.write_record(action.record_id, action.bytes));
    push({.kind = node::InputKind::stored, .record_id = action.record_id, .ok = done});
  }

  void sign(const Hash32& digest) {
    WATTPROOF_CHECK(!signature_waits_);
    signature_ = {};
    const bool done = note(Fault::sign, port_.sign(digest, signature_));
    signature_waits_ = true;
    push({.kind = node::InputKind::signature, .ok = done});
  }

  // By its own clock: a busy link steps the node often, and must not keep the contact from being looked at.
  void sense(BootMs now) {
    sensed_ = now;
    node::Input input{.kind = node::InputKind::sensed};
    if (ok(port_.sense_relay(input.relay_on))) feed(input);
  }

  // A lost answer would leave the node waiting for ever. It never asks for so much at once.
  void push(const Answer& answer) {
    WATTPROOF_CHECK(answer_count_ < answers_max);
    answers_[(answer_first_ + answer_count_) % answers_max] = answer;
    ++answer_count_;
  }

  bool note(Fault fault, Error error) {
    if (error == Error::none) return true;
    port_.report(fault, error);
    return false;
  }

  NodeType& node_;
  PortType& port_;
  crypto::Signature signature_{};
  bool signature_waits_ = false;
  std::array<Answer, answers_max> answers_{};
  std::uint32_t answer_first_ = 0;
  std::uint32_t answer_count_ = 0;
  node::Action relay_{};
  node::Action set_point_{};
  bool relay_failed_ = false;
  bool set_point_failed_ = false;
  bool started_ = false;
  BootMs ticked_{};
  BootMs sensed_{};
  BootMs wake_{};
};

}  // namespace wattproof::hal
