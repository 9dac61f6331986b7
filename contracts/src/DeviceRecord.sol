// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What a device's record word commits to, without the profile. `change2` is |x_new - x_old|^2 in W^2 of the update of
/// `round`, `change2Before` that of the round before it, 0 if it had none.
struct DeviceRecord {
    uint64 epoch;
    uint32 id;
    uint32 round;
    uint8 flags;
    address signer;
    bytes32 limitsHash;
    uint64 change2;
    uint64 change2Before;
}

/// @title The 85 + 4T bytes whose hash is a device's record word
/// @notice A buffer holds the record's bytes; the profile is put in first, then the fields, then it is hashed. One buffer
/// serves a whole batch.
library DeviceRecords {
    uint8 internal constant FROZEN = 1;
    uint256 internal constant PROFILE_AT = 85;

    function newBuffer(uint256 slots) internal pure returns (bytes memory buffer) {
        buffer = new bytes(PROFILE_AT + 4 * slots + 32);
        assembly ("memory-safe") {
            mstore(buffer, sub(mload(buffer), 32)) // a word of room: the profile is read and written by words
        }
    }

    /// @dev Copies a profile from calldata position `position`. It is as long as the buffer has room.
    function putProfile(bytes memory buffer, uint256 position) internal pure {
        assembly ("memory-safe") {
            calldatacopy(add(buffer, 117), position, sub(mload(buffer), 85))
        }
    }

    /// @dev Sets one slot of the profile, in W. Slots are set in ascending order.
    function putPower(bytes memory buffer, uint256 slot, int256 power) internal pure {
        assembly ("memory-safe") {
            let to := add(add(buffer, 117), shl(2, slot))
            let rest := and(mload(to), 0x00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
            mstore(to, or(shl(224, power), rest))
        }
    }

    function profileHash(bytes memory buffer) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(add(buffer, 117), sub(mload(buffer), 85))
        }
    }

    /// @dev The profile in the buffer, as bytes of their own.
    function profile(bytes memory buffer) internal pure returns (bytes memory result) {
        result = new bytes(buffer.length - PROFILE_AT);
        assembly ("memory-safe") {
            // By words: memory is allocated in whole ones, and newBuffer leaves room behind the buffer.
            for { let i := 0 } lt(i, mload(result)) { i := add(i, 32) } {
                mstore(add(add(result, 32), i), mload(add(add(buffer, 117), i)))
            }
        }
    }

    /// @dev Writes the fields before the profile in `buffer` and hashes all of it.
    function hash(DeviceRecord memory record, bytes memory buffer) internal pure returns (bytes32 result) {
        uint256 first = uint256(record.epoch) << 192 | uint256(record.id) << 160 | uint256(record.round) << 128
            | uint256(record.flags) << 120;
        uint256 signer = uint256(uint160(record.signer)) << 96;
        uint256 changes = uint256(record.change2) << 64 | record.change2Before;
        bytes32 limitsHash = record.limitsHash;
        assembly ("memory-safe") {
            // Overlapping words in ascending order; the last one is shifted so that it ends where the profile begins.
            let to := add(buffer, 32)
            mstore(to, first)
            mstore(add(to, 17), signer)
            mstore(add(to, 37), limitsHash)
            let tail := add(to, 69)
            let rest := and(mload(tail), 0x00000000000000000000000000000000ffffffffffffffffffffffffffffffff)
            mstore(tail, or(shl(128, changes), rest))
            result := keccak256(to, mload(buffer))
        }
    }
}
