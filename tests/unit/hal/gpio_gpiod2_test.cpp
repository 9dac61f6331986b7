// SPDX-License-Identifier: Apache-2.0
// The back end for libgpiod 2 over a chip in memory, of eight lines.
#include <gpiod.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <deque>
#include <string>

#include "hal/linux/gpio_line.hpp"

struct gpiod_edge_event {
  gpiod_edge_event_type type;
  std::uint64_t time_ns;
  unsigned long sequence;
};

namespace {

struct Line {
  bool is_high = false, is_taken = false, is_output = false, is_active_low = false, has_edges = false;
  std::string consumer;
  std::deque<gpiod_edge_event> edges;
};

std::array<Line, 8> lines;
int objects = 0;  // that are not freed
bool is_dead = false;

template <class T>
T* make() {
  ++objects;
  return new T();
}

template <class T>
void drop(T* object) {
  --objects;
  delete object;
}

}  // namespace

struct gpiod_chip {};
struct gpiod_line_settings {
  bool is_output = false, is_active_low = false, has_edges = false, is_active = true;
};
struct gpiod_line_config {
  unsigned line = 0;
  gpiod_line_settings settings;
};
struct gpiod_request_config {
  std::string consumer;
};
struct gpiod_line_request {
  unsigned line = 0;
};
struct gpiod_edge_event_buffer {
  gpiod_edge_event event{};
};

extern "C" {

gpiod_chip* gpiod_chip_open(const char* path) {
  if (std::string(path) == "/dev/gpiochip0") return make<gpiod_chip>();
  errno = ENOENT;
  return nullptr;
}
void gpiod_chip_close(gpiod_chip* chip) { drop(chip); }

gpiod_line_request* gpiod_chip_request_lines(gpiod_chip*, gpiod_request_config* request, gpiod_line_config* config) {
  Line& line = lines.at(config->line);
  if (line.is_taken) {
    errno = EBUSY;
    return nullptr;
  }
  const gpiod_line_settings& settings = config->settings;
  const bool is_high = settings.is_output ? settings.is_active != settings.is_active_low : line.is_high;
  line = {is_high, true, settings.is_output, settings.is_active_low, settings.has_edges, request->consumer, {}};
  gpiod_line_request* const taken = make<gpiod_line_request>();
  taken->line = config->line;
  return taken;
}
void gpiod_line_request_release(gpiod_line_request* request) {
  lines.at(request->line).is_taken = false;
  drop(request);
}

gpiod_line_settings* gpiod_line_settings_new() { return make<gpiod_line_settings>(); }
void gpiod_line_settings_free(gpiod_line_settings* settings) { drop(settings); }
int gpiod_line_settings_set_direction(gpiod_line_settings* settings, gpiod_line_direction direction) {
  settings->is_output = direction == GPIOD_LINE_DIRECTION_OUTPUT;
  return 0;
}
int gpiod_line_settings_set_edge_detection(gpiod_line_settings* settings, gpiod_line_edge edge) {
  settings->has_edges = edge == GPIOD_LINE_EDGE_BOTH;
  return 0;
}
void gpiod_line_settings_set_active_low(gpiod_line_settings* settings, bool active_low) { settings->is_active_low = active_low; }
int gpiod_line_settings_set_output_value(gpiod_line_settings* settings, gpiod_line_value value) {
  settings->is_active = value == GPIOD_LINE_VALUE_ACTIVE;
  return 0;
}

gpiod_line_config* gpiod_line_config_new() { return make<gpiod_line_config>(); }
void gpiod_line_config_free(gpiod_line_config* config) { drop(config); }
int gpiod_line_config_add_line_settings(gpiod_line_config* config, const unsigned* offsets, size_t count, gpiod_line_settings* settings) {
  if (count != 1) return -1;
  config->line = *offsets;
  config->settings = *settings;
  return 0;
}
gpiod_request_config* gpiod_request_config_new() { return make<gpiod_request_config>(); }
void gpiod_request_config_free(gpiod_request_config* config) { drop(config); }
void gpiod_request_config_set_consumer(gpiod_request_config* config, const char* consumer) { config->consumer = consumer; }

gpiod_line_value gpiod_line_request_get_value(gpiod_line_request* request, unsigned offset) {
  if (is_dead || offset != request->line) return GPIOD_LINE_VALUE_ERROR;
  const Line& line = lines.at(offset);
  return line.is_high != line.is_active_low ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
}
int gpiod_line_request_set_value(gpiod_line_request* request, unsigned offset, gpiod_line_value value) {
  if (is_dead || offset != request->line || !lines.at(offset).is_output) return -1;
  lines.at(offset).is_high = (value == GPIOD_LINE_VALUE_ACTIVE) != lines.at(offset).is_active_low;
  return 0;
}
int gpiod_line_request_get_fd(gpiod_line_request*) { return 77; }
int gpiod_line_request_wait_edge_events(gpiod_line_request* request, int64_t timeout_ns) {
  if (is_dead || timeout_ns != 0) return -1;
  return lines.at(request->line).edges.empty() ? 0 : 1;
}
int gpiod_line_request_read_edge_events(gpiod_line_request* request, gpiod_edge_event_buffer* buffer, size_t) {
  auto& edges = lines.at(request->line).edges;
  if (edges.empty()) return -1;
  buffer->event = edges.front();
  edges.pop_front();
  return 1;
}
gpiod_edge_event_buffer* gpiod_edge_event_buffer_new(size_t) { return make<gpiod_edge_event_buffer>(); }
void gpiod_edge_event_buffer_free(gpiod_edge_event_buffer* buffer) { drop(buffer); }
gpiod_edge_event* gpiod_edge_event_buffer_get_event(gpiod_edge_event_buffer* buffer, unsigned long index) {
  return index == 0 ? &buffer->event : nullptr;
}
gpiod_edge_event_type gpiod_edge_event_get_event_type(gpiod_edge_event* event) { return event->type; }
uint64_t gpiod_edge_event_get_timestamp_ns(gpiod_edge_event* event) { return event->time_ns; }
unsigned long gpiod_edge_event_get_line_seqno(gpiod_edge_event* event) { return event->sequence; }

}  // extern "C"

namespace wattproof::hal {
namespace {

class gpio_gpiod2 : public ::testing::Test {
 protected:
  void SetUp() override {
    lines = {};
    is_dead = false;
  }
  void TearDown() override {
    line_.reset();
    EXPECT_EQ(objects, 0);  // every object of the library was freed
  }
  Error open(const GpioLineOptions& options) { return open_gpiod2_line(options, "/dev/gpiochip0", line_); }
  std::unique_ptr<GpioLine> line_;
};

TEST_F(gpio_gpiod2, takes_an_output_that_is_off_from_the_first_moment) {
  lines[3].is_high = true;
  ASSERT_EQ(open({"chip", 3, false, GpioUse::output}), Error::none);
  EXPECT_FALSE(lines[3].is_high);
  EXPECT_EQ(lines[3].consumer, "wattproof");
  EXPECT_EQ(line_->set(true), Error::none);
  EXPECT_TRUE(lines[3].is_high);
  EXPECT_EQ(line_->file(), -1);
}

TEST_F(gpio_gpiod2, keeps_an_active_low_output_high_until_it_is_active) {
  ASSERT_EQ(open({"chip", 3, true, GpioUse::output}), Error::none);
  EXPECT_TRUE(lines[3].is_high);
  EXPECT_EQ(line_->set(true), Error::none);
  EXPECT_FALSE(lines[3].is_high);
  bool is_active = false;
  EXPECT_EQ(line_->get(is_active), Error::none);
  EXPECT_TRUE(is_active);
}

TEST_F(gpio_gpiod2, reads_edges_and_counts_those_that_were_lost) {
  ASSERT_EQ(open({"chip", 1, false, GpioUse::edges}), Error::none);
  EXPECT_EQ(line_->file(), 77);
  GpioEdge edge;
  EXPECT_EQ(line_->next_edge(edge), Error::not_ready);
  lines[1].edges = {{GPIOD_EDGE_EVENT_RISING_EDGE, 10, 1}, {GPIOD_EDGE_EVENT_FALLING_EDGE, 20, 5}};
  ASSERT_EQ(line_->next_edge(edge), Error::none);
  EXPECT_TRUE(edge.is_active);
  EXPECT_EQ(edge.lost, 0u);
  ASSERT_EQ(line_->next_edge(edge), Error::none);
  EXPECT_FALSE(edge.is_active);
  EXPECT_EQ(edge.time_ns, 20u);
  EXPECT_EQ(edge.lost, 3u);
}

TEST_F(gpio_gpiod2, refuses_a_busy_line_and_a_chip_that_is_not_there) {
  lines[2].is_taken = true;
  EXPECT_EQ(open({"chip", 2, false, GpioUse::output}), Error::hardware_failed);
  EXPECT_EQ(errno, EBUSY);
  EXPECT_EQ(open_gpiod2_line({"chip", 2, false, GpioUse::output}, "/dev/gpiochip9", line_), Error::hardware_failed);
  EXPECT_EQ(line_, nullptr);
}

TEST_F(gpio_gpiod2, says_when_a_line_fails) {
  ASSERT_EQ(open({"chip", 1, false, GpioUse::edges}), Error::none);
  is_dead = true;
  GpioEdge edge;
  bool is_active = false;
  EXPECT_EQ(line_->set(true), Error::hardware_failed);
  EXPECT_EQ(line_->get(is_active), Error::hardware_failed);
  EXPECT_EQ(line_->next_edge(edge), Error::hardware_failed);
  EXPECT_NE(line_->detail().find("read an edge"), std::string::npos);
}

}  // namespace
}  // namespace wattproof::hal
