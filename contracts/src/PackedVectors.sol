// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Vectors of T integers as they stand in calldata and in events: big-endian, without padding
/// @notice A position `position` is an absolute offset into calldata; whoever calls has checked that the bytes are there.
library PackedVectors {
    /// @dev The most slots of an epoch: one day of five minutes.
    uint256 internal constant SLOTS_MAX = 288;

    /// @dev The vectors of an epoch. Four in 1/16 W: plan per mover, scaled price, sum of the profiles per mover, plan before;
    /// and what the coordinator alone needs: how many movers share a slot, and how many moves the slot had seen before this round.
    struct Vectors {
        int256[] z;
        int256[] u;
        int256[] xb;
        int256[] zp;
        int256[] movers;
        int256[] moves;
    }

    /// @dev Bytes of the vectors for each slot.
    uint256 internal constant SLOT_SIZE = 40;

    function start(bytes calldata data) internal pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := data.offset
        }
    }

    function uint8At(uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(248, calldataload(position))
        }
    }

    function uint16At(uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(240, calldataload(position))
        }
    }

    function uint32At(uint256 position) internal pure returns (uint32 value) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(position))
        }
    }

    function uint64At(uint256 position) internal pure returns (uint64 value) {
        assembly ("memory-safe") {
            value := shr(192, calldataload(position))
        }
    }

    function int32At(uint256 position) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := sar(224, calldataload(position))
        }
    }

    function int64At(uint256 position) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := sar(192, calldataload(position))
        }
    }

    function wordAt(uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(position)
        }
    }

    /// @dev The bytes of calldata from `position` on, as a slice.
    function slice(uint256 position, uint256 length) internal pure returns (bytes calldata data) {
        assembly ("memory-safe") {
            data.offset := position
            data.length := length
        }
    }

    /// @dev Reads z, u, xb, zp of `slots` i64 each, then movers and moves of `slots` u32 each.
    function decode(bytes calldata data, uint256 slots) internal pure returns (Vectors memory vectors) {
        uint256 position = start(data);
        vectors.z = _decode(position, 8, slots);
        vectors.u = _decode(position + 8 * slots, 8, slots);
        vectors.xb = _decode(position + 16 * slots, 8, slots);
        vectors.zp = _decode(position + 24 * slots, 8, slots);
        vectors.movers = _decode(position + 32 * slots, 4, slots);
        vectors.moves = _decode(position + 36 * slots, 4, slots);
    }

    /// @dev Writes them one after the other. Every element fits in its bits (see Coordinator).
    function encode(Vectors memory vectors) internal pure returns (bytes memory data) {
        uint256 slots = vectors.z.length;
        data = new bytes(SLOT_SIZE * slots + 32); // a word more: each element is written as a whole word
        _encode(data, 0, 8, vectors.z);
        _encode(data, 8 * slots, 8, vectors.u);
        _encode(data, 16 * slots, 8, vectors.xb);
        _encode(data, 24 * slots, 8, vectors.zp);
        _encode(data, 32 * slots, 4, vectors.movers);
        _encode(data, 36 * slots, 4, vectors.moves);
        assembly ("memory-safe") {
            mstore(data, mul(slots, 40))
        }
    }

    /// @dev Reads `slots` signed numbers of `size` bytes each.
    function _decode(uint256 position, uint256 size, uint256 slots) private pure returns (int256[] memory values) {
        values = new int256[](slots);
        assembly ("memory-safe") {
            let to := add(values, 32)
            let end := add(to, shl(5, slots))
            let shift := sub(256, shl(3, size))
            for {} lt(to, end) { to := add(to, 32) } {
                mstore(to, sar(shift, calldataload(position)))
                position := add(position, size)
            }
        }
    }

    /// @dev Writes the low `size` bytes of each value.
    function _encode(bytes memory data, uint256 offset, uint256 size, int256[] memory values) private pure {
        assembly ("memory-safe") {
            let to := add(add(data, 32), offset)
            let from := add(values, 32)
            let end := add(from, shl(5, mload(values)))
            let shift := sub(256, shl(3, size))
            for {} lt(from, end) { from := add(from, 32) } {
                mstore(to, shl(shift, mload(from)))
                to := add(to, size)
            }
        }
    }
}
