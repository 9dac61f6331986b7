// SPDX-License-Identifier: Apache-2.0
#include "sender.hpp"

#include <algorithm>
#include <stdexcept>

#include "crypto/secret.hpp"

namespace wattproof::gateway {
namespace {

constexpr std::uint64_t resend_ms = 5'000;
constexpr std::uint64_t nonce_retry_ms = 1'000;

}  // namespace

Sender::Sender(const crypto::PrivateKey& key, std::uint64_t chain_id, Post post, EventLog& log, std::uint64_t gas_price_wei)
    : key_(key), chain_id_(chain_id), post_(std::move(post)), log_(log), gas_price_wei_(gas_price_wei) {
  const Result<Address> address = crypto::address_of(key);
  if (!address) throw std::runtime_error("the gateway's key is not a key");
  address_ = *address;
}

Sender::~Sender() { crypto::wipe(key_); }

void Sender::send(OutgoingCall call) { waiting_.push_back(std::move(call)); }

void Sender::tick(std::uint64_t now_ms) {
  const bool needs_nonce = !next_nonce_ && !waiting_.empty();
  if (needs_nonce && !is_asking_nonce_ && now_ms - asked_nonce_ms_ >= nonce_retry_ms) {
    asked_nonce_ms_ = now_ms;
    ask_nonce();
  }
  while (next_nonce_ && !waiting_.empty()) {
    OutgoingCall call = std::move(waiting_.front());
    waiting_.pop_front();
    launch(std::move(call), now_ms);
  }
  if (is_receipt_due_ && !is_asking_receipts_ && !flying_.empty()) ask_receipts();
  resend(now_ms);
}

void Sender::ask_nonce() {
  is_asking_nonce_ = true;
  post_([this, account = address_](ethereum::Rpc& rpc) -> Completion {
    std::optional<std::uint64_t> nonce;
    std::string why;
    try {
      nonce = fetch_nonce(rpc, account);
    } catch (const std::exception& error) {
      why = error.what();
    }
    return [this, nonce, why] {
      is_asking_nonce_ = false;
      next_nonce_ = nonce;
      if (!nonce) log_.note("chain_unreachable", why);
    };
  });
}

void Sender::launch(OutgoingCall call, std::uint64_t now_ms) {
  Flying flying;
  flying.nonce = (*next_nonce_)++;
  ethereum::LegacyTransaction transaction;
  transaction.nonce = flying.nonce;
  transaction.gas_price_wei = gas_price_wei_;
  transaction.gas_limit = call.gas_limit;
  transaction.to = call.to;
  transaction.data = call.data;
  flying.transaction = *ethereum::sign_transaction(transaction, chain_id_, key_);
  flying.call = std::move(call);
  flying.sent_ms = now_ms;
  transmit(flying);
  flying_.push_back(std::move(flying));
}

void Sender::transmit(const Flying& flying) {
  post_([this, raw = flying.transaction.raw, hash = flying.transaction.hash](ethereum::Rpc& rpc) -> Completion {
    try {
      const SendResult result = send_raw_transaction(rpc, raw);
      return [this, hash, result] { on_sent(hash, result); };
    } catch (const std::exception& error) {
      return [this, why = std::string(error.what())] { log_.note("send_failed", why); };  // resent later
    }
  });
}

Sender::Flying* Sender::find(const Hash32& hash) {
  const auto found = std::find_if(flying_.begin(), flying_.end(),
                                  [&](const Flying& flying) { return flying.transaction.hash == hash; });
  return found == flying_.end() ? nullptr : &*found;
}

void Sender::on_sent(const Hash32& hash, const SendResult& result) {
  Flying* const flying = find(hash);
  if (flying == nullptr) return;
  if (result.outcome == SendOutcome::refused) lose_all(result.why);
  if (result.outcome == SendOutcome::nonce_too_low) {
    flying->is_nonce_taken = true;
    is_receipt_due_ = true;
  }
}

void Sender::ask_receipts() {
  is_receipt_due_ = false;
  is_asking_receipts_ = true;
  std::vector<Hash32> hashes;
  for (const Flying& flying : flying_) hashes.push_back(flying.transaction.hash);
  post_([this, hashes](ethereum::Rpc& rpc) -> Completion {
    std::vector<std::optional<Receipt>> receipts;
    std::string why;
    try {
      receipts = fetch_receipts(rpc, hashes);
    } catch (const std::exception& error) {
      why = error.what();
    }
    return [this, hashes, receipts, why] {
      is_asking_receipts_ = false;
      if (!why.empty()) log_.note("receipts_failed", why);
      on_receipts(hashes, receipts);
    };
  });
}

void Sender::on_receipts(const std::vector<Hash32>& hashes, const std::vector<std::optional<Receipt>>& receipts) {
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    if (!receipts[i]) {
      const Flying* const flying = find(hashes[i]);
      if (flying != nullptr && flying->is_nonce_taken) return lose_all("its nonce was used by another transaction");
      continue;
    }
    Delivery delivery;
    delivery.receipt = *receipts[i];
    delivery.fate = receipts[i]->is_success ? Fate::mined : Fate::reverted;
    delivery.why = receipts[i]->revert_reason;
    settle(hashes[i], std::move(delivery));
  }
}

void Sender::settle(const Hash32& hash, Delivery delivery) {
  Flying* const found = find(hash);
  if (found == nullptr) return;
  const OutgoingCall call = std::move(found->call);
  flying_.erase(flying_.begin() + (found - flying_.data()));
  const bool is_mined = delivery.fate != Fate::lost;
  nlohmann::ordered_json fields = {{"call", call.name}, {"status", delivery.fate == Fate::mined ? "ok" : "reverted"}};
  if (is_mined) {
    fields["block"] = delivery.receipt.block;
    fields["gas_used"] = delivery.receipt.gas_used;
  } else {
    fields["status"] = "lost";
  }
  if (!delivery.why.empty()) fields["reason"] = delivery.why;
  log_.event("transaction", fields);
  if (call.done) call.done(delivery);
}

// One transaction that can never be mined blocks all after it: start again with the nonce that the chain has.
void Sender::lose_all(const std::string& why) {
  next_nonce_.reset();
  std::vector<Hash32> hashes;
  for (const Flying& flying : flying_) hashes.push_back(flying.transaction.hash);
  for (const Hash32& hash : hashes) settle(hash, {Fate::lost, {}, why});
}

void Sender::resend(std::uint64_t now_ms) {
  for (Flying& flying : flying_) {
    if (now_ms - flying.sent_ms < resend_ms) continue;
    flying.sent_ms = now_ms;
    is_receipt_due_ = true;  // it may be mined although nobody told us
    transmit(flying);
  }
}

}  // namespace wattproof::gateway
