// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DeviceRecord, DeviceRecords} from "./DeviceRecord.sol";
import {EnteredSet} from "./EnteredSet.sol";
import {EpochStatus} from "./EpochHead.sol";
import {DeviceStatus, IDeviceRegistry} from "./IDeviceRegistry.sol";
import {PackedVectors} from "./PackedVectors.sol";
import {ProfileSums} from "./ProfileSums.sol";
import {SchedulerState} from "./SchedulerState.sol";
import {Signatures} from "./Signatures.sol";
import {Terms} from "./Terms.sol";
import {TypedData} from "./TypedData.sol";

/// @title How devices enter and answer: in batches that anyone may send
/// @notice An entry that is bad is skipped with an event and never spoils its batch. Sums are read and written once a batch.
abstract contract SchedulerBatches is SchedulerState, TypedData {
    using DeviceRecords for bytes;
    using DeviceRecords for DeviceRecord;
    using EnteredSet for mapping(uint256 => uint256);
    using PackedVectors for uint256;
    using ProfileSums for uint256[];
    using ProfileSums for uint256[72];

    /// @dev A batch at work: what is read once and written once, and two buffers.
    struct Batch {
        uint64 epoch;
        uint32 round;
        uint32 count; // of answers in the round, or of participants while entering
        uint256 slots;
        uint256 ringKey; // of a record: ring entry * 2^32, to which the id is added
        bytes32 separator;
        uint256[] sums;
        uint256 movement;
        uint256 power2;
        bytes oldRecord;
        bytes newRecord;
    }

    bytes32 private constant UPDATE_TYPEHASH = keccak256("Update(uint64 epoch,uint32 round,bytes profile)");

    uint32 private constant PARTICIPANTS_MAX = 2 ** 16;

    /// @dev Bytes of an update before its limits: id, signature, old round, old change2, old change2 before.
    uint256 private constant UPDATE_FIXED = 4 + Signatures.SIZE + 4 + 8 + 8;

    /// @dev Reasons of EnterSkipped.
    uint8 private constant ENTER_NOT_AS_ENROLLED = 1;
    uint8 private constant ENTER_REPEATED = 2;
    uint8 private constant ENTER_OTHER_SLOTS = 3;
    uint8 private constant ENTER_FULL = 4;

    /// @dev Reasons of UpdateSkipped.
    uint8 private constant UPDATE_NOT_AS_RECORDED = 1;
    uint8 private constant UPDATE_REPEATED = 2;
    uint8 private constant UPDATE_OUTSIDE_LIMITS = 3;
    uint8 private constant UPDATE_BAD_SIGNATURE = 4;

    mapping(uint256 => uint256) private _entered;

    /// @notice Enters devices in a batch, for anyone: entries of u32 id, limits, fallback, as enrolled. A bad one is skipped.
    function enter(uint64 epoch, bytes calldata entries) external {
        Entry storage entry = _entryOf(epoch, EpochStatus.ENTERING);
        Batch memory batch;
        batch.epoch = epoch;
        batch.slots = entry.counters.slots;
        batch.ringKey = (epoch % RING) << 32;
        batch.sums = entry.sums.load(batch.slots);
        batch.power2 = entry.power2;
        batch.count = entry.counters.participants;
        batch.newRecord = DeviceRecords.newBuffer(batch.slots);
        uint256 position = PackedVectors.start(entries);
        for (uint256 end = position + entries.length; position < end;) position = _enterOne(batch, position, end);
        entry.sums.store(batch.sums);
        entry.power2 = uint128(batch.power2);
        entry.counters.participants = batch.count;
    }

    /// @notice Takes the updates of a round in a batch, for anyone. Entries: u32 id, signature (r, s, v), u32 old round,
    /// u64 old change2, u64 old change2 before, limits, old profile, new profile. The signature is the device's over
    /// Update(epoch, round, new profile); the rest is the witness of its record. A bad entry is skipped with an event.
    /// Never closes a round, so that no batch carries the cost of closing.
    function submit(uint64 epoch, uint32 round, bytes calldata entries) external {
        Entry storage entry = _entryOf(epoch, EpochStatus.OPEN);
        Counters memory counters = entry.counters;
        if (round != counters.round) revert WrongRound(counters.round);
        Batch memory batch;
        batch.epoch = epoch;
        batch.round = round;
        batch.slots = counters.slots;
        batch.count = counters.answered;
        batch.ringKey = (epoch % RING) << 32;
        batch.separator = domainSeparator();
        batch.sums = entry.sums.load(batch.slots);
        batch.movement = entry.movement;
        batch.power2 = entry.power2;
        batch.oldRecord = DeviceRecords.newBuffer(batch.slots);
        batch.newRecord = DeviceRecords.newBuffer(batch.slots);
        uint256 position = PackedVectors.start(entries);
        for (uint256 end = position + entries.length; position < end;) position = _updateOne(batch, position, end);
        if (batch.count == counters.answered) return;
        entry.sums.store(batch.sums);
        entry.movement = uint128(batch.movement);
        entry.power2 = uint128(batch.power2);
        entry.counters.answered = batch.count;
    }

    // --- entering ---

    function _enterOne(Batch memory batch, uint256 position, uint256 end) private returns (uint256 next) {
        if (end - position < 6) revert MalformedBatch();
        uint32 id = position.uint32At();
        uint256 limitsAt = position + 4;
        uint256 limitsSize = Terms.limitsSize(limitsAt.uint16At());
        if (end - limitsAt < limitsSize + 2) revert MalformedBatch();
        uint256 fallbackAt = limitsAt + limitsSize;
        uint256 fallbackSize = Terms.fallbackSize(fallbackAt.uint16At());
        if (end - fallbackAt < fallbackSize) revert MalformedBatch();
        next = fallbackAt + fallbackSize;

        DeviceRecord memory record;
        record.epoch = batch.epoch;
        record.id = id;
        record.limitsHash = keccak256(limitsAt.slice(limitsSize));
        IDeviceRegistry.Device memory device = registry.device(id);
        uint8 reason = 0;
        if (
            device.status != DeviceStatus.ACTIVE || device.limitsHash != record.limitsHash
                || device.fallbackHash != keccak256(fallbackAt.slice(fallbackSize))
        ) {
            reason = ENTER_NOT_AS_ENROLLED;
        } else if (!_fits(limitsAt.uint16At(), batch.slots) || !_fits(fallbackAt.uint16At(), batch.slots)) {
            reason = ENTER_OTHER_SLOTS;
        } else if (batch.count == PARTICIPANTS_MAX) {
            reason = ENTER_FULL;
        } else if (!_entered.add(batch.ringKey >> 32, batch.epoch, id)) {
            reason = ENTER_REPEATED;
        }
        if (reason != 0) {
            emit EnterSkipped(batch.epoch, id, reason);
            return next;
        }
        record.signer = device.signer;
        _addFallback(batch, fallbackAt);
        ++batch.count;
        recordOf[batch.ringKey | id] = record.hash(batch.newRecord);
        emit DeviceEntered(batch.epoch, id, record.signer, record.limitsHash, batch.newRecord.profile());
    }

    function _fits(uint256 count, uint256 slots) private pure returns (bool) {
        return count == 1 || count == slots;
    }

    function _addFallback(Batch memory batch, uint256 fallbackAt) private pure {
        uint256 stride = fallbackAt.uint16At() == 1 ? 0 : 4;
        for (uint256 t = 0; t < batch.slots; ++t) {
            int256 power = (fallbackAt + 2 + stride * t).int32At();
            batch.newRecord.putPower(t, power);
            batch.sums.add(t, power);
            batch.power2 += uint256(power * power);
        }
    }

    // --- updates ---

    function _updateOne(Batch memory batch, uint256 position, uint256 end) private returns (uint256 next) {
        uint256 limitsAt = position + UPDATE_FIXED;
        if (end - position < UPDATE_FIXED + 2) revert MalformedBatch();
        uint256 count = limitsAt.uint16At();
        if (!_fits(count, batch.slots)) revert MalformedBatch();
        uint256 oldAt = limitsAt + Terms.limitsSize(count);
        uint256 size = 4 * batch.slots;
        uint256 newAt = oldAt + size;
        next = newAt + size;
        if (next > end) revert MalformedBatch();
        uint32 id = position.uint32At();
        uint8 reason = _answer(batch, position, limitsAt, oldAt, newAt);
        if (reason == 0) emit Profile(batch.epoch, batch.round, id, newAt.slice(size));
        else emit UpdateSkipped(batch.epoch, batch.round, id, reason);
    }

    /// @dev One comparison checks signature, witness and enrolment: the old record is rebuilt with the recovered signer.
    function _answer(Batch memory batch, uint256 position, uint256 limitsAt, uint256 oldAt, uint256 newAt)
        private
        returns (uint8)
    {
        DeviceRecord memory record;
        record.epoch = batch.epoch;
        record.id = position.uint32At();
        record.round = (position + 69).uint32At();
        record.change2 = (position + 73).uint64At();
        record.change2Before = (position + 81).uint64At();
        record.limitsHash = keccak256(limitsAt.slice(oldAt - limitsAt));
        batch.newRecord.putProfile(newAt);
        record.signer = _signerOf(batch, position + 4);
        if (record.signer == address(0)) return UPDATE_BAD_SIGNATURE;
        batch.oldRecord.putProfile(oldAt);
        bytes32 found = recordOf[batch.ringKey | record.id];
        bool known = record.hash(batch.oldRecord) == found;
        if (known && record.round == batch.round) return UPDATE_REPEATED;

        ProfileSums.Update memory update =
            ProfileSums.Update(oldAt, newAt, limitsAt + 2, limitsAt.uint16At() == 1);
        (bool within, uint256 change2, int256 power2) = batch.sums.move(batch.slots, update);
        if (known && within) {
            _advance(record, batch.round, change2);
            recordOf[batch.ringKey | record.id] = record.hash(batch.newRecord);
            batch.movement += change2;
            batch.power2 = uint256(int256(batch.power2) + power2);
            ++batch.count;
            return 0;
        }
        batch.sums.moveBack(batch.slots, update);
        if (known) return UPDATE_OUTSIDE_LIMITS;
        // The same entry a second time: its witness is out of date because it was taken.
        _advance(record, batch.round, change2);
        return record.hash(batch.newRecord) == found ? UPDATE_REPEATED : UPDATE_NOT_AS_RECORDED;
    }

    function _signerOf(Batch memory batch, uint256 signatureAt) private pure returns (address) {
        bytes32 structHash =
            keccak256(abi.encode(UPDATE_TYPEHASH, batch.epoch, batch.round, batch.newRecord.profileHash()));
        return Signatures.signerOf(_digest(batch.separator, structHash), signatureAt);
    }

    /// @dev Makes the record that of an update of `round`.
    function _advance(DeviceRecord memory record, uint32 round, uint256 change2) private pure {
        record.change2Before = record.round == round - 1 ? record.change2 : 0;
        record.change2 = uint64(change2); // of two profiles within POWER_W_MAX: below 2^53
        record.round = round;
    }
}
