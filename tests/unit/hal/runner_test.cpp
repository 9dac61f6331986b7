// SPDX-License-Identifier: Apache-2.0
#include "hal/runner.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <vector>

namespace wattproof::hal {
namespace {

// Answers each step as the test says and remembers what it was told.
class ScriptedNode {
 public:
  struct Step {
    BootMs now;
    node::Input input;
  };

  Error restore(node::RecordId id, Bytes bytes) {
    restored[id] = {bytes.begin(), bytes.end()};
    return restore_error;
  }
  Error start(BootMs, const std::array<std::uint8_t, 32>& entropy) {
    entropy_seen = entropy;
    return start_error;
  }
  const node::Actions& step(BootMs now, const node::Input& input) {
    steps.push_back({now, input});
    actions_ = {};
    if (script) script(input, actions_);
    return actions_;
  }
  static void add(node::Actions& actions, const node::Action& action) { actions.items[actions.count++] = action; }

  std::function<void(const node::Input&, node::Actions&)> script;
  Error restore_error = Error::none;
  Error start_error = Error::none;
  std::map<node::RecordId, std::vector<std::uint8_t>> restored;
  std::array<std::uint8_t, 32> entropy_seen{};
  std::vector<Step> steps;

 private:
  node::Actions actions_;
};

class RecordingPort {
 public:
  BootMs now() { return time; }
  Error entropy(MutableBytes into) {
    for (std::uint8_t& byte : into) byte = 0x5a;
    return entropy_error;
  }
  Error send(Bytes bytes) {
    sent.emplace_back(bytes.begin(), bytes.end());
    return Error::none;
  }
  Error write_record(std::uint8_t id, Bytes bytes) {
    if (store_error != Error::none) return store_error;
    records[id] = {bytes.begin(), bytes.end()};
    return Error::none;
  }
  Result<std::uint32_t> read_record(std::uint8_t id, MutableBytes into) {
    if (id == corrupt_id) return Error::record_corrupt;
    const auto found = records.find(id);
    if (found == records.end()) return Error::record_absent;
    std::copy(found->second.begin(), found->second.end(), into.begin());
    return static_cast<std::uint32_t>(found->second.size());
  }
  Error sign(const Hash32& digest, crypto::Signature& signature) {
    signature[0] = digest[0];
    return sign_error;
  }
  Error set_relay(bool on, const node::Evidence&) {
    ++relay_tries;
    if (relay_error == Error::none) relay = on;
    return relay_error;
  }
  Error set_point(std::int32_t power_w, const node::Evidence& why) {
    if (set_point_error != Error::none) return set_point_error;
    power = power_w;
    evidence = why;
    return Error::none;
  }
  Error sense_relay(bool& sensed) {
    sensed = relay;
    return sense_error;
  }
  void report(Fault fault, Error error) { faults.emplace_back(fault, error); }

  BootMs time{1000};
  Error entropy_error = Error::none;
  Error store_error = Error::none;
  Error sign_error = Error::none;
  Error relay_error = Error::none;
  Error set_point_error = Error::none;
  Error sense_error = Error::not_ready;
  std::uint8_t corrupt_id = 0;
  std::vector<std::vector<std::uint8_t>> sent;
  std::map<std::uint8_t, std::vector<std::uint8_t>> records;
  bool relay = false;
  int relay_tries = 0;
  std::int32_t power = 0;
  node::Evidence evidence{};
  std::vector<std::pair<Fault, Error>> faults;
};

static_assert(Port<RecordingPort>);
static_assert(Steppable<ScriptedNode>);

class runner : public ::testing::Test {
 protected:
  ScriptedNode node_;
  RecordingPort port_;
  Runner<RecordingPort, ScriptedNode> runner_{node_, port_};
};

TEST_F(runner, restores_what_is_stored_and_starts_with_entropy) {
  port_.records[2] = {1, 2, 3};
  ASSERT_EQ(runner_.start(), Error::none);
  EXPECT_EQ(node_.restored.size(), 1u);
  EXPECT_EQ(node_.restored[node::RecordId::head], (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_EQ(node_.entropy_seen[31], 0x5a);
  ASSERT_EQ(node_.steps.size(), 1u);
  EXPECT_EQ(node_.steps[0].input.kind, node::InputKind::tick);
  EXPECT_TRUE(port_.faults.empty());
}

TEST_F(runner, reports_a_corrupt_or_refused_record_and_goes_on) {
  port_.corrupt_id = static_cast<std::uint8_t>(node::RecordId::head);
  port_.records[1] = {7};
  node_.restore_error = Error::wrong_length;
  ASSERT_EQ(runner_.start(), Error::none);
  ASSERT_EQ(port_.faults.size(), 2u);
  EXPECT_EQ(port_.faults[0], std::pair(Fault::restore, Error::wrong_length));
  EXPECT_EQ(port_.faults[1], std::pair(Fault::restore, Error::record_corrupt));
}

TEST_F(runner, does_not_run_without_entropy) {
  port_.entropy_error = Error::entropy_failed;
  EXPECT_EQ(runner_.start(), Error::entropy_failed);
  runner_.feed({.kind = node::InputKind::link_up});
  runner_.run();
  EXPECT_TRUE(node_.steps.empty());
}

TEST_F(runner, passes_on_a_refused_start) {
  node_.start_error = Error::configuration_invalid;
  EXPECT_EQ(runner_.start(), Error::configuration_invalid);
  EXPECT_TRUE(node_.steps.empty());
}

TEST_F(runner, answers_what_the_node_stores_and_signs) {
  const std::vector<std::uint8_t> record{9, 8};
  node_.script = [&](const node::Input& input, node::Actions& actions) {
    if (input.kind == node::InputKind::link_up) {
      ScriptedNode::add(actions, {.kind = node::ActionKind::write_record, .bytes = record, .record_id = 3});
      ScriptedNode::add(actions, {.kind = node::ActionKind::sign, .digest = {0x42}});
    }
    if (input.kind == node::InputKind::stored) ScriptedNode::add(actions, {.kind = node::ActionKind::send, .bytes = record});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  runner_.feed({.kind = node::InputKind::link_up});
  ASSERT_EQ(node_.steps.size(), 4u);
  EXPECT_EQ(node_.steps[2].input.kind, node::InputKind::stored);
  EXPECT_TRUE(node_.steps[2].input.ok);
  EXPECT_EQ(node_.steps[2].input.record_id, 3);
  EXPECT_EQ(node_.steps[3].input.kind, node::InputKind::signature);
  EXPECT_TRUE(node_.steps[3].input.ok);
  EXPECT_EQ(node_.steps[3].input.signature[0], 0x42);
  EXPECT_EQ(port_.records[3], record);
  EXPECT_EQ(port_.sent.size(), 1u);
}

TEST_F(runner, tells_the_node_when_the_board_could_not) {
  port_.store_error = Error::storage_full;
  port_.sign_error = Error::hardware_failed;
  node_.script = [](const node::Input& input, node::Actions& actions) {
    if (input.kind != node::InputKind::link_up) return;
    ScriptedNode::add(actions, {.kind = node::ActionKind::write_record, .record_id = 1});
    ScriptedNode::add(actions, {.kind = node::ActionKind::sign});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  runner_.feed({.kind = node::InputKind::link_up});
  ASSERT_EQ(node_.steps.size(), 4u);
  EXPECT_FALSE(node_.steps[2].input.ok);
  EXPECT_FALSE(node_.steps[3].input.ok);
  EXPECT_EQ(port_.faults, (std::vector<std::pair<Fault, Error>>{{Fault::store, Error::storage_full}, {Fault::sign, Error::hardware_failed}}));
}

TEST_F(runner, drives_the_outputs_with_their_reason) {
  node_.script = [](const node::Input& input, node::Actions& actions) {
    if (input.kind != node::InputKind::button) return;
    ScriptedNode::add(actions, {.kind = node::ActionKind::set_relay, .on = true});
    ScriptedNode::add(actions, {.kind = node::ActionKind::set_point, .power_w = -700, .evidence = {.block_number = 12}});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  runner_.feed({.kind = node::InputKind::button});
  EXPECT_TRUE(port_.relay);
  EXPECT_EQ(port_.power, -700);
  EXPECT_EQ(port_.evidence.block_number, 12u);
}

TEST_F(runner, tries_an_opening_and_a_set_point_again_until_they_obey) {
  node_.script = [](const node::Input& input, node::Actions& actions) {
    if (input.kind != node::InputKind::button) return;
    ScriptedNode::add(actions, {.kind = node::ActionKind::set_relay, .on = false});
    ScriptedNode::add(actions, {.kind = node::ActionKind::set_point, .power_w = 100});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  port_.relay = true;
  port_.relay_error = Error::hardware_failed;
  port_.set_point_error = Error::hardware_failed;
  runner_.feed({.kind = node::InputKind::button});
  EXPECT_LE(runner_.wake(), port_.time);
  runner_.run();
  EXPECT_EQ(port_.relay_tries, 2);
  EXPECT_TRUE(port_.relay);
  port_.relay_error = Error::none;
  port_.set_point_error = Error::none;
  runner_.run();
  EXPECT_FALSE(port_.relay);
  EXPECT_EQ(port_.power, 100);
  EXPECT_EQ(node_.steps.back().input.kind, node::InputKind::opened);  // only now does the pause begin
  runner_.run();
  EXPECT_EQ(port_.relay_tries, 3);
  EXPECT_GT(runner_.wake(), port_.time);
}

TEST_F(runner, does_not_close_a_relay_late_but_tells_the_node) {
  node_.script = [](const node::Input& input, node::Actions& actions) {
    if (input.kind == node::InputKind::button) ScriptedNode::add(actions, {.kind = node::ActionKind::set_relay, .on = true});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  port_.relay_error = Error::hardware_failed;
  runner_.feed({.kind = node::InputKind::button});
  ASSERT_EQ(node_.steps.size(), 3u);
  EXPECT_EQ(node_.steps[2].input.kind, node::InputKind::opened);
  port_.relay_error = Error::none;
  runner_.run();
  EXPECT_FALSE(port_.relay);
  EXPECT_EQ(port_.relay_tries, 1);
}

TEST_F(runner, wakes_the_node_when_it_asked_for_it_and_at_least_every_second) {
  node_.script = [](const node::Input&, node::Actions& actions) {
    ScriptedNode::add(actions, {.kind = node::ActionKind::wake_at, .wake = {1200}});
    ScriptedNode::add(actions, {.kind = node::ActionKind::wake_at, .wake = {1700}});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  EXPECT_EQ(runner_.wake(), BootMs{1200});
  port_.time = {1199};
  runner_.run();
  EXPECT_EQ(node_.steps.size(), 1u);
  port_.time = {1200};
  node_.script = nullptr;
  runner_.run();
  ASSERT_EQ(node_.steps.size(), 2u);
  EXPECT_EQ(node_.steps[1].now, BootMs{1200});
  EXPECT_EQ(runner_.wake(), BootMs{1000 + tick_ms_max});  // the contact is looked at by a clock of its own
}

TEST_F(runner, keeps_a_wake_up_that_another_input_did_not_reach) {
  node_.script = [](const node::Input& input, node::Actions& actions) {
    if (input.kind == node::InputKind::tick) ScriptedNode::add(actions, {.kind = node::ActionKind::wake_at, .wake = {1500}});
  };
  ASSERT_EQ(runner_.start(), Error::none);
  port_.time = {1100};
  runner_.feed({.kind = node::InputKind::link_up});
  EXPECT_EQ(runner_.wake(), BootMs{1500});
}

TEST_F(runner, senses_the_contact_every_second) {
  port_.sense_error = Error::none;
  port_.relay = true;
  ASSERT_EQ(runner_.start(), Error::none);
  port_.time = {1999};
  runner_.run();
  EXPECT_EQ(node_.steps.size(), 1u);
  port_.time = {2000};
  runner_.run();
  ASSERT_EQ(node_.steps.size(), 2u);
  EXPECT_EQ(node_.steps[1].input.kind, node::InputKind::sensed);
  EXPECT_TRUE(node_.steps[1].input.relay_on);
}

TEST_F(runner, senses_the_contact_every_second_on_a_busy_link_too) {
  port_.sense_error = Error::none;
  ASSERT_EQ(runner_.start(), Error::none);
  for (int i = 0; i < 50; ++i) {
    port_.time = port_.time.plus(100);
    runner_.feed({.kind = node::InputKind::frame});
    runner_.run();
  }
  const auto is_sensed = [](const ScriptedNode::Step& step) { return step.input.kind == node::InputKind::sensed; };
  EXPECT_EQ(std::count_if(node_.steps.begin(), node_.steps.end(), is_sensed), 5);
  EXPECT_LE(runner_.wake(), port_.time.plus(tick_ms_max));
}

TEST_F(runner, does_not_follow_a_node_that_never_stops_asking) {
  node_.script = [](const node::Input&, node::Actions& actions) { ScriptedNode::add(actions, {.kind = node::ActionKind::sign}); };
  ASSERT_EQ(runner_.start(), Error::none);
  EXPECT_EQ(node_.steps.size(), 1 + answer_steps_max);
  ASSERT_EQ(port_.faults.size(), 1u);
  EXPECT_EQ(port_.faults[0].first, Fault::overrun);
  EXPECT_EQ(port_.faults[0].second, Error::rate_limited);
  EXPECT_LE(runner_.wake(), port_.time);
  node_.script = nullptr;
  runner_.run();
  EXPECT_EQ(node_.steps.size(), 2 + answer_steps_max);
  EXPECT_GT(runner_.wake(), port_.time);
}

}  // namespace
}  // namespace wattproof::hal
