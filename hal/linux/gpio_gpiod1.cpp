// SPDX-License-Identifier: Apache-2.0
// The back end for libgpiod 1.x (Debian 12).
#include <gpiod.h>

#include <cerrno>
#include <ctime>

#include "hal/linux/gpio_line.hpp"

namespace wattproof::hal {
namespace {

class Gpiod1Line final : public GpioLine {
 public:
  explicit Gpiod1Line(gpiod_chip* chip) : chip_(chip) {}
  Gpiod1Line(const Gpiod1Line&) = delete;
  Gpiod1Line& operator=(const Gpiod1Line&) = delete;
  ~Gpiod1Line() override { gpiod_chip_close(chip_); }  // releases its lines

  bool request(const GpioLineOptions& options) {
    line_ = gpiod_chip_get_line(chip_, options.line);
    if (line_ == nullptr) return false;
    const int flags = options.active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
    has_edges_ = options.use == GpioUse::edges;
    if (has_edges_) return gpiod_line_request_both_edges_events_flags(line_, gpio_consumer, flags) == 0;
    if (options.use == GpioUse::input) return gpiod_line_request_input_flags(line_, gpio_consumer, flags) == 0;
    return gpiod_line_request_output_flags(line_, gpio_consumer, flags, 0) == 0;
  }

  Error set(bool active) override { return gpiod_line_set_value(line_, active ? 1 : 0) == 0 ? Error::none : fail("set the line"); }

  Error get(bool& active) override {
    const int value = gpiod_line_get_value(line_);
    if (value < 0) return fail("read the line");
    active = value == 1;
    return Error::none;
  }

  Error next_edge(GpioEdge& edge) override {
    const timespec no_wait{};
    if (!has_edges_) return Error::not_ready;
    const int ready = gpiod_line_event_wait(line_, &no_wait);
    if (ready == 0) return Error::not_ready;
    gpiod_line_event event{};
    if (ready < 0 || gpiod_line_event_read(line_, &event) != 0) return fail("read an edge");
    // This version of the library does not pass on the kernel's count of edges.
    edge = {event.event_type == GPIOD_LINE_EVENT_RISING_EDGE,
            static_cast<std::uint64_t>(event.ts.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(event.ts.tv_nsec), 0};
    return Error::none;
  }

  int file() const override { return has_edges_ ? gpiod_line_event_get_fd(line_) : -1; }

 private:
  gpiod_chip* chip_;
  gpiod_line* line_ = nullptr;
  bool has_edges_ = false;
};

}  // namespace

Error open_gpiod1_line(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line) {
  gpiod_chip* const chip = gpiod_chip_open(path.c_str());
  if (chip == nullptr) return Error::hardware_failed;
  auto opened = std::make_unique<Gpiod1Line>(chip);
  const bool is_taken = opened->request(options);
  if (!is_taken) {
    const int code = errno;
    opened.reset();
    errno = code;
    return Error::hardware_failed;
  }
  line = std::move(opened);
  return Error::none;
}

}  // namespace wattproof::hal
