// SPDX-License-Identifier: Apache-2.0
// The part of libgpiod 2's interface that the back end uses, over a chip in memory: a machine with version 1 compiles and
// tests the back end for version 2 all the same. Signatures and values are those of the library's documentation.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gpiod_chip;
struct gpiod_line_settings;
struct gpiod_line_config;
struct gpiod_request_config;
struct gpiod_line_request;
struct gpiod_edge_event;
struct gpiod_edge_event_buffer;

enum gpiod_line_value { GPIOD_LINE_VALUE_ERROR = -1, GPIOD_LINE_VALUE_INACTIVE = 0, GPIOD_LINE_VALUE_ACTIVE = 1 };
enum gpiod_line_direction { GPIOD_LINE_DIRECTION_AS_IS = 1, GPIOD_LINE_DIRECTION_INPUT, GPIOD_LINE_DIRECTION_OUTPUT };
enum gpiod_line_edge { GPIOD_LINE_EDGE_NONE = 1, GPIOD_LINE_EDGE_RISING, GPIOD_LINE_EDGE_FALLING, GPIOD_LINE_EDGE_BOTH };
enum gpiod_edge_event_type { GPIOD_EDGE_EVENT_RISING_EDGE = 1, GPIOD_EDGE_EVENT_FALLING_EDGE };

struct gpiod_chip* gpiod_chip_open(const char* path);
void gpiod_chip_close(struct gpiod_chip* chip);
struct gpiod_line_request* gpiod_chip_request_lines(struct gpiod_chip* chip, struct gpiod_request_config* request,
                                                    struct gpiod_line_config* lines);

struct gpiod_line_settings* gpiod_line_settings_new(void);
void gpiod_line_settings_free(struct gpiod_line_settings* settings);
int gpiod_line_settings_set_direction(struct gpiod_line_settings* settings, enum gpiod_line_direction direction);
int gpiod_line_settings_set_edge_detection(struct gpiod_line_settings* settings, enum gpiod_line_edge edge);
void gpiod_line_settings_set_active_low(struct gpiod_line_settings* settings, bool active_low);
int gpiod_line_settings_set_output_value(struct gpiod_line_settings* settings, enum gpiod_line_value value);

struct gpiod_line_config* gpiod_line_config_new(void);
void gpiod_line_config_free(struct gpiod_line_config* config);
int gpiod_line_config_add_line_settings(struct gpiod_line_config* config, const unsigned int* offsets, size_t num_offsets,
                                        struct gpiod_line_settings* settings);

struct gpiod_request_config* gpiod_request_config_new(void);
void gpiod_request_config_free(struct gpiod_request_config* config);
void gpiod_request_config_set_consumer(struct gpiod_request_config* config, const char* consumer);

void gpiod_line_request_release(struct gpiod_line_request* request);
enum gpiod_line_value gpiod_line_request_get_value(struct gpiod_line_request* request, unsigned int offset);
int gpiod_line_request_set_value(struct gpiod_line_request* request, unsigned int offset, enum gpiod_line_value value);
int gpiod_line_request_get_fd(struct gpiod_line_request* request);
int gpiod_line_request_wait_edge_events(struct gpiod_line_request* request, int64_t timeout_ns);
int gpiod_line_request_read_edge_events(struct gpiod_line_request* request, struct gpiod_edge_event_buffer* buffer, size_t max_events);

struct gpiod_edge_event_buffer* gpiod_edge_event_buffer_new(size_t capacity);
void gpiod_edge_event_buffer_free(struct gpiod_edge_event_buffer* buffer);
struct gpiod_edge_event* gpiod_edge_event_buffer_get_event(struct gpiod_edge_event_buffer* buffer, unsigned long index);
enum gpiod_edge_event_type gpiod_edge_event_get_event_type(struct gpiod_edge_event* event);
uint64_t gpiod_edge_event_get_timestamp_ns(struct gpiod_edge_event* event);
unsigned long gpiod_edge_event_get_line_seqno(struct gpiod_edge_event* event);

#ifdef __cplusplus
}
#endif
