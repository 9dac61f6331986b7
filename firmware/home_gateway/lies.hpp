// SPDX-License-Identifier: Apache-2.0
// A test aid: a gateway that lies, in one way at a time, to show that a device does not believe it. Off unless the
// program is started with --lie; every kind changes what is sent to the devices, or withholds it, and nothing else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "evidence_desk.hpp"

namespace wattproof::gateway {

enum class Lie : std::uint8_t {
  none,
  old_head,         // every answer is of the block at which the lie began
  few_seals,        // headers carry one seal less than a quorum
  doubled_seal,     // one of too few seals is there twice
  outsider,         // one of the seals is by nobody of the set
  forged_node,      // one byte of the last trie node is changed
  truncated_proof,  // the last trie node is left out
  other_contract,   // the proof of another account
  other_device,     // another device's record and its proof
  withheld_update,  // one device's updates are swallowed
  replayed_day,     // a final schedule is shown again, as it was, to whoever asks later
  slow_clock,       // headers come later and later: the chain's clock seems to run at half speed
  silence,          // no answer to anything
  flood,            // rubbish frames without end
};

std::optional<Lie> lie_of_name(std::string_view name);
// All names, separated by one space.
std::string lie_names();

class Liar {
 public:
  explicit Liar(Lie lie) : lie_(lie) {}
  Lie kind() const { return lie_; }

  bool is_silent() const { return lie_ == Lie::silence; }
  bool is_flooding() const { return lie_ == Lie::flood; }
  // Only those of one device, so that the others go on without it.
  bool swallows_updates_of(std::uint32_t id, const ChainView& view) const;

  // The block that is shown as the newest; 0: the true one. `has_final` tells that a schedule is final there.
  std::uint64_t shown_block(std::uint64_t newest, bool has_final, std::uint64_t now_ms);

  // The header as it is sent.
  ByteVector header(const ByteVector& encoded) const;

  // What is answered in place of a want of device `own_id`: another subject or key.
  void redirect(OwnedWant& want, const Address& registry, const ChainView& view, std::uint32_t own_id) const;

  // The nodes of a proof as they are sent.
  void nodes(std::vector<ByteVector>& nodes) const;

  // Rubbish for a device; `turn` counts on.
  ByteVector rubbish(std::uint64_t turn) const;

 private:
  Lie lie_;
  std::uint64_t begun_block_ = 0;
  std::uint64_t begun_ms_ = 0;
};

}  // namespace wattproof::gateway
