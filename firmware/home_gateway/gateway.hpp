// SPDX-License-Identifier: Apache-2.0
// The gateway between devices and a chain: answers wants with evidence of one block, gathers updates and check-ins, tells
// of new blocks. It is trusted by nobody. All state belongs to the thread of the event loop; calls to the node are
// posted to the worker.
#pragma once

#include <functional>

#include "chain_access.hpp"
#include "chain_view.hpp"
#include "evidence_desk.hpp"
#include "event_log.hpp"
#include "lies.hpp"
#include "round_keeper.hpp"
#include "sender.hpp"

namespace wattproof::gateway {

constexpr std::size_t devices_max = 4096;       // that have spoken since the start
constexpr std::size_t slots_asked_max = 32;     // storage slots that one device may ask for at one block

struct GatewayOptions {
  ethereum::Engine engine = ethereum::Engine::qbft;
  std::uint64_t chain_id = 0;                   // 0: the node's own
  Address registry{};
  std::uint64_t first_block = 0;
  std::uint64_t gas_price_wei = 0;              // of every transaction; above 0 the account needs coins
  std::uint64_t poll_ms = 250;
  BatchOptions batch;
  Lie lie = Lie::none;
};

struct Counters {
  std::uint64_t frames = 0;
  std::uint64_t refused_frames = 0;             // malformed, or of nobody that we know
  std::uint64_t wants = 0;
  std::uint64_t answers = 0;
  std::uint64_t updates = 0;
  std::uint64_t refused_updates = 0;
  std::uint64_t check_ins = 0;
  std::uint64_t proof_requests = 0;
  std::uint64_t reorganisations = 0;
};

class Gateway {
 public:
  // Hands a frame to a device. May lose it.
  using SendFrame = std::function<void(const Address& device, const ByteVector& frame)>;

  Gateway(const GatewayOptions& options, const crypto::PrivateKey& key, Sender::Post post, SendFrame send, EventLog& log);

  void on_frame(const Address& device, Bytes frame, std::uint64_t now_ms);
  void tick(std::uint64_t now_ms);

  bool is_synced() const { return is_synced_; }
  const ChainView& view() const { return view_; }
  const Evidence& evidence() const { return evidence_; }
  const Counters& counters() const { return counters_; }
  nlohmann::ordered_json metrics() const;

 private:
  struct Device {
    std::optional<OwnedWant> waiting;           // for a proof that is being fetched; a newer want replaces it
    std::uint64_t header_block = 0;             // whose header it is reading
    std::uint64_t asked_block = 0;
    std::size_t asked_slots = 0;                // at that block
    std::set<std::pair<Address, Hash32>> usual_slots;  // asked lately, so fetched at once with the next block's
    message::DeviceStatus status{};
    std::uint32_t boot_count = 0;
    std::uint64_t heard_ms = 0;
  };

  // Chain
  void find_contracts();
  void poll(std::uint64_t now_ms);
  void take_news(const ChainNews& news);
  void take_events(const ChainNews& news);
  void report(const ContractEvent& event);
  void roll_back(std::uint64_t block);
  void chain_failed(const std::string& why);
  void fetch_missing();
  void take_proofs(std::uint64_t block, const ProofAnswer& answer);
  void fail_proofs(std::uint64_t block, const std::string& why, bool is_gone);
  void expect_wants(std::uint64_t block);

  // Devices
  void on_hello(const Address& address, Device& device, const message::Hello& hello);
  void on_want(const Address& address, Device& device, const message::Want& want);
  void answer(const Address& address, Device& device, OwnedWant want);
  void answer_header(const Address& address, Device& device, const OwnedWant& want);
  void answer_proof(const Address& address, Device& device, OwnedWant want);
  void on_update(const Address& address, const message::Update& update);
  void on_status(const Address& address, Device& device, const message::DeviceStatus& status);
  void send(const Address& address, const ByteVector& frame);
  void notify(const Address& address);
  void notify_all();
  void flood();
  void refuse(const Address& address, const char* what, Error error);
  std::uint64_t newest_block();
  std::uint32_t id_of(const Address& address) const;

  GatewayOptions options_;
  Sender::Post post_;
  SendFrame send_;
  EventLog& log_;
  ChainView view_;
  Evidence evidence_;
  Liar liar_;
  Sender sender_;
  RoundKeeper keeper_;
  ScanState scan_;
  Counters counters_;
  std::map<Address, Device> devices_;
  std::map<std::uint64_t, ProofRequest> missing_;  // by block
  bool is_fetching_ = false;
  bool is_polling_ = false;
  bool is_synced_ = false;
  bool is_chain_down_ = false;
  std::uint64_t now_ms_ = 0;
  std::uint64_t polled_ms_ = 0;
  std::uint64_t poll_wait_ms_ = 0;
  std::uint64_t flood_turn_ = 0;
};

}  // namespace wattproof::gateway
