// SPDX-License-Identifier: Apache-2.0
// The gateway against a node that answers from memory, and that can go away, forget states and change its mind.
#include "gateway.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "crypto/keccak.hpp"
#include "eth_abi.hpp"
#include "gateway_frames.hpp"
#include "rlp_writer.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::Json;
using ethereum::RpcAnswer;
using ethereum::RpcCall;
using ethereum::RpcError;
using ethereum::RpcFailure;
using ethereum::RlpWriter;
using message::DownFrame;
using message::FrameKind;
using message::What;

constexpr std::uint64_t chain_id = 7;

Address address_of(std::uint8_t fill) {
  Address address{};
  address.fill(fill);
  return address;
}

const Address registry = address_of(0x11);
const Address scheduler = address_of(0x22);

class FakeNode : public ethereum::Rpc {
 public:
  FakeNode() { mine(0); }

  // A new block on top of number `parent`, in place of what was there. `salt` makes it another block.
  void mine(std::uint8_t salt) { mine_on(blocks_.size(), salt); }
  void replace_newest(std::uint8_t salt) {
    blocks_.pop_back();
    mine(salt);
  }

  Json call(const std::string& method, Json params) override {
    const std::vector<RpcAnswer> answers = batch({{method, std::move(params)}});
    if (answers[0].failed) throw RpcError(RpcFailure::error, answers[0].message);
    return answers[0].result;
  }

  std::vector<RpcAnswer> batch(const std::vector<RpcCall>& calls) override {
    if (is_down) throw RpcError(RpcFailure::unreachable, "http://node: " + calls[0].method + ": nobody there");
    std::vector<RpcAnswer> answers;
    for (const RpcCall& one : calls) answers.push_back(answer(one));
    return answers;
  }

  bool is_down = false;
  bool is_pruned = false;
  int proof_calls = 0;
  std::size_t proof_keys = 0;

 private:
  void mine_on(std::size_t number, std::uint8_t salt) {
    Json block = {{"sha3Uncles", word(1)}, {"miner", ethereum::to_hex(address_of(0))}, {"stateRoot", word(salt)},
                  {"transactionsRoot", word(2)}, {"receiptsRoot", word(3)}, {"logsBloom", "0x" + std::string(512, '0')},
                  {"difficulty", "0x2"}, {"number", ethereum::to_quantity(number)}, {"gasLimit", "0x1c9c380"},
                  {"gasUsed", "0x0"}, {"timestamp", ethereum::to_quantity(1000 + number)},
                  {"extraData", "0x" + std::string(194, 'a')}, {"mixHash", word(0)}, {"nonce", "0x0000000000000000"}};
    block["parentHash"] = number == 0 ? Json(word(0)) : blocks_.back()["hash"];
    block["hash"] = ethereum::to_hex(hash_of(block));
    blocks_.push_back(block);
  }

  static std::string word(std::uint8_t fill) {
    Hash32 bytes{};
    bytes.fill(fill);
    return ethereum::to_hex(bytes);
  }

  static Hash32 hash_of(const Json& block) {
    RlpWriter header;
    for (const char* name : {"parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"}) {
      header.string(*ethereum::parse_hex(block[name].get<std::string>()));
    }
    for (const char* name : {"difficulty", "number", "gasLimit", "gasUsed", "timestamp"}) {
      header.integer(*ethereum::parse_quantity(block[name].get<std::string>()));
    }
    for (const char* name : {"extraData", "mixHash", "nonce"}) header.string(*ethereum::parse_hex(block[name].get<std::string>()));
    return crypto::keccak256(header.list());
  }

  RpcAnswer answer(const RpcCall& one) {
    RpcAnswer reply;
    if (one.method == "eth_chainId") {
      reply.result = ethereum::to_quantity(chain_id);
    } else if (one.method == "eth_call") {
      reply.result = ethereum::to_hex(ethereum::AbiArguments().address(scheduler).encode());
    } else if (one.method == "eth_getLogs") {
      reply.result = Json::array();
    } else if (one.method == "eth_getBlockByNumber") {
      const std::string at = one.params[0];
      const std::size_t number = at == "latest" ? blocks_.size() - 1 : *ethereum::parse_quantity(at);
      reply.result = number < blocks_.size() ? blocks_[number] : Json();
    } else if (one.method == "eth_getProof" && !is_pruned) {
      ++proof_calls;
      proof_keys += one.params[1].size();
      Json storage = Json::array();
      for (const Json& key : one.params[1]) storage.push_back({{"key", key}, {"proof", Json::array({"0x0102", key})}});
      reply.result = {{"accountProof", Json::array({"0xaabb"})}, {"storageProof", storage}};
    } else {
      reply.failed = true;
      reply.message = "missing trie node";
    }
    return reply;
  }

  std::vector<Json> blocks_;
};

class GatewayWithNode : public ::testing::Test {
 protected:
  GatewayWithNode() : gateway_(options(), key(), [this](RpcJob job) { jobs_.push_back(std::move(job)); },
                               [this](const Address& device, const ByteVector& frame) { sent_.emplace_back(device, frame); }, log_) {
    log_.quiet();
    node_.mine(1);
    run();
  }

  static GatewayOptions options() {
    GatewayOptions options;
    options.engine = ethereum::Engine::clique;  // the plainest rule for a block's hash
    options.chain_id = chain_id;
    options.registry = registry;
    return options;
  }
  static crypto::PrivateKey key() {
    crypto::PrivateKey key{};
    key.fill(1);
    return key;
  }

  // Lets time pass and all that was posted happen.
  void run(int seconds = 6) {
    for (int i = 0; i < 4 * seconds; ++i) {
      now_ms_ += 250;
      gateway_.tick(now_ms_);
      for (; !jobs_.empty(); jobs_.pop_front()) jobs_.front()(node_)();
    }
  }

  // What comes back on a want of the device `fill`; runs all jobs.
  DownFrame ask(const message::Want& want, std::uint8_t fill = 0x33) {
    sent_.clear();
    tell(want, fill);
    run();
    DownFrame frame;
    for (const auto& [device, bytes] : sent_) {
      if (device != address_of(fill)) continue;
      EXPECT_EQ(message::decode(kept_.emplace_back(bytes), frame), Error::none);
      if (frame.kind != FrameKind::notice) return frame;
    }
    ADD_FAILURE() << "no answer";
    return frame;
  }

  void tell(const message::Want& want, std::uint8_t fill) {
    std::array<std::uint8_t, frame_size_max> buffer{};
    const Result<Bytes> bytes = message::encode(want, buffer);
    ASSERT_TRUE(bytes);
    gateway_.on_frame(address_of(fill), *bytes, now_ms_);
  }

  FakeNode node_;
  EventLog log_;
  std::deque<RpcJob> jobs_;
  std::vector<std::pair<Address, ByteVector>> sent_;
  std::deque<ByteVector> kept_;  // frames that spans point into
  Gateway gateway_;
  std::uint64_t now_ms_ = 1000;
};
using gateway_with_node = GatewayWithNode;

message::Want storage_want(const Hash32& slot, std::uint64_t block = 1) {
  return {5, What::storage_proof, block, scheduler, slot, 0};
}

TEST_F(gateway_with_node, answers_with_the_newest_header) {
  const DownFrame frame = ask({3, What::header, 0, {}, {}, 0});
  EXPECT_EQ(frame.kind, FrameKind::header);
  EXPECT_EQ(frame.part.sequence, 3u);
  EXPECT_EQ(frame.part.block, 1u);
  EXPECT_EQ(crypto::keccak256(frame.part.bytes), gateway_.evidence().newest()->hash);
}

TEST_F(gateway_with_node, asks_the_node_once_for_all_devices) {
  for (std::uint8_t device = 0x40; device < 0x4a; ++device) {
    Hash32 slot{};
    slot.fill(device);
    tell(storage_want(slot), device);
  }
  run();
  EXPECT_EQ(node_.proof_calls, 1);
  EXPECT_EQ(node_.proof_keys, 10u);
  EXPECT_EQ(gateway_.evidence().node_count(), 12u);  // one account node, one shared and ten own storage nodes
  Hash32 slot{};
  slot.fill(0x41);
  EXPECT_EQ(ask(storage_want(slot), 0x55).kind, FrameKind::nodes);  // from what is kept
  EXPECT_EQ(node_.proof_calls, 1);
}

TEST_F(gateway_with_node, says_so_when_the_node_has_forgotten_the_state) {
  node_.is_pruned = true;
  const DownFrame frame = ask(storage_want(Hash32{}));
  EXPECT_EQ(frame.kind, FrameKind::none);
  EXPECT_EQ(frame.none.reason, message::NoneReason::no_longer_kept);
}

TEST_F(gateway_with_node, does_not_answer_of_blocks_that_are_not_there_yet) {
  EXPECT_EQ(ask(storage_want(Hash32{}, 99)).none.reason, message::NoneReason::not_yet);
  EXPECT_EQ(ask({1, What::header, 99, {}, {}, 0}).none.reason, message::NoneReason::not_yet);
}

TEST_F(gateway_with_node, follows_a_reorganisation_of_the_newest_block) {
  const Hash32 before = gateway_.evidence().newest()->hash;
  node_.replace_newest(9);
  node_.mine(1);
  run();
  EXPECT_EQ(gateway_.counters().reorganisations, 1u);
  EXPECT_EQ(gateway_.evidence().newest()->number, 2u);
  EXPECT_NE(gateway_.evidence().header(1)->hash, before);
}

TEST_F(gateway_with_node, follows_a_newest_block_that_is_replaced_at_the_same_height) {
  const Hash32 before = gateway_.evidence().newest()->hash;
  node_.replace_newest(9);
  run();
  EXPECT_EQ(gateway_.evidence().newest()->number, 1u);
  EXPECT_NE(gateway_.evidence().newest()->hash, before);
}

TEST_F(gateway_with_node, goes_on_when_the_node_comes_back) {
  node_.is_down = true;
  run(60);
  EXPECT_TRUE(gateway_.metrics()["chain_down"].get<bool>());
  EXPECT_EQ(ask({3, What::header, 0, {}, {}, 0}).part.block, 1u);  // what it has it still gives
  node_.is_down = false;
  node_.mine(1);
  run();
  EXPECT_FALSE(gateway_.metrics()["chain_down"].get<bool>());
  EXPECT_EQ(ask({3, What::header, 0, {}, {}, 0}).part.block, 2u);
}

TEST_F(gateway_with_node, limits_what_one_device_may_ask_of_one_block) {
  for (std::uint8_t i = 0; i < 2 * slots_asked_max; ++i) {
    Hash32 slot{};
    slot.fill(i);
    tell(storage_want(slot), 0x33);
  }
  run();
  EXPECT_LE(node_.proof_keys, slots_asked_max);
  EXPECT_GT(gateway_.counters().refused_frames, 0u);
}

TEST_F(gateway_with_node, counts_rubbish_and_goes_on) {
  gateway_.on_frame(address_of(0x33), ByteVector{0xff}, now_ms_);
  gateway_.on_frame(address_of(0x33), {}, now_ms_);
  EXPECT_EQ(gateway_.counters().refused_frames, 2u);
  EXPECT_EQ(ask({3, What::header, 0, {}, {}, 0}).kind, FrameKind::header);
}

}  // namespace
}  // namespace wattproof::gateway
