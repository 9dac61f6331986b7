// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/meter_service.hpp"

#include "hal/linux/boot_clock.hpp"

namespace wattproof::firmware {
namespace {

constexpr std::uint64_t retry_ms = 5000;        // between two tries to open a meter
constexpr std::size_t bytes_per_turn_max = 512;  // a line that never stops must not keep the node from its outputs
constexpr std::uint32_t edges_per_turn_max = 4096;

}  // namespace

Error MeterService::open(const std::filesystem::path& file, BootMs now) {
  if (const Error error = flash_.open(file.string()); error != Error::none) {
    detail_ = flash_.detail();
    return error;
  }
  WATTPROOF_TRY(journal_.mount(now));
  filter_.emplace(configuration_.rules, journal_.totals());
  if (configuration_.kind == MeterKind::simulated) simulated_.emplace(configuration_.rated_w);
  if (configuration_.kind == MeterKind::pulse) pulses_.emplace(configuration_.pulses_per_kwh);
  open_meter(now);
  return Error::none;
}

void MeterService::open_meter(BootMs now) {
  if (configuration_.kind == MeterKind::simulated || (has_tried_ && now.since(tried_) < retry_ms)) return;
  has_tried_ = true;
  tried_ = now;
  answer_size_ = 0;
  if (configuration_.kind == MeterKind::pulse) {
    if (hal::open_gpio_line(configuration_.line, backend_, line_, detail_) == Error::none) detail_.clear();
  } else if (port_.open(configuration_.device, configuration_.speed_baud) != Error::none) {
    detail_ = port_.detail();
  } else {
    detail_.clear();
  }
}

int MeterService::poll_file() const {
  if (line_ != nullptr) return line_->file();
  return port_.is_open() ? port_.file() : -1;
}

bool MeterService::take(BootMs now, const hal::MeterReading& reading) {
  if (filter_->take(now, reading) != hal::MeterVerdict::believed) return false;
  if (journal_.is_due(now, filter_->totals(), {})) static_cast<void>(keep(now));
  return true;
}

Error MeterService::keep(BootMs now) {
  const Error error = journal_.append(now, filter_->totals());
  if (error != Error::none) detail_ = "the energy journal cannot be written: " + flash_.detail();
  return error;
}

bool MeterService::serve(BootMs now, bool is_closed) {
  const bool is_due = now.since(asked_) >= configuration_.poll_ms;
  if (simulated_) {
    simulated_->step(now, is_closed);
    hal::MeterReading reading;
    if (!is_due || !simulated_->read(reading)) return false;
    asked_ = now;
    return take(now, reading);
  }
  if (configuration_.kind == MeterKind::pulse) return serve_pulses(now);
  if (!port_.is_open()) open_meter(now);
  if (port_.is_open() && configuration_.kind == MeterKind::pzem && is_due) {
    asked_ = now;
    answer_size_ = 0;
    const auto request = hal::pzem_request(configuration_.address);
    if (port_.write(request) != Error::none) detail_ = port_.detail();
  }
  return serve_line(now);
}

bool MeterService::serve_pulses(BootMs now) {
  if (line_ == nullptr) open_meter(now);
  if (line_ == nullptr) return false;
  hal::GpioEdge edge;
  for (std::uint32_t edges = 0; edges < edges_per_turn_max; ++edges) {
    const Error error = line_->next_edge(edge);
    if (error == Error::hardware_failed) {
      detail_ = line_->detail();
      line_.reset();
      return false;
    }
    if (error != Error::none) break;
    // Both edges are asked for, so that a stuck line is seen; every second one is a pulse, and so is every second lost one.
    if (edge.is_active) pulses_->pulse(now, (edge.lost + 1) / 2);
  }
  if (now.since(asked_) < configuration_.poll_ms) return false;
  asked_ = now;
  return take(now, pulses_->read(now));
}

bool MeterService::serve_line(BootMs now) {
  bool has_reading = false;
  std::array<std::uint8_t, bytes_per_turn_max> bytes{};
  const Result<std::uint32_t> got = port_.is_open() ? port_.read(bytes) : Result<std::uint32_t>(0U);
  if (!got) detail_ = port_.detail();
  for (std::uint32_t i = 0; got && i < *got; ++i) has_reading = take_byte(now, bytes[i]) || has_reading;
  return has_reading;
}

bool MeterService::take_byte(BootMs now, std::uint8_t byte) {
  hal::MeterReading reading;
  Error error = Error::not_ready;
  switch (configuration_.kind) {
    case MeterKind::p1:
      if (p1_.push(byte)) error = hal::decode_p1_telegram(p1_.telegram(), reading);
      break;
    case MeterKind::sml:
      if (sml_.push(byte)) error = hal::decode_sml_telegram(sml_.content(), reading);
      break;
    case MeterKind::pzem:
      if (answer_size_ < answer_.size()) answer_[answer_size_++] = byte;
      if (answer_size_ == answer_.size()) {
        error = hal::decode_pzem_answer(answer_, configuration_.address, reading);
        answer_size_ = 0;
      }
      break;
    default: break;
  }
  if (error != Error::none && error != Error::not_ready) detail_ = std::string("the meter's answer was refused: ") + error_name(error);
  return error == Error::none && take(now, reading);
}

}  // namespace wattproof::firmware
