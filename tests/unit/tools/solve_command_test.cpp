// SPDX-License-Identifier: Apache-2.0
// The form of `wattproofctl solve`; that its answers are optimal is the business of the solver's own tests.
#include <gtest/gtest.h>

#include "command.hpp"

namespace wattproof::tool {
namespace {

Outcome solve(const std::string& device, const std::string& target, const std::string& more = "") {
  const std::string text =
      R"({"slots":4,"slot_seconds":3600,"device":)" + device + R"(,"target_w":)" + target + more + "}";
  return solve_command(parse_document(text), false);
}

TEST(solve_command, answers_every_device_type_of_the_first_form) {
  EXPECT_EQ(solve(R"({"type":"fixed","profile_w":[1,2,3,4]})", "[9,9,9,9]").output.dump(),
            R"({"status":"ok","profile_w":[1,2,3,4]})");
  EXPECT_EQ(solve(R"({"type":"curtailable","min_w":-5,"max_w":[0,1,2,3]})", "[-9,9,1,9]").output["profile_w"].dump(), "[-5,1,1,3]");
  EXPECT_EQ(solve(R"({"type":"shapeable","power_min_w":0,"power_max_w":100,"energy_wh":120,"start_slot":1,"end_slot":3})",
                  "[50,50,50,50]").output["profile_w"].dump(), "[0,60,60,0]");
  EXPECT_EQ(solve(R"({"type":"battery","power_min_w":-100,"power_max_w":100,"energy_min_wh":0,"energy_max_wh":50,)"
                  R"("energy_start_wh":0,"energy_end_min_wh":0,"energy_end_max_wh":0})", "[80,0,0,0]").output["status"], "ok");
  EXPECT_EQ(solve(R"({"type":"appliance","run_w":[7,3],"earliest_slot":1,"latest_end_slot":4})", "[0,0,9,0]")
                .output["profile_w"].dump(), "[0,0,7,3]");
}

TEST(solve_command, answers_a_device_with_ramps_and_states) {
  EXPECT_EQ(solve(R"({"type":"banded","power_min_w":0,"power_max_w":100,"ramp_up_w":10,"power_before_w":5})", "[50,50,0,0]")
                .output["profile_w"].dump(), "[15,25,0,0]");
  const std::string room = R"({"type":"banded","power_min_w":0,"power_max_w":[2000,2000,2000,2000],"states":[)"
                           R"({"start":20000,"min":19000,"max":22000,"keep_ppm":[880000,100000],"gain_milli_per_wh":500,"drift_milli":100000},)"
                           R"({"start":20000,"min":15000,"max":25000,"keep_ppm":[20000,980000],"gain_milli_per_wh":0}]})";
  const Outcome outcome = solve_command(parse_document(R"({"slots":4,"slot_seconds":3600,"target_w":[0,0,0,0],"device":)" + room + "}"), true);
  EXPECT_EQ(outcome.output["status"], "ok") << outcome.output.dump();
  EXPECT_EQ(outcome.output["certificate"]["kind"], "bound");
  std::string cold = room;
  cold.replace(cold.find("19000"), 5, "21900");
  EXPECT_EQ(solve(cold, "[0,0,0,0]").output["detail"], "state 0: needs 21900 by slot 1, at most 20700 possible");
  EXPECT_THROW((void)solve(R"({"type":"banded","power_min_w":0,"power_max_w":1,"states":[{"start":0,"min":0,"max":1,)"
                           R"("keep_ppm":[1,2],"gain_milli_per_wh":1}]})", "[0,0,0,0]"), InputError);
}

TEST(solve_command, a_switched_load_without_energy_needs_no_window) {
  const std::string text = R"({"slots":2,"slot_seconds":3600,"target_w":[9,9],"device":{"type":"switched","power_w":60,)"
                           R"("energy_wh":0,"min_on_slots":1,"min_off_slots":1,"start_slot":1,"end_slot":1}})";
  EXPECT_EQ(solve_command(parse_document(text), true).output.dump(),
            R"({"status":"ok","profile_w":[0,0],"certificate":{"kind":"enumerated"}})");
}

TEST(solve_command, ties_take_the_earliest_start) {
  EXPECT_EQ(solve(R"({"type":"appliance","run_w":[5],"earliest_slot":0,"latest_end_slot":4})", "[0,2,2,0]")
                .output["profile_w"].dump(), "[0,5,0,0]");
}

TEST(solve_command, says_which_limit_cannot_be_met) {
  const Outcome energy = solve(
      R"({"type":"shapeable","power_min_w":0,"power_max_w":100,"energy_wh":401,"start_slot":0,"end_slot":4})", "[0,0,0,0]");
  EXPECT_EQ(energy.status, exit_refused);
  EXPECT_EQ(energy.output["error"], "infeasible");
  EXPECT_EQ(energy.output["detail"], "needs 401 Wh by slot 4, at most 400 possible");
  const Outcome window = solve(R"({"type":"appliance","run_w":[1,1,1],"earliest_slot":2,"latest_end_slot":4})", "[0,0,0,0]");
  EXPECT_EQ(window.output["error"], "infeasible");
  const Outcome empty = solve(
      R"({"type":"shapeable","power_min_w":0,"power_max_w":9,"energy_wh":1,"start_slot":2,"end_slot":2})", "[0,0,0,0]");
  EXPECT_EQ(empty.output["error"], "infeasible");
  const Outcome crossed = solve(R"({"type":"curtailable","min_w":5,"max_w":4})", "[0,0,0,0]");
  EXPECT_EQ(crossed.output["error"], "infeasible");
}

TEST(solve_command, an_empty_window_without_energy_is_no_contradiction) {
  EXPECT_EQ(solve(R"({"type":"shapeable","power_min_w":0,"power_max_w":9,"energy_wh":0,"start_slot":2,"end_slot":2})",
                  "[5,5,5,5]").output["profile_w"].dump(), "[0,0,0,0]");
}

TEST(solve_command, prices_move_the_answer) {
  const Outcome outcome = solve(R"({"type":"curtailable","min_w":0,"max_w":100})", "[50,50,50,50]", R"(,"price":[0,10,-10,100])");
  EXPECT_EQ(outcome.output["profile_w"].dump(), "[50,40,60,0]");
}

TEST(solve_command, a_home_is_one_profile_of_several_devices) {
  const std::string home = R"({"type":"home","limit_w":100,"devices":[{"type":"fixed","profile_w":[40,40,40,40]},)"
                           R"({"type":"curtailable","min_w":0,"max_w":100}]})";
  const Outcome outcome = solve(home, "[50,500,0,70]");
  EXPECT_EQ(outcome.output["profile_w"].dump(), "[50,100,40,70]");
  EXPECT_EQ(outcome.output["devices"][0]["profile_w"].dump(), "[40,40,40,40]");
  EXPECT_EQ(outcome.output["devices"][1]["profile_w"].dump(), "[10,60,0,30]");
  const Outcome tripped = solve(R"({"type":"home","limit_w":30,"devices":[{"type":"fixed","profile_w":[40,40,40,40]}]})", "[0,0,0,0]");
  EXPECT_EQ(tripped.status, exit_refused);
  EXPECT_EQ(tripped.output["error"], "infeasible");
}

TEST(solve_command, a_home_and_its_parts_have_costs_of_their_own) {
  const auto profile_of = [](const std::string& home_cost, const std::string& part_cost) {
    return solve(R"({"type":"home","limit_w":900)" + home_cost + R"(,"devices":[{"type":"fixed","profile_w":[40,40,40,40]},)" +
                     R"({"type":"curtailable","min_w":-500,"max_w":500)" + part_cost + R"(}]})", "[140,240,40,-60]")
        .output["devices"][1]["profile_w"].dump();
  };
  EXPECT_EQ(profile_of("", ""), "[100,200,0,-100]");
  EXPECT_EQ(profile_of("", R"(,"own_cost_quadratic":1)"), "[50,100,0,-50]");
  EXPECT_EQ(profile_of(R"(,"own_cost_quadratic":1)", ""), "[30,80,-20,-70]");
  EXPECT_THROW(profile_of("", R"(,"own_cost_quadratic":16777217)"), InputError);
  EXPECT_THROW(profile_of(R"(,"own_cost_quadratic":-1)", ""), InputError);
  EXPECT_EQ(solve(R"({"type":"curtailable","min_w":-500,"max_w":500,"own_cost_quadratic":3})", "[100,200,0,-100]").output["profile_w"].dump(),
            "[25,50,0,-25]");
}

TEST(solve_command, a_certificate_is_added_on_demand) {
  const Json document = parse_document(
      R"({"slots":2,"slot_seconds":3600,"device":{"type":"curtailable","min_w":0,"max_w":9},"target_w":[1,20]})");
  EXPECT_EQ(solve_command(document, true).output["certificate"].dump(), R"({"kind":"dual","gap":0})");
}

// The field that a refusal names, be it thrown or answered.
std::string refused_field(const std::string& device, const std::string& target, const std::string& more = "") {
  try {
    const Outcome outcome = solve(device, target, more);
    return outcome.output.contains("field") ? outcome.output["field"].get<std::string>() : outcome.output["status"].get<std::string>();
  } catch (const InputError& error) {
    return error.field;
  }
}

TEST(solve_command, says_how_much_a_window_lacks) {
  EXPECT_EQ(solve(R"({"type":"switched","power_w":5,"energy_wh":20,"min_on_slots":1,"min_off_slots":1,"start_slot":3,"end_slot":3})",
                  "[0,0,0,0]").output["detail"], "needs 4 slots, the window has 0");
  EXPECT_EQ(solve(R"({"type":"switched","power_w":1,"energy_wh":100000000,"min_on_slots":1,"min_off_slots":1,"start_slot":0,)"
                  R"("end_slot":3})", "[0,0,0,0]").output["detail"], "needs 100000000 slots, the window has 3");
  EXPECT_EQ(solve(R"({"type":"shapeable","power_min_w":0,"power_max_w":9,"energy_wh":7,"start_slot":2,"end_slot":2})",
                  "[0,0,0,0]").output["detail"], "needs 7 Wh by slot 2, at most 0 possible");
  EXPECT_EQ(solve(R"({"type":"shapeable","power_min_w":-9,"power_max_w":9,"energy_wh":-7,"start_slot":2,"end_slot":1})",
                  "[0,0,0,0]").output["detail"], "at most -7 Wh by slot 1, at least 0 unavoidable");
}

TEST(solve_command, names_the_energy_that_a_switched_load_cannot_have) {
  const auto switched = [](const std::string& numbers) {
    return R"({"type":"switched","min_on_slots":1,"min_off_slots":1,)" + numbers + "}";
  };
  const std::string odd = switched(R"("power_w":5,"energy_wh":7,"start_slot":0,"end_slot":4)");
  const std::string odd_without_window = switched(R"("power_w":5,"energy_wh":7,"start_slot":1,"end_slot":1)");
  for (const std::string& device : {odd, odd_without_window}) {
    EXPECT_EQ(solve(device, "[0,0,0,0]").output["error"], "not_a_multiple");
    EXPECT_EQ(solve(device, "[0,0,0,0]").status, exit_usage);
    EXPECT_EQ(refused_field(device, "[0,0,0,0]"), "device.energy_wh");
  }
  EXPECT_EQ(refused_field(switched(R"("power_w":-5,"energy_wh":5,"start_slot":0,"end_slot":4)"), "[0,0,0,0]"), "device.energy_wh");
  EXPECT_EQ(refused_field(R"({"type":"home","limit_w":9,"devices":[)" + odd + "]}", "[0,0,0,0]"), "device.devices[0].energy_wh");
}

TEST(solve_command, names_the_slot_whose_wish_is_out_of_range) {
  const std::string light = R"({"type":"curtailable","min_w":0,"max_w":9})";
  EXPECT_EQ(refused_field(light, "[0,8388607,-8388607,0]"), "ok");
  EXPECT_EQ(refused_field(light, "[0,8388607,8388608,0]"), "target_w[2]");
  EXPECT_EQ(refused_field(light, "[0,0,0,0]", R"(,"price":[0,-8388607,8388607,0])"), "ok");
  EXPECT_EQ(refused_field(light, "[0,0,-1,0]", R"(,"price":[0,-8388607,8388607,0])"), "price[2]");
  EXPECT_EQ(refused_field(light, "[0,0,0,0]", R"(,"weight":16777216,"price":[0,0,0,140737471578112])"), "ok");
  EXPECT_EQ(refused_field(light, "[0,0,0,0]", R"(,"price":[0,0,0,1125899906842625])"), "price[3]");
  // An own cost, or that of a home's sum, makes room for dearer prices.
  const char* const slow = R"({"type":"curtailable","min_w":-500,"max_w":500,"own_cost_quadratic":3})";
  const char* const home = R"({"type":"home","limit_w":9000,"own_cost_quadratic":3,"devices":[{"type":"curtailable","min_w":-500,"max_w":500}]})";
  for (const char* const device : {slow, home}) {
    EXPECT_EQ(solve(device, "[0,0,0,0]", R"(,"price":[0,0,0,20000000])").output["profile_w"].dump(), "[0,0,0,-500]");
    EXPECT_EQ(refused_field(device, "[0,0,0,0]", R"(,"price":[0,0,0,40000000])"), "price[3]");
  }
  const std::string generator = R"({"type":"generator","power_min_w":0,"power_max_w":9,"cost_quadratic":0,"cost_linear":1})";
  EXPECT_EQ(refused_field(generator, "[8388607,0,0,0]"), "target_w[0]");
}

TEST(solve_command, names_the_field_that_is_wrong) {
  EXPECT_EQ(refused_field(R"({"type":"fixed","profile_w":[1,2,3]})", "[0,0,0,0]"), "device.profile_w");
  EXPECT_EQ(refused_field(R"({"type":"fixed","profile_w":[1,2,3,4]})", "[0,0,0]"), "target_w");
  EXPECT_EQ(refused_field(R"({"type":"kettle"})", "[0,0,0,0]"), "device.type");
  EXPECT_EQ(refused_field(R"({"type":"fixed","profile_w":[1,2,3,4],"min_w":0})", "[0,0,0,0]"), "device.min_w");
  EXPECT_EQ(refused_field(R"({"type":"curtailable","min_w":[0,0],"max_w":1})", "[0,0,0,0]"), "device.min_w");
  EXPECT_EQ(refused_field(R"({"type":"appliance","run_w":[],"earliest_slot":0,"latest_end_slot":4})", "[0,0,0,0]"), "device.run_w");
  EXPECT_EQ(refused_field(R"({"type":"shapeable","power_min_w":0,"power_max_w":1,"energy_wh":1,"start_slot":0,"end_slot":5})",
                  "[0,0,0,0]"), "device.end_slot");
}

TEST(solve_command, weighs_an_empty_window_like_any_other) {
  EXPECT_EQ(solve(R"({"type":"shapeable","power_min_w":-9,"power_max_w":9,"energy_wh":0,"start_slot":1,"end_slot":1,"own_cost_quadratic":1})",
                  "[-1,0,0,0]", R"(,"price":[8388608,0,0,0])").output["profile_w"].dump(), "[0,0,0,0]");
}

TEST(solve_command, says_what_a_minimum_on_time_and_a_store_without_gain_ask_for) {
  EXPECT_EQ(solve(R"({"type":"switched","power_w":10,"energy_wh":10,"min_on_slots":2,"min_off_slots":1,"start_slot":0,"end_slot":4})",
                  "[0,0,0,0]").output["detail"], "needs 1 slots on; once on, it stays on for at least 2");
  EXPECT_EQ(refused_field(R"({"type":"thermal","power_max_w":10,"gain_mk_per_wh":0,"leak_permyriad_per_slot":0,"ambient_mc":0,"start_mc":0,"min_mc":0,"max_mc":0})",
                          "[0,0,0,0]"), "device.gain_mk_per_wh");
  EXPECT_EQ(solve(R"({"type":"home","limit_w":10,"devices":[{"type":"thermal","power_max_w":10,"gain_mk_per_wh":1000,"leak_permyriad_per_slot":0,"ambient_mc":0,"start_mc":0,"min_mc":400,"max_mc":500}]})",
                  "[0,0,0,0]").output["detail"], "device.devices[0]: each limit can be kept, but found no whole watts that keep all of them");
}

}  // namespace
}  // namespace wattproof::tool
