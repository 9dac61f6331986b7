// SPDX-License-Identifier: Apache-2.0
#include "store/energy_journal.hpp"

#include "store/crc32.hpp"

namespace wattproof::store {
namespace {

constexpr std::uint32_t journal_magic = 0x57504531;  // "WPE1"
constexpr std::size_t crc_at = 28;

}  // namespace

JournalBytes encode_journal_record(const JournalRecord& record) {
  JournalBytes bytes{};
  store_be32(bytes.data(), journal_magic);
  store_be32(bytes.data() + 4, record.sequence);
  store_be64(bytes.data() + 8, record.totals.import_mwh);
  store_be64(bytes.data() + 16, record.totals.export_mwh);
  store_be32(bytes.data() + 24, record.totals.uptime_s);
  store_be32(bytes.data() + crc_at, crc32(Bytes(bytes).first(crc_at)));
  return bytes;
}

Result<JournalRecord> decode_journal_record(const JournalBytes& bytes) {
  if (load_be32(bytes.data()) != journal_magic) return Error::record_corrupt;
  if (load_be32(bytes.data() + crc_at) != crc32(Bytes(bytes).first(crc_at))) return Error::record_corrupt;
  const JournalRecord record = {.sequence = load_be32(bytes.data() + 4),
                                .totals = {.import_mwh = load_be64(bytes.data() + 8),
                                           .export_mwh = load_be64(bytes.data() + 16),
                                           .uptime_s = load_be32(bytes.data() + 24)}};
  if (record.sequence == 0) return Error::record_corrupt;
  return record;
}

}  // namespace wattproof::store
