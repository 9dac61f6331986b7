// SPDX-License-Identifier: Apache-2.0
// The same device in C++: a type with the members of hal::Port is a board, and hal::Runner does the rest. The compiler says
// what a board is missing.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "base/check.hpp"
#include "hal/runner.hpp"
#include "hal/sim/simulated_relay.hpp"
#include "node/node.hpp"

using namespace wattproof;

// What to do about a mistake of our own. A device drives its outputs to their safe state and resets.
[[noreturn]] void wattproof::check_failed(const char* file, int line) {
  std::fprintf(stderr, "check failed at %s:%d\n", file, line);
  std::abort();
}

namespace {

// A board that is made up. A map and a vector are fine here: the library itself takes no heap.
class Board {
 public:
  explicit Board(const crypto::PrivateKey& key) : key_(key) {}

  BootMs now() { return now_; }
  Error entropy(MutableBytes into) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<std::uint8_t>(7 * i + 1);
    return Error::none;
  }
  Error send(Bytes) {
    ++frames_sent;
    return Error::none;
  }
  Error write_record(std::uint8_t id, Bytes record) {
    records_[id].assign(record.begin(), record.end());
    return Error::none;
  }
  Result<std::uint32_t> read_record(std::uint8_t id, MutableBytes into) {
    const auto found = records_.find(id);
    if (found == records_.end()) return Error::record_absent;
    std::memcpy(into.data(), found->second.data(), found->second.size());
    return static_cast<std::uint32_t>(found->second.size());
  }
  Error sign(const Hash32& digest, crypto::Signature& signature) { return crypto::sign(key_, digest, signature); }
  Error set_relay(bool on, const node::Evidence& why) {
    std::printf("%5llu s  relay %s, reason %d\n", static_cast<unsigned long long>(now_.ms / 1000), on ? "closed" : "open", static_cast<int>(why.reason));
    return relay.command(on, now_);
  }
  Error set_point(std::int32_t, const node::Evidence&) { return Error::not_ready; }
  Error sense_relay(bool& on) {
    on = relay.sensed(now_);
    return Error::none;
  }
  void report(hal::Fault fault, Error error) { std::printf("fault %d: %s\n", static_cast<int>(fault), error_name(error)); }

  void wait_until(BootMs time) { now_ = time > now_ ? time : now_.plus(1); }

  hal::SimulatedRelay relay;
  unsigned frames_sent = 0;

 private:
  const crypto::PrivateKey& key_;
  BootMs now_{};
  std::map<std::uint8_t, std::vector<std::uint8_t>> records_;
};

static_assert(hal::Port<Board>);

node::Config configuration(const Address& address) {
  static const std::int32_t cycle_w[] = {1800, 1800, 1800};
  node::Config config;
  config.chain.chain_id = 1337;
  config.chain.registry.fill(0x5f);
  for (std::uint8_t i = 1; i <= 4; ++i) config.chain.checkpoint.validators.items[config.chain.checkpoint.validators.count++] = Address{i};
  config.device.id = 7;
  config.device.address = address;
  config.device.grid = {24, 3600};
  config.device.device.kind = solver::DeviceKind::appliance;
  config.device.device.profile_w = cycle_w;
  config.device.device.end_slot = 12;
  config.output.has_relay = true;
  config.output.relay.off_ms_min = config.output.relay.on_ms_min = 60'000;
  return config;
}

}  // namespace

int main() {
  crypto::PrivateKey key{};
  key[31] = 1;  // a real device makes its own, from its entropy
  const Result<Address> address = crypto::address_of(key);
  static node::Node node;  // tens of kilobytes: not on the stack
  Board board(key);
  hal::Runner runner(node, board);
  if (!address || node.configure(configuration(*address)) != Error::none || runner.start() != Error::none) return 1;
  runner.feed({.kind = node::InputKind::link_up});

  const auto live_until = [&](std::uint64_t seconds) {
    while (board.now().ms < seconds * 1000) {
      board.wait_until(runner.wake());
      runner.run();
    }
  };
  live_until(3600);
  if (board.relay.sensed(board.now()) || board.frames_sent == 0) return 1;  // nothing was proved, nothing was switched

  node::Input button{.kind = node::InputKind::button};
  button.button = node::ButtonCommand::force_on;
  button.button_s = 300;
  runner.feed(button);
  live_until(3600 + 299);
  if (!board.relay.sensed(board.now())) return 1;
  live_until(3600 + 302);
  if (board.relay.sensed(board.now())) return 1;
  std::puts("relay_in_cpp: ok");
  return 0;
}
