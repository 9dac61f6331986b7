// SPDX-License-Identifier: Apache-2.0
// What comes out of flash after a power cut, and the committed data of an epoch: decoded or refused, never more.
#include "chain/head.hpp"
#include "chain/receipt.hpp"
#include "node/records.hpp"
#include "oracle.hpp"
#include "schedule/epoch.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattproof;
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  const std::uint32_t slots = 1 + data[0] % slot_count_max;
  static chain::TrustedHead head;
  if (chain::decode_head(input, head) == Error::none) {
    static std::array<std::uint8_t, chain::head_record_size> again;
    chain::encode_head(head, again);
    fuzz::require(equal(again, input));
  }
  static chain::Receipt receipt;
  (void)chain::decode_receipt(input, receipt);
  static schedule::EpochHead epoch_head;
  if (schedule::decode_head(input, epoch_head) == Error::none) {
    std::array<std::uint8_t, schedule::head_size> again{};
    schedule::encode_head(epoch_head, again);
    fuzz::require(equal(again, input));
  }
  static schedule::Vectors vectors;
  (void)schedule::Vectors::decode(input, slots, vectors);
  static schedule::Record record;
  (void)schedule::decode_record(input, slots, record);
  (void)node::decode_boot(input);
  static node::SignedUpdate update;
  (void)node::decode_update(input, update);
  static node::Schedule schedule;
  (void)node::decode_schedule(input, schedule);
  return 0;
}
