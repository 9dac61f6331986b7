// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/pzem_meter.hpp"

#include "hal/meters/crc16.hpp"

namespace wattproof::hal {
namespace {

constexpr std::uint8_t read_input_registers = 4;
constexpr std::uint8_t exception_flag = 0x80;
constexpr std::uint8_t register_count = 10;
constexpr std::size_t exception_size = 5;
constexpr std::size_t data_at = 3;
constexpr std::uint32_t power_dw_max = 230'000;    // 0.1 W; the meter ends at 23 kW
constexpr std::uint32_t voltage_dv_max = 2'800;    // 0.1 V
constexpr std::uint32_t energy_wh_max = 9'999'990; // where its counter starts again

std::uint32_t word(Bytes answer, std::size_t number) {
  const std::size_t at = data_at + 2 * number;
  return static_cast<std::uint32_t>(answer[at] << 8 | answer[at + 1]);
}

bool has_checksum(Bytes bytes) {
  const std::uint16_t crc = crc16_modbus(bytes.first(bytes.size() - 2));
  return bytes[bytes.size() - 2] == (crc & 0xff) && bytes[bytes.size() - 1] == crc >> 8;
}

}  // namespace

std::array<std::uint8_t, pzem_request_size> pzem_request(std::uint8_t address) {
  std::array<std::uint8_t, pzem_request_size> request{address, read_input_registers, 0, 0, 0, register_count, 0, 0};
  const std::uint16_t crc = crc16_modbus(Bytes(request).first(6));
  request[6] = static_cast<std::uint8_t>(crc & 0xff);
  request[7] = static_cast<std::uint8_t>(crc >> 8);
  return request;
}

Error decode_pzem_answer(Bytes answer, std::uint8_t address, MeterReading& reading) {
  if (answer.size() < exception_size) return Error::truncated;
  if (answer[1] == (read_input_registers | exception_flag)) {
    return has_checksum(answer.first(exception_size)) ? Error::hardware_failed : Error::record_corrupt;
  }
  if (answer.size() != pzem_answer_size) return Error::truncated;
  if (!has_checksum(answer)) return Error::record_corrupt;
  const bool is_addressed = answer[0] == address || address == pzem_general_address;
  if (!is_addressed || answer[1] != read_input_registers || answer[2] != 2 * register_count) return Error::wrong_device;
  const std::uint32_t voltage_dv = word(answer, 0);
  const std::uint32_t power_dw = word(answer, 4) << 16 | word(answer, 3);
  const std::uint32_t energy_wh = word(answer, 6) << 16 | word(answer, 5);
  if (voltage_dv > voltage_dv_max || power_dw > power_dw_max || energy_wh > energy_wh_max) return Error::out_of_range;
  reading = {};
  reading.voltage_mv = voltage_dv * 100;
  reading.power_w = static_cast<std::int32_t>((power_dw + 5) / 10);
  reading.import_mwh = std::uint64_t{energy_wh} * 1000;
  return Error::none;
}

}  // namespace wattproof::hal
