// SPDX-License-Identifier: Apache-2.0
// What the back ends share: finding a chip by its label, and saying what is there. Both ask the kernel itself, by a request
// that every kernel with GPIO character devices answers.
#include "hal/linux/gpio_line.hpp"

#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace wattproof::hal {
namespace {

constexpr const char* chip_prefix = "gpiochip";

std::string text_of(const char* bytes, std::size_t size) { return {bytes, strnlen(bytes, size)}; }

unsigned number_of(const std::string& name) {
  const std::string digits = name.substr(std::strlen(chip_prefix));
  const bool is_number = !digits.empty() && digits.size() < 9 && digits.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? static_cast<unsigned>(std::stoul(digits)) : ~0U;
}

bool ask_chip(GpioChip& chip) {
  const int file = ::open(chip.path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  gpiochip_info info{};
  const bool is_chip = ::ioctl(file, GPIO_GET_CHIPINFO_IOCTL, &info) == 0;
  ::close(file);
  chip.label = text_of(info.label, sizeof(info.label));
  chip.lines = info.lines;
  return is_chip;
}

GpioOpener opener_of(GpioBackend backend) {
  if (backend == GpioBackend::chardev) return open_chardev_line;
#if defined(WATTPROOF_HAS_GPIOD2)
  return open_gpiod2_line;
#elif defined(WATTPROOF_HAS_GPIOD1)
  return open_gpiod1_line;
#else
  return backend == GpioBackend::automatic ? open_chardev_line : nullptr;
#endif
}

}  // namespace

const char* gpio_backend_name() {
#if defined(WATTPROOF_HAS_GPIOD2)
  return "libgpiod 2";
#elif defined(WATTPROOF_HAS_GPIOD1)
  return "libgpiod 1";
#else
  return "character device";
#endif
}

Error GpioLine::fail(const char* what) {
  detail_ = std::string(what) + ": " + std::strerror(errno);
  return Error::hardware_failed;
}

std::vector<GpioChip> gpio_chips() {
  std::vector<std::pair<unsigned, GpioChip>> found;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", code)) {
    const std::string name = entry.path().filename();
    // A second name of a chip (a symbolic link of an old program) is not a second chip.
    if (!name.starts_with(chip_prefix) || !entry.is_character_file(code) || entry.is_symlink(code)) continue;
    GpioChip chip{.path = entry.path(), .label = {}};
    if (ask_chip(chip)) found.emplace_back(number_of(name), chip);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<GpioChip> chips;
  for (const auto& [number, chip] : found) chips.push_back(chip);
  return chips;
}

Error gpio_line_state(const GpioChip& chip, unsigned line, GpioLineState& state) {
  const int file = ::open(chip.path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return Error::hardware_failed;
  gpio_v2_line_info info{};
  info.offset = line;
  gpioline_info old{};
  old.line_offset = line;
  bool is_known = true;
  if (::ioctl(file, GPIO_V2_GET_LINEINFO_IOCTL, &info) == 0) {
    state = {text_of(info.name, sizeof(info.name)), text_of(info.consumer, sizeof(info.consumer)),
             (info.flags & GPIO_V2_LINE_FLAG_USED) != 0, (info.flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0,
             (info.flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0};
  } else if (::ioctl(file, GPIO_GET_LINEINFO_IOCTL, &old) == 0) {
    state = {text_of(old.name, sizeof(old.name)), text_of(old.consumer, sizeof(old.consumer)), (old.flags & GPIOLINE_FLAG_KERNEL) != 0,
             (old.flags & GPIOLINE_FLAG_IS_OUT) != 0, (old.flags & GPIOLINE_FLAG_ACTIVE_LOW) != 0};
  } else {
    is_known = false;
  }
  ::close(file);
  return is_known ? Error::none : Error::hardware_failed;
}

std::string describe_gpio_chips(const std::vector<GpioChip>& chips) {
  if (chips.empty()) {
    return ::access("/dev/gpiochip0", F_OK) == 0 ? "no GPIO chip can be opened (is this user in the group gpio?)" : "there is no GPIO chip";
  }
  std::string text;
  for (const GpioChip& chip : chips) {
    text += (text.empty() ? "there are: " : ", ") + std::filesystem::path(chip.path).filename().string() + " [" + chip.label + "]";
  }
  return text;
}

Error open_gpio_line(const GpioLineOptions& options, GpioBackend backend, std::unique_ptr<GpioLine>& line, std::string& detail) {
  const GpioOpener opener = opener_of(backend);
  if (opener == nullptr) {
    detail = "this program was built without libgpiod";
    return Error::not_ready;
  }
  const std::vector<GpioChip> chips = gpio_chips();
  const auto chip = std::find_if(chips.begin(), chips.end(), [&](const GpioChip& each) { return each.label == options.chip_label; });
  if (chip == chips.end()) {
    detail = "no GPIO chip with the label " + options.chip_label + "; " + describe_gpio_chips(chips);
    return Error::hardware_failed;
  }
  const std::string name = options.chip_label + " line " + std::to_string(options.line);
  if (options.line >= chip->lines) {
    detail = name + ": the chip has the lines 0 to " + std::to_string(chip->lines - 1);
    return Error::hardware_failed;
  }
  errno = 0;
  const Error error = opener(options, chip->path, line);
  if (error == Error::none) return error;
  const int code = errno;
  detail = name + ": " + std::strerror(code);
  GpioLineState state;
  if (code == EBUSY && gpio_line_state(*chip, options.line, state) == Error::none && !state.consumer.empty()) detail += ", used by " + state.consumer;
  return error;
}

}  // namespace wattproof::hal
