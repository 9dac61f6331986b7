// SPDX-License-Identifier: Apache-2.0
#include "round_keeper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "eth_abi.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::Json;
using ethereum::RpcAnswer;
using ethereum::RpcCall;

constexpr std::uint64_t chain_id = 1;
constexpr std::uint32_t device_id = 7;

Address address_of(std::uint8_t fill) {
  Address address{};
  address.fill(fill);
  return address;
}

// Takes every transaction, mines none, and says of every call that it would succeed.
class Node : public ethereum::Rpc {
 public:
  Json call(const std::string& method, Json params) override {
    if (method == "eth_sendRawTransaction") sent.push_back(params[0].get<std::string>());
    if (method == "eth_estimateGas") ++estimates;
    return "0x0";
  }
  std::vector<RpcAnswer> batch(const std::vector<RpcCall>& calls) override { return std::vector<RpcAnswer>(calls.size()); }

  std::vector<std::string> sent;
  int estimates = 0;
};

class RoundKeeperWithNode : public ::testing::Test {
 protected:
  RoundKeeperWithNode() : sender_(key(), chain_id, post(), log_), keeper_(view_, sender_, post(), log_, {}) {
    log_.quiet();
    keeper_.set_contracts(chain_id, address_of(0x11), address_of(0x22));
    add_device(device_id);
  }

  static crypto::PrivateKey key() {
    crypto::PrivateKey key{};
    key.fill(1);
    return key;
  }
  Sender::Post post() {
    return [this](RpcJob job) { jobs_.push_back(std::move(job)); };
  }

  void add_device(std::uint32_t id) {
    ContractEvent added;
    added.kind = EventKind::device_added;
    added.id = id;
    added.address = address_of(static_cast<std::uint8_t>(id));
    view_.apply(added);
    ContractEvent terms;
    terms.kind = EventKind::device_terms;
    terms.id = id;
    terms.first = ByteVector(8);
    terms.second = ByteVector(8);
    view_.apply(terms);
  }

  void tell_head(EventKind kind, schedule::EpochStatus status, std::uint64_t number) {
    schedule::EpochHead head;
    head.status = status;
    head.slots = 2;
    head.slot_seconds = 3600;
    head.epoch = number;
    head.start.s = 7200;
    head.rho0 = 1;
    ContractEvent event;
    event.kind = kind;
    event.epoch = number;
    event.first.resize(schedule::head_size);
    schedule::encode_head(head, std::span<std::uint8_t, schedule::head_size>(event.first));
    view_.apply(event);
  }

  void new_block() {
    keeper_.on_new_block(1000, now_ms_);
    for (int i = 0; i < 3; ++i) {
      now_ms_ += 200;  // nothing is sent twice so soon
      sender_.tick(now_ms_);
      for (; !jobs_.empty(); jobs_.pop_front()) jobs_.front()(node_)();
    }
  }

  // How many transactions carry a call of this function.
  std::size_t sent(const char* signature) const {
    const std::string selector = ethereum::to_hex(ethereum::selector_of(signature)).substr(2);
    return static_cast<std::size_t>(std::count_if(node_.sent.begin(), node_.sent.end(), [&](const std::string& raw) {
      return raw.find(selector) != std::string::npos;
    }));
  }

  ChainView view_;
  Node node_;
  EventLog log_;
  std::deque<RpcJob> jobs_;
  Sender sender_;
  RoundKeeper keeper_;
  std::uint64_t now_ms_ = 5000;
};
using round_keeper = RoundKeeperWithNode;

constexpr const char* enter = "enter(uint64,bytes)";
constexpr const char* start = "start(uint64,bytes,bytes,bytes)";

TEST_F(round_keeper, sends_the_start_right_behind_the_entries_of_all_devices) {
  add_device(8);
  tell_head(EventKind::epoch_opened, schedule::EpochStatus::entering, 1);
  new_block();
  EXPECT_EQ(sent(enter), 1U);
  EXPECT_EQ(sent(start), 1U);
  EXPECT_EQ(node_.estimates, 0);
  new_block();
  EXPECT_EQ(sent(start), 1U);
}

TEST_F(round_keeper, waits_with_the_start_while_a_device_is_not_entered) {
  add_device(8);
  tell_head(EventKind::epoch_opened, schedule::EpochStatus::entering, 1);
  ContractEvent skipped;
  skipped.kind = EventKind::enter_skipped;
  skipped.epoch = 1;
  skipped.id = 8;
  view_.apply(skipped);
  new_block();
  EXPECT_EQ(sent(enter), 1U);
  EXPECT_EQ(sent(start), 0U);
}

TEST_F(round_keeper, waits_with_the_start_where_an_epoch_before_may_be_the_one_to_go_on_from) {
  tell_head(EventKind::epoch_opened, schedule::EpochStatus::entering, 1);
  tell_head(EventKind::epoch_failed, schedule::EpochStatus::failed, 1);
  tell_head(EventKind::epoch_opened, schedule::EpochStatus::entering, 2);
  new_block();
  EXPECT_EQ(sent(enter), 1U);
  EXPECT_EQ(sent(start), 0U);
}

}  // namespace
}  // namespace wattproof::gateway
