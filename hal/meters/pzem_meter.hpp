// SPDX-License-Identifier: Apache-2.0
// PZEM-004T v3: Modbus RTU over a serial line, 9600 8N1. One question (function 4, ten registers from 0), one answer of 25
// bytes. 32-bit values come with their low word first.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "hal/meters/meter_reading.hpp"

namespace wattproof::hal {

constexpr std::size_t pzem_request_size = 8;
constexpr std::size_t pzem_answer_size = 25;
constexpr std::uint8_t pzem_general_address = 0xf8;  // any single meter on the line answers

std::array<std::uint8_t, pzem_request_size> pzem_request(std::uint8_t address);

//   truncated         not a whole answer
//   record_corrupt    the checksum does not fit
//   wrong_device      another meter's answer, or another function's
//   hardware_failed   the meter refuses: a Modbus exception
//   out_of_range      a value that this meter cannot have
Error decode_pzem_answer(Bytes answer, std::uint8_t address, MeterReading& reading);

}  // namespace wattproof::hal
