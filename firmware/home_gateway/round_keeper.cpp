// SPDX-License-Identifier: Apache-2.0
#include "round_keeper.hpp"

#include <algorithm>

#include "crypto/keccak.hpp"
#include "eth_abi.hpp"
#include "message/typed_data.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::AbiArguments;
using ethereum::append;

// Gas that a call may use, generous: unused gas costs nothing, and a limit that is too low costs a round. The figures of
// the contracts' tests are a third of these.
constexpr std::uint64_t submit_gas(std::size_t count, std::size_t slots) {
  return 200'000 + 12'000 * slots + count * (40'000 + 1'500 * slots);
}
constexpr std::uint64_t enter_gas(std::size_t count, std::size_t slots) {
  return 200'000 + 12'000 * slots + count * (120'000 + 3'000 * slots);
}
constexpr std::uint64_t close_gas(std::size_t slots) { return 300'000 + 25'000 * slots; }
constexpr std::uint64_t check_in_gas(std::size_t count) { return 100'000 + count * 60'000; }
constexpr std::uint64_t transaction_gas_max = 25'000'000;
constexpr std::uint32_t freeze_from_round = 10;

void append_uint(ByteVector& to, std::uint64_t value, std::size_t size) {
  std::array<std::uint8_t, 8> bytes{};
  store_be64(bytes.data(), value);
  append(to, Bytes(bytes).subspan(8 - size));
}

void append_signature(ByteVector& to, const crypto::Signature& signature) { append(to, signature); }

// How many entries fit under the gas limit of one transaction.
template <class Gas>
std::size_t batch_size(std::size_t count_max, std::size_t slots, Gas gas) {
  std::size_t count = count_max;
  while (count > 1 && gas(count, slots) > transaction_gas_max) --count;
  return count;
}

Error check_signer(const Hash32& digest, const crypto::Signature& signature, const Address& device) {
  const Result<Address> signer = crypto::recover_address(digest, signature);
  if (!signer) return signer.error();
  return *signer == device ? Error::none : Error::wrong_signer;
}

}  // namespace

RoundKeeper::RoundKeeper(const ChainView& view, Sender& sender, Sender::Post post, EventLog& log, BatchOptions options)
    : view_(view), sender_(sender), post_(std::move(post)), log_(log), options_(options) {}

void RoundKeeper::set_contracts(std::uint64_t chain_id, const Address& registry, const Address& scheduler) {
  chain_id_ = chain_id;
  registry_ = registry;
  scheduler_ = scheduler;
  scheduler_domain_ = message::scheduler_domain(chain_id, scheduler);
  registry_domain_ = message::registry_domain(chain_id, registry);
}

// Forgets what belongs to a round that is over.
void RoundKeeper::follow_round() {
  const KnownEpoch* const epoch = view_.negotiated();
  const std::uint64_t number = epoch == nullptr ? 0 : epoch->number;
  const std::uint32_t round = epoch == nullptr ? 0 : epoch->newest().head.round;
  if (number == epoch_ && round == round_) return;
  if (number != epoch_) {
    entering_.clear();
    has_followed_ = false;
  }
  epoch_ = number;
  round_ = round;
  updates_.clear();
  is_closing_ = false;
  is_try_due_ = false;
}

Error RoundKeeper::take_update(const Address& device, const message::Update& update, std::uint64_t now_ms) {
  follow_round();
  const KnownDevice* const known = view_.device_of(device);
  const KnownEpoch* const epoch = view_.negotiated();
  if (known == nullptr || known->status != DeviceStatus::active) return Error::wrong_device;
  if (epoch == nullptr || epoch->number != update.epoch) return Error::wrong_epoch;
  const schedule::EpochHead& head = epoch->newest().head;
  if (head.status != schedule::EpochStatus::open || head.round != update.round) return Error::wrong_round;
  const auto participation = epoch->participants.find(known->id);
  if (participation == epoch->participants.end()) return Error::wrong_device;
  const RecordVersion& record = participation->second.newest();
  if (record.flags != 0) return Error::unexpected;
  if (record.round == update.round || updates_.contains(known->id)) return Error::replayed;
  if (update.profile.size() != 4 * std::size_t{head.slots}) return Error::wrong_length;

  std::vector<std::int32_t> profile_w(head.slots);
  WATTPROOF_TRY(message::decode_profile(update.profile, profile_w));
  const Hash32 digest = message::update_digest(scheduler_domain_, update.epoch, update.round, profile_w);
  WATTPROOF_TRY(check_signer(digest, update.signature, device));
  updates_[known->id] = {update.signature, {update.profile.begin(), update.profile.end()}, now_ms, Stage::waiting};
  return Error::none;
}

Error RoundKeeper::take_check_in(const Address& device, const message::CheckIn& check_in, std::uint64_t now_ms) {
  const KnownDevice* const known = view_.device_of(device);
  if (known == nullptr || known->status != DeviceStatus::active) return Error::wrong_device;
  if (check_in.nonce <= known->check_in_nonce) return Error::replayed;
  const auto pending = check_ins_.find(known->id);
  if (pending != check_ins_.end() && pending->second.nonce >= check_in.nonce) return Error::replayed;
  const Hash32 digest = message::check_in_digest(registry_domain_, check_in.nonce);
  WATTPROOF_TRY(check_signer(digest, check_in.signature, device));
  check_ins_[known->id] = {check_in.nonce, check_in.signature, now_ms, Stage::waiting};
  return Error::none;
}

void RoundKeeper::on_event(const ContractEvent& event) {
  if (event.kind == EventKind::update_skipped && event.epoch == epoch_ && event.round == round_) {
    updates_.erase(event.id);  // the device may try again
  }
  if (event.kind == EventKind::checked_in || event.kind == EventKind::check_in_skipped) {
    const auto pending = check_ins_.find(event.id);
    if (pending != check_ins_.end() && pending->second.nonce <= event.nonce) check_ins_.erase(pending);
  }
}

void RoundKeeper::on_reorganisation() {
  for (auto& [id, update] : updates_) update.stage = Stage::waiting;
  for (auto& [id, check_in] : check_ins_) check_in.stage = Stage::waiting;
  entering_.clear();
  is_closing_ = false;
}

void RoundKeeper::on_new_block(std::uint64_t block_s, std::uint64_t now_ms) {
  block_s_ = block_s;
  is_try_due_ = true;
  tick(now_ms);
}

void RoundKeeper::tick(std::uint64_t now_ms) {
  if (is_zero(scheduler_)) return;
  follow_round();
  flush_check_ins(now_ms);
  const KnownEpoch* const epoch = view_.negotiated();
  if (epoch == nullptr) return;
  if (epoch->newest().head.status == schedule::EpochStatus::entering) {
    if (!options_.is_closing) return;
    enter_devices();
    start_epoch();
    return;
  }
  flush_updates(now_ms);
  if (!options_.is_closing) return;
  close_if_complete();
  close_if_late();
}

std::size_t RoundKeeper::waiting_updates() const {
  return static_cast<std::size_t>(std::count_if(updates_.begin(), updates_.end(), [](const auto& entry) {
    return entry.second.stage == Stage::waiting;
  }));
}

std::size_t RoundKeeper::sent_updates() const { return updates_.size() - waiting_updates(); }

std::size_t RoundKeeper::collected() const {
  const KnownEpoch* const epoch = view_.negotiated();
  if (epoch == nullptr) return 0;
  std::size_t count = epoch->answered();
  for (const auto& [id, update] : updates_) {
    const auto participation = epoch->participants.find(id);
    if (participation != epoch->participants.end() && participation->second.newest().round != round_) ++count;
  }
  return count;
}

void RoundKeeper::enter_devices() {
  while (enter_batch()) {
  }
}

// True if it sent a full batch, so that there may be more to enter.
bool RoundKeeper::enter_batch() {
  const KnownEpoch& epoch = *view_.negotiated();
  const std::size_t slots = epoch.newest().head.slots;
  const std::size_t count_max = batch_size(options_.count_max, slots, enter_gas);
  std::vector<std::uint32_t> ids;
  ByteVector entries;
  for (const auto& [id, device] : view_.devices()) {
    const bool is_due = device.status == DeviceStatus::active && !device.limits.empty() &&
                        !epoch.participants.contains(id) && !epoch.skipped.contains(id) && !entering_.contains(id);
    if (!is_due || ids.size() >= count_max) continue;
    ids.push_back(id);
    append_uint(entries, id, 4);
    append(entries, device.limits);
    append(entries, device.fallback);
  }
  if (ids.empty()) return false;
  entering_.insert(ids.begin(), ids.end());
  AbiArguments arguments;
  arguments.uint(epoch.number).bytes(entries);
  const auto done = [this, ids](const Delivery& delivery) {
    if (delivery.fate == Fate::mined) return;
    for (const std::uint32_t id : ids) entering_.erase(id);
  };
  sender_.send({"enter", scheduler_, arguments.call("enter(uint64,bytes)"), enter_gas(ids.size(), slots), done});
  return ids.size() == count_max;
}

// Which earlier epoch the operator named for a warm start is not in any event. The contract takes only the right head, so
// the candidates are tried: ended epochs from the newest on, and none.
std::vector<ByteVector> RoundKeeper::start_calls(const KnownEpoch& epoch) const {
  std::vector<ByteVector> candidates;
  const auto add = [&](Bytes head, Bytes vectors) {
    AbiArguments arguments;
    arguments.uint(epoch.number).bytes(epoch.newest().bytes).bytes(head).bytes(vectors);
    candidates.push_back(arguments.call("start(uint64,bytes,bytes,bytes)"));
  };
  for (auto other = view_.epochs().rbegin(); other != view_.epochs().rend(); ++other) {
    if (other->first < epoch.number) add(other->second.newest().bytes, other->second.newest().vectors);
  }
  add({}, {});
  return candidates;
}

void RoundKeeper::start_epoch() {
  const KnownEpoch& epoch = *view_.negotiated();
  if (is_closing_) return;
  if (start_behind_entries(epoch)) return;
  const bool is_worth_it = !epoch.participants.empty() || block_s_ >= epoch.newest().head.deadline.s;
  if (is_try_due_ && is_worth_it) try_calls("start", start_calls(epoch));
}

// When every active device is entered or on its way, the start follows into the same block: one block is saved. Only once an
// epoch, and only where no epoch before leaves a choice; if an entry is skipped after all, the start reverts and is tried later.
bool RoundKeeper::start_behind_entries(const KnownEpoch& epoch) {
  if (has_followed_ || entering_.empty()) return false;
  const bool is_complete = std::all_of(view_.devices().begin(), view_.devices().end(), [&](const auto& entry) {
    return entry.second.status != DeviceStatus::active || epoch.participants.contains(entry.first) || entering_.contains(entry.first);
  });
  std::vector<ByteVector> calls = start_calls(epoch);
  if (!is_complete || calls.size() != 1) return false;
  has_followed_ = is_closing_ = true;
  const auto done = [this, number = epoch_, round = round_](const Delivery& delivery) {
    if (delivery.fate != Fate::mined && number == epoch_ && round == round_) is_closing_ = false;
  };
  sender_.send({"start", scheduler_, std::move(calls.front()), close_gas(epoch.newest().head.slots), done});
  return true;
}

void RoundKeeper::flush_updates(std::uint64_t now_ms) {
  const KnownEpoch& epoch = *view_.negotiated();
  const std::size_t count_max = batch_size(options_.count_max, epoch.newest().head.slots, submit_gas);
  std::vector<std::uint32_t> ids;
  bool is_overdue = false;
  for (const auto& [id, update] : updates_) {
    if (update.stage != Stage::waiting) continue;
    ids.push_back(id);
    is_overdue = is_overdue || now_ms - update.arrived_ms >= options_.wait_ms;
  }
  if (ids.empty()) return;
  const bool is_last = collected() + epoch.frozen() >= epoch.newest().head.participants;
  if (!is_overdue && !is_last && ids.size() < count_max) return;
  for (std::size_t first = 0; first < ids.size(); first += count_max) {
    const std::size_t count = std::min(count_max, ids.size() - first);
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
    submit(epoch, {begin, begin + static_cast<std::ptrdiff_t>(count)});
  }
}

void RoundKeeper::submit(const KnownEpoch& epoch, const std::vector<std::uint32_t>& ids) {
  ByteVector entries;
  for (const std::uint32_t id : ids) {
    PendingUpdate& update = updates_[id];
    const Participation& participation = epoch.participants.at(id);
    const RecordVersion& record = participation.newest();
    const ByteVector* const limits = view_.limits_of(participation.limits_hash);
    if (limits == nullptr) {
      log_.note("limits_unknown", "device " + std::to_string(id) + ": no event told its limits");
      updates_.erase(id);
      continue;
    }
    update.stage = Stage::sent;
    append_uint(entries, id, 4);
    append_signature(entries, update.signature);
    append_uint(entries, record.round, 4);
    append_uint(entries, record.change2, 8);
    append_uint(entries, record.change2_before, 8);
    append(entries, *limits);
    append(entries, record.profile);
    append(entries, update.profile);
  }
  if (entries.empty()) return;
  AbiArguments arguments;
  arguments.uint(epoch.number).uint(round_).bytes(entries);
  const auto done = [this, ids, number = epoch_, round = round_](const Delivery& delivery) {
    if (delivery.fate == Fate::mined || number != epoch_ || round != round_) return;
    for (const std::uint32_t id : ids) {
      const auto update = updates_.find(id);
      if (update != updates_.end()) update->second.stage = Stage::waiting;
    }
  };
  const std::uint64_t gas = submit_gas(ids.size(), epoch.newest().head.slots);
  sender_.send({"submit", scheduler_, arguments.call("submit(uint64,uint32,bytes)"), gas, done});
}

void RoundKeeper::flush_check_ins(std::uint64_t now_ms) {
  std::vector<std::uint32_t> ids;
  bool is_due = false;
  for (const auto& [id, check_in] : check_ins_) {
    if (check_in.stage != Stage::waiting || ids.size() >= options_.count_max) continue;
    ids.push_back(id);
    is_due = is_due || now_ms - check_in.arrived_ms >= options_.wait_ms || ids.size() >= options_.count_max;
  }
  if (!is_due) return;
  ByteVector entries;
  for (const std::uint32_t id : ids) {
    PendingCheckIn& check_in = check_ins_[id];
    check_in.stage = Stage::sent;
    append_uint(entries, id, 4);
    append_uint(entries, check_in.nonce, 8);
    append_signature(entries, check_in.signature);
  }
  const auto done = [this, ids](const Delivery& delivery) {
    for (const std::uint32_t id : ids) {
      const auto check_in = check_ins_.find(id);
      if (check_in == check_ins_.end() || check_in->second.stage != Stage::sent) continue;
      if (delivery.fate == Fate::mined) {
        check_ins_.erase(check_in);
      } else {
        check_in->second.stage = Stage::waiting;
      }
    }
  };
  sender_.send({"check_in", registry_, AbiArguments().bytes(entries).call("checkIn(bytes)"), check_in_gas(ids.size()), done});
}

ByteVector RoundKeeper::close_call(const KnownEpoch& epoch) const {
  AbiArguments arguments;
  arguments.uint(epoch.number).bytes(epoch.newest().bytes).bytes(epoch.newest().vectors).bytes(epoch.parameters);
  return arguments.call("close(uint64,bytes,bytes,bytes)");
}

// When the last updates are on their way, the close follows them into the same block: one block a round is saved. If
// an update is skipped after all, the close reverts and close_if_late takes over.
void RoundKeeper::close_if_complete() {
  const KnownEpoch& epoch = *view_.negotiated();
  if (is_closing_ || waiting_updates() != 0) return;
  if (collected() + epoch.frozen() < epoch.newest().head.participants) return;
  is_closing_ = true;
  send_close(epoch, close_gas(epoch.newest().head.slots));
}

// After the grace time or the deadline. The contract knows best: it is asked once a block, when nothing of ours is under way.
void RoundKeeper::close_if_late() {
  const KnownEpoch& epoch = *view_.negotiated();
  const bool is_worth_it = epoch.answered() > 0 || block_s_ >= epoch.newest().head.deadline.s;
  if (!is_try_due_ || is_closing_ || is_trying_ || !is_worth_it || waiting_updates() != 0) return;
  const bool is_under_way = std::any_of(updates_.begin(), updates_.end(), [&](const auto& entry) {
    const auto participation = epoch.participants.find(entry.first);
    return participation != epoch.participants.end() && participation->second.newest().round != round_;
  });
  if (is_under_way) return;
  freeze_disturber();
  try_calls("close", {close_call(epoch)});
}

void RoundKeeper::send_close(const KnownEpoch& epoch, std::uint64_t gas_limit) {
  const auto done = [this, number = epoch_, round = round_](const Delivery& delivery) {
    if (delivery.fate != Fate::mined && number == epoch_ && round == round_) is_closing_ = false;
  };
  sender_.send({"close", scheduler_, close_call(epoch), gas_limit, done});
}

// One device that made up more than half of all movement in both of the last rounds keeps the epoch from ending.
void RoundKeeper::freeze_disturber() {
  const KnownEpoch& epoch = *view_.negotiated();
  if (round_ < freeze_from_round) return;
  std::uint64_t last = 0;
  for (const auto& [id, participation] : epoch.participants) {
    for (const RecordVersion& record : participation.versions) {
      if (record.round + 1 == round_) last += record.change2;
    }
  }
  for (const auto& [id, participation] : epoch.participants) {
    const RecordVersion& record = participation.newest();
    if (record.round + 1 != round_ || record.flags != 0 || record.change2 <= last / 2) continue;
    ByteVector data;
    append_uint(data, id, 4);
    append(data, participation.signer);
    append_uint(data, record.round, 4);
    append_uint(data, record.change2, 8);
    append_uint(data, record.change2_before, 8);
    append(data, participation.limits_hash);
    append(data, record.profile);
    try_calls("freeze", {AbiArguments().uint(epoch.number).bytes(data).call("freeze(uint64,bytes)")});
    return;
  }
}

// Sends the first of `candidates` that the chain would take now.
void RoundKeeper::try_calls(const char* name, std::vector<ByteVector> candidates) {
  if (is_trying_) return;
  is_trying_ = true;
  is_try_due_ = false;
  post_([this, name, candidates, from = sender_.address(), to = scheduler_, number = epoch_,
         round = round_](ethereum::Rpc& rpc) -> Completion {
    std::string why;
    try {
      for (const ByteVector& data : candidates) {
        const std::optional<std::uint64_t> gas = estimate_gas(rpc, {from, to, data}, why);
        if (!gas) continue;
        return [this, name, data, gas, number, round] {
          is_trying_ = false;
          follow_round();
          if (number != epoch_ || round != round_ || is_closing_) return;
          is_closing_ = true;
          const auto done = [this, number, round](const Delivery&) {
            // Whatever came of it: if this round still stands, it is tried again at the next block.
            if (number == epoch_ && round == round_) is_closing_ = false;
          };
          sender_.send({name, scheduler_, data, *gas + *gas / 2, done});
        };
      }
    } catch (const std::exception& error) {
      why = error.what();
    }
    return [this] { is_trying_ = false; };
  });
}

}  // namespace wattproof::gateway
