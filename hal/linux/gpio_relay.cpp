// SPDX-License-Identifier: Apache-2.0
// A relay on a GPIO line, with another line that follows its contact if the board has one.
#include <ctime>

#include "hal/linux/gpio_line.hpp"
#include "hal/linux/relay_driver.hpp"

namespace wattproof::hal {
namespace {

constexpr int contact_ms_max = 100;  // a relay's contact follows within this
constexpr int contact_step_ms = 10;

class GpioRelay final : public RelayDriver {
 public:
  Error open(const GpioRelayOptions& options, std::string& detail) {
    const GpioLineOptions output{options.chip_label, options.line, options.active_low, GpioUse::output};
    if (options.sense_line < 0) return open_gpio_line(output, options.backend, output_, detail);
    const auto sense_line = static_cast<unsigned>(options.sense_line);
    WATTPROOF_TRY(open_gpio_line({options.chip_label, sense_line, options.sense_active_low, GpioUse::input}, options.backend, sense_, detail));
    bool was_closed = true;
    if (sense_->get(was_closed) != Error::none) was_closed = true;
    WATTPROOF_TRY(open_gpio_line(output, options.backend, output_, detail));
    return was_closed ? Error::none : check_polarity(options, detail);
  }

  Error command(bool on, BootMs) override { return kept(output_->set(on), *output_); }

  Error sense(bool& on, BootMs) override {
    if (sense_ == nullptr) return Error::not_ready;
    return kept(sense_->get(on), *sense_);
  }

  std::string detail() const override { return detail_; }

 private:
  // A contact that was open and closes when it is driven to "off" is driven the wrong way round. What the file calls "on"
  // then opens it, and that is the state to leave it in.
  Error check_polarity(const GpioRelayOptions& options, std::string& detail) {
    bool is_closed = false;
    for (int waited_ms = 0; waited_ms < contact_ms_max && !is_closed; waited_ms += contact_step_ms) {
      const timespec step{0, contact_step_ms * 1'000'000};
      nanosleep(&step, nullptr);
      WATTPROOF_TRY(sense_->get(is_closed));
    }
    if (!is_closed) return Error::none;
    const Error opened = output_->set(true);
    detail = options.chip_label + " line " + std::to_string(options.line) + ": driving it to off closed the contact: active_low is wrong";
    return opened != Error::none ? opened : Error::configuration_invalid;
  }

  Error kept(Error error, const GpioLine& line) {
    if (error != Error::none) detail_ = line.detail();
    return error;
  }

  std::unique_ptr<GpioLine> output_;
  std::unique_ptr<GpioLine> sense_;
  std::string detail_;
};

}  // namespace

Error open_gpio_relay(const GpioRelayOptions& options, std::unique_ptr<RelayDriver>& driver, std::string& detail) {
  auto relay = std::make_unique<GpioRelay>();
  WATTPROOF_TRY(relay->open(options, detail));
  driver = std::move(relay);
  return Error::none;
}

}  // namespace wattproof::hal
