// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedVectors} from "./PackedVectors.sol";

/// @title The sum of all profiles, and how an update moves it
/// @notice Four slots to a word. A word is the number s0 X^3 + s1 X^2 + s2 X + s3 with X = 2^64 (mod 2^256), where each s is
/// 2^26 S + C of one slot: S the sum of all profiles, C how often a device has moved there since the epoch opened, that is,
/// answered with another power than before. With at most 2^16 devices and 1000 rounds C < 2^26 and |s| < 2^63. They add as
/// whole words then, negative ones too, and take one storage word for four.
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
    /// @dev 2^31 in each lane: what turning over the signs adds to a power.
    uint256 private constant BIASES = 0x0000000080000000000000008000000000000000800000000000000080000000;
    uint256 private constant MOVES_BITS = 26;
    uint256 private constant MOVES_MASK = 2 ** MOVES_BITS - 1;
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
        for (uint256 t = 0; t < slots; ++t) (sums[t],) = slotOf(words, t);
    }

    /// @return sum S of one slot, W
    /// @return moves C of it
    function slotOf(uint256[] memory words, uint256 slot) internal pure returns (int256 sum, int256 moves) {
        unchecked {
            uint256 biased = words[slot >> 2] + TOP_BITS; // every lane is now its number + 2^63
            uint256 lane = (biased >> (64 * (3 - (slot & 3)))) & type(uint64).max;
            moves = int256(lane & MOVES_MASK);
            sum = int256(lane >> MOVES_BITS) - int256(1 << (63 - MOVES_BITS));
        }
    }

    /// @dev Adds one power, W, to the sum of one slot.
    function add(uint256[] memory words, uint256 slot, int256 power) internal pure {
        unchecked {
            words[slot >> 2] += uint256(power) << (64 * (3 - (slot & 3)) + MOVES_BITS);
        }
    }

    /// @dev Adds to - from to the sums, and to the moves 1 where they differ.
    /// @return within whether `to` is within the limits. If not, the sums have moved all the same and are to be moved back (moveBack),
    /// and the other results mean nothing, as they do unless `from` is within them too.
    /// @return change2 |to - from|^2, W^2
    /// @return power2 |to|^2 - |from|^2, W^2
    function move(uint256[] memory words, uint256 slots, Update memory update)
        internal
        pure
        returns (bool within, uint256 change2, int256 power2)
    {
        (within, change2, power2) = _moveWords(words, slots, update);
        if (slots & 3 == 0) return (within, change2, power2);
        (bool restWithin, uint256 restChange2, int256 restPower2) = _moveRest(words, slots, update);
        within = within && restWithin;
        unchecked {
            // Beyond the limits they are anything.
            change2 += restChange2;
            power2 += restPower2;
        }
    }

    /// @dev Takes back what move did for `update`, of which it said that the limits forbid it.
    function moveBack(uint256[] memory words, uint256 slots, Update memory update) internal pure {
        (update.from, update.to) = (update.to, update.from);
        move(words, slots, update);
        unchecked {
            for (uint256 t = 0; t < slots; ++t) {
                if ((update.from + 4 * t).int32At() == (update.to + 4 * t).int32At()) continue;
                words[t >> 2] -= 2 << (64 * (3 - (t & 3))); // a move there, and one back
            }
        }
    }

    /// @dev The fours of slots that fill words.
    function _moveWords(uint256[] memory words, uint256 slots, Update memory update)
        private
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
        // |power| < 2^21, the lanes below it hold less than 2^191 in all, whatever their sign.
        uint256 squares; // change * change
        uint256 products; // change * from
        uint256 tops = TOP_BITS;
        assembly ("memory-safe") {
            let word := add(words, 32)
            for { let end := add(from, and(shl(2, slots), not(15))) } lt(from, end) { from := add(from, 16) } {
                let before := shr(128, calldataload(from))
                let power := shr(128, calldataload(add(from, span)))
                if pairs {
                    let bounds := xor(calldataload(pairs), SIGNS)
                    lows := and(shr(32, bounds), LOW_HALVES)
                    highs := or(and(bounds, LOW_HALVES), TOP_BITS)
                    pairs := add(pairs, 32)
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
                // 1 in each lane whose halves differ: adding 2^32 - 1 carries unless they are equal.
                let moved := and(shr(32, add(xor(power, before), LOW_HALVES)), ONES)
                mstore(word, add(add(mload(word), shl(MOVES_BITS, change)), moved))
                word := add(word, 32)
                let opposite := add(change, CHANGE_BIAS)
                opposite := or(shl(128, opposite), shr(128, opposite))
                opposite := or(shl(64, and(opposite, EVEN_LANES)), and(shr(64, opposite), EVEN_LANES))
                opposite := sub(opposite, CHANGE_BIAS)
                squares := add(squares, mul(change, opposite))
                products := add(products, mul(sub(before, BIASES), opposite))
            }
        }
        within = tops == TOP_BITS;
        change2 = uint256(_topLane(squares));
        power2 = _topLane(squares) + 2 * _topLane(products); // to^2 - from^2 = change^2 + 2 change from
    }

    /// @dev The one to three slots that do not fill a word.
    function _moveRest(uint256[] memory words, uint256 slots, Update memory update)
        private
        pure
        returns (bool within, uint256 change2, int256 power2)
    {
        within = true;
        for (uint256 t = slots & ~uint256(3); t < slots; ++t) {
            int256 before = (update.from + 4 * t).int32At();
            int256 power = (update.to + 4 * t).int32At();
            uint256 pair = update.pairs + (update.onePair ? 0 : 8 * t);
            if (power < pair.int32At() || power > (pair + 4).int32At()) within = false;
            add(words, t, power - before);
            unchecked {
                if (power != before) words[t >> 2] += 1 << (64 * (3 - (t & 3)));
            }
            change2 += uint256((power - before) * (power - before));
            power2 += power * power - before * before;
        }
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
