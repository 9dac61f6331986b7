// SPDX-License-Identifier: Apache-2.0
// Does the community's paperwork on the chain, as anyone may: enters devices into an epoch, starts it, collects updates
// and check-ins and submits them in batches, closes rounds. Holds nobody's key: what counts is a device's signature.
#pragma once

#include "chain_view.hpp"
#include "message/frame.hpp"
#include "sender.hpp"

namespace wattproof::gateway {

struct BatchOptions {
  std::size_t count_max = 50;          // entries of one transaction
  std::uint64_t wait_ms = 400;         // an entry waits at most so long for others
  bool is_closing = true;              // enter, start, close and freeze too; off where another gateway does
};

class RoundKeeper {
 public:
  RoundKeeper(const ChainView& view, Sender& sender, Sender::Post post, EventLog& log, BatchOptions options);

  // The contracts whose domain the signatures are made for. Call again if the registry names another one.
  void set_contracts(std::uint64_t chain_id, const Address& registry, const Address& scheduler);

  // A message of the device with this address.
  //   wrong_device   no active device with this address, or it has not entered
  //   wrong_epoch, wrong_round   not the round that takes updates
  //   replayed       answered already, or a nonce that is not above the last
  //   wrong_length   not the epoch's number of slots
  //   bad_signature, signature_high_s, wrong_signer
  //   unexpected     frozen
  Error take_update(const Address& device, const message::Update& update, std::uint64_t now_ms);
  Error take_check_in(const Address& device, const message::CheckIn& check_in, std::uint64_t now_ms);

  // After a new block was taken into the view, with that block's time and gas limit.
  void on_new_block(std::uint64_t block_s, std::uint64_t now_ms);
  void on_event(const ContractEvent& event);
  void on_reorganisation();  // what was sent may have to be sent again
  void tick(std::uint64_t now_ms);

  std::size_t waiting_updates() const;
  // Devices whose update of the present round is here, sent or counted.
  std::size_t collected() const;

 private:
  enum class Stage : std::uint8_t { waiting, sent };
  struct PendingUpdate {
    crypto::Signature signature{};
    ByteVector profile;
    std::uint64_t arrived_ms = 0;
    Stage stage = Stage::waiting;
  };
  struct PendingCheckIn {
    std::uint64_t nonce = 0;
    crypto::Signature signature{};
    std::uint64_t arrived_ms = 0;
    Stage stage = Stage::waiting;
  };

  void follow_round();
  void enter_devices();
  bool enter_batch();
  void start_epoch();
  bool start_behind_entries(const KnownEpoch& epoch);
  std::vector<ByteVector> start_calls(const KnownEpoch& epoch) const;
  void flush_updates(std::uint64_t now_ms);
  void submit(const KnownEpoch& epoch, const std::vector<std::uint32_t>& ids);
  void flush_check_ins(std::uint64_t now_ms);
  void close_if_complete();
  void close_if_late();
  void freeze_disturber();
  void send_close(const KnownEpoch& epoch, std::uint64_t gas_limit);
  ByteVector close_call(const KnownEpoch& epoch) const;
  void try_calls(const char* name, std::vector<ByteVector> candidates);
  std::size_t sent_updates() const;

  const ChainView& view_;
  Sender& sender_;
  Sender::Post post_;
  EventLog& log_;
  BatchOptions options_;
  std::uint64_t chain_id_ = 0;
  Address registry_{};
  Address scheduler_{};
  Hash32 scheduler_domain_{};
  Hash32 registry_domain_{};

  std::uint64_t epoch_ = 0;
  std::uint32_t round_ = 0;
  std::map<std::uint32_t, PendingUpdate> updates_;    // of epoch_ and round_, by id
  std::map<std::uint32_t, PendingCheckIn> check_ins_;
  std::set<std::uint32_t> entering_;                  // in a transaction that is under way
  bool has_followed_ = false;                         // a start was sent right behind the entries of epoch_
  bool is_closing_ = false;                           // start or close is under way for epoch_ and round_
  bool is_trying_ = false;                            // a call is being estimated
  bool is_try_due_ = false;                           // once a block
  std::uint64_t block_s_ = 0;
};

}  // namespace wattproof::gateway
