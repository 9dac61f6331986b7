// SPDX-License-Identifier: Apache-2.0
// The back end without a library: the kernel's character device. Version 2 of its interface (Linux 5.10) is used where the
// kernel has it, found by one harmless question; a kernel that answers it is never asked in version 1, so that an error
// means what it says.
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "hal/linux/gpio_line.hpp"

namespace wattproof::hal {
namespace {

template <std::size_t size>
void name_consumer(char (&label)[size]) {
  std::strncpy(label, gpio_consumer, size - 1);
}

class ChardevLine final : public GpioLine {
 public:
  ChardevLine(int file, bool is_version_2, bool has_edges) : file_(file), is_version_2_(is_version_2), has_edges_(has_edges) {}
  ChardevLine(const ChardevLine&) = delete;
  ChardevLine& operator=(const ChardevLine&) = delete;
  ~ChardevLine() override { ::close(file_); }

  Error set(bool active) override {
    int result = 0;
    if (is_version_2_) {
      gpio_v2_line_values values{.bits = active ? 1U : 0U, .mask = 1};
      result = ::ioctl(file_, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
    } else {
      gpiohandle_data values{};
      values.values[0] = active ? 1 : 0;
      result = ::ioctl(file_, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &values);
    }
    return result == 0 ? Error::none : fail("set the line");
  }

  Error get(bool& active) override {
    if (is_version_2_) {
      gpio_v2_line_values values{.bits = 0, .mask = 1};
      if (::ioctl(file_, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) return fail("read the line");
      active = (values.bits & 1) != 0;
    } else {
      gpiohandle_data values{};
      if (::ioctl(file_, GPIOHANDLE_GET_LINE_VALUES_IOCTL, &values) != 0) return fail("read the line");
      active = values.values[0] != 0;
    }
    return Error::none;
  }

  Error next_edge(GpioEdge& edge) override {
    pollfd entry{file_, POLLIN, 0};
    if (!has_edges_ || ::poll(&entry, 1, 0) <= 0) return Error::not_ready;
    return is_version_2_ ? read_edge(edge) : read_old_edge(edge);
  }

  int file() const override { return has_edges_ ? file_ : -1; }

 private:
  Error read_edge(GpioEdge& edge) {
    gpio_v2_line_event event{};
    if (::read(file_, &event, sizeof(event)) != sizeof(event)) return fail("read an edge");
    // Numbers of edges run from 1 without a gap, unless the kernel's queue was full.
    edge = {event.id == GPIO_V2_LINE_EVENT_RISING_EDGE, event.timestamp_ns, event.line_seqno - sequence_ - 1};
    sequence_ = event.line_seqno;
    return Error::none;
  }

  Error read_old_edge(GpioEdge& edge) {
    gpioevent_data event{};
    if (::read(file_, &event, sizeof(event)) != sizeof(event)) return fail("read an edge");
    edge = {event.id == GPIOEVENT_EVENT_RISING_EDGE, event.timestamp, 0};
    return Error::none;
  }

  int file_;
  bool is_version_2_;
  bool has_edges_;
  std::uint32_t sequence_ = 0;
};

int request(int chip, const GpioLineOptions& options) {
  gpio_v2_line_request request{};
  request.offsets[0] = options.line;
  request.num_lines = 1;
  name_consumer(request.consumer);
  request.config.flags = options.active_low ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0;
  // A new output has the value 0, which is inactive, whatever its polarity.
  request.config.flags |= options.use == GpioUse::output ? GPIO_V2_LINE_FLAG_OUTPUT : GPIO_V2_LINE_FLAG_INPUT;
  if (options.use == GpioUse::edges) request.config.flags |= GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
  return ::ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) == 0 ? request.fd : -1;
}

int request_old(int chip, const GpioLineOptions& options) {
  const std::uint32_t polarity = options.active_low ? GPIOHANDLE_REQUEST_ACTIVE_LOW : 0;
  if (options.use == GpioUse::edges) {
    gpioevent_request request{};
    request.lineoffset = options.line;
    request.handleflags = GPIOHANDLE_REQUEST_INPUT | polarity;
    request.eventflags = GPIOEVENT_REQUEST_BOTH_EDGES;
    name_consumer(request.consumer_label);
    return ::ioctl(chip, GPIO_GET_LINEEVENT_IOCTL, &request) == 0 ? request.fd : -1;
  }
  gpiohandle_request request{};
  request.lineoffsets[0] = options.line;
  request.lines = 1;
  request.flags = (options.use == GpioUse::output ? GPIOHANDLE_REQUEST_OUTPUT : GPIOHANDLE_REQUEST_INPUT) | polarity;
  name_consumer(request.consumer_label);
  return ::ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, &request) == 0 ? request.fd : -1;
}

}  // namespace

Error open_chardev_line(const GpioLineOptions& options, const std::string& path, std::unique_ptr<GpioLine>& line) {
  const int chip = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (chip < 0) return Error::hardware_failed;
  gpio_v2_line_info info{};
  info.offset = options.line;
  const bool is_version_2 = ::ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, &info) == 0;
  const int file = is_version_2 ? request(chip, options) : request_old(chip, options);
  const int code = errno;
  ::close(chip);
  errno = code;
  if (file < 0) return Error::hardware_failed;
  ::fcntl(file, F_SETFD, FD_CLOEXEC);
  line = std::make_unique<ChardevLine>(file, is_version_2, options.use == GpioUse::edges);
  return Error::none;
}

}  // namespace wattproof::hal
