// SPDX-License-Identifier: Apache-2.0
#include "community_json.hpp"

#include <algorithm>

namespace wattproof::tool {
namespace {

using solver::DeviceKind;

std::vector<std::int32_t> numbers_of(ObjectReader& object, const char* name, std::size_t slots) {
  const Json& value = object.member(name);
  std::vector<std::int64_t> numbers;
  if (value.is_array()) {
    numbers = object.integers(name, slots, -power_w_max, power_w_max);
    if (numbers.size() != slots) object.fail(name, "must have one entry per slot");
  } else {
    numbers.push_back(object.integer(name, -power_w_max, power_w_max));
  }
  std::vector<std::int32_t> result;
  for (const std::int64_t number : numbers) result.push_back(static_cast<std::int32_t>(number));
  return result;
}

// What the kind of device can draw in a slot, whatever it draws in the others; for all but a home.
std::pair<std::int32_t, std::int32_t> single_range_in_slot(const solver::Device& device, std::uint32_t slot) {
  const bool has_window = device.kind == DeviceKind::shapeable || device.kind == DeviceKind::appliance ||
                          device.kind == DeviceKind::switched;
  const std::uint32_t end = device.end_slot;
  if (has_window && (slot < device.start_slot || slot >= end)) return {0, 0};
  switch (device.kind) {
    case DeviceKind::fixed: return {device.profile_w[slot], device.profile_w[slot]};
    case DeviceKind::appliance: {
      const auto [low, high] = std::minmax_element(device.profile_w.begin(), device.profile_w.end());
      return {std::min(0, *low), std::max(0, *high)};
    }
    case DeviceKind::switched: return {std::min(0, device.power_w), std::max(0, device.power_w)};
    default: return {device.power_min_w.at(slot), device.power_max_w.at(slot)};
  }
}

std::pair<std::int32_t, std::int32_t> range_in_slot(const solver::Device& device, std::uint32_t slot) {
  if (device.kind != DeviceKind::home) return single_range_in_slot(device, slot);
  std::pair<std::int32_t, std::int32_t> sum{0, 0};
  for (std::uint32_t i = 0; i < device.part_count; ++i) {
    const auto [low, high] = single_range_in_slot(device.parts[i], slot);
    sum.first += low;
    sum.second += high;
  }
  return {std::clamp(sum.first, -device.limit_w, device.limit_w), std::clamp(sum.second, -device.limit_w, device.limit_w)};
}

std::int32_t at(const std::vector<std::int32_t>& series, std::size_t slot) {
  return series.size() == 1 ? series[0] : series[slot];
}

// One entry if all are equal.
void shorten(std::vector<std::int32_t>& series) {
  if (std::adjacent_find(series.begin(), series.end(), std::not_equal_to<>()) == series.end()) series.resize(1);
}

ByteVector with_count(std::size_t count) {
  ByteVector bytes(2);
  store_be16(bytes.data(), static_cast<std::uint16_t>(count));
  return bytes;
}

void check_terms(const ObjectReader& object, const DeviceDocument& device) {
  for (std::uint32_t t = 0; t < device.grid.slots; ++t) {
    const std::string slot = "slot " + std::to_string(t) + ": ";
    if (at(device.min_w, t) > at(device.max_w, t)) object.fail("min_w", slot + "is above max_w");
    const bool is_within = at(device.fallback_w, t) >= at(device.min_w, t) && at(device.fallback_w, t) <= at(device.max_w, t);
    if (!is_within) object.fail("fallback_w", slot + "is outside min_w and max_w");
  }
}

}  // namespace

void read_device_document(const Json& document, const std::string& path, DeviceDocument& result) {
  ObjectReader object(document, path);
  result.grid.slots = static_cast<std::uint32_t>(object.integer("slots", 1, slot_count_max));
  result.grid.slot_seconds = static_cast<std::uint32_t>(object.integer("slot_seconds", 1, 3600));
  if (3600 % result.grid.slot_seconds != 0) object.fail("slot_seconds", "must divide 3600");
  ObjectReader device = object.object("device");
  read_device(device, result.grid, result.description);
  if (object.has("address")) result.address = object.hex_array<20>("address");

  for (std::uint32_t t = 0; t < result.grid.slots; ++t) {
    const auto [low, high] = range_in_slot(result.description.device, t);
    result.min_w.push_back(low);
    result.max_w.push_back(high);
  }
  if (object.has("min_w")) result.min_w = numbers_of(object, "min_w", result.grid.slots);
  if (object.has("max_w")) result.max_w = numbers_of(object, "max_w", result.grid.slots);
  if (object.has("fallback_w")) {
    result.fallback_w = numbers_of(object, "fallback_w", result.grid.slots);
  } else {
    for (std::uint32_t t = 0; t < result.grid.slots; ++t) {
      result.fallback_w.push_back(std::clamp(0, std::min(at(result.min_w, t), at(result.max_w, t)), at(result.max_w, t)));
    }
  }
  object.finish();
  check_terms(object, result);
  shorten(result.fallback_w);
  // Limits are told as pairs, so both have one entry or both have one per slot.
  std::vector<std::int32_t> low = result.min_w;
  std::vector<std::int32_t> high = result.max_w;
  shorten(low);
  shorten(high);
  const bool is_constant = low.size() == 1 && high.size() == 1;
  if (is_constant) {
    result.min_w = low;
    result.max_w = high;
    return;
  }
  if (result.min_w.size() == 1) result.min_w.assign(result.grid.slots, result.min_w[0]);
  if (result.max_w.size() == 1) result.max_w.assign(result.grid.slots, result.max_w[0]);
}

ByteVector encode_limits(const DeviceDocument& device) {
  ByteVector bytes = with_count(device.min_w.size());
  for (std::size_t i = 0; i < device.min_w.size(); ++i) {
    ethereum::append_int32(bytes, device.min_w[i]);
    ethereum::append_int32(bytes, device.max_w[i]);
  }
  return bytes;
}

ByteVector encode_fallback(const DeviceDocument& device) {
  ByteVector bytes = with_count(device.fallback_w.size());
  for (const std::int32_t watt : device.fallback_w) ethereum::append_int32(bytes, watt);
  return bytes;
}

}  // namespace wattproof::tool
