// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <sstream>

#include "chain_commands.hpp"

namespace wattproof::tool {

std::string schedule_table(const Json& schedule) {
  constexpr int width = 10;
  std::ostringstream out;
  out << "epoch " << schedule["epoch"] << ", " << schedule["status"].get<std::string>() << ", starts at "
      << schedule["start"] << ", " << schedule["slots"] << " slots of " << schedule["slot_seconds"] << " s\n";
  out << std::setw(5) << "slot" << std::setw(width) << "price" << std::setw(width) << "base W" << std::setw(width) << "cap W"
      << std::setw(width) << "sum W";
  for (const Json& device : schedule["devices"]) out << std::setw(width) << "#" + std::to_string(device["id"].get<unsigned>());
  out << '\n';
  const std::size_t slots = schedule["slots"].get<std::size_t>();
  const auto cell = [&](const Json& list, std::size_t slot) {
    out << std::setw(width) << (slot < list.size() ? list[slot].dump() : "-");
  };
  for (std::size_t t = 0; t < slots; ++t) {
    out << std::setw(5) << t;
    for (const char* name : {"price", "base_w", "cap_w", "aggregate_w"}) cell(schedule[name], t);
    for (const Json& device : schedule["devices"]) cell(device["profile_w"], t);
    out << '\n';
  }
  const bool matches = schedule["aggregate_matches_profiles"].get<bool>();
  out << (matches ? "the sum is that of the profiles in the events\n" : "THE SUM IS NOT THAT OF THE PROFILES IN THE EVENTS\n");
  return out.str();
}

}  // namespace wattproof::tool
