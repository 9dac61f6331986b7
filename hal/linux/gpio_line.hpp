// SPDX-License-Identifier: Apache-2.0
// One GPIO line on Linux, behind three back ends: libgpiod 2.x, libgpiod 1.x, or the kernel's character device without any
// library. They behave alike; which of them a program has is decided when it is built, which one it uses when it starts.
// Chips are found by label: numbers of chips move between kernels, labels do not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace wattproof::hal {

enum class GpioBackend : std::uint8_t {
  automatic,  // libgpiod if this program was built with it, else the character device
  libgpiod,
  chardev,
};

enum class GpioUse : std::uint8_t {
  output,  // inactive from the first moment, so that starting does not click
  input,
  edges,   // an input whose changes queue up in the kernel
};

struct GpioLineOptions {
  std::string chip_label;   // e.g. "pinctrl-bcm2711"
  unsigned line = 0;        // offset on that chip
  bool active_low = false;  // "active" is the low level; everything below speaks of active, not of high
  GpioUse use = GpioUse::input;
};

struct GpioEdge {
  bool is_active = false;      // the state after the edge
  std::uint64_t time_ns = 0;   // of the kernel's monotonic clock
  std::uint32_t lost = 0;      // edges before this one that the kernel had to drop; 0 too where it does not say
};

class GpioLine {
 public:
  virtual ~GpioLine() = default;
  //   hardware_failed  detail() says why
  virtual Error set(bool active) = 0;
  virtual Error get(bool& active) = 0;
  // Takes the oldest edge that waits.
  //   not_ready        none waits
  //   hardware_failed  detail() says why
  virtual Error next_edge(GpioEdge& edge) = 0;
  // Readable when an edge waits; -1 for other uses.
  [[nodiscard]] virtual int file() const = 0;
  [[nodiscard]] const std::string& detail() const { return detail_; }

 protected:
  Error fail(const char* what);  // hardware_failed with errno's text
  std::string detail_;
};

// Takes a line. `detail` says what failed, which chips there are, and who has a line that is busy.
//   not_ready        this program was built without the back end
//   hardware_failed  no such chip or line, or the line is taken
Error open_gpio_line(const GpioLineOptions& options, GpioBackend backend, std::unique_ptr<GpioLine>& line, std::string& detail);

// What is there, for people: `wattproofctl board check`.
struct GpioChip {
  std::string path;   // "/dev/gpiochip0"
  std::string label;
  unsigned lines = 0;
};

struct GpioLineState {
  std::string name;      // of the device tree; may be empty
  std::string consumer;  // who has it; may be empty
  bool is_used = false;
  bool is_output = false;
  bool is_active_low = false;
};

// In the order of their numbers; chips that may not be opened are left out.
std::vector<GpioChip> gpio_chips();
//   hardware_failed  the kernel does not say
Error gpio_line_state(const GpioChip& chip, unsigned line, GpioLineState& state);

// "there are: gpiochip0 [pinctrl-bcm2711], gpiochip1 [raspberrypi-exp-gpio]": what somebody with a wrong label wants to read.
std::string describe_gpio_chips(const std::vector<GpioChip>& chips);

// "libgpiod 2", "libgpiod 1" or "character device": what `automatic` means in this program.
const char* gpio_backend_name();

// The back ends. `path` is the chip that was found; errno says what failed.
using GpioOpener = Error (*)(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line);
Error open_chardev_line(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line);
Error open_gpiod1_line(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line);
Error open_gpiod2_line(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line);

constexpr const char* gpio_consumer = "wattproof";  // what the kernel names as the user of our lines

}  // namespace wattproof::hal
