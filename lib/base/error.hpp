// SPDX-License-Identifier: Apache-2.0
// Every way in which the world can be wrong, by cause. Values are stable on the wire and in the C API:
// append within a block, never renumber. A module's own header says which it returns and what that means there.
#pragma once

#include <cstdint>

namespace wattproof {

enum class [[nodiscard]] Error : std::uint16_t {
  none = 0,

  // Any decoder or interface (1..19)
  truncated = 1,         // the input ends before the value does
  trailing_bytes = 2,    // the value ends before the input does
  non_canonical = 3,     // a second encoding of a value that has a shorter or ordered one
  too_large = 4,         // a length or count above its named limit
  wrong_type = 5,        // an item of another type than the format asks for
  wrong_length = 6,      // a fixed-size field of another size
  out_of_range = 7,      // a number outside its documented range
  capacity = 8,          // a buffer that the caller gave is too small
  unknown_version = 9,   // a format version that this build does not know
  unknown_kind = 10,     // a message, record or device kind that this build does not know
  not_ready = 11,        // called before the state that it needs was reached
  overflow = 12,         // a sum or product left its type; the input is refused, nothing wrapped
  too_deep = 13,         // nesting beyond the named depth

  // crypto (20..39)
  bad_signature = 20,       // r, s or v outside its range, or no public key recovers
  signature_high_s = 21,    // s above n/2: the second form of a signature
  bad_key = 22,             // a private key that is 0 or not below the group order
  entropy_failed = 23,      // the entropy source refused or failed its health check
  key_file_refused = 24,    // wrong passphrase or wrapping key, or a changed key file
  wrong_signer = 25,        // reserved: a signature that is valid, but of another key

  // chain: headers and seals (100..139)
  header_field_count = 100,
  header_field_invalid = 101,   // a field that breaks a rule of its engine (mixHash, difficulty, ommers, nonce, gas)
  extra_data_invalid = 102,
  parent_hash_mismatch = 103,
  number_not_newer = 104,       // not above the trusted head, or not its child where that is required
  number_not_contiguous = 105,
  timestamp_too_early = 106,    // earlier than the trusted time plus the minimum period
  timestamp_in_future = 107,    // beyond the allowed clock skew
  validators_not_ascending = 108,
  validators_empty = 109,
  validators_too_many = 110,
  validators_mismatch = 111,    // the header's list differs from the set after its parent
  coinbase_not_validator = 112,
  unknown_signer = 113,         // a seal by somebody outside the set
  duplicate_signer = 114,       // one signer sealed twice
  seal_below_quorum = 115,
  overlap_too_small = 116,      // a skip with a third or less of the trusted set among the signers
  trusting_period_over = 117,   // the trusted head is too old to skip from
  block_hash_mismatch = 118,    // reserved: a header whose hash was known beforehand
  conflicting_final_headers = 119,  // two final headers at one height: latched, report it
  signed_recently = 120,        // Clique: the signer is still among the recents
  wrong_difficulty = 121,
  wrong_step = 122,             // AuRa: step not above its parent's, or too far ahead
  wrong_author = 123,           // AuRa: the step belongs to another validator
  not_final = 124,              // valid, but not yet sealed by enough distinct signers
  votes_too_many = 125,
  seal_length = 126,
  validator_set_pending = 127,
  seals_too_many = 128,         // more seals than validators: one of them is doubled or foreign

  // chain: proofs (140..169)
  trie_truncated = 140,        // a node is needed and none is left
  trie_hash_mismatch = 141,
  trie_node_malformed = 142,
  trie_path_malformed = 143,
  trie_trailing_nodes = 144,
  trie_too_deep = 145,
  trie_node_too_short = 146,   // a hashed node below 32 bytes that is not the root
  trie_node_too_large = 147,
  trie_value_malformed = 148,
  account_malformed = 149,
  storage_malformed = 150,
  receipt_malformed = 151,
  transaction_malformed = 152,
  log_absent = 153,
  value_absent = 154,          // proven absent where presence is required
  value_mismatch = 155,        // proven, but another value than the one claimed

  // chain: head (170..189)
  head_stale = 170,
  head_not_proved_fresh = 171,  // after a boot: own message not yet seen under a final header
  head_rolled_back = 172,       // below what the store or the counter has seen
  wrong_chain = 173,

  // solver (200..229)
  infeasible = 200,
  infeasible_below = 201,       // a lower limit cannot be reached
  infeasible_above = 202,       // an upper limit cannot be kept
  workspace_too_small = 203,
  slot_count_invalid = 204,
  not_a_multiple = 205,         // energy that is no whole number of slots
  not_converged = 206,          // an iteration ended with neither an answer nor a proof that there is none

  // message and wire (230..249)
  wrong_contract = 230,         // reserved: a message to another contract
  wrong_epoch = 231,
  wrong_round = 232,
  wrong_device = 233,
  replayed = 234,               // reserved: a message that was seen before
  unexpected = 235,             // well formed, but not what was asked for

  // store (250..269)
  storage_failed = 250,
  record_absent = 251,
  record_corrupt = 252,
  storage_full = 253,

  // node, control and hal (270..299)
  hardware_failed = 270,
  link_down = 271,
  rate_limited = 272,           // inputs beyond what was promised to be taken in
  relay_mismatch = 273,         // reserved: the sensed state differs from the commanded one
  configuration_invalid = 274,
};

// The enumerator's name, for logs and tools: "seal_below_quorum". Never null.
const char* error_name(Error error);

}  // namespace wattproof
