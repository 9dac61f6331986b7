// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Vectors of T integers as they stand in calldata and in events: big-endian, without padding
/// @notice A position `position` is an absolute offset into calldata; whoever calls has checked that the bytes are there.
library PackedVectors {
    /// @dev The most slots of an epoch: one day of five minutes.
    uint256 internal constant SLOTS_MAX = 288;

    /// @dev The four vectors of an epoch, in 1/16 W: plan per device, scaled price, mean of the profiles, plan before.
    struct Vectors {
        int256[] z;
        int256[] u;
        int256[] xb;
        int256[] zp;
    }

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

    /// @dev Reads z, u, xb, zp of `slots` elements each (32 bytes a slot).
    function decode(bytes calldata data, uint256 slots) internal pure returns (Vectors memory vectors) {
        uint256 position = start(data);
        vectors.z = _decode64(position, slots);
        vectors.u = _decode64(position + 8 * slots, slots);
        vectors.xb = _decode64(position + 16 * slots, slots);
        vectors.zp = _decode64(position + 24 * slots, slots);
    }

    /// @dev Writes z, u, xb, zp one after the other. Every element fits in 64 bits (see Coordinator).
    function encode(Vectors memory vectors) internal pure returns (bytes memory data) {
        uint256 size = 8 * vectors.z.length;
        data = new bytes(4 * size + 32); // a word more: each element is written as a whole word
        _encode64(data, 0, vectors.z);
        _encode64(data, size, vectors.u);
        _encode64(data, 2 * size, vectors.xb);
        _encode64(data, 3 * size, vectors.zp);
        assembly ("memory-safe") {
            mstore(data, mul(4, size))
        }
    }

    function _decode64(uint256 position, uint256 slots) private pure returns (int256[] memory values) {
        values = new int256[](slots);
        for (uint256 t = 0; t < slots; ++t) {
            int256 value = int64At(position + 8 * t);
            assembly ("memory-safe") {
                mstore(add(add(values, 32), shl(5, t)), value)
            }
        }
    }

    function _encode64(bytes memory data, uint256 offset, int256[] memory values) private pure {
        assembly ("memory-safe") {
            let to := add(add(data, 32), offset)
            let from := add(values, 32)
            let end := add(from, shl(5, mload(values)))
            for {} lt(from, end) { from := add(from, 32) } {
                mstore(to, shl(192, mload(from)))
                to := add(to, 8)
            }
        }
    }
}
