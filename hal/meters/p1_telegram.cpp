// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/p1_telegram.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "hal/meters/crc16.hpp"

namespace wattproof::hal {
namespace {

constexpr std::size_t checksum_digits = 4;
constexpr std::size_t number_digits_max = 12;
constexpr std::size_t fraction_digits = 3;  // kWh and kW with three digits are Wh and W

bool is_digit(char character) { return character >= '0' && character <= '9'; }

int hex_digit(char character) {
  if (is_digit(character)) return character - '0';
  return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

// "000123.456*kWh" to 123456. Exactly three digits behind the point, as the standard has them.
Error read_thousandths(std::string_view text, std::string_view unit, std::uint64_t& value) {
  if (text.size() < unit.size() || text.substr(text.size() - unit.size()) != unit) return Error::out_of_range;
  text.remove_suffix(unit.size());
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || point == 0 || text.size() - point - 1 != fraction_digits || text.size() > number_digits_max + 1) return Error::out_of_range;
  value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (!is_digit(text[i])) return Error::out_of_range;
    value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
  }
  return Error::none;
}

// Sums of tariffs; a total that a meter also sends is not added to them.
struct Sums {
  std::optional<std::uint64_t> by_tariff, total;
  [[nodiscard]] std::optional<std::uint64_t> mwh() const {
    const std::optional<std::uint64_t> wh = by_tariff ? by_tariff : total;
    return wh ? std::optional(*wh * 1000) : std::nullopt;
  }
};

struct Found {
  Sums imported, exported;
  std::optional<std::uint64_t> drawn_w, fed_w;
};

Error take_energy(Sums& sums, std::string_view tariff, std::string_view value) {
  if (tariff != "0" && tariff != "1" && tariff != "2") return Error::none;
  std::uint64_t wh = 0;
  WATTPROOF_TRY(read_thousandths(value, "*kWh", wh));
  if (tariff == "0") sums.total = wh;
  else sums.by_tariff = sums.by_tariff.value_or(0) + wh;
  return Error::none;
}

Error take_power(std::optional<std::uint64_t>& power_w, std::string_view value) {
  std::uint64_t w = 0;
  WATTPROOF_TRY(read_thousandths(value, "*kW", w));
  if (w > 0x7fffffff) return Error::out_of_range;
  power_w = w;
  return Error::none;
}

// "1-0:1.8.1(000123.456*kWh)"
Error take_line(std::string_view line, Found& found) {
  constexpr std::string_view electricity = "1-0:";
  if (line.substr(0, electricity.size()) != electricity) return Error::none;
  line.remove_prefix(electricity.size());
  const std::size_t open = line.find('(');
  if (open == std::string_view::npos || line.back() != ')') return Error::none;
  const std::string_view name = line.substr(0, open);
  const std::string_view value = line.substr(open + 1, line.size() - open - 2);
  if (name.substr(0, 4) == "1.8.") return take_energy(found.imported, name.substr(4), value);
  if (name.substr(0, 4) == "2.8.") return take_energy(found.exported, name.substr(4), value);
  if (name == "1.7.0") return take_power(found.drawn_w, value);
  if (name == "2.7.0") return take_power(found.fed_w, value);
  return Error::none;
}

Error check(std::string_view text, std::size_t end) {
  if (text.size() < end + 1 + checksum_digits) return Error::truncated;
  std::uint32_t stated = 0;
  for (std::size_t i = 0; i < checksum_digits; ++i) {
    const int digit = hex_digit(text[end + 1 + i]);
    if (digit < 0) return Error::truncated;
    stated = stated << 4 | static_cast<std::uint32_t>(digit);
  }
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  return crc16_arc(Bytes(bytes, end + 1)) == stated ? Error::none : Error::record_corrupt;
}

}  // namespace

Error decode_p1_telegram(Bytes telegram, MeterReading& reading) {
  if (telegram.empty() || telegram[0] != '/' || telegram.size() > p1_telegram_size_max) return Error::truncated;
  std::string_view text(reinterpret_cast<const char*>(telegram.data()), telegram.size());
  const std::size_t end = text.find('!');
  if (end == std::string_view::npos) return Error::truncated;
  WATTPROOF_TRY(check(text, end));
  Found found;
  text = text.substr(0, end);
  while (!text.empty()) {
    const std::size_t stop = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, stop);
    text.remove_prefix(std::min(stop + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) WATTPROOF_TRY(take_line(line, found));
  }
  reading = {};
  reading.import_mwh = found.imported.mwh();
  reading.export_mwh = found.exported.mwh();
  if (found.drawn_w || found.fed_w) {
    reading.power_w = static_cast<std::int32_t>(static_cast<std::int64_t>(found.drawn_w.value_or(0)) - static_cast<std::int64_t>(found.fed_w.value_or(0)));
  }
  return reading.power_w || reading.import_mwh || reading.export_mwh ? Error::none : Error::value_absent;
}

bool P1Reader::push(std::uint8_t byte) {
  if (is_complete_ || byte == '/') {
    size_ = end_ = 0;
    is_complete_ = false;
  }
  if (size_ == 0 && byte != '/') return false;
  if (size_ == bytes_.size()) {
    size_ = end_ = 0;
    return false;
  }
  bytes_[size_++] = byte;
  if (byte == '!' && end_ == 0) end_ = size_ - 1;
  is_complete_ = end_ != 0 && size_ == end_ + 1 + checksum_digits;
  return is_complete_;
}

}  // namespace wattproof::hal
