// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "device_in_c.h"
#include "support/fake_chain.hpp"

namespace wattproof::testing {
namespace {

constexpr std::uint64_t epoch = 20'000;

// A device in C behind a gateway in the test.
struct Vendor {
  FakeChain chain;
  TestKey key{500};
  wattproof_config config;
  std::vector<std::array<std::uint8_t, 20>> validators;
  Hash32 checkpoint_hash{};
  std::unique_ptr<device> self = std::make_unique<device>();
  std::uint32_t updates = 0;
  std::uint64_t nonce = 0;

  Vendor() {
    wattproof_config_init(&config);
    const chain::TrustedHead checkpoint = chain.checkpoint();
    for (std::uint32_t i = 0; i < checkpoint.validators.count; ++i) validators.push_back(checkpoint.validators.items[i]);
    checkpoint_hash = checkpoint.hash;
    config.id = 7;
    std::memcpy(config.address, key.address.data(), 20);
    config.chain.chain_id = FakeChain::chain_id;
    std::memcpy(config.chain.registry, chain.registry().data(), 20);
    config.chain.checkpoint_number = checkpoint.number;
    config.chain.checkpoint_hash = checkpoint_hash.data();
    config.chain.checkpoint_timestamp_s = checkpoint.timestamp.s;
    config.chain.validators = reinterpret_cast<const std::uint8_t(*)[20]>(validators.data());
    config.chain.validator_count = static_cast<std::uint32_t>(validators.size());
    config.device.kind = WATTPROOF_CURTAILABLE;
    config.device.slots = 24;
    config.device.slot_seconds = 3600;
    config.device.power_min_w.constant = -4000;
    config.device.power_max_w.constant = 4000;
    config.output.has_setpoint = 1;
    config.output.on_ms_min = config.output.off_ms_min = config.output.start_spread_ms_max = 0;
  }

  wattproof_status init() { return device_init(self.get(), &config, key.key.data()); }
  void boot() {
    std::array<std::uint8_t, 32> entropy{9};
    device_boot(self.get(), entropy.data());
  }
  void give(const Buffer& frame) {
    wattproof_input input{};
    input.kind = WATTPROOF_FRAME;
    input.bytes = frame.data();
    input.bytes_size = frame.size();
    device_feed(self.get(), &input);
    serve();
  }
  // Answers everything that the device has sent, until it is silent.
  void serve() {
    device_run(self.get());
    for (int turn = 0; turn < 500 && self->sent_count > 0; ++turn) {
      const device_frame frame = self->sent[0];
      --self->sent_count;
      std::memmove(self->sent, self->sent + 1, self->sent_count * sizeof frame);
      message::UpFrame up;
      ASSERT_EQ(message::decode(Bytes(frame.bytes, frame.size), up), Error::none);
      if (up.kind == message::FrameKind::update) ++updates;
      if (up.kind == message::FrameKind::check_in) nonce = up.check_in.nonce;
      if (up.kind != message::FrameKind::want) continue;
      const Buffer answer = chain.answer(up.want);
      wattproof_input input{};
      input.kind = WATTPROOF_FRAME;
      input.bytes = answer.data();
      input.bytes_size = answer.size();
      device_feed(self.get(), &input);
      device_run(self.get());
    }
  }
  void block(std::uint64_t seconds, std::uint64_t negotiated = 0, std::uint32_t round = 0, std::uint64_t followed = 0) {
    chain.mine(seconds);
    self->now_ms += seconds * 1000;
    give(chain.notice(negotiated, round, followed));
  }
  void link_up() {
    wattproof_input input{};
    input.kind = WATTPROOF_LINK_UP;
    device_feed(self.get(), &input);
    serve();
  }
  wattproof_node_state state() const {
    wattproof_node_state out;
    wattproof_node_get_state(self->node, &out);
    return out;
  }
};

schedule::EpochHead head_of_epoch(const FakeChain& chain, schedule::EpochStatus status) {
  schedule::EpochHead head;
  head.status = status;
  head.slots = 24;
  head.slot_seconds = 3600;
  head.round = 1;
  head.epoch = epoch;
  head.start = {(chain.time_s() / 3600) * 3600};
  head.participants = 1;
  head.rho0 = 1 << 20;
  return head;
}

TEST(capi, a_device_in_c_answers_a_round_and_follows_the_final_schedule) {
  Vendor vendor;
  ASSERT_EQ(vendor.init(), 0);
  vendor.boot();
  vendor.link_up();
  vendor.chain.set_word(vendor.chain.registry(), schedule::check_in_slot(7), number_word(vendor.nonce));
  vendor.block(5);
  ASSERT_EQ(vendor.state().mode, 2);
  std::vector<std::int64_t> vectors(96, 0);
  for (std::size_t t = 0; t < 24; ++t) vectors[t] = 16 * 900;
  vendor.chain.set_epoch(head_of_epoch(vendor.chain, schedule::EpochStatus::open), vectors);
  vendor.chain.set_record(epoch, 7, 0, vendor.key.address, std::vector<std::int32_t>(24, 0));
  vendor.block(5, epoch, 1);
  EXPECT_EQ(vendor.updates, 1u);
  vendor.chain.set_epoch(head_of_epoch(vendor.chain, schedule::EpochStatus::final), vectors);
  vendor.chain.set_record(epoch, 7, 1, vendor.key.address, std::vector<std::int32_t>(24, 900));
  vendor.block(5, 0, 0, epoch);
  EXPECT_EQ(vendor.self->setpoint_w, 900);
  EXPECT_EQ(vendor.self->reason, WATTPROOF_REASON_SCHEDULE);
  EXPECT_EQ(vendor.self->block_number, vendor.chain.number());
  EXPECT_EQ(vendor.state().followed_epoch, epoch);
  EXPECT_EQ(vendor.self->status, 0);
  vendor.self->now_ms += 1'000'000;
  device_run(vendor.self.get());
  EXPECT_EQ(vendor.self->setpoint_w, 0);
  EXPECT_EQ(vendor.self->reason, WATTPROOF_REASON_FALLBACK);
}

TEST(capi, a_second_boot_goes_on_from_the_records) {
  Vendor vendor;
  ASSERT_EQ(vendor.init(), 0);
  vendor.boot();
  vendor.link_up();
  const std::uint64_t first = vendor.nonce;
  ASSERT_EQ(wattproof_node_place(vendor.self->memory, sizeof vendor.self->memory, &vendor.self->node), 0);
  ASSERT_EQ(wattproof_node_configure(vendor.self->node, &vendor.config), 0);
  vendor.boot();
  vendor.link_up();
  EXPECT_EQ(vendor.nonce >> 32, (first >> 32) + 1);
  EXPECT_EQ(vendor.self->status, 0);
}

TEST(capi, memory_that_is_too_small_or_not_aligned_is_refused) {
  std::vector<std::uint64_t> memory(WATTPROOF_NODE_SIZE_MAX / 8 + 1);
  wattproof_node* node = nullptr;
  EXPECT_LE(wattproof_node_size(), std::size_t{WATTPROOF_NODE_SIZE_MAX});
  EXPECT_EQ(wattproof_node_place(memory.data(), wattproof_node_size() - 1, &node), -static_cast<int>(Error::capacity));
  EXPECT_EQ(wattproof_node_place(reinterpret_cast<char*>(memory.data()) + 1, wattproof_node_size(), &node),
            -static_cast<int>(Error::out_of_range));
  EXPECT_EQ(wattproof_node_place(nullptr, wattproof_node_size(), &node), -static_cast<int>(Error::out_of_range));
  EXPECT_EQ(wattproof_node_place(memory.data(), wattproof_node_size(), &node), 0);
}

TEST(capi, a_configuration_is_refused_by_what_is_wrong_with_it) {
  const auto refuse = [](auto change, Error error) {
    Vendor vendor;
    change(vendor.config);
    EXPECT_EQ(vendor.init(), -static_cast<int>(error)) << error_name(error);
  };
  refuse([](wattproof_config& config) { config.size = 3; }, Error::unknown_version);
  refuse([](wattproof_config& config) { config.device.size = 0; }, Error::unknown_version);
  refuse([](wattproof_config& config) { config.chain.engine = 7; }, Error::out_of_range);
  refuse([](wattproof_config& config) { config.chain.header_shape = -1; }, Error::out_of_range);
  refuse([](wattproof_config& config) { config.chain.validator_count = validator_count_max + 1; }, Error::too_large);
  refuse([](wattproof_config& config) { config.chain.validators = nullptr; }, Error::configuration_invalid);
  refuse([](wattproof_config& config) { config.device.kind = 10; }, Error::unknown_kind);
  refuse([](wattproof_config& config) { config.device.slots = slot_count_max + 1; }, Error::slot_count_invalid);
  refuse([](wattproof_config& config) { config.device.own_cost_quadratic = UINT64_MAX; }, Error::out_of_range);
  refuse([](wattproof_config& config) { config.device_words = 9; }, Error::configuration_invalid);
  refuse([](wattproof_config& config) { config.output.has_setpoint = 0; }, Error::configuration_invalid);
}

TEST(capi, a_node_takes_memory_for_a_device_that_needs_more) {
  Vendor vendor;
  wattproof_device_config& device = vendor.config.device;
  std::array<wattproof_device_config, 4> parts;
  for (wattproof_device_config& part : parts) {
    wattproof_device_init(&part);
    part.kind = WATTPROOF_CURTAILABLE;
    part.power_max_w.constant = 1000;
  }
  device.kind = WATTPROOF_HOME;
  device.parts = parts.data();
  device.part_count = 4;
  device.limit_w = 3000;
  EXPECT_EQ(vendor.init(), -static_cast<int>(Error::workspace_too_small));
  Vendor equipped;
  equipped.config.device = device;
  std::vector<std::uint64_t> memory(wattproof_device_words(&device));
  equipped.config.device_memory = memory.data();
  equipped.config.device_words = memory.size();
  EXPECT_EQ(equipped.init(), 0);
}

TEST(capi, an_unknown_input_is_refused_and_changes_nothing) {
  Vendor vendor;
  ASSERT_EQ(vendor.init(), 0);
  vendor.boot();
  wattproof_input input{};
  const wattproof_actions* actions = nullptr;
  input.kind = 42;
  EXPECT_EQ(wattproof_node_step(vendor.self->node, 2000, &input, &actions), -static_cast<int>(Error::out_of_range));
  EXPECT_EQ(actions->count, 0u);
  input.kind = WATTPROOF_FRAME;
  EXPECT_EQ(wattproof_node_step(vendor.self->node, 2000, &input, &actions), -static_cast<int>(Error::out_of_range));
}

TEST(capi, a_board_can_say_that_its_relay_opened_late) {
  Vendor vendor;
  ASSERT_EQ(vendor.init(), 0);
  vendor.boot();
  wattproof_input input{};
  const wattproof_actions* actions = nullptr;
  input.kind = WATTPROOF_OPENED;
  EXPECT_EQ(wattproof_node_step(vendor.self->node, 2000, &input, &actions), 0);
  wattproof_node_state state{};
  wattproof_node_get_state(vendor.self->node, &state);
  EXPECT_EQ(state.last_error, -static_cast<int>(Error::hardware_failed));
}

TEST(capi, keys_and_names) {
  const TestKey key(1);
  std::uint8_t address[20];
  EXPECT_EQ(wattproof_address_of(key.key.data(), address), 0);
  EXPECT_EQ(std::memcmp(address, key.address.data(), 20), 0);
  const std::uint8_t none[32] = {};
  EXPECT_EQ(wattproof_address_of(none, address), -static_cast<int>(Error::bad_key));
  EXPECT_STREQ(wattproof_error_name(-static_cast<int>(Error::head_stale)), "head_stale");
  EXPECT_STREQ(wattproof_error_name(5), "unknown_error");
  EXPECT_EQ(wattproof_version() >> 16, std::uint32_t{WATTPROOF_VERSION_MAJOR});
}

}  // namespace
}  // namespace wattproof::testing
