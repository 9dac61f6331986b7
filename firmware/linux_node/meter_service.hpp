// SPDX-License-Identifier: Apache-2.0
// The energy meter of a device on Linux: reads it, believes it or not, and keeps its totals in a journal beside the records.
// A meter that does not answer is unavailable; the device works on without it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "hal/linux/file_flash.hpp"
#include "hal/linux/gpio_line.hpp"
#include "hal/linux/serial_port.hpp"
#include "hal/meters/meter_filter.hpp"
#include "hal/meters/p1_telegram.hpp"
#include "hal/meters/pulse_meter.hpp"
#include "hal/meters/pzem_meter.hpp"
#include "hal/meters/simulated_meter.hpp"
#include "hal/meters/sml_telegram.hpp"
#include "store/energy_journal.hpp"

namespace wattproof::firmware {

enum class MeterKind : std::uint8_t { none, pulse, pzem, p1, sml, simulated };

struct MeterConfiguration {
  MeterKind kind = MeterKind::none;
  std::string device;                  // of the serial line
  std::uint32_t speed_baud = 9600;
  std::uint8_t address = 1;            // pzem
  hal::GpioLineOptions line;           // pulse
  std::uint32_t pulses_per_kwh = 1000;
  std::uint32_t poll_ms = 2000;
  std::int32_t rated_w = 0;            // simulated
  hal::MeterRules rules;
};

class MeterService {
 public:
  MeterService(const MeterConfiguration& configuration, hal::GpioBackend backend) : configuration_(configuration), backend_(backend) {}

  // Opens the journal (`file`), then the meter. A meter that cannot be opened is tried again.
  //   storage_failed  the journal; detail() says why
  Error open(const std::filesystem::path& file, BootMs now);

  // Readable when the meter has something; -1: nothing to wait for.
  [[nodiscard]] int poll_file() const;

  // To be called when poll_file() is readable and at least once a poll_ms. `is_closed`: the relay, for the simulated meter.
  // True if there is a new believed reading.
  bool serve(BootMs now, bool is_closed);

  // Writes the totals now: the relay went off, or the program ends.
  Error keep(BootMs now);

  [[nodiscard]] const hal::MeterFilter& filter() const { return *filter_; }
  [[nodiscard]] std::uint64_t journal_age_ms(BootMs now) const { return journal_.age_ms(now); }
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  void open_meter(BootMs now);
  bool take(BootMs now, const hal::MeterReading& reading);
  bool serve_line(BootMs now);
  bool serve_pulses(BootMs now);
  bool take_byte(BootMs now, std::uint8_t byte);

  MeterConfiguration configuration_;
  hal::GpioBackend backend_;
  hal::FileFlash flash_;
  store::EnergyJournal<hal::FileFlash> journal_{flash_, {.first_sector = 0, .sector_count = hal::FileFlash::sector_count}};
  std::optional<hal::MeterFilter> filter_;
  hal::SerialPort port_;
  std::unique_ptr<hal::GpioLine> line_;
  std::optional<hal::PulseMeter> pulses_;
  std::optional<hal::SimulatedMeter> simulated_;
  hal::P1Reader p1_;
  hal::SmlReader sml_;
  std::array<std::uint8_t, hal::pzem_answer_size> answer_{};
  std::size_t answer_size_ = 0;
  BootMs tried_{};
  BootMs asked_{};
  bool has_tried_ = false;
  std::string detail_;
};

}  // namespace wattproof::firmware
