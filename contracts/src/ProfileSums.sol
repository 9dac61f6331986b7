// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedVectors} from "./PackedVectors.sol";

/// @title The sum of all profiles, and how an update moves it
/// @notice Four slots to a word. A word is the number s0 X^3 + s1 X^2 + s2 X + s3 with X = 2^64 (mod 2^256), where s0 to s3
/// are the sums of four slots, |s| < 2^63. Sums add as whole words then, negative ones too, and take one storage word for four.
/// An update is worked on four slots at a time in the same form, its powers being spread to 64-bit lanes: the largest part of
/// what an update costs beside calldata, storage and signature is here.
library ProfileSums {
    using PackedVectors for uint256;

    /// @dev 1 in each lane: X^3 + X^2 + X + 1.
    uint256 private constant ONES = 0x0000000000000001000000000000000100000000000000010000000000000001;
    /// @dev The low half of each lane.
    uint256 private constant LOW_HALVES = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    /// @dev Lanes 0 and 2, counted from the low end.
    uint256 private constant EVEN_LANES = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant TOP_BITS = 0x8000000000000000800000000000000080000000000000008000000000000000;
    /// @dev The sign bits of eight i32. Turning them over adds 2^31 to each, so that none is negative.
    uint256 private constant SIGNS = 0x8000000080000000800000008000000080000000800000008000000080000000;
    /// @dev 2^32 in each lane: what turning over the signs adds to the sum of two powers.
    uint256 private constant TWO_BIASES = 0x0000000100000000000000010000000000000001000000000000000100000000;
    /// @dev 2^22 in each lane: more than any change of power.
    uint256 private constant CHANGE_BIAS = 0x0000000000400000000000000040000000000000004000000000000000400000;

    /// @dev An update: positions in calldata. `pairs` are the limits (i32 min, i32 max), one pair for all slots or one a slot.
    struct Update {
        uint256 from;
        uint256 to;
        uint256 pairs;
        bool onePair;
    }

    function load(uint256[72] storage stored, uint256 slots) internal view returns (uint256[] memory words) {
        words = new uint256[]((slots + 3) / 4);
        for (uint256 i = 0; i < words.length; ++i) words[i] = stored[i];
    }

    function store(uint256[72] storage stored, uint256[] memory words) internal {
        for (uint256 i = 0; i < words.length; ++i) stored[i] = words[i];
    }

    function clear(uint256[72] storage stored, uint256 slots) internal {
        for (uint256 i = 0; 4 * i < slots; ++i) stored[i] = 0;
    }

    /// @dev The sums one by one, W.
    function values(uint256[] memory words, uint256 slots) internal pure returns (int256[] memory sums) {
        sums = new int256[](slots);
        unchecked {
            for (uint256 t = 0; t < slots; ++t) {
                uint256 biased = words[t >> 2] + TOP_BITS; // every lane is now its sum + 2^63
                sums[t] = int256((biased >> (64 * (3 - (t & 3)))) & type(uint64).max) - 2 ** 63;
            }
        }
    }

    /// @dev Adds one power, W, to the sum of one slot.
    function add(uint256[] memory words, uint256 slot, int256 power) internal pure {
        unchecked {
            words[slot >> 2] += uint256(power) << (64 * (3 - (slot & 3)));
        }
    }

    /// @dev Adds to - from to the sums.
    /// @return within whether `to` is within the limits. If not, the sums have moved all the same and are to be moved back, and
    /// the other results mean nothing, as they do unless `from` is within them too.
    /// @return change2 |to - from|^2, W^2
    /// @return power2 |to|^2 - |from|^2, W^2
    function move(uint256[] memory words, uint256 slots, Update memory update)
        internal
        pure
        returns (bool within, uint256 change2, int256 power2)
    {
        uint256 from = update.from;
        uint256 span; // modulo 2^256, since `to` may stand before `from`
        unchecked {
            span = update.to - from;
        }
        uint256 pairs = update.pairs;
        uint256 lows; // in lanes, + 2^31
        uint256 highs; // in lanes, + 2^31, and the top bit set
        if (update.onePair) {
            (lows, highs) = _bounds((pairs.wordAt() >> 192) * ONES);
            pairs = 0;
        }
        // The top lane of the product of two words p and q is p0 q3 + p1 q2 + p2 q1 + p3 q0: with q's lanes in the opposite order
        // a scalar product of four, and the words of all fours may be added up before it is taken out. As |change| < 2^22 and
        // |sum of two powers| < 2^22, the lanes below it hold less than 2^191 in all, whatever their sign.
        uint256 squares; // change * change
        uint256 products; // change * (to + from)
        uint256 tops = TOP_BITS;
        assembly ("memory-safe") {
            let word := add(words, 32)
            for { let end := add(from, shl(2, slots)) } lt(from, end) { from := add(from, 16) } {
                let before := shr(128, calldataload(from))
                let power := shr(128, calldataload(add(from, span)))
                if pairs {
                    let bounds := xor(calldataload(pairs), SIGNS)
                    lows := and(shr(32, bounds), LOW_HALVES)
                    highs := or(and(bounds, LOW_HALVES), TOP_BITS)
                    pairs := add(pairs, 32)
                }
                if lt(sub(end, from), 16) {
                    // One to three slots are left. The others are 0 before and after, which no limit forbids.
                    let cut := shl(3, sub(16, sub(end, from)))
                    before := shl(cut, shr(cut, before))
                    power := shl(cut, shr(cut, power))
                    cut := shl(1, cut)
                    lows := shl(cut, shr(cut, lows))
                    highs := or(highs, and(LOW_HALVES, sub(shl(cut, 1), 1)))
                }
                // Four i32 to four lanes: halves apart, then quarters.
                before := xor(before, shr(128, SIGNS))
                before := and(or(shl(64, before), before), EVEN_LANES)
                before := and(or(shl(32, before), before), LOW_HALVES)
                power := xor(power, shr(128, SIGNS))
                power := and(or(shl(64, power), power), EVEN_LANES)
                power := and(or(shl(32, power), power), LOW_HALVES)

                // The top bit of a lane survives both subtractions unless power < min or max < power.
                tops := and(tops, and(sub(or(power, TOP_BITS), lows), sub(highs, power)))

                let change := sub(power, before)
                mstore(word, add(mload(word), change))
                word := add(word, 32)
                let opposite := add(change, CHANGE_BIAS)
                opposite := or(shl(128, opposite), shr(128, opposite))
                opposite := or(shl(64, and(opposite, EVEN_LANES)), and(shr(64, opposite), EVEN_LANES))
                opposite := sub(opposite, CHANGE_BIAS)
                squares := add(squares, mul(change, opposite))
                products := add(products, mul(sub(add(power, before), TWO_BIASES), opposite))
            }
        }
        within = tops == TOP_BITS;
        change2 = uint256(_topLane(squares));
        power2 = _topLane(products);
    }

    /// @dev Four pairs (i32 min, i32 max) as lanes: min + 2^31, and max + 2^31 with the top bit set.
    function _bounds(uint256 four) private pure returns (uint256 lows, uint256 highs) {
        four ^= SIGNS;
        lows = (four >> 32) & LOW_HALVES;
        highs = (four & LOW_HALVES) | TOP_BITS;
    }

    /// @dev The top lane, signed, of a word whose other lanes hold less than 2^191 in all.
    function _topLane(uint256 word) private pure returns (int256) {
        unchecked {
            return int256(word + (1 << 191)) >> 192;
        }
    }
}
