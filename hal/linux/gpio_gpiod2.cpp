// SPDX-License-Identifier: Apache-2.0
// The back end for libgpiod 2.x (Debian 13, Raspberry Pi OS trixie). It shares nothing with version 1 but the name.
#include <gpiod.h>

#include <cerrno>
#include <memory>

#include "hal/linux/gpio_line.hpp"

namespace wattproof::hal {
namespace {

// Every object of the library is freed by a function of its own.
template <class T, void (*free_it)(T*)>
struct Freer {
  void operator()(T* object) const { free_it(object); }
};
template <class T, void (*free_it)(T*)>
using Owned = std::unique_ptr<T, Freer<T, free_it>>;

using Chip = Owned<gpiod_chip, gpiod_chip_close>;
using Settings = Owned<gpiod_line_settings, gpiod_line_settings_free>;
using LineConfig = Owned<gpiod_line_config, gpiod_line_config_free>;
using RequestConfig = Owned<gpiod_request_config, gpiod_request_config_free>;
using Request = Owned<gpiod_line_request, gpiod_line_request_release>;
using Events = Owned<gpiod_edge_event_buffer, gpiod_edge_event_buffer_free>;

class Gpiod2Line final : public GpioLine {
 public:
  Gpiod2Line(Request request, Events events, unsigned line) : request_(std::move(request)), events_(std::move(events)), line_(line) {}

  Error set(bool active) override {
    const gpiod_line_value value = active ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
    return gpiod_line_request_set_value(request_.get(), line_, value) == 0 ? Error::none : fail("set the line");
  }

  Error get(bool& active) override {
    const gpiod_line_value value = gpiod_line_request_get_value(request_.get(), line_);
    if (value != GPIOD_LINE_VALUE_ACTIVE && value != GPIOD_LINE_VALUE_INACTIVE) return fail("read the line");
    active = value == GPIOD_LINE_VALUE_ACTIVE;
    return Error::none;
  }

  Error next_edge(GpioEdge& edge) override {
    if (events_ == nullptr) return Error::not_ready;
    const int ready = gpiod_line_request_wait_edge_events(request_.get(), 0);
    if (ready == 0) return Error::not_ready;
    if (ready < 0 || gpiod_line_request_read_edge_events(request_.get(), events_.get(), 1) != 1) return fail("read an edge");
    gpiod_edge_event* const event = gpiod_edge_event_buffer_get_event(events_.get(), 0);
    if (event == nullptr) return fail("read an edge");
    const auto sequence = static_cast<std::uint32_t>(gpiod_edge_event_get_line_seqno(event));
    edge = {gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE, gpiod_edge_event_get_timestamp_ns(event),
            sequence - sequence_ - 1};
    sequence_ = sequence;
    return Error::none;
  }

  int file() const override { return events_ == nullptr ? -1 : gpiod_line_request_get_fd(request_.get()); }

 private:
  Request request_;
  Events events_;
  unsigned line_;
  std::uint32_t sequence_ = 0;
};

Settings settings_of(const GpioLineOptions& options) {
  Settings settings(gpiod_line_settings_new());
  if (settings == nullptr) return settings;
  const bool is_output = options.use == GpioUse::output;
  gpiod_line_settings_set_active_low(settings.get(), options.active_low);
  bool done = gpiod_line_settings_set_direction(settings.get(), is_output ? GPIOD_LINE_DIRECTION_OUTPUT : GPIOD_LINE_DIRECTION_INPUT) == 0;
  if (is_output) done = done && gpiod_line_settings_set_output_value(settings.get(), GPIOD_LINE_VALUE_INACTIVE) == 0;
  if (options.use == GpioUse::edges) done = done && gpiod_line_settings_set_edge_detection(settings.get(), GPIOD_LINE_EDGE_BOTH) == 0;
  if (!done) settings.reset();
  return settings;
}

}  // namespace

Error open_gpiod2_line(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line) {
  const Chip chip(gpiod_chip_open(path.c_str()));
  const Settings settings = settings_of(options);
  const LineConfig lines(gpiod_line_config_new());
  const RequestConfig request(gpiod_request_config_new());
  if (chip == nullptr || settings == nullptr || lines == nullptr || request == nullptr) return Error::hardware_failed;
  gpiod_request_config_set_consumer(request.get(), gpio_consumer);
  if (gpiod_line_config_add_line_settings(lines.get(), &options.line, 1, settings.get()) != 0) return Error::hardware_failed;
  Request taken(gpiod_chip_request_lines(chip.get(), request.get(), lines.get()));
  if (taken == nullptr) return Error::hardware_failed;
  Events events(options.use == GpioUse::edges ? gpiod_edge_event_buffer_new(1) : nullptr);
  if (options.use == GpioUse::edges && events == nullptr) return Error::hardware_failed;
  line = std::make_unique<Gpiod2Line>(std::move(taken), std::move(events), options.line);
  return Error::none;
}

}  // namespace wattproof::hal
