// SPDX-License-Identifier: Apache-2.0
// The whole life of one device in one thread, drawn from a seed: a chain that negotiates and settles one epoch after the
// other, an honest gateway behind a bad link, a flash that loses power in the middle of a write, a relay whose contact may
// fail, a boot clock that starts near 2^32 ms. The node, its runner, the store and the relay guard are the shipped ones.
//
// Faults and why they are survivable: frames are lost, doubled, delayed, cut and changed (everything is proved and asked
// for again); the link is gone for minutes (the fallback); power is cut at any step and at any unit of a flash write (the
// store shows the old or the new record); the contact does not follow (the guard). After heal() nothing fails any more and
// the device must come back to following.
//
// What must never happen is judged here, from the chain and from what came out of the device, not from what the node
// says: see Violations.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hal/sim/simulated_link.hpp"
#include "hal/sim/simulated_relay.hpp"
#include "hal/splitmix.hpp"
#include "node/node.hpp"
#include "power/sim_flash.hpp"
#include "store/record_store.hpp"
#include "support/fake_chain.hpp"

namespace wattproof::testing {

struct LifeFaults {
  hal::LinkFaults link{};
  std::uint32_t partition_permille = 0;   // of each block: the link goes away for up to five minutes
  std::uint32_t power_permille = 0;       // of each block: the power goes
  std::uint32_t flash_cut_permille = 0;   // of each boot: the power goes within one of its next flash operations
  std::uint32_t contact_permille = 0;     // of each block: the contact fails for a minute
};

// Counted, so that one run can show several. All must be zero.
struct Violations {
  std::uint32_t unjustified = 0;      // an output left its fallback state without the device's own record behind it
  std::uint32_t early = 0;            // ... before its slot
  std::uint32_t stale = 0;            // an output out of its fallback state longer than allowed after the last header
  std::uint32_t short_run = 0;        // the relay opened before its minimum on time, the power being there
  std::uint32_t short_pause = 0;      // the relay closed before its minimum off time, reboots included
  std::uint32_t two_profiles = 0;     // two different updates of one round were sent
  std::uint32_t nonce_reused = 0;     // a check-in with a nonce not above all before
  std::uint32_t lost_record = 0;      // the store gave back neither the acknowledged record nor the one being written

  [[nodiscard]] std::uint32_t total() const {
    return unjustified + early + stale + short_run + short_pause + two_profiles + nonce_reused + lost_record;
  }
  [[nodiscard]] std::string text() const;
};

struct LifeCounts {
  std::uint32_t blocks = 0;
  std::uint32_t boots = 0;
  std::uint32_t flash_cuts = 0;
  std::uint32_t partitions = 0;
  std::uint32_t rounds_answered = 0;   // accepted by the chain
  std::uint32_t epochs_final = 0;
  std::uint32_t switches = 0;
  std::uint32_t slots_followed = 0;    // ends of slots at which the outputs were as the record has it
  std::uint64_t trace = 0xcbf29ce484222325U;  // FNV-1a over everything that came out of the device
};

class DeviceLife {
 public:
  static constexpr std::uint64_t block_s = 5;
  static constexpr std::uint32_t slots = 24;
  static constexpr std::uint32_t slot_s = 30;
  static constexpr std::uint32_t round_blocks = 6;
  static constexpr std::uint32_t rounds = 5;
  static constexpr std::uint64_t age_s_max = 120;
  static constexpr std::uint32_t on_ms_min = 20'000;
  static constexpr std::uint32_t off_ms_min = 40'000;

  DeviceLife(std::uint64_t seed, const LifeFaults& faults);
  ~DeviceLife();

  void run(std::uint32_t blocks);
  // From now on nothing fails.
  void heal();

  [[nodiscard]] const Violations& violations() const { return violations_; }
  [[nodiscard]] const LifeCounts& counts() const { return counts_; }
  [[nodiscard]] bool is_following() const;
  // What the device says of itself, for whoever looks at a failed run.
  [[nodiscard]] std::string describe() const;

 private:
  class Port;
  struct Board;
  struct Epoch {
    schedule::EpochHead head;
    std::uint32_t record_round = 0;
    std::vector<std::int32_t> profile;
    std::uint64_t final_since_block = 0;  // 0: not final
  };

  bool happens(std::uint32_t permille) { return random_.next() % 1000 < permille; }
  void trace(Bytes bytes);

  // device_life.cpp: the world
  void play_until(std::uint64_t ms);
  void mine();
  void advance_epochs();
  void put_epoch(Epoch& epoch);
  void take_up(Bytes bytes);
  void take_update(const message::Update& update);
  void draw_faults();

  // device_life_board.cpp: the device's board, and the judgement of what it does
  void boot();
  void power_off();
  void turn();
  void note_relay(bool on, const node::Evidence& why);
  void note_set_point(std::int32_t power_w, const node::Evidence& why);
  bool is_justified(bool is_relay, std::int32_t power_w, const node::Evidence& why);
  void check_staleness();
  void check_slot();
  [[nodiscard]] BootMs boot_now() const { return {clock_base_ms_ + (ms_ - boot_ms_)}; }
  [[nodiscard]] BootMs world_now() const { return {ms_}; }

  LifeFaults faults_;
  hal::Splitmix random_;
  std::uint64_t ms_ = 0;  // of the world, from 0
  FakeChain chain_;
  std::uint64_t chain_base_s_;
  std::uint64_t next_block_ms_ = 0;
  std::map<std::uint64_t, Epoch> epochs_;
  std::uint64_t negotiated_ = 0;
  std::uint64_t followed_ = 0;
  std::uint64_t newest_nonce_ = 0;

  TestKey key_{500};
  node::Config config_;
  hal::SimulatedLink up_;
  hal::SimulatedLink down_;
  std::uint64_t link_back_ms_ = 0;
  bool is_link_up_ = false;

  store::SimFlash flash_;
  std::map<std::uint8_t, std::vector<std::uint8_t>> acknowledged_;
  std::optional<std::pair<std::uint8_t, std::vector<std::uint8_t>>> in_write_;
  hal::SimulatedRelay relay_;
  std::uint64_t contact_back_ms_ = 0;
  std::unique_ptr<Board> board_;  // of this boot
  bool is_on_ = false;
  std::uint64_t power_back_ms_ = 0;
  std::uint64_t boot_ms_ = 0;
  std::uint64_t clock_base_ms_ = 0;

  bool relay_on_ = false;
  std::uint64_t relay_changed_ms_ = 0;
  std::int32_t power_w_ = 0;
  std::uint64_t reached_ms_ = 0;   // when a frame last reached the device: nothing can be fresher than that
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<std::uint8_t>> updates_;
  std::uint64_t highest_nonce_ = 0;
  Violations violations_;
  LifeCounts counts_;
};

}  // namespace wattproof::testing
