// SPDX-License-Identifier: Apache-2.0
// The host's coordinator against rounds that the contract ran: a few with every byte written out (schedule_rounds.json), and
// more than a thousand random ones with silent, bad and repeated devices and extreme numbers, by a digest of the whole state
// after each (random_rounds.txt; contracts/test/random_rounds.js describes it).
#include "reference/coordinator.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "crypto/keccak.hpp"
#include "support/vectors.hpp"

namespace wattproof::reference {
namespace {

using nlohmann::json;
using testing::to_hex;

std::ifstream open_vectors(const char* name) {
  return std::ifstream(std::string(WATTPROOF_SOURCE_DIR) + "/tests/vectors/" + name);
}

Bytes bytes_of(const std::vector<std::uint8_t>& bytes) { return bytes; }

std::vector<std::uint8_t> raw(const json& text) { return testing::from_hex(text.get<std::string>()); }

std::int32_t i32_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  return static_cast<std::int32_t>(load_be32(bytes.data() + at));
}

// i32 numbers from `first` on, `step` bytes apart.
Profile i32s(const std::vector<std::uint8_t>& bytes, std::size_t first, std::size_t step = 4) {
  Profile values;
  for (std::size_t at = first; at < bytes.size(); at += step) values.push_back(i32_at(bytes, at));
  return values;
}

Rules rules_of(const json& rules) {
  return {.epoch = rules["epoch"],
          .start_s = rules["start"],
          .slots = rules["slots"],
          .slot_seconds = rules["slotSeconds"],
          .rho0 = rules["rho0"],
          .tolerance_w = rules["toleranceW"],
          .round_seconds = rules["roundSeconds"],
          .grace_seconds = rules["graceSeconds"],
          .enter_seconds = rules["enterSeconds"],
          .rounds_max = rules["roundsMax"]};
}

void expect_state(const Coordinator& coordinator, const json& state) {
  EXPECT_EQ("0x" + to_hex(coordinator.head_bytes()), state["head"]);
  EXPECT_EQ("0x" + to_hex(crypto::keccak256(coordinator.head_bytes())), state["epoch_word"]);
  EXPECT_EQ("0x" + to_hex(coordinator.vector_bytes()), state["vectors"]);
}

// One update as the vectors have it: what is signed wrongly is known by the reason, what is shown wrongly by the witness.
void replay_update(Coordinator& coordinator, const json& update) {
  const std::uint32_t id = update["id"];
  EXPECT_EQ("0x" + to_hex(coordinator.record_bytes(id)), update["record_before"]);
  const int reason = update["reason"];
  if (reason == 4) return;
  RecordData shown = coordinator.record(id);
  if (reason == 1) shown.change2 += 1;
  const Outcome outcome = coordinator.submit(id, i32s(raw(update["profile"]), 0), shown);
  EXPECT_EQ(static_cast<int>(outcome), reason);
  EXPECT_EQ("0x" + to_hex(coordinator.record_bytes(id)), update["record_after"]);
}

// Runs one written epoch; `before` is the epoch before it.
Coordinator replay_epoch(const json& epoch, const Coordinator* before, std::size_t& rounds) {
  const Rules rules = rules_of(epoch["rules"]);
  const std::vector<std::uint8_t> bytes = raw(epoch["parameters"]);
  const Parameters parameters{load_be64(bytes.data()), i32s(bytes, 8, 12), i32s(bytes, 12, 12), i32s(bytes, 16, 12)};
  const auto entering = raw(epoch["entering_head"]);
  Coordinator coordinator(rules, parameters, load_be64(entering.data() + 40));
  EXPECT_EQ(coordinator.head_bytes(), entering);
  for (const json& device : epoch["devices"]) {
    const auto limits = raw(device["limits"]);
    const auto signer = to_array<20>(bytes_of(raw(device["signer"])));
    coordinator.enter(device["id"], signer, {i32s(limits, 2, 8), i32s(limits, 6, 8)}, i32s(raw(device["fallback"]), 2));
    EXPECT_EQ("0x" + to_hex(coordinator.record_bytes(device["id"])), device["record"]);
  }
  for (std::size_t i = 0; i < epoch["rounds"].size(); ++i, ++rounds) {
    const json& round = epoch["rounds"][i];
    const std::uint64_t opened = round["head_fields"]["changed_at"];
    if (i == 0) coordinator.start(opened, epoch["rules"]["warmEpoch"] == 0 ? nullptr : before);
    expect_state(coordinator, round);
    for (const json& update : round["updates"]) replay_update(coordinator, update);
    EXPECT_EQ(json(coordinator.sums_w()), round["sums_w"]);
    EXPECT_EQ(static_cast<std::uint64_t>(coordinator.movement_w2()), round["movement_w2"]);
    EXPECT_EQ(static_cast<std::uint64_t>(coordinator.power2_w2()), round["power2_w2"]);
    const json& next = i + 1 < epoch["rounds"].size() ? epoch["rounds"][i + 1] : epoch["end"];
    const std::uint64_t closed = next["head_fields"]["changed_at"];
    EXPECT_TRUE(coordinator.may_close(closed));
    coordinator.close(closed);
  }
  expect_state(coordinator, epoch["end"]);
  return coordinator;
}

TEST(coordinator, repeats_every_byte_of_the_rounds_that_the_contract_wrote_down) {
  std::ifstream file = open_vectors("schedule_rounds.json");
  ASSERT_TRUE(file.is_open());
  const json vectors = json::parse(file);
  std::optional<Coordinator> before;
  std::size_t rounds = 0;
  for (const json& epoch : vectors["epochs"]) {
    SCOPED_TRACE(epoch["name"].get<std::string>());
    before.emplace(replay_epoch(epoch, before ? &*before : nullptr, rounds));
  }
  EXPECT_GT(rounds, 10U);
}

// One line of random_rounds.txt, taken apart number by number.
class Line {
 public:
  explicit Line(const std::string& text) : stream_(text) { kind = word(); }
  std::string word() {
    std::string text;
    EXPECT_TRUE(stream_ >> text);
    return text;
  }
  template <class T>
  T number() {
    T value{};
    EXPECT_TRUE(stream_ >> value);
    return value;
  }
  Profile profile(std::size_t count) {
    Profile values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(number<std::int32_t>());
    return values;
  }
  std::string kind;

 private:
  std::istringstream stream_;
};

// Plays the trace line by line.
class Trace {
 public:
  void play(const std::string& text) {
    Line line(text);
    const std::string kind = line.kind;
    EXPECT_TRUE(kind == "f" || freezable_.empty()) << "a device that may be frozen was not";
    if (kind == "e") open(line);
    if (kind == "p") set_parameters(line);
    if (kind == "d") enter(line);
    if (kind == "s") start(line);
    if (kind == "u") submit(line);
    if (kind == "t") refuse_to_close(line);
    if (kind == "c") close(line);
    if (kind == "f") freeze(line);
  }

  std::size_t rounds = 0, epochs = 0, frozen = 0, warm = 0;
  std::array<std::size_t, 5> reasons{};

 private:
  void open(Line& line) {
    rules_.epoch = line.number<std::uint64_t>();
    opened_s_ = line.number<std::uint64_t>();
    rules_.start_s = line.number<std::uint64_t>();
    rules_.slots = line.number<std::uint32_t>();
    rules_.slot_seconds = line.number<std::uint32_t>();
    rules_.rho0 = line.number<std::uint64_t>();
    rules_.tolerance_w = line.number<std::uint32_t>();
    rules_.round_seconds = line.number<std::uint64_t>();
    rules_.grace_seconds = line.number<std::uint64_t>();
    rules_.enter_seconds = line.number<std::uint64_t>();
    rules_.rounds_max = line.number<std::uint32_t>();
    warm_epoch_ = line.number<std::uint64_t>();
    ++epochs;
  }

  void set_parameters(Line& line) {
    Parameters parameters;
    parameters.gamma = line.number<std::uint64_t>();
    for (Profile* series : {&parameters.price, &parameters.base_w, &parameters.cap_w}) *series = line.profile(rules_.slots);
    before_ = std::move(now_);
    now_ = std::make_unique<Coordinator>(rules_, parameters, opened_s_);
    ids_.clear();
  }

  void enter(Line& line) {
    const std::uint32_t id = line.number<std::uint32_t>();
    const Address signer = to_array<20>(bytes_of(testing::from_hex(line.word())));
    Bounds bounds;
    const auto count = line.number<std::size_t>();
    for (Profile* series : {&bounds.min_w, &bounds.max_w}) *series = line.profile(count);
    now_->enter(id, signer, bounds, line.profile(line.number<std::size_t>()));
    ids_.insert(id);
  }

  void start(Line& line) {
    now_->start(line.number<std::uint64_t>(), warm_epoch_ == 0 ? nullptr : before_.get());
    warm += now_->head().rho0 == rules_.rho0 ? 0U : 1U;
    expect_digest(line.word());
  }

  void submit(Line& line) {
    const auto id = line.number<std::uint32_t>();
    const char kind = line.word()[0];
    const auto reason = line.number<std::size_t>();
    const Profile profile = line.profile(rules_.slots);
    ASSERT_LT(reason, reasons.size());
    ++reasons[reason];
    if (kind == 'v') {  // the signature is not this coordinator's to judge
      EXPECT_EQ(reason, 4U);
      return;
    }
    RecordData shown = kind == 'w' ? shown_before_ : now_->record(id);
    shown_before_ = now_->record(id);
    if (kind == 's') shown.signer = {};
    if (kind == 'c') shown.change2 += 1;
    if (kind == 'r') shown.round = now_->head().round;
    if (kind == 'p') {
      for (std::int32_t& x : shown.profile) x += 1;
    }
    EXPECT_EQ(static_cast<std::size_t>(now_->submit(id, profile, shown)), reason);
  }

  void refuse_to_close(Line& line) { EXPECT_FALSE(now_->may_close(line.number<std::uint64_t>())); }

  void close(Line& line) {
    const auto time_s = line.number<std::uint64_t>();
    EXPECT_TRUE(now_->may_close(time_s));
    now_->close(time_s);
    expect_digest(line.word());
    ++rounds;
    for (const std::uint32_t id : ids_) {
      if (now_->may_freeze(id)) freezable_.insert(id);
    }
  }

  void freeze(Line& line) {
    const auto id = line.number<std::uint32_t>();
    EXPECT_EQ(freezable_.erase(id), 1U);
    now_->freeze(id);
    ++frozen;
  }

  void expect_digest(const std::string& expected) {
    std::vector<std::uint8_t> state = now_->head_bytes();
    const auto add = [&state](const std::vector<std::uint8_t>& more) { state.insert(state.end(), more.begin(), more.end()); };
    const auto add_number = [&state](UInt128 value, std::uint32_t size) {
      for (std::uint32_t i = size; i-- > 0;) state.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    add(now_->vector_bytes());
    for (const std::int64_t sum : now_->sums_w()) add_number(static_cast<UInt128>(sum), 8);
    add_number(now_->movement_w2(), 16);
    add_number(now_->power2_w2(), 16);
    add_number(now_->answered(), 4);
    add_number(now_->frozen(), 4);
    for (const std::uint32_t id : ids_) add(now_->record_bytes(id));
    EXPECT_EQ(to_hex(crypto::keccak256(state)).substr(0, 16), expected) << "epoch " << rules_.epoch << ", round " << rounds;
  }

  Rules rules_;
  std::uint64_t opened_s_ = 0, warm_epoch_ = 0;
  std::unique_ptr<Coordinator> now_, before_;
  std::set<std::uint32_t> ids_, freezable_;
  RecordData shown_before_;
};

TEST(coordinator, agrees_with_the_contract_in_a_thousand_random_rounds) {
  std::ifstream file = open_vectors("random_rounds.txt");
  ASSERT_TRUE(file.is_open());
  Trace trace;
  for (std::string text; std::getline(file, text) && !::testing::Test::HasFailure();) trace.play(text);
  EXPECT_GE(trace.rounds, 1000U);
  EXPECT_GT(trace.epochs, 20U);
  EXPECT_GT(trace.frozen, 0U);
  EXPECT_GT(trace.warm, 0U);
  for (const std::size_t count : trace.reasons) EXPECT_GT(count, 20U);
}

TEST(coordinator, multiplies_and_compares_in_256_bits) {
  const UInt128 ones = ~UInt128{0};
  const UInt256 low(ones);
  EXPECT_EQ(low * UInt128{2}, low + low);
  // (2^128 - 1)^2 = (2^128 - 2) 2^128 + 1
  const UInt256 shift = UInt256(UInt128{1} << 64) * UInt256(UInt128{1} << 64);
  EXPECT_EQ(low * low, UInt256(ones - 1) * shift + UInt128{1});
  EXPECT_LT(low, shift);
  EXPECT_GT(low * low, low * UInt256(ones - 1));
  EXPECT_DEATH((void)(shift * shift), "");
}

TEST(coordinator, an_epoch_that_nobody_entered_fails) {
  Coordinator coordinator({.slots = 2}, {.gamma = 0, .price = {1, 1}, .base_w = {0, 0}, .cap_w = {9, 9}}, 5);
  coordinator.start(700);
  EXPECT_EQ(coordinator.head().status, schedule::EpochStatus::failed);
  EXPECT_EQ(coordinator.head().reason, schedule::FailReason::nobody_entered);
}

}  // namespace
}  // namespace wattproof::reference
