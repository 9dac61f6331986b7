// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

namespace wattproof {

const char* error_name(Error error) {
  switch (error) {
    case Error::none: return "none";
    case Error::truncated: return "truncated";
    case Error::trailing_bytes: return "trailing_bytes";
    case Error::non_canonical: return "non_canonical";
    case Error::too_large: return "too_large";
    case Error::wrong_type: return "wrong_type";
    case Error::wrong_length: return "wrong_length";
    case Error::out_of_range: return "out_of_range";
    case Error::capacity: return "capacity";
    case Error::unknown_version: return "unknown_version";
    case Error::unknown_kind: return "unknown_kind";
    case Error::not_ready: return "not_ready";
    case Error::overflow: return "overflow";
    case Error::too_deep: return "too_deep";
    case Error::bad_signature: return "bad_signature";
    case Error::signature_high_s: return "signature_high_s";
    case Error::bad_key: return "bad_key";
    case Error::entropy_failed: return "entropy_failed";
    case Error::key_file_refused: return "key_file_refused";
    case Error::wrong_signer: return "wrong_signer";
    case Error::header_field_count: return "header_field_count";
    case Error::header_field_invalid: return "header_field_invalid";
    case Error::extra_data_invalid: return "extra_data_invalid";
    case Error::parent_hash_mismatch: return "parent_hash_mismatch";
    case Error::number_not_newer: return "number_not_newer";
    case Error::number_not_contiguous: return "number_not_contiguous";
    case Error::timestamp_too_early: return "timestamp_too_early";
    case Error::timestamp_in_future: return "timestamp_in_future";
    case Error::validators_not_ascending: return "validators_not_ascending";
    case Error::validators_empty: return "validators_empty";
    case Error::validators_too_many: return "validators_too_many";
    case Error::validators_mismatch: return "validators_mismatch";
    case Error::coinbase_not_validator: return "coinbase_not_validator";
    case Error::unknown_signer: return "unknown_signer";
    case Error::duplicate_signer: return "duplicate_signer";
    case Error::seal_below_quorum: return "seal_below_quorum";
    case Error::overlap_too_small: return "overlap_too_small";
    case Error::trusting_period_over: return "trusting_period_over";
    case Error::block_hash_mismatch: return "block_hash_mismatch";
    case Error::conflicting_final_headers: return "conflicting_final_headers";
    case Error::signed_recently: return "signed_recently";
    case Error::wrong_difficulty: return "wrong_difficulty";
    case Error::wrong_step: return "wrong_step";
    case Error::wrong_author: return "wrong_author";
    case Error::not_final: return "not_final";
    case Error::votes_too_many: return "votes_too_many";
    case Error::seal_length: return "seal_length";
    case Error::validator_set_pending: return "validator_set_pending";
    case Error::seals_too_many: return "seals_too_many";
    case Error::trie_truncated: return "trie_truncated";
    case Error::trie_hash_mismatch: return "trie_hash_mismatch";
    case Error::trie_node_malformed: return "trie_node_malformed";
    case Error::trie_path_malformed: return "trie_path_malformed";
    case Error::trie_trailing_nodes: return "trie_trailing_nodes";
    case Error::trie_too_deep: return "trie_too_deep";
    case Error::trie_node_too_short: return "trie_node_too_short";
    case Error::trie_node_too_large: return "trie_node_too_large";
    case Error::trie_value_malformed: return "trie_value_malformed";
    case Error::account_malformed: return "account_malformed";
    case Error::storage_malformed: return "storage_malformed";
    case Error::receipt_malformed: return "receipt_malformed";
    case Error::transaction_malformed: return "transaction_malformed";
    case Error::log_absent: return "log_absent";
    case Error::value_absent: return "value_absent";
    case Error::value_mismatch: return "value_mismatch";
    case Error::head_stale: return "head_stale";
    case Error::head_not_proved_fresh: return "head_not_proved_fresh";
    case Error::head_rolled_back: return "head_rolled_back";
    case Error::wrong_chain: return "wrong_chain";
    case Error::infeasible: return "infeasible";
    case Error::infeasible_below: return "infeasible_below";
    case Error::infeasible_above: return "infeasible_above";
    case Error::workspace_too_small: return "workspace_too_small";
    case Error::slot_count_invalid: return "slot_count_invalid";
    case Error::not_a_multiple: return "not_a_multiple";
    case Error::not_converged: return "not_converged";
    case Error::wrong_contract: return "wrong_contract";
    case Error::wrong_epoch: return "wrong_epoch";
    case Error::wrong_round: return "wrong_round";
    case Error::wrong_device: return "wrong_device";
    case Error::replayed: return "replayed";
    case Error::unexpected: return "unexpected";
    case Error::storage_failed: return "storage_failed";
    case Error::record_absent: return "record_absent";
    case Error::record_corrupt: return "record_corrupt";
    case Error::storage_full: return "storage_full";
    case Error::hardware_failed: return "hardware_failed";
    case Error::link_down: return "link_down";
    case Error::rate_limited: return "rate_limited";
    case Error::relay_mismatch: return "relay_mismatch";
    case Error::configuration_invalid: return "configuration_invalid";
  }
  return "unknown_error";
}

}  // namespace wattproof
