// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedVectors} from "./PackedVectors.sol";

/// @dev What the epoch word commits to. Seconds are chain time; rho0 is in 2^-16 micro-units per kWh and W.
struct EpochHead {
    uint8 status;
    uint8 reason;
    int8 penaltyShift; // k: rho = rho0 * 2^k
    uint16 slots;
    uint16 worstSlot;
    uint32 slotSeconds;
    uint32 round; // the one that takes updates; of an ended epoch the last one closed
    uint64 epoch;
    uint64 start;
    uint64 deadline; // of the round, or of entering
    uint64 changedAt;
    uint32 participants;
    uint32 excessW;
    uint64 rho0;
    bytes32 parametersHash;
    bytes32 vectorsHash;
}

/// @dev Status of an epoch. NONE means that the ring no longer holds it, or not yet.
library EpochStatus {
    uint8 internal constant NONE = 0;
    uint8 internal constant ENTERING = 1;
    uint8 internal constant OPEN = 2;
    uint8 internal constant FINAL = 3;
    uint8 internal constant FAILED = 4;
}

/// @dev Why an epoch failed.
library FailureReason {
    uint8 internal constant NONE = 0;
    uint8 internal constant ROUNDS_USED_UP = 1;
    uint8 internal constant CAP_CANNOT_BE_MET = 2;
    uint8 internal constant NOBODY_ENTERED = 3;
    uint8 internal constant CANCELLED = 4;
}

/// @title The 128 bytes whose hash is the epoch word
library EpochHeads {
    using PackedVectors for uint256;

    uint256 internal constant SIZE = 128;
    uint8 internal constant VERSION = 1;

    /// @dev On input `data` has SIZE bytes and hashes to an epoch word, so that its fields are in range.
    function decode(bytes calldata data) internal pure returns (EpochHead memory head) {
        uint256 position = PackedVectors.start(data);
        uint256 first = position.wordAt();
        uint256 second = (position + 32).wordAt();
        head.status = uint8(first >> 240);
        head.reason = uint8(first >> 232);
        head.penaltyShift = int8(uint8(first >> 224));
        head.slots = uint16(first >> 208);
        head.worstSlot = uint16(first >> 192);
        head.slotSeconds = uint32(first >> 160);
        head.round = uint32(first >> 128);
        head.epoch = uint64(first >> 64);
        head.start = uint64(first);
        head.deadline = uint64(second >> 192);
        head.changedAt = uint64(second >> 128);
        head.participants = uint32(second >> 96);
        head.excessW = uint32(second >> 64);
        head.rho0 = uint64(second);
        head.parametersHash = bytes32((position + 64).wordAt());
        head.vectorsHash = bytes32((position + 96).wordAt());
    }

    function encode(EpochHead memory head) internal pure returns (bytes memory) {
        uint256 first = uint256(VERSION) << 248 | uint256(head.status) << 240 | uint256(head.reason) << 232
            | uint256(uint8(head.penaltyShift)) << 224 | uint256(head.slots) << 208 | uint256(head.worstSlot) << 192
            | uint256(head.slotSeconds) << 160 | uint256(head.round) << 128 | uint256(head.epoch) << 64 | head.start;
        uint256 second = uint256(head.deadline) << 192 | uint256(head.changedAt) << 128
            | uint256(head.participants) << 96 | uint256(head.excessW) << 64 | head.rho0;
        return abi.encode(first, second, head.parametersHash, head.vectorsHash);
    }
}
