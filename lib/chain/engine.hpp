// SPDX-License-Identifier: Apache-2.0
// What the seal engines have in common. An engine verifies one header at a time against a trusted state:
//
//   begin(header, state, config, time)  all that costs no curve work: form, number, links, set membership, seal counts
//   step()                              at most one public-key recovery; call it until it does not say `more`
//   commit(state)                       after `accepted`: moves the trusted state to this header
//
// Until commit the state is only read, so any error leaves it bit for bit as it was. The caller keeps the header's bytes
// and the state alive and unchanged from begin to commit. A board names the one engine that it uses; the others cost no
// flash.
#pragma once

#include <concepts>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace wattproof::chain {

enum class Progress : std::uint8_t { more, accepted };

// What is known of the present chain time, in seconds since 1970. A device without a clock knows a lower bound alone.
struct TimeBounds {
  ChainSeconds at_least{0};
  ChainSeconds at_most{UINT64_MAX};  // clock skew included: a header from beyond it is from the future
};

template <class T>
concept Engine = requires(T engine, Bytes header, const typename T::Config& config, const typename T::State& trusted,
                          typename T::State& state, TimeBounds time) {
  { engine.begin(header, trusted, config, time) } -> std::same_as<Error>;
  { engine.step() } -> std::same_as<Result<Progress>>;
  { engine.commit(state) } -> std::same_as<void>;
};

}  // namespace wattproof::chain
