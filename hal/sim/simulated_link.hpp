// SPDX-License-Identifier: Apache-2.0
// One direction of a bad link: what goes in comes out late, twice, in another order, cut short, changed, or not at all.
// Every fault is drawn from the seed, so a run repeats exactly. Fixed memory: a full link loses the newest frame.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "hal/splitmix.hpp"

namespace wattproof::hal {

// Probabilities in permille of each frame; delays in milliseconds.
struct LinkFaults {
  std::uint32_t loss_permille = 0;
  std::uint32_t replay_permille = 0;    // a copy of an older frame follows
  std::uint32_t truncate_permille = 0;  // cut at a random length
  std::uint32_t flip_permille = 0;      // one random bit changed
  std::uint32_t delay_ms_min = 0;       // an order changes where delays differ
  std::uint32_t delay_ms_max = 0;
};

class SimulatedLink {
 public:
  static constexpr std::uint32_t frames_max = 32;

  explicit SimulatedLink(std::uint64_t seed, LinkFaults faults = {}) : faults_(faults), random_(seed) {}

  void set_faults(LinkFaults faults) { faults_ = faults; }

  // Accepts up to frame_size_max bytes; longer frames are lost, as a link of a fixed frame size does.
  void send(Bytes frame, BootMs now);

  // The next frame that is due, copied into `into`; its size, or 0 if none is due or `into` is too small for it.
  std::uint32_t receive(MutableBytes into, BootMs now);

  // When the next frame is due; false if the link is empty.
  bool next_due(BootMs& due) const;

  [[nodiscard]] std::uint32_t lost() const { return lost_; }
  [[nodiscard]] std::uint32_t replayed() const { return replayed_; }
  [[nodiscard]] std::uint32_t damaged() const { return damaged_; }

 private:
  struct Slot {
    bool used = false;
    BootMs due{};
    std::uint64_t order = 0;
    std::uint32_t size = 0;
    std::array<std::uint8_t, frame_size_max> bytes{};
  };

  bool happens(std::uint32_t permille) { return random_.next() % 1000 < permille; }
  void put(Bytes frame, BootMs now);
  [[nodiscard]] const Slot* first_due() const;

  LinkFaults faults_;
  Splitmix random_;
  std::uint64_t order_ = 0;
  std::array<Slot, frames_max> slots_{};
  std::array<std::uint8_t, frame_size_max> before_{};  // the frame that a replay repeats
  std::uint32_t before_size_ = 0;
  std::uint32_t lost_ = 0;
  std::uint32_t replayed_ = 0;
  std::uint32_t damaged_ = 0;
};

}  // namespace wattproof::hal
