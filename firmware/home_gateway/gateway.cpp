// SPDX-License-Identifier: Apache-2.0
#include "gateway.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eth_abi.hpp"
#include "gateway_frames.hpp"
#include "round_report.hpp"

namespace wattproof::gateway {
namespace {

using message::NoneReason;
using message::What;
using nlohmann::ordered_json;

constexpr std::uint64_t poll_wait_ms_max = 2'000;
constexpr std::uint64_t flood_frames_per_tick = 20;
constexpr std::size_t usual_slots_max = 8;
constexpr std::uint64_t wake_first_ms = 1;  // so that the first tick polls

}  // namespace

Gateway::Gateway(const GatewayOptions& options, const crypto::PrivateKey& key, Sender::Post post, SendFrame send,
                 EventLog& log)
    : options_(options),
      post_(std::move(post)),
      send_(std::move(send)),
      log_(log),
      liar_(options.lie),
      sender_(key, options.chain_id, post_, log, options.gas_price_wei),
      keeper_(view_, sender_, post_, log, options.batch) {
  scan_.engine = options.engine;
  scan_.registry = options.registry;
  scan_.first_block = options.first_block;
}

// ---- chain ----

void Gateway::tick(std::uint64_t now_ms) {
  now_ms_ = std::max(now_ms, wake_first_ms);
  poll(now_ms);
  fetch_missing();
  if (is_synced_) keeper_.tick(now_ms);
  sender_.tick(now_ms);
  if (liar_.is_flooding()) flood();
}

void Gateway::poll(std::uint64_t now_ms) {
  if (is_polling_ || (polled_ms_ != 0 && now_ms - polled_ms_ < std::max(poll_wait_ms_, options_.poll_ms))) return;
  is_polling_ = true;
  polled_ms_ = now_ms_;
  if (is_zero(scan_.scheduler)) return find_contracts();
  post_([this, state = scan_](ethereum::Rpc& rpc) -> Completion {
    try {
      const ChainNews news = poll_chain(rpc, state);
      return [this, news] {
        is_polling_ = false;
        take_news(news);
      };
    } catch (const std::exception& error) {
      return [this, why = std::string(error.what())] {
        is_polling_ = false;
        chain_failed(why);
      };
    }
  });
}

void Gateway::find_contracts() {
  post_([this, registry = options_.registry](ethereum::Rpc& rpc) -> Completion {
    try {
      const std::uint64_t chain_id = fetch_chain_id(rpc);
      const std::optional<Address> scheduler = fetch_contract(rpc, registry, "Scheduler");
      return [this, chain_id, scheduler] {
        is_polling_ = false;
        if (chain_id != options_.chain_id) {
          return chain_failed("the node is of chain " + std::to_string(chain_id) + ", not of " +
                              std::to_string(options_.chain_id));
        }
        if (!scheduler) return chain_failed("the registry names no Scheduler yet");
        scan_.scheduler = *scheduler;
        keeper_.set_contracts(chain_id, options_.registry, *scheduler);
        polled_ms_ = 0;
        log_.event("contracts", {{"registry", ethereum::to_hex(options_.registry)},
                                 {"scheduler", ethereum::to_hex(*scheduler)},
                                 {"account", ethereum::to_hex(sender_.address())}});
      };
    } catch (const std::exception& error) {
      return [this, why = std::string(error.what())] {
        is_polling_ = false;
        chain_failed(why);
      };
    }
  });
}

void Gateway::chain_failed(const std::string& why) {
  if (!is_chain_down_) log_.event("chain_down", {{"detail", why}});
  is_chain_down_ = true;
  poll_wait_ms_ = std::min(poll_wait_ms_max, std::max<std::uint64_t>(2 * poll_wait_ms_, options_.poll_ms));
  log_.note("chain_unreachable", why);
}

void Gateway::take_news(const ChainNews& news) {
  if (is_chain_down_) log_.event("chain_up");
  is_chain_down_ = false;
  poll_wait_ms_ = 0;
  const bool was_synced = is_synced_;
  if (news.is_reorganised) roll_back(news.common_block);
  scan_.newest = news.newest;
  if (news.headers.empty()) return;
  take_events(news);
  scan_.scanned = news.scanned;
  for (const BlockHeader& header : news.headers) {
    scan_.recent[header.number] = header.hash;
    evidence_.add_header(header);
  }
  while (scan_.recent.size() > recent_count_max) scan_.recent.erase(scan_.recent.begin());
  is_synced_ = scan_.scanned == scan_.newest;
  if (!is_synced_) {
    polled_ms_ = 0;  // go on at once
    return;
  }
  if (!was_synced) log_.event("synced", {{"block", scan_.scanned}, {"devices", view_.devices().size()}});
  sender_.on_new_block();
  expect_wants(scan_.scanned);
  keeper_.on_new_block(news.headers.back().timestamp_s, now_ms_);
  notify_all();
}

void Gateway::roll_back(std::uint64_t block) {
  ++counters_.reorganisations;
  log_.event("reorganisation", {{"from_block", scan_.scanned}, {"common_block", block}});
  view_.roll_back(block);
  evidence_.drop_headers_above(block);
  missing_.clear();
  scan_.recent.erase(scan_.recent.upper_bound(block), scan_.recent.end());
  if (scan_.recent.empty()) view_.clear();  // deeper than we remember: everything is read again
  scan_.scanned = scan_.recent.empty() ? 0 : block;
  keeper_.on_reorganisation();
}

void Gateway::take_events(const ChainNews& news) {
  for (const ContractEvent& event : news.events) {
    const bool is_other_scheduler = event.kind == EventKind::contract_set && event.address != scan_.scheduler &&
                                    event.word == ethereum::word_of_text("Scheduler");
    if (is_other_scheduler && is_synced_) {  // while catching up, find_contracts has told the newest already
      log_.event("scheduler_replaced", {{"scheduler", ethereum::to_hex(event.address)}});
      scan_.scheduler = Address{};
    }
    try {
      view_.apply(event);
    } catch (const std::exception& error) {
      log_.note("event_refused", error.what());
      continue;
    }
    keeper_.on_event(event);
    report(event);
  }
}

// What a watcher wants to see. Only of the present, not of the past that a scan goes through.
void Gateway::report(const ContractEvent& event) {
  if (!is_synced_) return;
  switch (event.kind) {
    case EventKind::epoch_opened: log_.event("epoch_opened", {{"epoch", event.epoch}}); break;
    case EventKind::round_opened:
    case EventKind::schedule_final:
    case EventKind::epoch_failed: {
      const KnownEpoch* const epoch = view_.epoch(event.epoch);
      if (const auto round = report_last_round(*epoch)) log_.event("round", to_json(*round));
      if (event.kind == EventKind::round_opened && event.round == 1) {
        log_.event("epoch_started", {{"epoch", event.epoch}, {"participants", epoch->newest().head.participants}});
      }
      if (event.kind == EventKind::schedule_final) {
        log_.event("final", {{"epoch", event.epoch}, {"round", event.round}, {"block", event.block},
                             {"aggregate_w", sum_profiles(*epoch)}});
      }
      if (event.kind == EventKind::epoch_failed) {
        log_.event("failed", {{"epoch", event.epoch}, {"reason", event.reason}, {"worst_slot", event.worst_slot},
                              {"excess_w", event.excess_w}});
      }
      break;
    }
    case EventKind::update_skipped:
      log_.event("update_skipped", {{"epoch", event.epoch}, {"round", event.round}, {"id", event.id}, {"reason", event.reason}});
      break;
    case EventKind::enter_skipped:
      log_.event("enter_skipped", {{"epoch", event.epoch}, {"id", event.id}, {"reason", event.reason}});
      break;
    case EventKind::check_in_skipped:
      log_.event("check_in_skipped", {{"id", event.id}, {"reason", event.reason}});
      break;
    case EventKind::device_frozen: log_.event("device_frozen", {{"epoch", event.epoch}, {"id", event.id}}); break;
    case EventKind::checked_in: log_.event("checked_in", {{"id", event.id}, {"block", event.block}}); break;
    default: break;
  }
}

// ---- proofs ----

// After a block that changed an epoch's word every device asks for the same slots as before, and for its own record.
// One request for all of them is cheaper than one for each.
void Gateway::expect_wants(std::uint64_t block) {
  const bool is_changed = std::any_of(view_.epochs().begin(), view_.epochs().end(), [block](const auto& entry) {
    return entry.second.newest().block == block && entry.second.newest().head.round > 0;
  });
  if (!is_changed) return;
  ProofRequest& request = missing_[block];
  for (const auto& [address, device] : devices_) {
    const std::uint32_t id = id_of(address);
    for (const auto& [number, epoch] : view_.epochs()) {
      if (epoch.newest().block != block || !epoch.participants.contains(id)) continue;
      request[scan_.scheduler].insert(schedule::epoch_word_slot(number));
      request[scan_.scheduler].insert(schedule::record_slot(number, id));
    }
  }
  if (request.empty()) missing_.erase(block);
}

void Gateway::fetch_missing() {
  if (is_fetching_ || missing_.empty()) return;
  const auto next = std::prev(missing_.end());  // the newest block first: that is where devices wait
  const std::uint64_t block = next->first;
  is_fetching_ = true;
  ++counters_.proof_requests;
  post_([this, block, request = next->second](ethereum::Rpc& rpc) -> Completion {
    try {
      const ProofAnswer answer = fetch_proofs(rpc, block, request);
      return [this, block, answer] { take_proofs(block, answer); };
    } catch (const ethereum::RpcError& error) {
      const bool is_gone = error.failure == ethereum::RpcFailure::error;
      return [this, block, is_gone, why = std::string(error.what())] { fail_proofs(block, why, is_gone); };
    } catch (const std::exception& error) {
      return [this, block, why = std::string(error.what())] { fail_proofs(block, why, false); };
    }
  });
  missing_.erase(next);
}

void Gateway::take_proofs(std::uint64_t block, const ProofAnswer& answer) {
  is_fetching_ = false;
  evidence_.add_proofs(block, answer);
  for (auto& [address, device] : devices_) {
    if (!device.waiting || device.waiting->block != block) continue;
    const OwnedWant want = *device.waiting;
    device.waiting.reset();
    answer_proof(address, device, want);
  }
}

void Gateway::fail_proofs(std::uint64_t block, const std::string& why, bool is_gone) {
  is_fetching_ = false;
  log_.note("proof_failed", "block " + std::to_string(block) + ": " + why);
  for (auto& [address, device] : devices_) {
    if (!device.waiting || device.waiting->block != block) continue;
    // An unreachable node is no answer: the device asks again by itself.
    if (is_gone) send(address, none_frame(*device.waiting, NoneReason::no_longer_kept));
    device.waiting.reset();
  }
}

// ---- devices ----

std::uint32_t Gateway::id_of(const Address& address) const {
  const KnownDevice* const known = view_.device_of(address);
  return known == nullptr ? 0 : known->id;
}

void Gateway::on_frame(const Address& address, Bytes bytes, std::uint64_t now_ms) {
  now_ms_ = std::max(now_ms, now_ms_);
  ++counters_.frames;
  message::UpFrame frame;
  if (const Error error = decode_frame(bytes, frame); !ok(error)) return refuse(address, "frame", error);
  if (!devices_.contains(address) && devices_.size() >= devices_max) return refuse(address, "device", Error::capacity);
  Device& device = devices_[address];
  device.heard_ms = now_ms;
  switch (frame.kind) {
    case message::FrameKind::hello: on_hello(address, device, frame.hello); break;
    case message::FrameKind::want: on_want(address, device, frame.want); break;
    case message::FrameKind::update: on_update(address, frame.update); break;
    case message::FrameKind::check_in:
      ++counters_.check_ins;
      if (const Error error = keeper_.take_check_in(address, frame.check_in, now_ms); !ok(error)) {
        refuse(address, "check_in", error);
      }
      break;
    case message::FrameKind::status: on_status(address, device, frame.status); break;
    default: break;
  }
}

void Gateway::refuse(const Address& address, const char* what, Error error) {
  ++counters_.refused_frames;
  log_.note("refused", ethereum::to_hex(address) + ": " + what + ": " + error_name(error));
}

void Gateway::on_hello(const Address& address, Device& device, const message::Hello& hello) {
  if (device.boot_count != hello.boot_count) {
    log_.event("device_hello", {{"device", ethereum::to_hex(address)}, {"id", hello.id},
                                {"boot_count", hello.boot_count}, {"head_number", hello.head_number}});
  }
  device.boot_count = hello.boot_count;
  device.waiting.reset();
  if (is_synced_) notify(address);
}

void Gateway::on_want(const Address& address, Device& device, const message::Want& want) {
  ++counters_.wants;
  OwnedWant owned = own(want);
  if (!is_synced_) return send(address, none_frame(owned, NoneReason::not_yet));
  answer(address, device, std::move(owned));
}

void Gateway::answer(const Address& address, Device& device, OwnedWant want) {
  liar_.redirect(want, options_.registry, view_, id_of(address));
  switch (want.what) {
    case What::header: return answer_header(address, device, want);
    case What::account_proof:
    case What::storage_proof: return answer_proof(address, device, std::move(want));
    default: break;
  }
  if (want.subject != scan_.scheduler) return send(address, none_frame(want, NoneReason::unknown));
  const ByteVector data = data_for(want, view_);
  send(address, data.empty() ? none_frame(want, NoneReason::unknown) : data_frame(want, data));
}

std::uint64_t Gateway::newest_block() {
  const bool has_final = view_.followed(0) != nullptr;
  const std::uint64_t shown = liar_.shown_block(scan_.scanned, has_final, now_ms_);
  if (shown == 0) return scan_.scanned;
  evidence_.pin(shown);
  return shown;
}

void Gateway::answer_header(const Address& address, Device& device, const OwnedWant& want) {
  // The parts of one header must be of one block, also if a newer one came meanwhile.
  const std::uint64_t begun = want.offset > 0 ? device.header_block : newest_block();
  const std::uint64_t block = want.block != 0 ? want.block : begun;
  const BlockHeader* const header = evidence_.header(block);
  if (header == nullptr) {
    return send(address, none_frame(want, block > scan_.scanned ? NoneReason::not_yet : NoneReason::no_longer_kept));
  }
  device.header_block = block;
  send(address, header_frame(want, block, liar_.header(header->encoded)));
}

void Gateway::answer_proof(const Address& address, Device& device, OwnedWant want) {
  if (const auto* proof = evidence_.proof(want)) {
    std::vector<ByteVector> nodes;
    for (const auto& node : *proof) nodes.push_back(*node);
    liar_.nodes(nodes);
    const std::vector<Bytes> views(nodes.begin(), nodes.end());
    return send(address, nodes_frame(want, views));
  }
  if (want.block > scan_.scanned) return send(address, none_frame(want, NoneReason::not_yet));
  if (device.asked_block != want.block) {
    device.asked_block = want.block;
    device.asked_slots = 0;
  }
  if (++device.asked_slots > slots_asked_max) {
    refuse(address, "want", Error::rate_limited);
    return send(address, none_frame(want, NoneReason::unknown));
  }
  std::set<Hash32>& slots = missing_[want.block][want.subject];
  if (want.what == What::storage_proof) {
    slots.insert(to_array<32>(want.key));
    device.usual_slots.emplace(want.subject, to_array<32>(want.key));
    if (device.usual_slots.size() > usual_slots_max) device.usual_slots.clear();
  } else {
    // Most likely it goes on with the slots that it asked for at the block before.
    for (const auto& [subject, slot] : device.usual_slots) {
      if (subject == want.subject) slots.insert(slot);
    }
  }
  device.waiting = std::move(want);
}

void Gateway::on_update(const Address& address, const message::Update& update) {
  ++counters_.updates;
  if (liar_.swallows_updates_of(id_of(address), view_)) return;
  const Error error = is_synced_ ? keeper_.take_update(address, update, now_ms_) : Error::not_ready;
  if (ok(error)) return;
  // A device sends an update again until it sees its record: not worth a line.
  ++counters_.refused_updates;
  if (error != Error::replayed && error != Error::wrong_round) refuse(address, "update", error);
}

void Gateway::on_status(const Address& address, Device& device, const message::DeviceStatus& status) {
  const message::DeviceStatus before = std::exchange(device.status, status);
  const bool is_news = before.mode != status.mode || before.relay_commanded != status.relay_commanded ||
                       before.setpoint_w != status.setpoint_w || before.last_error != status.last_error ||
                       before.epoch != status.epoch;
  if (!is_news) return;
  log_.event("device_status", {{"device", ethereum::to_hex(address)},
                               {"id", id_of(address)},
                               {"mode", status.mode},
                               {"relay", status.relay_commanded},
                               {"setpoint_w", status.setpoint_w},
                               {"head_number", status.head_number},
                               {"epoch", status.epoch},
                               {"round", status.round},
                               {"justified_by_block", status.justified_by_block},
                               {"last_error", error_name(status.last_error)}});
}

void Gateway::send(const Address& address, const ByteVector& frame) {
  if (liar_.is_silent()) return;
  ++counters_.answers;
  send_(address, frame);
}

void Gateway::notify(const Address& address) {
  message::Notice notice;
  notice.head_number = newest_block();
  if (const KnownEpoch* epoch = view_.negotiated()) {
    notice.negotiated_epoch = epoch->number;
    notice.round = epoch->newest().head.round;
  }
  const BlockHeader* const newest = evidence_.newest();
  const std::uint64_t now_s = newest == nullptr ? 0 : newest->timestamp_s;
  if (const KnownEpoch* epoch = view_.followed(now_s)) notice.followed_epoch = epoch->number;
  send(address, encode_frame(notice));
}

void Gateway::notify_all() {
  for (const auto& [id, device] : view_.devices()) {
    if (device.status == DeviceStatus::active) notify(device.signer);
  }
}

void Gateway::flood() {
  for (std::uint64_t i = 0; i < flood_frames_per_tick; ++i) {
    for (const auto& [id, device] : view_.devices()) send_(device.signer, liar_.rubbish(flood_turn_++));
  }
}

ordered_json Gateway::metrics() const {
  const KnownEpoch* const epoch = view_.negotiated();
  return {{"block", scan_.scanned},
          {"synced", is_synced_},
          {"chain_down", is_chain_down_},
          {"devices", view_.devices().size()},
          {"devices_heard", devices_.size()},
          {"epoch", epoch == nullptr ? 0 : epoch->number},
          {"round", epoch == nullptr ? 0 : epoch->newest().head.round},
          {"transactions_in_flight", sender_.in_flight()},
          {"nodes_held", evidence_.node_count()},
          {"frames", counters_.frames},
          {"refused_frames", counters_.refused_frames},
          {"wants", counters_.wants},
          {"answers", counters_.answers},
          {"updates", counters_.updates},
          {"refused_updates", counters_.refused_updates},
          {"check_ins", counters_.check_ins},
          {"proof_requests", counters_.proof_requests},
          {"reorganisations", counters_.reorganisations}};
}

}  // namespace wattproof::gateway
