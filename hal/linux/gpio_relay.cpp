// SPDX-License-Identifier: Apache-2.0
// The back end for libgpiod 1.x (Debian 12). Without the library the functions are there and say so.
#include "hal/linux/relay_driver.hpp"

#ifdef WATTPROOF_HAS_GPIOD
#include <gpiod.h>

#include <cerrno>
#include <cstring>
#endif

namespace wattproof::hal {

#ifdef WATTPROOF_HAS_GPIOD

namespace {

constexpr const char* consumer = "wattproof";

// "gpiochip0 [pinctrl-bcm2711], gpiochip1 [raspberrypi-exp-gpio]": what somebody with a wrong label wants to read.
std::string chips_found() {
  std::string text;
  gpiod_chip_iter* chips = gpiod_chip_iter_new();
  if (chips == nullptr) return "no GPIO chip can be opened";
  while (gpiod_chip* chip = gpiod_chip_iter_next(chips)) {
    if (!text.empty()) text += ", ";
    text += std::string(gpiod_chip_name(chip)) + " [" + gpiod_chip_label(chip) + "]";
  }
  gpiod_chip_iter_free(chips);
  return text.empty() ? "there is no GPIO chip" : "there are: " + text;
}

std::string line_name(const GpioRelayOptions& options, unsigned line) { return options.chip_label + " line " + std::to_string(line); }

class GpioRelay final : public RelayDriver {
 public:
  GpioRelay() = default;
  GpioRelay(const GpioRelay&) = delete;
  GpioRelay& operator=(const GpioRelay&) = delete;
  ~GpioRelay() override {
    if (chip_ != nullptr) gpiod_chip_close(chip_);  // releases its lines
  }

  Error open(const GpioRelayOptions& options, std::string& detail) {
    chip_ = gpiod_chip_open_by_label(options.chip_label.c_str());
    if (chip_ == nullptr) {
      detail = "no GPIO chip with the label " + options.chip_label + "; " + chips_found();
      return Error::hardware_failed;
    }
    output_ = gpiod_chip_get_line(chip_, options.line);
    if (output_ == nullptr) return refuse(line_name(options, options.line), detail);
    const int output_flags = options.active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
    if (gpiod_line_request_output_flags(output_, consumer, output_flags, 0) != 0) return refuse(line_name(options, options.line), detail, output_);
    if (options.sense_line < 0) return Error::none;
    const auto sense_line = static_cast<unsigned>(options.sense_line);
    sense_ = gpiod_chip_get_line(chip_, sense_line);
    if (sense_ == nullptr) return refuse(line_name(options, sense_line), detail);
    const int sense_flags = options.sense_active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
    if (gpiod_line_request_input_flags(sense_, consumer, sense_flags) != 0) return refuse(line_name(options, sense_line), detail, sense_);
    return Error::none;
  }

  Error command(bool on, BootMs) override {
    if (gpiod_line_set_value(output_, on ? 1 : 0) == 0) return Error::none;
    detail_ = std::string("set the relay line: ") + std::strerror(errno);
    return Error::hardware_failed;
  }

  Error sense(bool& on, BootMs) override {
    if (sense_ == nullptr) return Error::not_ready;
    const int value = gpiod_line_get_value(sense_);
    if (value < 0) {
      detail_ = std::string("read the sense line: ") + std::strerror(errno);
      return Error::hardware_failed;
    }
    on = value == 1;
    return Error::none;
  }

  std::string detail() const override { return detail_; }

 private:
  static Error refuse(const std::string& name, std::string& detail, gpiod_line* line = nullptr) {
    detail = name + ": " + std::strerror(errno);
    const char* user = line != nullptr && errno == EBUSY ? gpiod_line_consumer(line) : nullptr;
    if (user != nullptr) detail += std::string(", used by ") + user;
    return Error::hardware_failed;
  }

  gpiod_chip* chip_ = nullptr;
  gpiod_line* output_ = nullptr;
  gpiod_line* sense_ = nullptr;
  std::string detail_;
};

}  // namespace

bool has_gpio() { return true; }

Error open_gpio_relay(const GpioRelayOptions& options, std::unique_ptr<RelayDriver>& driver, std::string& detail) {
  auto relay = std::make_unique<GpioRelay>();
  WATTPROOF_TRY(relay->open(options, detail));
  driver = std::move(relay);
  return Error::none;
}

#else

bool has_gpio() { return false; }

Error open_gpio_relay(const GpioRelayOptions&, std::unique_ptr<RelayDriver>&, std::string& detail) {
  detail = "this program was built without libgpiod";
  return Error::not_ready;
}

#endif

}  // namespace wattproof::hal
