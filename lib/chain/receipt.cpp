// SPDX-License-Identifier: Apache-2.0
#include "chain/receipt.hpp"

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpReader;

constexpr std::uint8_t type_max = 2;
constexpr std::uint8_t list_base = 0xc0;  // a legacy receipt begins with a list prefix, a typed one with its type

Log read_log(RlpReader& logs) {
  Log log;
  RlpReader reader(logs.list());
  log.address = reader.fixed(20);
  RlpReader topics(reader.list());
  log.data = reader.string();
  while (!topics.at_end() && log.topic_count < log_topic_count_max) log.topics[log.topic_count++] = topics.fixed(32);
  // An empty address marks a log that is not in form; a good one has 20 bytes.
  if (reader.finish() != Error::none || topics.finish() != Error::none) log.address = {};
  return log;
}

}  // namespace

Error decode_receipt(Bytes value, Receipt& out) {
  out = Receipt();
  if (value.empty()) return Error::receipt_malformed;
  if (value[0] < list_base) {
    out.type = value[0];
    if (out.type == 0 || out.type > type_max) return Error::receipt_malformed;
    value = value.subspan(1);
  }
  RlpReader reader = codec::open_rlp_list(value);
  const Bytes status = reader.string();
  out.gas_cumulative = reader.integer();
  out.bloom = reader.fixed(256);
  out.logs = reader.list();
  if (reader.finish() != Error::none) return Error::receipt_malformed;

  if (status.size() == 32) {
    if (out.type != 0) return Error::receipt_malformed;  // typed receipts came after EIP-658
    out.state_root = status;
  } else if (status.size() == 1 && status[0] == 1) {
    out.is_success = true;
  } else if (!status.empty()) {
    return Error::receipt_malformed;
  }
  RlpReader logs(out.logs);
  while (!logs.at_end()) {
    if (read_log(logs).address.empty()) return Error::receipt_malformed;
    ++out.log_count;
  }
  return Error::none;
}

Error receipt_of(const TrieVerifier& verifier, Receipt& out) {
  if (verifier.progress() == TrieProgress::more) return Error::not_ready;
  if (verifier.progress() == TrieProgress::absent) return Error::value_absent;
  return decode_receipt(verifier.value(), out);
}

Result<Log> log_at(const Receipt& receipt, std::uint32_t index) {
  if (index >= receipt.log_count) return Error::log_absent;
  RlpReader logs(receipt.logs);
  for (std::uint32_t i = 0; i < index; ++i) (void)logs.any();
  return read_log(logs);
}

Error check_log(const Log& log, const Address& address, std::span<const Hash32> topics) {
  if (!equal(log.address, address) || log.topic_count != topics.size()) return Error::value_mismatch;
  for (std::uint32_t i = 0; i < log.topic_count; ++i) {
    if (!equal(log.topics[i], topics[i])) return Error::value_mismatch;
  }
  return Error::none;
}

bool bloom_admits(Bytes bloom, Bytes item) {
  const Hash32 hash = crypto::keccak256(item);
  for (std::uint32_t i = 0; i < 6; i += 2) {
    const std::uint32_t bit = load_be16(&hash[i]) & 2047U;
    if ((bloom[255 - bit / 8] >> bit % 8 & 1) == 0) return false;
  }
  return true;
}

}  // namespace wattproof::chain
