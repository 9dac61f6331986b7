// SPDX-License-Identifier: Apache-2.0
// One source, two machines. On 64-bit targets a lane is one word. On 32-bit targets it is two words, its even and its odd
// bits ("bit interleaving", Keccak implementation overview 3.2, section 2.1): a rotation of 64 bits, which costs a
// Cortex-M some eight instructions, becomes two rotations of 32 bits, which cost nothing beside the XOR that they ride on.
// A round reads one copy of the state and writes another: the permutation of lanes is then only addressing.
#include "crypto/keccak.hpp"

#include <bit>
#include <type_traits>
#include <utility>

namespace wattproof::crypto {
namespace {

using Word = std::conditional_t<sizeof(std::uintptr_t) >= 8, std::uint64_t, std::uint32_t>;

constexpr unsigned word_count = 8 / sizeof(Word);  // words of a lane
constexpr unsigned lane_count = 25;
constexpr unsigned round_count = 24;
constexpr unsigned rate_lane_count = 17;  // 136 bytes, the rate of Keccak-256

using State = std::array<Word, lane_count * word_count>;

// Rotation of lane x + 5 y.
constexpr std::array<unsigned, lane_count> rotations{0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                                     25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

constexpr std::array<std::uint64_t, round_count> round_constants{
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Moves the even bits of a word to its low half and the odd bits to its high half (Hacker's Delight, 7-2).
constexpr std::uint32_t unshuffle(std::uint32_t x) {
  std::uint32_t t = (x ^ x >> 1) & 0x22222222;
  x ^= t ^ t << 1;
  t = (x ^ x >> 2) & 0x0c0c0c0c;
  x ^= t ^ t << 2;
  t = (x ^ x >> 4) & 0x00f000f0;
  x ^= t ^ t << 4;
  t = (x ^ x >> 8) & 0x0000ff00;
  return x ^ t ^ t << 8;
}

constexpr std::uint32_t shuffle(std::uint32_t x) {
  std::uint32_t t = (x ^ x >> 8) & 0x0000ff00;
  x ^= t ^ t << 8;
  t = (x ^ x >> 4) & 0x00f000f0;
  x ^= t ^ t << 4;
  t = (x ^ x >> 2) & 0x0c0c0c0c;
  x ^= t ^ t << 2;
  t = (x ^ x >> 1) & 0x22222222;
  return x ^ t ^ t << 1;
}

// A lane as it stands in the state, for either word; the lane is given and taken as its low and its high 32 bits.
[[maybe_unused]] constexpr void split(std::uint32_t low, std::uint32_t high, std::uint64_t* word) {
  word[0] = std::uint64_t{high} << 32 | low;
}

[[maybe_unused]] constexpr void split(std::uint32_t low, std::uint32_t high, std::uint32_t* words) {
  low = unshuffle(low);
  high = unshuffle(high);
  words[0] = (low & 0xffff) | high << 16;
  words[1] = low >> 16 | (high & 0xffff0000);
}

[[maybe_unused]] constexpr std::uint64_t join(const std::uint64_t* word) { return word[0]; }

[[maybe_unused]] constexpr std::uint64_t join(const std::uint32_t* words) {
  const std::uint32_t low = shuffle((words[0] & 0xffff) | words[1] << 16);
  const std::uint32_t high = shuffle(words[0] >> 16 | (words[1] & 0xffff0000));
  return std::uint64_t{high} << 32 | low;
}

constexpr State split_round_constants() {
  State words{};
  for (unsigned i = 0; i < round_count; ++i) {
    const std::uint64_t constant = round_constants[i];
    split(static_cast<std::uint32_t>(constant), static_cast<std::uint32_t>(constant >> 32), &words[i * word_count]);
  }
  return words;
}
constexpr State round_words = split_round_constants();

// Word `w` of a lane that is rotated left by `rotation`, taken from the words of the unrotated lane and of its theta
// term. An odd rotation of an interleaved lane swaps its even and odd words.
template <unsigned rotation, unsigned w>
[[gnu::always_inline]] inline Word rotated(const Word* lane, const Word* theta) {
  if constexpr (word_count == 1) {
    return std::rotl(static_cast<Word>(lane[0] ^ theta[0]), rotation);
  } else {
    constexpr unsigned from = rotation % 2 == 0 ? w : 1 - w;
    constexpr unsigned by = w == 0 ? (rotation + 1) / 2 : rotation / 2;
    return std::rotl(static_cast<Word>(lane[from] ^ theta[from]), by % 32);
  }
}

// rho, pi and chi for word `w` of the five lanes of plane `y`.
template <unsigned y, unsigned w>
[[gnu::always_inline]] inline void plane(const State& in, const Word* theta, State& out) {
  const auto moved = [&]<unsigned x>(std::integral_constant<unsigned, x>) __attribute__((always_inline)) {
    constexpr unsigned column = (x + 3 * y) % 5;
    constexpr unsigned lane = column + 5 * x;
    return rotated<rotations[lane], w>(&in[lane * word_count], theta + column * word_count);
  };
  const Word b0 = moved(std::integral_constant<unsigned, 0>{});
  const Word b1 = moved(std::integral_constant<unsigned, 1>{});
  const Word b2 = moved(std::integral_constant<unsigned, 2>{});
  const Word b3 = moved(std::integral_constant<unsigned, 3>{});
  const Word b4 = moved(std::integral_constant<unsigned, 4>{});
  Word* to = &out[5 * y * word_count + w];
  to[0 * word_count] = b0 ^ (b2 & ~b1);
  to[1 * word_count] = b1 ^ (b3 & ~b2);
  to[2 * word_count] = b2 ^ (b4 & ~b3);
  to[3 * word_count] = b3 ^ (b0 & ~b4);
  to[4 * word_count] = b4 ^ (b1 & ~b0);
}

template <unsigned w>
[[gnu::always_inline]] inline void all_planes(const State& in, const Word* theta, State& out) {
  plane<0, w>(in, theta, out);
  plane<1, w>(in, theta, out);
  plane<2, w>(in, theta, out);
  plane<3, w>(in, theta, out);
  plane<4, w>(in, theta, out);
}

// Calls f with 0, 1, ... count - 1 as types, so that every index below is a constant.
template <unsigned... index>
[[gnu::always_inline]] inline void for_each(std::integer_sequence<unsigned, index...>, auto f) {
  (f(std::integral_constant<unsigned, index>{}), ...);
}

// One round of Keccak-f[1600]. 64-bit hosts may inline it; on 32-bit targets one copy of the code is what flash affords.
inline void one_round(const State& in, State& out, const Word* constant) {
  std::array<Word, 5 * word_count> parity;
  for_each(std::make_integer_sequence<unsigned, 5 * word_count>{}, [&](auto i) __attribute__((always_inline)) {
    parity[i] = in[i] ^ in[i + 5 * word_count] ^ in[i + 10 * word_count] ^ in[i + 15 * word_count] ^ in[i + 20 * word_count];
  });
  std::array<Word, 5 * word_count> theta;
  for_each(std::make_integer_sequence<unsigned, 5>{}, [&](auto x) __attribute__((always_inline)) {
    constexpr unsigned left = (x + 4) % 5 * word_count;
    constexpr unsigned right = (x + 1) % 5 * word_count;
    theta[x * word_count] = parity[left] ^ std::rotl(parity[right + word_count - 1], 1);
    if constexpr (word_count == 2) theta[x * 2 + 1] = parity[left + 1] ^ parity[right];
  });
  all_planes<0>(in, theta.data(), out);
  if constexpr (word_count == 2) all_planes<word_count - 1>(in, theta.data(), out);
  for (unsigned w = 0; w < word_count; ++w) out[w] ^= constant[w];
}

void permute(State& state) {
  State other;
  for (unsigned i = 0; i < round_count; i += 2) {
    one_round(state, other, &round_words[i * word_count]);
    one_round(other, state, &round_words[(i + 1) * word_count]);
  }
}

// Written out, since compilers make one load of this and not of a loop.
std::uint32_t load_le32(const std::uint8_t* from) {
  return std::uint32_t{from[0]} | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16 | std::uint32_t{from[3]} << 24;
}

}  // namespace

void Keccak256::absorb_lane(const std::uint8_t* lane) {
  std::array<Word, word_count> words;
  split(load_le32(lane), load_le32(lane + 4), words.data());
  for (unsigned w = 0; w < word_count; ++w) state_[lane_ * word_count + w] ^= words[w];
  if (++lane_ == rate_lane_count) {
    permute(state_);
    lane_ = 0;
  }
}

void Keccak256::update(Bytes message) {
  if (pending_size_ != 0) {
    while (pending_size_ < 8 && !message.empty()) {
      pending_[pending_size_++] = message[0];
      message = message.subspan(1);
    }
    if (pending_size_ < 8) return;
    pending_size_ = 0;
    absorb_lane(pending_.data());
  }
  while (message.size() >= 8) {
    absorb_lane(message.data());
    message = message.subspan(8);
  }
  for (const std::uint8_t byte : message) pending_[pending_size_++] = byte;
}

Hash32 Keccak256::finish() {
  for (unsigned i = pending_size_; i < 8; ++i) pending_[i] = 0;
  pending_[pending_size_] = 0x01;
  const bool is_last = lane_ == rate_lane_count - 1;
  if (is_last) pending_[7] |= 0x80;
  absorb_lane(pending_.data());
  if (!is_last) {
    constexpr std::array<std::uint8_t, 8> end{0, 0, 0, 0, 0, 0, 0, 0x80};
    lane_ = rate_lane_count - 1;
    absorb_lane(end.data());
  }
  Hash32 digest;
  for (unsigned i = 0; i < 4; ++i) {
    const std::uint64_t lane = join(&state_[i * word_count]);
    for (unsigned byte = 0; byte < 8; ++byte) digest[8 * i + byte] = static_cast<std::uint8_t>(lane >> (8 * byte));
  }
  *this = Keccak256();
  return digest;
}

Hash32 keccak256(Bytes message) {
  Keccak256 hash;
  hash.update(message);
  return hash.finish();
}

}  // namespace wattproof::crypto
