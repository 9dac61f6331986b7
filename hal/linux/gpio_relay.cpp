// SPDX-License-Identifier: Apache-2.0
// A relay on a GPIO line, with another line that follows its contact if the board has one.
#include "hal/linux/gpio_line.hpp"
#include "hal/linux/relay_driver.hpp"

namespace wattproof::hal {
namespace {

class GpioRelay final : public RelayDriver {
 public:
  Error open(const GpioRelayOptions& options, std::string& detail) {
    WATTPROOF_TRY(open_gpio_line({options.chip_label, options.line, options.active_low, GpioUse::output}, options.backend, output_, detail));
    if (options.sense_line < 0) return Error::none;
    const auto sense_line = static_cast<unsigned>(options.sense_line);
    return open_gpio_line({options.chip_label, sense_line, options.sense_active_low, GpioUse::input}, options.backend, sense_, detail);
  }

  Error command(bool on, BootMs) override { return kept(output_->set(on), *output_); }

  Error sense(bool& on, BootMs) override {
    if (sense_ == nullptr) return Error::not_ready;
    return kept(sense_->get(on), *sense_);
  }

  std::string detail() const override { return detail_; }

 private:
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
