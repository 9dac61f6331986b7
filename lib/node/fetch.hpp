// SPDX-License-Identifier: Apache-2.0
// Pulls evidence through a fixed buffer, piece by piece, and verifies each piece before it asks for the next:
//
//   words: newest header -> its seals, one a step -> account of a contract -> up to two storage words
//          (Clique: its number -> the block that more than half have built on, and the headers above it, a seal each)
//   data:  bytes whose hash is one of those words
//
// The gateway decides when something arrives and never what is believed. An answer counts only if it is the one to the
// want in flight; anything else costs a decode. A failed attempt is followed by a pause that doubles until a newer head is
// proved, so rubbish cannot buy more than one header's seals per pause, whatever true answers or new links stand between.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "chain/account.hpp"
#include "chain/bft.hpp"
#include "chain/clique_suffix.hpp"
#include "chain/head.hpp"
#include "chain/trie.hpp"
#include "message/frame.hpp"
#include "node/config.hpp"

namespace wattproof::node {

constexpr std::uint32_t fetch_words_max = 2;

// What a fetch works on; owned by the node.
struct FetchContext {
  const Config& config;
  chain::TrustedHead& head;
  chain::Freshness& freshness;
  BootMs now;
};

// Stands in where a build leaves Clique out; check_config refuses to start there.
struct NoCliqueSuffix {
  void start(const chain::TrustedHead&, const chain::CliqueConfig&) {}
  Error begin(Bytes, chain::TimeBounds) { return Error::not_ready; }
  Result<chain::Progress> step() { return Error::not_ready; }
  void commit(chain::TrustedHead&) const {}
};

class Fetch {
 public:
  enum class Outcome : std::uint8_t { idle, pending, words_proved, data_proved, failed };

  // Begins with the newest header. With no slots it only moves the head.
  void begin_words(const Address& contract, std::span<const Hash32> slots);

  // Goes on from proven words: `size` bytes whose Keccak-256 is `expected`, into `into` (which stays until the outcome).
  //   capacity  `into` is too small
  Error begin_data(message::What what, Bytes key, std::uint32_t size, const Hash32& expected, MutableBytes into);

  void take(const message::DownFrame& frame, FetchContext context);  // a frame from the link
  void work(FetchContext context);                                   // at most one public-key operation
  bool has_work() const { return phase_ == Phase::sealing; }

  // The want to send now, if one is due (new, or without an answer for too long). `want` refers to this object.
  bool next_want(FetchContext context, message::Want& want);
  // When next_want or begin_words may have something new to say.
  BootMs next_wake(BootMs now, const LinkConfig& link) const;

  Outcome outcome() const { return outcome_; }
  Error error() const { return error_; }  // why it failed
  const Hash32& word(std::uint32_t index) const { return words_[index]; }
  // The buffer of what comes in parts, free for data once words are proved.
  MutableBytes buffer() { return delivery_; }
  void forget();                          // back to idle, after the outcome was taken
  bool may_begin(BootMs now) const { return outcome_ == Outcome::idle && now >= pause_until_; }
  // A new link starts without the pause that silence has earned; a pause that rubbish has earned stays, else whoever can cut
  // the link could buy work with it.
  void link_up(BootMs now);
  // The gateway gave a sign of life: a want that has waited for a while was lost and is worth sending again.
  void nudge(BootMs now, const LinkConfig& link);
  bool took_new_head() const { return took_new_head_; }

  // Whether the head came to other validators since this was asked last, or it is asked for the first time.
  bool take_new_set() { return std::exchange(has_new_set_, false); }

 private:
  enum class Phase : std::uint8_t { idle, header, sealing, account, storage, data };

  void ask(message::What what);
  void take_header(const message::Part& part, FetchContext context);
  void begin_header(FetchContext context);
  void take_known_head(FetchContext context);
  bool begin_run(std::uint64_t newest, FetchContext context);
  Result<chain::Progress> step_run(FetchContext context);
  void take_nodes(const message::Nodes& nodes, FetchContext context);
  Error push_node(Bytes node, bool is_last);
  Error take_answer();
  void take_data(const message::Part& part, FetchContext context);
  Error copy_part(const message::Part& part, MutableBytes into);
  void begin_account(FetchContext context);
  void begin_storage();
  void accept_head(FetchContext context);
  void commit_head(chain::TrustedHead& head);
  void succeed(Outcome outcome);
  void fail(Error error, FetchContext context);

  Phase phase_ = Phase::idle;
  Outcome outcome_ = Outcome::idle;
  Error error_ = Error::none;
  bool took_new_head_ = false;
  bool has_new_set_ = true;

  // The want in flight.
  message::What what_ = message::What::header;
  std::uint32_t sequence_ = 0;
  std::uint32_t offset_ = 0;
  std::uint32_t tries_ = 0;
  BootMs sent_{};
  bool is_sent_ = false;

  // What it is about.
  Address contract_{};
  std::array<Hash32, fetch_words_max> slots_{};
  std::array<Hash32, fetch_words_max> words_{};
  std::uint32_t slot_count_ = 0;
  std::uint32_t slot_ = 0;
  std::uint64_t block_ = 0;
  Hash32 storage_root_{};
  std::array<std::uint8_t, 32> key_{};
  std::uint32_t key_size_ = 0;

  // Parts of a header or of data.
  std::uint32_t total_ = 0;
  std::uint32_t received_ = 0;
  MutableBytes into_;
  Hash32 expected_{};

  chain::BftVerifier verifier_;
  [[no_unique_address]] std::conditional_t<node_knows_clique, chain::CliqueSuffix, NoCliqueSuffix> suffix_;
  bool is_run_ = false;  // Clique: headers are taken one after the other, from the one to be settled on
  chain::TrieVerifier proof_;
  std::array<std::uint8_t, delivery_size_max> delivery_{};  // a header, and after it data

  std::uint32_t pause_ms_ = 0;
  BootMs pause_until_{};
};

}  // namespace wattproof::node
