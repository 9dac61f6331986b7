// SPDX-License-Identifier: Apache-2.0
// The gateway's own account: it has no coins and needs none (gas price 0). Transactions get nonces in a row, are sent
// again until a receipt comes, and are built anew if the chain has gone another way.
#pragma once

#include <deque>
#include <functional>

#include "chain_access.hpp"
#include "crypto/secp256k1.hpp"
#include "eth_transaction.hpp"
#include "event_log.hpp"
#include "rpc_worker.hpp"

namespace wattproof::gateway {

// What became of a transaction.
enum class Fate : std::uint8_t {
  mined,     // in a block and successful
  reverted,  // in a block without effect
  lost,      // can never be mined: its nonce went to another one, or the node refuses it
};

struct Delivery {
  Fate fate = Fate::lost;
  Receipt receipt;
  std::string why;
};

struct OutgoingCall {
  std::string name;              // for the log: "submit"
  Address to{};
  ByteVector data;
  std::uint64_t gas_limit = 0;
  std::function<void(const Delivery&)> done;
};

class Sender {
 public:
  using Post = std::function<void(RpcJob)>;

  Sender(const crypto::PrivateKey& key, std::uint64_t chain_id, Post post, EventLog& log, std::uint64_t gas_price_wei = 0);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void send(OutgoingCall call);

  // Call often: sends what waits, asks for receipts after a new block, sends again what got lost.
  void on_new_block() { is_receipt_due_ = true; }
  void tick(std::uint64_t now_ms);

  const Address& address() const { return address_; }
  std::size_t in_flight() const { return flying_.size() + waiting_.size(); }

 private:
  struct Flying {
    OutgoingCall call;
    std::uint64_t nonce = 0;
    ethereum::SignedTransaction transaction;
    std::uint64_t sent_ms = 0;
    bool is_nonce_taken = false;  // by itself, or by another one: the receipt tells
  };

  void ask_nonce();
  void launch(OutgoingCall call, std::uint64_t now_ms);
  void transmit(const Flying& flying);
  void on_sent(const Hash32& hash, const SendResult& result);
  Flying* find(const Hash32& hash);
  void ask_receipts();
  void on_receipts(const std::vector<Hash32>& hashes, const std::vector<std::optional<Receipt>>& receipts);
  void resend(std::uint64_t now_ms);
  void settle(const Hash32& hash, Delivery delivery);
  void lose_all(const std::string& why);

  crypto::PrivateKey key_;
  Address address_{};
  std::uint64_t chain_id_;
  Post post_;
  EventLog& log_;
  std::uint64_t gas_price_wei_;
  std::optional<std::uint64_t> next_nonce_;
  std::deque<OutgoingCall> waiting_;
  std::vector<Flying> flying_;  // ascending by nonce
  bool is_asking_nonce_ = false;
  bool is_asking_receipts_ = false;
  bool is_receipt_due_ = false;
  std::uint64_t asked_nonce_ms_ = 0;
};

}  // namespace wattproof::gateway
