// SPDX-License-Identifier: Apache-2.0
#include "rounds/real_days.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "rounds/draw.hpp"

namespace wattproof::bench {
namespace {

// Bidding zone DK2 on 2024-02-07, EUR/MWh. Source: Energinet (www.energidataservice.dk), CC BY 4.0.
constexpr double built_in_price[24] = {53.23, 52.37, 43.26, 46.59, 54.47, 60.12, 74.35, 86.67, 87,     85.53,  81.17, 78.01,
                                       75.82, 78.29, 77.32, 86.74, 97.3,  120.05, 136.22, 109.7, 99.91, 87.65, 83.63, 79.21};

std::string data_folder() {
  const char* given = std::getenv("WATTPROOF_DATA");
  return given != nullptr ? given : WATTPROOF_SOURCE_DIR "/../shared/data";
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

// The complete days in the columns whose name starts with `column`; a day is what the `keys` first columns say alike.
std::vector<Series> read_days(const char* name, std::size_t keys, const std::string& column, std::uint32_t slots) {
  std::ifstream file(data_folder() + "/" + name);
  std::string line;
  std::vector<Series> days;
  if (!std::getline(file, line)) return days;
  const std::vector<std::string> names = cells_of(line);
  std::map<std::string, Series> by_key;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = cells_of(line);
    std::string key;
    for (std::size_t i = 0; i < keys && i < cells.size(); ++i) key += cells[i] + " ";
    for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) {
      if (names[i].rfind(column, 0) == 0) by_key[key + names[i]].push_back(std::strtod(cells[i].c_str(), nullptr));
    }
  }
  for (const auto& [key, series] : by_key) {
    if (series.size() == slots) days.push_back(series);
  }
  return days;
}

}  // namespace

RealDays::RealDays(std::uint32_t slots) {
  const bool is_hourly = slots == 24;
  prices_ = is_hourly ? read_days("prices_dayahead_60min_dk.csv", 2, "price_eur", slots)
                      : read_days("prices_dayahead_15min_2025_12.csv", 1, "price_", slots);
  loads_ = is_hourly ? read_days("homes_60min_fontana.csv", 2, "load_kwh", slots)
                     : read_days("homes_15min_uk.csv", 2, "load_kwh", slots);
  for (Series& load : loads_) {
    for (double& value : load) value *= 1000.0 * slots / 24;
  }
  if (!prices_.empty() && !loads_.empty()) return;
  is_built_in_ = true;
  prices_.assign(1, {});
  loads_.assign(1, {});
  for (std::uint32_t t = 0; t < slots; ++t) {
    const double hour = 24.0 * t / slots;
    prices_[0].push_back(built_in_price[static_cast<std::size_t>(hour)]);
    loads_[0].push_back(180 + 520 * bump(hour, 18.5, 2.6) + 260 * bump(hour, 7, 1.6));
  }
}

}  // namespace wattproof::bench
