// SPDX-License-Identifier: Apache-2.0
#include "meter/forecast.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace wattproof::meter {
namespace {

TEST(forecast, repeats_a_day_that_repeats) {
  std::array<SlotMemory, 24> memory{};
  Forecast forecast = *Forecast::open(memory, 0);
  for (int day = 0; day < 5; ++day) {
    for (std::uint32_t t = 0; t < 24; ++t) EXPECT_EQ(forecast.observe(t, t < 12 ? 500 : 2500), Error::none);
    forecast.end_day();
  }
  EXPECT_EQ(forecast.predict(5)->power_w, 750);    // a quarter of the way to the day's mean
  EXPECT_EQ(forecast.predict(18)->power_w, 2250);
  EXPECT_EQ(forecast.predict(12)->power_w, 1875);  // at the edge the neighbours pull too
}

TEST(forecast, averages_the_first_days_and_then_forgets) {
  std::array<SlotMemory, 1> memory{};
  Forecast forecast = *Forecast::open(memory, 0);
  for (const std::int32_t power_w : {300, 900}) {
    EXPECT_EQ(forecast.observe(0, power_w), Error::none);
    forecast.end_day();
  }
  EXPECT_EQ(forecast.predict(0)->power_w, 600);
  for (int day = 0; day < 60; ++day) {
    EXPECT_EQ(forecast.observe(0, -1200), Error::none);
    forecast.end_day();
  }
  EXPECT_NEAR(forecast.predict(0)->power_w, -1200, 1);
  EXPECT_LE(forecast.predict(0)->band_w, 20);
}

TEST(forecast, goes_on_from_stored_memory) {
  std::array<SlotMemory, 2> memory{{{16 * 400, 16 * 50}, {16 * 400, 16 * 50}}};
  const Forecast forecast = *Forecast::open(memory, 8);
  EXPECT_EQ(forecast.predict(1)->power_w, 400);
  EXPECT_EQ(forecast.predict(1)->band_w, 80);
}

TEST(forecast, refuses_what_is_out_of_range) {
  std::array<SlotMemory, slot_count_max + 1> memory{};
  EXPECT_EQ(Forecast::open(memory, 0).error(), Error::slot_count_invalid);
  EXPECT_EQ(Forecast::open({}, 0).error(), Error::slot_count_invalid);
  Forecast forecast = *Forecast::open(std::span(memory).first(24), 0);
  EXPECT_EQ(forecast.observe(24, 0), Error::out_of_range);
  EXPECT_EQ(forecast.observe(0, power_w_max + 1), Error::out_of_range);
  EXPECT_EQ(forecast.predict(24).error(), Error::out_of_range);
}

using Days = std::vector<std::vector<std::int32_t>>;

// Every home's days in their order, as mean power.
std::map<std::string, Days> read_homes(const std::filesystem::path& path, double slots_per_hour) {
  std::map<std::string, Days> homes;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::map<std::string, std::string> last_date;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string home, date, slot, load;
    std::getline(fields, home, ',');
    std::getline(fields, date, ',');
    std::getline(fields, slot, ',');
    std::getline(fields, load, ',');
    Days& days = homes[home];
    if (last_date[home] != date) days.emplace_back();
    last_date[home] = date;
    days.back().push_back(static_cast<std::int32_t>(std::stod(load) * 1000 * slots_per_hour + 0.5));
  }
  return homes;
}

struct Score {
  double forecast_error_w = 0;
  double naive_error_w = 0;
  int within_band = 0;
  int with_band = 0;
  int readings = 0;
};

void score_home(const Days& days, Score& score) {
  std::vector<SlotMemory> memory(days.front().size());
  Forecast forecast = *Forecast::open(memory, 0);
  for (std::size_t day = 0; day < days.size(); ++day) {
    for (std::uint32_t t = 0; day > 0 && t < days[day].size(); ++t) {
      const Prediction prediction = *forecast.predict(t);
      const std::int32_t error_w = std::abs(days[day][t] - prediction.power_w);
      score.forecast_error_w += error_w;
      score.naive_error_w += std::abs(days[day][t] - days[day - 1][t]);
      ++score.readings;
      if (day < 2) continue;  // no error seen yet
      ++score.with_band;
      if (error_w <= prediction.band_w) ++score.within_band;
    }
    for (std::uint32_t t = 0; t < days[day].size(); ++t) EXPECT_EQ(forecast.observe(t, days[day][t]), Error::none);
    forecast.end_day();
  }
}

// The days of these files lie weeks apart, which is harder than real yesterdays for both.
TEST(forecast, beats_yesterday_on_measured_homes) {
  const char* configured = std::getenv("WATTPROOF_DATA");
  const std::filesystem::path data =
      configured != nullptr ? configured : std::filesystem::path(WATTPROOF_SOURCE_DIR) / "../shared/data";
  if (!std::filesystem::exists(data)) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "no data at " << data;
    GTEST_SKIP() << "no data at " << data;
  }
  int homes_seen = 0;
  const std::map<std::string, double> files{{"homes_15min_uk.csv", 4}, {"homes_60min_fontana.csv", 1}, {"homes_15min_heat_pump_amsterdam.csv", 4}};
  for (const auto& [name, slots_per_hour] : files) {
    Score score;
    for (const auto& [home, days] : read_homes(data / name, slots_per_hour)) {
      score_home(days, score);
      ++homes_seen;
    }
    ASSERT_GT(score.readings, 0);
    std::printf("%s: mean error %.0f W, yesterday's %.0f W, %.0f %% within the band\n", name.c_str(),
                score.forecast_error_w / score.readings, score.naive_error_w / score.readings,
                100.0 * score.within_band / score.with_band);
    // Two weeks of winter between two days: a heat pump's yesterday knows the weather better than the mean of its days does.
    if (name == "homes_15min_heat_pump_amsterdam.csv") continue;
    EXPECT_LT(score.forecast_error_w, 0.95 * score.naive_error_w);
  }
  EXPECT_GE(homes_seen, 10);
}

}  // namespace
}  // namespace wattproof::meter
