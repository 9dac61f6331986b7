// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Coordinator} from "./Coordinator.sol";
import {DeviceRecord, DeviceRecords} from "./DeviceRecord.sol";
import {EpochHead, EpochHeads, EpochStatus, FailureReason} from "./EpochHead.sol";
import {IDeviceRegistry} from "./IDeviceRegistry.sol";
import {PackedVectors} from "./PackedVectors.sol";
import {ProfileSums} from "./ProfileSums.sol";
import {Residuals} from "./Residuals.sol";
import {SchedulerBatches} from "./SchedulerBatches.sol";
import {SchedulerState} from "./SchedulerState.sol";
import {TypedData} from "./TypedData.sol";

/// @title Devices with private limits agree on a schedule, round by round
/// @notice docs/SPEC.md, sections 4 and 5, fixes every byte and every rounding; docs/DESIGN.md says why.
/// Kept here are sums, counters and commitments. What a call needs beside them (head, vectors, parameters, a device's last
/// profile) comes in calldata as a witness and must hash to its word; all of it also stands in events. No call costs more
/// than O(T), and O(T) a device for the batches: there is no loop over devices.
/// Roles: operators (as the registry says) open and cancel epochs. Everything else is open to everyone, since what counts is a
/// device's signature, the clock, or arithmetic. Nobody, the operator included, can set a plan, a price or a profile.
/// Units: power in W, import positive; vectors in 1/16 W; seconds of chain time.
contract Scheduler is SchedulerBatches {
    using DeviceRecords for bytes;
    using DeviceRecords for DeviceRecord;
    using PackedVectors for uint256;
    using PackedVectors for PackedVectors.Vectors;
    using ProfileSums for uint256[72];
    using Residuals for Residuals.Measure;

    /// @dev What the operator chooses for an epoch.
    /// @param epoch number, above all earlier ones
    /// @param start of slot 0, in the future, a multiple of slotSeconds
    /// @param slots T, 1 to 288
    /// @param slotSeconds divides 3600
    /// @param rho0 penalty of a cold start, 2^-16 micro-units per kWh and W, 1 to 2^40 - 1
    /// @param toleranceW absolute tolerance of the residuals; 0: only the relative one
    /// @param roundSeconds after which anyone may close a round, answered or not; at least 6 block periods are advised
    /// @param graceSeconds after which a round may be closed if as many have answered as in the round before
    /// @param enterSeconds after which the first round may start though not all active devices have entered
    /// @param roundsMax the round that ends the epoch one way or the other, 2 to 1000
    /// @param disputeSeconds for which the ring entry is kept after the last slot (of a failed epoch: after the failure)
    /// @param warmEpoch epoch whose end the first round starts from if it became final with the same slots; 0: cold start
    struct OpenParams {
        uint64 epoch;
        uint64 start;
        uint16 slots;
        uint32 slotSeconds;
        uint64 rho0;
        uint32 toleranceW;
        uint32 roundSeconds;
        uint32 graceSeconds;
        uint32 enterSeconds;
        uint16 roundsMax;
        uint32 disputeSeconds;
        uint64 warmEpoch;
    }

    uint32 private constant SECONDS_MAX = 366 days;
    uint16 private constant ROUNDS_LIMIT = 1000;
    uint32 private constant FREEZE_FROM_ROUND = 10;

    /// @dev Bytes of a freeze entry before the profile: id, signer, round, change2, change2 before, keccak(limits).
    uint256 private constant FREEZE_FIXED = 4 + 20 + 4 + 8 + 8 + 32;

    modifier onlyOperator() {
        if (!registry.isOperator(msg.sender)) revert NotOperator(msg.sender);
        _;
    }

    constructor(IDeviceRegistry registry_) SchedulerState(registry_) TypedData("wattproof Scheduler") {}

    /// @notice Opens an epoch; devices can enter. Operator only.
    /// @param parameters u64 gamma, then for each slot i32 price, i32 base_w, i32 cap_w
    function open(OpenParams calldata p, bytes calldata parameters) external onlyOperator {
        _checkParameters(p, parameters);
        if (p.epoch <= lastEpoch) revert EpochNotAbove(lastEpoch);
        Entry storage entry = _ring[p.epoch % RING];
        uint8 before = entry.counters.status;
        bool ended = before == EpochStatus.FINAL || before == EpochStatus.FAILED;
        if (before != EpochStatus.NONE && (!ended || block.timestamp < entry.calendar.reusableFrom)) {
            revert RingEntryBusy(entry.counters.epoch, entry.calendar.reusableFrom);
        }
        lastEpoch = p.epoch;
        entry.counters = Counters(p.epoch, 0, EpochStatus.ENTERING, p.slots, 0, 0, 0, 0);
        entry.movement = 0;
        entry.power2 = 0;
        entry.rules =
            Rules(p.roundSeconds, p.graceSeconds, p.disputeSeconds, p.toleranceW, p.roundsMax, p.warmEpoch);
        entry.calendar = Calendar(p.start, p.slotSeconds, 0, 0);
        entry.sums.clear(p.slots);

        EpochHead memory head;
        head.status = EpochStatus.ENTERING;
        head.slots = p.slots;
        head.slotSeconds = p.slotSeconds;
        head.epoch = p.epoch;
        head.start = p.start;
        head.deadline = _now() + p.enterSeconds;
        head.rho0 = p.rho0;
        head.parametersHash = keccak256(parameters);
        emit EpochOpened(p.epoch, _commit(head), parameters);
    }

    /// @notice Opens the first round: when all active devices have entered, or when the time for entering is over. An epoch that
    /// nobody entered fails.
    /// @param warmHead the head behind the ring entry's word of the epoch that was named as `warmEpoch`; empty if none was
    /// @param warmVectors the vectors of that head if it is final and has the same slots; empty otherwise
    function start(uint64 epoch, bytes calldata head, bytes calldata warmHead, bytes calldata warmVectors) external {
        Entry storage entry = _entryOf(epoch, EpochStatus.ENTERING);
        EpochHead memory h = _checkedHead(epoch, head);
        uint32 participants = entry.counters.participants;
        if (block.timestamp < h.deadline && (participants == 0 || participants < registry.activeCount())) {
            revert TooEarly(h.deadline);
        }
        if (participants == 0) {
            h.reason = FailureReason.NOBODY_ENTERED;
            return _fail(entry, h, "");
        }
        h.participants = participants;
        PackedVectors.Vectors memory vectors;
        if (_isWarm(entry.rules.warmEpoch, h, warmHead)) {
            vectors = _warmStart(h, warmHead, warmVectors);
        } else {
            vectors = Coordinator.coldStart(entry.sums.load(h.slots), h.slots, int256(uint256(participants)));
        }
        entry.counters.settledBefore = participants;
        _openRound(entry, h, vectors.encode());
    }

    /// @notice Closes the round, for anyone: when all have answered; after the grace time if as many have as in the round
    /// before; or at the deadline. The silent keep their last profile. Ends the epoch or opens the next round.
    function close(uint64 epoch, bytes calldata head, bytes calldata vectors, bytes calldata parameters) external {
        Entry storage entry = _entryOf(epoch, EpochStatus.OPEN);
        EpochHead memory h = _checkedHead(epoch, head);
        if (keccak256(vectors) != h.vectorsHash) revert VectorsMismatch();
        if (keccak256(parameters) != h.parametersHash) revert ParametersMismatch();
        uint32 settled = _checkedSettled(entry, h);

        PackedVectors.Vectors memory v = PackedVectors.decode(vectors, h.slots);
        Coordinator.Problem memory problem = Coordinator.Problem(
            int256(uint256(h.participants)),
            Coordinator.penalty(h.rho0, h.penaltyShift),
            int256(uint256(PackedVectors.start(parameters).uint64At())),
            Coordinator.leastMovers(int256(uint256(h.participants))),
            h.round,
            h.slots,
            PackedVectors.start(parameters),
            entry.sums.load(h.slots)
        );
        Coordinator.Outcome memory outcome = Coordinator.step(problem, v);
        _conclude(entry, h, v, outcome, settled);
    }

    /// @notice From round 10 on stops a device that keeps an epoch from ending, for anyone: one whose change made up more than
    /// half of all change in both of the last two rounds and alone exceeds the tolerance. Its profile stays as it is.
    /// @param data u32 id, signer, u32 round, u64 change2, u64 change2 before, keccak(limits), profile: the device's record
    function freeze(uint64 epoch, bytes calldata data) external {
        Entry storage entry = _entryOf(epoch, EpochStatus.OPEN);
        Counters memory counters = entry.counters;
        if (counters.round < FREEZE_FROM_ROUND) revert WrongRound(counters.round);
        if (data.length != FREEZE_FIXED + 4 * uint256(counters.slots)) revert MalformedBatch();
        uint256 position = PackedVectors.start(data);
        DeviceRecord memory record;
        record.epoch = epoch;
        record.id = position.uint32At();
        record.signer = address(uint160((position + 4).wordAt() >> 96));
        record.round = (position + 24).uint32At();
        record.change2 = (position + 28).uint64At();
        record.change2Before = (position + 36).uint64At();
        record.limitsHash = bytes32((position + 44).wordAt());
        bytes memory buffer = DeviceRecords.newBuffer(counters.slots);
        buffer.putProfile(position + FREEZE_FIXED);
        uint256 key = (epoch % RING) << 32 | record.id;
        if (record.hash(buffer) != recordOf[key]) revert RecordMismatch();
        uint256 absolute2 = Residuals.absolute(counters.participants, counters.slots, entry.rules.toleranceW);
        bool disturbing = record.round == counters.round - 1 && 2 * uint256(record.change2) > entry.movement1
            && 2 * uint256(record.change2Before) > entry.movement2 && 256 * uint256(record.change2) > absolute2;
        if (!disturbing) revert NotDisturbing();
        record.flags = DeviceRecords.FROZEN;
        recordOf[key] = record.hash(buffer);
        entry.counters.frozen = counters.frozen + 1;
        emit DeviceFrozen(epoch, record.id, counters.round);
    }

    /// @notice Ends a negotiation without a schedule. Operator only; a final schedule cannot be cancelled.
    function cancel(uint64 epoch, bytes calldata head) external onlyOperator {
        Entry storage entry = _ring[epoch % RING];
        uint8 status = entry.counters.status;
        if (entry.counters.epoch != epoch || (status != EpochStatus.ENTERING && status != EpochStatus.OPEN)) {
            revert WrongStatus(epoch, entry.counters.epoch == epoch ? status : EpochStatus.NONE);
        }
        EpochHead memory h = _checkedHead(epoch, head);
        h.reason = FailureReason.CANCELLED;
        _fail(entry, h, "");
    }

    // --- how a round ends ---

    /// @dev How many have answered or are frozen. Reverts with TooEarly while the round must stay open.
    function _checkedSettled(Entry storage entry, EpochHead memory h) private view returns (uint32 settled) {
        Counters memory counters = entry.counters;
        settled = counters.answered + counters.frozen;
        if (settled >= counters.participants || block.timestamp >= h.deadline) return settled;
        bool graceOver = block.timestamp >= uint256(h.changedAt) + entry.rules.graceSeconds;
        if (!graceOver || settled < counters.settledBefore) revert TooEarly(h.deadline);
    }

    /// @dev What follows from a round: the end, one way or the other, or the next round under a new penalty.
    function _conclude(
        Entry storage entry,
        EpochHead memory h,
        PackedVectors.Vectors memory v,
        Coordinator.Outcome memory outcome,
        uint32 settled
    ) private {
        Residuals.Measure memory measure =
            Residuals.measure(outcome, h.participants, entry.movement, entry.power2);
        Rules memory rules = entry.rules;
        bool capHolds = outcome.worstExcess <= 0;
        uint256 absolute2 = Residuals.absolute(h.participants, h.slots, rules.toleranceW);
        bool agreed = h.round > 1 && !outcome.uTooLarge && measure.small(absolute2);
        if (agreed && capHolds) return _finish(entry, h, v.encode());
        if (outcome.uTooLarge || h.round >= rules.roundsMax) {
            h.reason = FailureReason.ROUNDS_USED_UP;
            if (outcome.uTooLarge || !capHolds) {
                h.reason = FailureReason.CAP_CANNOT_BE_MET;
                h.worstSlot = uint16(outcome.worstSlot);
                h.excessW = _saturated32(outcome.worstExcess);
            }
            return _fail(entry, h, v.encode());
        }
        // Agreed but for a cap that nobody gives way to: the price has to climb, and a doubled penalty doubles its steps.
        int8 k = h.penaltyShift + (agreed ? int8(1) : measure.penaltyStep(h.round));
        if (Coordinator.isStalled(outcome, h.round) && !measure.isDualLarger()) Coordinator.hasten(outcome, v);
        if (k > Residuals.K_MAX) k = Residuals.K_MAX;
        if (k < -Residuals.K_MAX) k = -Residuals.K_MAX;
        Residuals.rescale(v.u, k - h.penaltyShift);
        h.penaltyShift = k;
        entry.counters.settledBefore = settled;
        _openRound(entry, h, v.encode());
    }

    /// @dev Opens the round after h.round, which is 0 for an epoch that starts.
    function _openRound(Entry storage entry, EpochHead memory h, bytes memory vectors) private {
        h.status = EpochStatus.OPEN;
        h.round += 1;
        h.deadline = _now() + entry.rules.roundSeconds;
        h.vectorsHash = keccak256(vectors);
        Counters memory counters = entry.counters;
        counters.status = EpochStatus.OPEN;
        counters.round = h.round;
        counters.answered = 0;
        entry.counters = counters;
        entry.movement2 = entry.movement1;
        entry.movement1 = entry.movement;
        entry.movement = 0;
        emit RoundOpened(h.epoch, h.round, _commit(h), vectors);
    }

    function _finish(Entry storage entry, EpochHead memory h, bytes memory vectors) private {
        h.status = EpochStatus.FINAL;
        h.vectorsHash = keccak256(vectors);
        entry.counters.status = EpochStatus.FINAL;
        uint64 lastSlotEnds = h.start + uint64(h.slots) * h.slotSeconds;
        uint64 from = lastSlotEnds > _now() ? lastSlotEnds : _now();
        entry.calendar.finalAt = _now();
        entry.calendar.reusableFrom = from + entry.rules.disputeSeconds;
        ++finalCount;
        emit ScheduleFinal(h.epoch, h.round, _commit(h), vectors);
    }

    /// @dev Ends the epoch for h.reason. Without vectors the head keeps the hash of those it had.
    function _fail(Entry storage entry, EpochHead memory h, bytes memory vectors) private {
        h.status = EpochStatus.FAILED;
        if (vectors.length != 0) h.vectorsHash = keccak256(vectors);
        entry.counters.status = EpochStatus.FAILED;
        entry.calendar.reusableFrom = _now() + entry.rules.disputeSeconds;
        ++failedCount;
        emit EpochFailed(h.epoch, h.reason, h.worstSlot, h.excessW, _commit(h), vectors);
    }

    function _saturated32(int256 value) private pure returns (uint32) {
        if (value <= 0) return 0;
        return value > int256(uint256(type(uint32).max)) ? type(uint32).max : uint32(uint256(value));
    }

    // --- how an epoch begins ---

    /// @dev Whether the first round starts from an earlier epoch. Not a choice of the caller: the head that the ring entry's word
    /// commits to decides, whichever epoch it is of. Only an entry that was never used has no head to show.
    function _isWarm(uint64 warmEpoch, EpochHead memory h, bytes calldata warmHead) private view returns (bool) {
        if (warmEpoch == 0) return false;
        bytes32 word = epochWord[warmEpoch % RING];
        if (word == 0) return false;
        if (keccak256(warmHead) != word) revert HeadMismatch();
        EpochHead memory warm = EpochHeads.decode(warmHead);
        return warm.epoch == warmEpoch && warm.status == EpochStatus.FINAL && warm.slots == h.slots
            && warm.slotSeconds == h.slotSeconds;
    }

    function _warmStart(EpochHead memory h, bytes calldata warmHead, bytes calldata warmVectors)
        private
        pure
        returns (PackedVectors.Vectors memory vectors)
    {
        EpochHead memory warm = EpochHeads.decode(warmHead);
        if (keccak256(warmVectors) != warm.vectorsHash) revert VectorsMismatch();
        vectors = PackedVectors.decode(warmVectors, h.slots);
        Coordinator.warmStart(vectors, int256(uint256(h.participants)));
        h.penaltyShift = warm.penaltyShift;
        h.rho0 = warm.rho0;
    }

    function _checkParameters(OpenParams calldata p, bytes calldata parameters) private view {
        bool shape = p.slots >= 1 && p.slots <= PackedVectors.SLOTS_MAX && p.slotSeconds != 0
            && 3600 % p.slotSeconds == 0 && parameters.length == 8 + 12 * uint256(p.slots);
        bool times = p.start > block.timestamp && p.start - block.timestamp <= SECONDS_MAX
            && p.disputeSeconds <= SECONDS_MAX && p.enterSeconds <= SECONDS_MAX && p.roundSeconds != 0
            && p.roundSeconds <= SECONDS_MAX && p.graceSeconds <= p.roundSeconds && p.roundsMax >= 2
            && p.roundsMax <= ROUNDS_LIMIT;
        if (!shape || !times || p.rho0 == 0 || p.rho0 >= 2 ** 40 || p.warmEpoch >= p.epoch) revert BadParameters();
        if (p.start % p.slotSeconds != 0) revert BadParameters();
        if (p.warmEpoch != 0 && p.warmEpoch % RING == p.epoch % RING) revert BadParameters();
        if (PackedVectors.start(parameters).uint64At() >= 2 ** 40) revert BadParameters();
    }
}
