// SPDX-License-Identifier: Apache-2.0
// Turns wishes into safe states of one relay. Owns no hardware: it is told the time and what happens, and says what the
// relay should do. Whatever is asked for, it keeps
//   - the minimum on and off times of the load (a compressor), through reboots as well: a fresh guard assumes that the
//     load stopped at this very instant, since power may just have returned. Only an over-power trip cuts a run short;
//   - the fallback state once there was no verified instruction for a stated time;
//   - a start spread after a boot, so that a street does not switch on together when power returns. Devices whose fallback
//     is "on" also leave an expired instruction at different moments, within the stated time;
//   - the order: trip, then failed contact, then the person at the button, then the schedule, then the fallback.
//
// Commanded is not sensed: `on` is what the relay is told; a board that can read the contact back reports it, and a lasting
// difference is a fault that leads to the fallback.
//
// Times are differences of BootMs. A clock that runs backwards is taken for a new clock: minimum times start over and the
// instruction is forgotten.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace wattproof::control {

constexpr std::uint32_t hold_ms_max = 86'400'000;          // longest minimum on or off time that a board may state: a day
constexpr std::uint32_t fallback_ms_max = 7 * 86'400'000;  // longest time without instruction before the fallback
constexpr std::uint32_t override_ms_max = 86'400'000;      // longest command by a person
constexpr std::uint32_t trip_forget_ms = 3'600'000;        // a run of this length without a trip clears the count of trips
constexpr std::uint32_t retry_ms_min = 1'000;              // pause after an opening that was not commanded, even if off_ms_min is less
constexpr std::uint32_t wake_ms_max = 3'600'000;           // a guard asks to be woken at least once an hour

// What a board states about one relay. Zero minimum times suit a lamp; the defaults suit a compressor.
struct RelayLimits {
  std::uint32_t on_ms_min = 180'000;          // shortest run
  std::uint32_t off_ms_min = 300'000;         // shortest pause
  std::uint32_t fallback_ms = 900'000;        // without a verified instruction for so long: fallback state
  std::uint32_t start_spread_ms_max = 300'000;  // longest extra delay of the first start after a boot; 0: none
  bool fallback_on = false;                   // the state without instruction
  std::int32_t trip_w = 0;                    // power above this for trip_ms opens the relay at once; 0: no trip
  std::uint32_t trip_ms = 10'000;
  std::uint32_t trip_pause_ms = 300'000;      // stays open for so long after a trip
  std::uint8_t trip_count_max = 5;            // so many trips in a row: open until a person acts
  std::uint32_t mismatch_ms_max = 2'000;      // sensed may differ from commanded for so long
  std::uint32_t mismatch_pause_ms = 600'000;  // after a mismatch: fallback until both agreed for so long
};

// configuration_invalid: a time above its limit, a negative trip power, or a spread longer than the fallback time.
Error check_relay_limits(const RelayLimits& limits);

// Why the relay is told what it is told.
enum class Cause : std::uint8_t { fallback = 0, schedule = 1, person = 2, trip = 3 };

struct RelayOutput {
  bool on = false;
  Cause cause = Cause::fallback;  // of the goal; a goal that differs from `on` waits for a minimum time
  bool is_waiting = false;        // the goal differs from `on`
  bool changed = false;           // `on` changed in this step
  bool mismatch = false;          // the contact does not follow
};

// A number that differs between devices and between boots of one device.
std::uint64_t spread_seed(const Address& device, std::uint32_t boot_count);

// Uniform in 0..max_ms for uniform seeds.
std::uint32_t spread_ms(std::uint64_t seed, std::uint32_t max_ms);

class RelayGuard {
 public:
  // The relay is open now and counts as just opened. `limits` have passed check_relay_limits.
  RelayGuard(const RelayLimits& limits, BootMs now, std::uint64_t seed);

  // A verified, fresh instruction. It holds for fallback_ms and is renewed by every call.
  void instruct(BootMs now, bool on);
  // The instruction is void (a stale head, no schedule): fallback as soon as minimum times allow.
  void withdraw();

  // The person at the button: `on` for duration_ms (at most override_ms_max, longer is cut). Clears a latched trip.
  void command_by_person(BootMs now, bool on, std::uint32_t duration_ms);
  void release_by_person();

  void measured(BootMs now, std::int32_t power_w);
  void sensed(BootMs now, bool on);

  // The board reports that the relay is open, and only from now on: a closing failed, or an opening took more than one
  // try. Either way the minimum off time begins here, so no run is cut short and no pause either. An opening that fails is
  // the board's to repeat, at once; a closing is not, since a run that begins late would end too early. A load without a
  // minimum off time is closed again after retry_ms_min, so that a dead driver is not asked without end.
  void opened(BootMs now);

  // What the relay should do now. Call it on every wake-up and after every event.
  RelayOutput step(BootMs now);

  // When step may answer differently without a new event; never before `now`, at most wake_ms_max after it.
  BootMs next_wake(BootMs now) const;

  bool is_on() const { return on_; }
  std::uint8_t trip_count() const { return trip_count_; }
  std::uint32_t start_spread_ms() const { return spread_ms_; }

 private:
  struct Goal {
    bool on;
    Cause cause;
  };
  // An interval that began at `from`, if it runs at all.
  struct Timer {
    BootMs from{};
    bool runs = false;
    bool is_over(BootMs now, std::uint64_t ms) const { return runs && now.since(from) >= ms; }
    void start(BootMs now) {
      if (!runs) *this = {now, true};
    }
    void stop() { runs = false; }
  };

  void follow_clock(BootMs now);
  void update_trip(BootMs now);
  void update_mismatch(BootMs now);
  Goal goal(BootMs now) const;
  std::uint32_t instruction_ms() const;
  std::uint64_t hold_ms(Cause cause) const;
  void change(BootMs now, bool on);

  RelayLimits limits_;
  std::uint32_t spread_ms_ = 0;
  BootMs now_{};      // the latest time that was told
  BootMs changed_{};  // when `on_` last changed, or the boot
  bool on_ = false;
  bool was_opened_ = false;  // by the board, not by this guard
  bool is_first_start_ = true;  // no start since the boot: the spread applies

  Timer instruction_;
  bool instruction_on_ = false;
  Timer override_;
  bool override_on_ = false;
  std::uint32_t override_ms_ = 0;
  Timer over_power_;
  Timer trip_;
  std::uint8_t trip_count_ = 0;
  bool sensed_on_ = false;
  bool is_sensed_ = false;
  Timer disagree_;  // since when sensed and commanded differ
  Timer agree_;     // since when they agree again, while the mismatch is latched
  bool mismatch_ = false;
};

}  // namespace wattproof::control
