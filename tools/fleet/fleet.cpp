// SPDX-License-Identifier: Apache-2.0
// Many devices in one process, to measure what a gateway and a chain can take: each answers every round with a signed
// profile of its own. They solve nothing and verify nothing; the keys are public (keccak("fleet0"), ...).
//
//   wattproof-fleet --devices N --addresses             their addresses as JSON
//   wattproof-fleet --devices N --broker PORT ...       answers until SIGTERM, then says how much as JSON
#include <mosquitto.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>

#include "base/check.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "hex_text.hpp"
#include "message/frame.hpp"
#include "message/typed_data.hpp"

namespace wattproof {

[[noreturn]] void check_failed(const char* file, int line) {
  std::cerr << "internal check failed at " << file << ':' << line << '\n';
  std::abort();
}

}  // namespace wattproof

namespace {

using namespace wattproof;

constexpr std::uint64_t repeat_ms = 6'000;   // a round that stands still may have lost answers
constexpr std::size_t burst_count_max = 25;  // answers between two looks at the connection

volatile std::sig_atomic_t is_ending = 0;

struct Options {
  std::uint32_t devices = 100;
  std::uint32_t slots = 24;
  bool is_listing = false;
  std::uint16_t port = 0;
  std::string password_file;
  std::uint64_t chain_id = 0;
  std::string scheduler;
};

struct Member {
  crypto::PrivateKey key{};
  Address address{};
};

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

std::vector<Member> make_members(std::uint32_t count) {
  std::vector<Member> members(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string seed = "fleet" + std::to_string(i);
    members[i].key = crypto::keccak256(Bytes(reinterpret_cast<const std::uint8_t*>(seed.data()), seed.size()));
    members[i].address = *crypto::address_of(members[i].key);
  }
  return members;
}

class Fleet {
 public:
  explicit Fleet(const Options& options)
      : options_(options),
        members_(make_members(options.devices)),
        domain_(message::scheduler_domain(options.chain_id, *ethereum::parse_hex_array<20>(options.scheduler))) {}

  int run() {
    mosquitto_lib_init();
    client_ = mosquitto_new("fleet", true, this);
    std::string password;
    std::getline(std::ifstream(options_.password_file) >> std::ws, password);
    mosquitto_username_pw_set(client_, "gateway", password.c_str());
    mosquitto_message_callback_set(client_, on_message);
    if (mosquitto_connect(client_, "127.0.0.1", options_.port, 60) != MOSQ_ERR_SUCCESS) return 1;
    const std::string topic = "wp/v1/" + ethereum::to_hex(members_[0].address).substr(2) + "/down";
    mosquitto_subscribe(client_, nullptr, topic.c_str(), 0);
    while (is_ending == 0 && mosquitto_loop(client_, 20, 1) == MOSQ_ERR_SUCCESS) {
      const bool is_due = round_ != answered_ || now_ms() - answered_ms_ >= repeat_ms;
      if (round_.round != 0 && is_due) answer();
    }
    std::cout << "{\"answers\":" << answers_ << ",\"rounds\":" << rounds_ << "}" << std::endl;
    mosquitto_destroy(client_);
    return 0;
  }

 private:
  struct Round {
    std::uint64_t epoch = 0;
    std::uint32_t round = 0;
    bool operator==(const Round&) const = default;
  };

  static void on_message(mosquitto*, void* self, const mosquitto_message* arrived) {
    message::DownFrame frame;
    const Bytes bytes(static_cast<const std::uint8_t*>(arrived->payload), static_cast<std::size_t>(arrived->payloadlen));
    if (!ok(message::decode(bytes, frame)) || frame.kind != message::FrameKind::notice) return;
    static_cast<Fleet*>(self)->round_ = {frame.notice.negotiated_epoch, frame.notice.round};
  }

  // A profile that changes from round to round, so that the epoch does not come to its end too early.
  std::int32_t power_w(std::uint32_t member, std::uint32_t slot) const {
    return static_cast<std::int32_t>((member * 131 + slot * 17 + round_.round * 97) % 1000);
  }

  void answer() {
    rounds_ += round_ != answered_;
    answered_ = round_;
    answered_ms_ = now_ms();
    std::vector<std::int32_t> profile_w(options_.slots);
    std::vector<std::uint8_t> encoded(4 * std::size_t{options_.slots});
    std::array<std::uint8_t, frame_size_max> buffer{};
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
      for (std::uint32_t t = 0; t < options_.slots; ++t) profile_w[t] = power_w(i, t);
      message::Update update{answered_.epoch, answered_.round, *message::encode_profile(profile_w, encoded), {}};
      const Hash32 digest = message::update_digest(domain_, update.epoch, update.round, profile_w);
      if (!ok(crypto::sign(members_[i].key, digest, update.signature))) continue;
      const Bytes frame = *message::encode(update, buffer);
      const std::string topic = "wp/v1/" + ethereum::to_hex(members_[i].address).substr(2) + "/up";
      mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(frame.size()), frame.data(), 0, false);
      ++answers_;
      if (i % burst_count_max == burst_count_max - 1) mosquitto_loop(client_, 0, 1);
      if (round_ != answered_) return;  // the next round has come already
    }
  }

  Options options_;
  std::vector<Member> members_;
  Hash32 domain_;
  mosquitto* client_ = nullptr;
  Round round_, answered_;
  std::uint64_t answered_ms_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t rounds_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Many devices in one process, to measure a gateway and a chain.", "wattproof-fleet");
  Options options;
  app.add_option("--devices", options.devices, "How many")->required()->check(CLI::Range(1, 10'000));
  app.add_option("--slots", options.slots, "Of a profile")->capture_default_str()->check(CLI::Range(1, 96));
  app.add_flag("--addresses", options.is_listing, "Print the devices' addresses and end");
  app.add_option("--broker", options.port, "Port on loopback");
  app.add_option("--password-file", options.password_file, "Of the broker's user gateway");
  app.add_option("--chain-id", options.chain_id);
  app.add_option("--scheduler", options.scheduler, "Address of the Scheduler");
  CLI11_PARSE(app, argc, argv);
  if (options.is_listing) {
    const std::vector<Member> members = make_members(options.devices);
    for (std::size_t i = 0; i < members.size(); ++i) {
      std::cout << (i == 0 ? "[\"" : ",\"") << ethereum::to_hex(members[i].address) << '"';
    }
    std::cout << ']' << std::endl;
    return 0;
  }
  if (options.port == 0 || !ethereum::parse_hex_array<20>(options.scheduler)) {
    std::cerr << "wattproof-fleet: --broker and --scheduler are needed" << std::endl;
    return 2;
  }
  std::signal(SIGTERM, [](int) { is_ending = 1; });
  std::signal(SIGINT, [](int) { is_ending = 1; });
  return Fleet(options).run();
}
