// SPDX-License-Identifier: Apache-2.0
#include "sim/device_life.hpp"

#include "sim/device_life_port.hpp"

namespace wattproof::testing {
namespace {

constexpr std::uint64_t lead_s = 180;        // the negotiation of an epoch begins so long before its first slot
constexpr std::uint64_t partition_ms_max = 300'000;
constexpr std::uint64_t contact_fault_ms = 60'000;

}  // namespace

std::string Violations::text() const {
  return "unjustified " + std::to_string(unjustified) + ", early " + std::to_string(early) + ", stale " + std::to_string(stale) +
         ", short run " + std::to_string(short_run) + ", short pause " + std::to_string(short_pause) + ", two profiles " +
         std::to_string(two_profiles) + ", nonce reused " + std::to_string(nonce_reused) + ", lost record " + std::to_string(lost_record);
}

DeviceLife::DeviceLife(std::uint64_t seed, const LifeFaults& faults)
    : faults_(faults), random_(seed), chain_base_s_(chain_.time_s()), up_(seed + 1, faults.link), down_(seed + 2, faults.link),
      flash_({.sector_size = 4096, .sector_count = 2, .program_size = 8}, seed) {
  config_.chain.chain_id = FakeChain::chain_id;
  config_.chain.registry = chain_.registry();
  config_.chain.checkpoint = chain_.checkpoint();
  config_.chain.freshness.age_s_max = static_cast<std::uint32_t>(age_s_max);
  config_.device.id = 7;
  config_.device.address = key_.address;
  config_.device.grid = {slots, slot_s};
  config_.device.device.kind = solver::DeviceKind::curtailable;
  config_.device.device.power_min_w = 0;
  config_.device.device.power_max_w = 3000;
  config_.output.has_relay = true;
  config_.output.has_setpoint = true;
  config_.output.relay = {.on_ms_min = on_ms_min, .off_ms_min = off_ms_min, .fallback_ms = 120'000, .start_spread_ms_max = 10'000};
  config_.link.answer_ms_max = 3000;
  config_.link.poll_ms = 10'000;
  next_block_ms_ = block_s * 1000;
  boot();
}

DeviceLife::~DeviceLife() = default;

void DeviceLife::run(std::uint32_t blocks) {
  for (std::uint32_t i = 0; i < blocks; ++i) {
    play_until(next_block_ms_);
    check_slot();
    mine();
    draw_faults();
  }
}

void DeviceLife::heal() {
  faults_ = {};
  up_.set_faults({});
  down_.set_faults({});
  link_back_ms_ = contact_back_ms_ = ms_;
  relay_.set_fault(hal::RelayFault::none);
  if (!is_on_) power_back_ms_ = ms_;
}

bool DeviceLife::is_following() const { return is_on_ && board_->node.mode() == node::Mode::following; }

std::string DeviceLife::describe() const {
  if (!is_on_) return "off";
  const node::Node& node = board_->node;
  return "mode " + std::to_string(static_cast<int>(node.mode())) + ", last error " + error_name(node.last_error()) + " of " +
         std::to_string(node.error_count()) + ", head " + std::to_string(node.head().number) + " of " + std::to_string(chain_.number()) +
         ", answered round " + std::to_string(node.answered_round()) + ", link " + (is_link_up_ ? "up" : "down") + ", negotiated " +
         std::to_string(negotiated_) + ", followed " + std::to_string(followed_);
}

void DeviceLife::trace(Bytes bytes) {
  for (const std::uint8_t byte : bytes) counts_.trace = (counts_.trace ^ byte) * 0x100000001b3U;
}

// Time goes from one thing that happens to the next.
void DeviceLife::play_until(std::uint64_t end_ms) {
  while (ms_ < end_ms) {
    std::uint64_t next_ms = end_ms;
    BootMs due{};
    if (up_.next_due(due)) next_ms = std::min(next_ms, due.ms);
    if (is_on_ && down_.next_due(due)) next_ms = std::min(next_ms, due.ms);
    if (!is_on_) next_ms = std::min(next_ms, power_back_ms_);
    if (is_on_ && !is_link_up_) next_ms = std::min(next_ms, link_back_ms_);
    if (is_on_) next_ms = std::min(next_ms, boot_ms_ + (board_->runner.wake().ms - std::min(board_->runner.wake().ms, clock_base_ms_)));
    ms_ = std::max(ms_ + 1, next_ms);
    if (ms_ > end_ms) ms_ = end_ms;
    std::array<std::uint8_t, frame_size_max> frame{};
    for (std::uint32_t size = 0; (size = up_.receive(frame, world_now())) != 0;) take_up(Bytes(frame).first(size));
    turn();
    check_staleness();
  }
}

void DeviceLife::mine() {
  advance_epochs();
  chain_.mine(block_s);
  next_block_ms_ += block_s * 1000;
  ++counts_.blocks;
  for (auto& [number, epoch] : epochs_) {
    if (epoch.head.status == schedule::EpochStatus::final && epoch.final_since_block == 0) epoch.final_since_block = chain_.number();
  }
  const Epoch* open = negotiated_ != 0 ? &epochs_.at(negotiated_) : nullptr;
  if (is_link_up_) down_.send(chain_.notice(negotiated_, open == nullptr ? 0 : open->head.round, followed_), world_now());
}

// The contract in miniature, for one device: a round every so many blocks, final after the last, then the next epoch.
void DeviceLife::advance_epochs() {
  const std::uint64_t now_s = chain_.time_s() + block_s;
  if (negotiated_ == 0) {
    const std::uint64_t length_s = std::uint64_t{slots} * slot_s;
    const std::uint64_t number = (now_s + lead_s) / length_s;
    if (epochs_.contains(number) || number * length_s < now_s || now_s + lead_s < number * length_s) return;
    Epoch epoch;
    epoch.head.status = schedule::EpochStatus::open;
    epoch.head.slots = slots;
    epoch.head.slot_seconds = slot_s;
    epoch.head.epoch = number;
    epoch.head.round = 1;
    epoch.head.start = {number * length_s};
    epoch.head.participants = 1;
    epoch.head.rho0 = 65'536;
    epoch.head.changed = {now_s};
    epoch.profile.assign(slots, 0);
    negotiated_ = number;
    put_epoch(epochs_[number] = epoch);
    return;
  }
  Epoch& epoch = epochs_.at(negotiated_);
  if (now_s - epoch.head.changed.s < round_blocks * block_s) return;
  epoch.head.changed = {now_s};
  if (epoch.head.round < rounds) {
    ++epoch.head.round;
  } else {
    epoch.head.status = schedule::EpochStatus::final;
    followed_ = negotiated_;
    negotiated_ = 0;
    ++counts_.epochs_final;
  }
  put_epoch(epoch);
}

// z is drawn so that some slots want power and others none.
void DeviceLife::put_epoch(Epoch& epoch) {
  std::vector<std::int64_t> vectors(4 * slots, 0);
  for (std::uint32_t t = 0; t < slots; ++t) {
    const std::int64_t wanted_w = random_.next() % 3 == 0 ? -2000 : static_cast<std::int64_t>(random_.next() % 2500);
    vectors[t] = vectors[3 * slots + t] = 16 * wanted_w;
    vectors[2 * slots + t] = 16 * std::int64_t{epoch.profile[t]};
  }
  chain_.set_epoch(epoch.head, vectors);
  chain_.set_record(epoch.head.epoch, config_.device.id, epoch.record_round, key_.address, epoch.profile);
}

// What reaches the gateway: wants are answered at once, the rest goes to the chain.
void DeviceLife::take_up(Bytes bytes) {
  message::UpFrame frame;
  if (message::decode(bytes, frame) != Error::none) return;
  if (frame.kind == message::FrameKind::want && is_link_up_) down_.send(chain_.answer(frame.want), world_now());
  if (frame.kind == message::FrameKind::update) take_update(frame.update);
  if (frame.kind != message::FrameKind::check_in || frame.check_in.nonce <= newest_nonce_) return;
  const Hash32 digest = message::check_in_digest(message::registry_domain(FakeChain::chain_id, chain_.registry()), frame.check_in.nonce);
  const Result<Address> signer = crypto::recover_address(digest, frame.check_in.signature);
  if (!signer || *signer != key_.address) return;
  newest_nonce_ = frame.check_in.nonce;
  chain_.set_word(chain_.registry(), schedule::check_in_slot(config_.device.id), number_word(newest_nonce_));
}

void DeviceLife::take_update(const message::Update& update) {
  if (update.epoch != negotiated_ || negotiated_ == 0) return;
  Epoch& epoch = epochs_.at(negotiated_);
  if (update.round != epoch.head.round || epoch.record_round == update.round) return;
  std::vector<std::int32_t> profile(slots);
  if (message::decode_profile(update.profile, profile) != Error::none) return;
  const Hash32 digest = message::update_digest(message::scheduler_domain(FakeChain::chain_id, chain_.scheduler()), update.epoch, update.round, profile);
  const Result<Address> signer = crypto::recover_address(digest, update.signature);
  if (!signer || *signer != key_.address) return;
  epoch.record_round = update.round;
  epoch.profile = profile;
  ++counts_.rounds_answered;
  chain_.set_record(epoch.head.epoch, config_.device.id, epoch.record_round, key_.address, epoch.profile);
}

void DeviceLife::draw_faults() {
  if (happens(faults_.contact_permille)) {
    static constexpr hal::RelayFault kinds[] = {hal::RelayFault::stuck_open, hal::RelayFault::welded, hal::RelayFault::slow, hal::RelayFault::driver};
    relay_.set_fault(kinds[random_.next() % 4], 5000);
    contact_back_ms_ = ms_ + contact_fault_ms;
  }
  if (happens(faults_.partition_permille)) {
    link_back_ms_ = ms_ + random_.next() % partition_ms_max;
    ++counts_.partitions;
  }
  if (is_on_ && happens(faults_.power_permille)) power_off();
}

}  // namespace wattproof::testing
