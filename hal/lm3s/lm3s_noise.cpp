// SPDX-License-Identifier: Apache-2.0
// Noise of the LM3S6965: the converter's lowest bits on the temperature sensor. The chip has no random generator. A byte holds
// the low eight bits of one sample, of which crypto/drbg.hpp counts one as entropy and tests that it is there.
#include "hal/cortex_m/board.hpp"
#include "hal/lm3s/lm3s_registers.hpp"

namespace wattproof::board {
namespace {

using lm3s::reg;

constexpr std::uint32_t sequencers = 0x00, raw_status = 0x04, clear = 0x0c, trigger = 0x14, start_sequence = 0x28;
constexpr std::uint32_t sequence_3_inputs = 0xa0, sequence_3_control = 0xa4, sequence_3_result = 0xa8;
constexpr std::uint32_t tries_max = 10'000;  // a sample takes 1 to 8 us

}  // namespace

bool draw_noise(MutableBytes into) {
  reg(lm3s::adc + sequencers) = 0;
  reg(lm3s::adc + trigger) = 0;                  // by software
  reg(lm3s::adc + sequence_3_inputs) = 0;
  reg(lm3s::adc + sequence_3_control) = 0xe;     // temperature sensor, flag, last of its sequence
  reg(lm3s::adc + sequencers) = 8;
  for (std::uint8_t& byte : into) {
    reg(lm3s::adc + clear) = 8;
    reg(lm3s::adc + start_sequence) = 8;
    std::uint32_t tries = 0;
    while ((reg(lm3s::adc + raw_status) & 8) == 0) {
      if (++tries > tries_max) return false;
    }
    byte = static_cast<std::uint8_t>(reg(lm3s::adc + sequence_3_result));
  }
  return true;
}

}  // namespace wattproof::board
