// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Coordinator} from "./Coordinator.sol";
import {DeviceRecord, DeviceRecords} from "./DeviceRecord.sol";
import {EnteredSet} from "./EnteredSet.sol";
import {EpochHead, EpochHeads, EpochStatus, FailureReason} from "./EpochHead.sol";
import {DeviceStatus, IDeviceRegistry} from "./IDeviceRegistry.sol";
import {PackedVectors} from "./PackedVectors.sol";
import {ProfileSums} from "./ProfileSums.sol";
import {Residuals} from "./Residuals.sol";
import {Signatures} from "./Signatures.sol";
import {Terms} from "./Terms.sol";
import {TypedData} from "./TypedData.sol";

/// @dev The words that devices prove. They come first, so that their slots are small constants.
abstract contract SchedulerWords {
    /// @notice Hash of the epoch head of each ring entry (entry = epoch mod 8).
    bytes32[8] public epochWord;

    /// @notice Hash of a device's record, by ring entry * 2^32 + id.
    mapping(uint256 key => bytes32) public recordOf;
}

/// @title Devices with private limits agree on a schedule, round by round
/// @notice docs/SPEC.md, sections 4 and 5, fixes every byte and every rounding; docs/DESIGN.md says why.
/// Kept here are sums, counters and commitments. What a call needs beside them (head, vectors, parameters, a device's last
/// profile) comes in calldata as a witness and must hash to its word; all of it also stands in events. No call costs more
/// than O(T), and O(T) a device for the batches: there is no loop over devices.
/// Roles: operators (as the registry says) open and cancel epochs. Everything else is open to everyone, since what counts is a
/// device's signature, the clock, or arithmetic. Nobody, the operator included, can set a plan, a price or a profile.
/// Units: power in W, import positive; vectors in 1/16 W; seconds of chain time.
contract Scheduler is SchedulerWords, TypedData {
    using DeviceRecords for bytes;
    using DeviceRecords for DeviceRecord;
    using EnteredSet for mapping(uint256 => uint256);
    using EpochHeads for EpochHead;
    using PackedVectors for uint256;
    using PackedVectors for PackedVectors.Vectors;
    using ProfileSums for uint256[];
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

    /// @dev Where an epoch stands; see roundState.
    struct RoundState {
        uint8 status;
        uint32 round;
        uint16 slots;
        uint32 participants;
        uint32 answered;
        uint32 frozen;
        uint32 settledBefore;
        uint256 movement;
        uint256 power2;
        bytes32 word;
    }

    /// @dev One word, read by every call.
    struct Counters {
        uint64 epoch;
        uint32 round;
        uint8 status;
        uint16 slots;
        uint32 participants; // N
        uint32 answered; // in this round
        uint32 settledBefore; // answered + frozen when the round before was closed
        uint32 frozen;
    }

    /// @dev One word, written when the epoch opens.
    struct Rules {
        uint32 roundSeconds;
        uint32 graceSeconds;
        uint32 disputeSeconds;
        uint32 toleranceW;
        uint16 roundsMax;
        uint64 warmEpoch;
    }

    /// @dev One word, for those who only want to read the schedule or reuse the entry.
    struct Calendar {
        uint64 start;
        uint32 slotSeconds;
        uint64 finalAt;
        uint64 reusableFrom;
    }

    struct Entry {
        Counters counters;
        uint128 movement; // D, of this round, W^2
        uint128 power2; // X2, W^2
        uint128 movement1; // D of the round closed last
        uint128 movement2; // D of the round before that
        Rules rules;
        Calendar calendar;
        uint256[72] sums; // S, W; four slots a word, 288 slots
    }

    /// @dev A batch of updates at work: what is read once and written once.
    struct Batch {
        uint64 epoch;
        uint32 round;
        uint32 answered;
        uint256 slots;
        uint256 ringKey;
        bytes32 separator;
        uint256[] sums;
        uint256 movement;
        uint256 power2;
        bytes oldRecord;
        bytes newRecord;
    }

    bytes32 private constant UPDATE_TYPEHASH = keccak256("Update(uint64 epoch,uint32 round,bytes profile)");

    uint256 private constant RING = 8;
    uint32 private constant SECONDS_MAX = 366 days;
    uint16 private constant ROUNDS_LIMIT = 1000;
    uint32 private constant PARTICIPANTS_MAX = 2 ** 20;
    uint32 private constant FREEZE_FROM_ROUND = 10;

    /// @dev Bytes of an update before its limits: id, signature, old round, old change2, old change2 before.
    uint256 private constant UPDATE_FIXED = 4 + Signatures.SIZE + 4 + 8 + 8;
    /// @dev Bytes of a freeze entry before the profile: id, signer, round, change2, change2 before, keccak(limits).
    uint256 private constant FREEZE_FIXED = 4 + 20 + 4 + 8 + 8 + 32;

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

    /// @notice Where devices, terms and operators are looked up.
    IDeviceRegistry public immutable registry;

    /// @notice The greatest epoch opened so far, 0 if none.
    uint64 public lastEpoch;

    /// @notice How many epochs became final and how many failed.
    uint64 public finalCount;
    uint64 public failedCount;

    Entry[RING] private _ring;
    mapping(uint256 => uint256) private _entered;

    event EpochOpened(uint64 indexed epoch, bytes head, bytes parameters);

    /// @notice A device entered; its record holds round 0, these limits and this profile, its fallback.
    event DeviceEntered(uint64 indexed epoch, uint32 indexed id, address signer, bytes32 limitsHash, bytes profile);

    /// @notice Reason: 1 not active or not with these terms, 2 has entered already, 3 terms for another number of slots, 4 full.
    event EnterSkipped(uint64 indexed epoch, uint32 indexed id, uint8 reason);

    event RoundOpened(uint64 indexed epoch, uint32 indexed round, bytes head, bytes vectors);
    event Profile(uint64 indexed epoch, uint32 indexed round, uint32 indexed id, bytes profile);

    /// @notice Reason: 1 the record does not match (wrong signer, wrong witness, not entered, frozen), 2 has answered this round
    /// already, 3 outside the limits, 4 no valid signature.
    event UpdateSkipped(uint64 indexed epoch, uint32 indexed round, uint32 indexed id, uint8 reason);

    event DeviceFrozen(uint64 indexed epoch, uint32 indexed id, uint32 round);
    event ScheduleFinal(uint64 indexed epoch, uint32 indexed round, bytes head, bytes vectors);

    /// @notice `vectors` is empty if the epoch had none or was cancelled; then those of the last RoundOpened stand.
    event EpochFailed(
        uint64 indexed epoch, uint8 reason, uint16 worstSlot, uint32 excessW, bytes head, bytes vectors
    );

    error NotOperator(address account);
    /// @notice The registry has no code.
    error BadRegistry();
    /// @notice A value of OpenParams or of the parameters is out of its range.
    error BadParameters();
    error EpochNotAbove(uint64 lastEpoch);
    /// @notice The ring entry is in negotiation, or in its dispute window until `reusableFrom`.
    error RingEntryBusy(uint64 epoch, uint64 reusableFrom);
    /// @notice The ring does not hold the epoch, or its status is another than the call asks for.
    error WrongStatus(uint64 epoch, uint8 status);
    error WrongRound(uint32 round);
    error HeadMismatch();
    error VectorsMismatch();
    error ParametersMismatch();
    /// @notice Too few have entered or answered for now; from `deadline` on the call is allowed whoever has not.
    error TooEarly(uint64 deadline);
    error MalformedBatch();
    error RecordMismatch();
    /// @notice The device does not keep the epoch from ending: it has not moved most in both of the last two rounds.
    error NotDisturbing();

    modifier onlyOperator() {
        if (!registry.isOperator(msg.sender)) revert NotOperator(msg.sender);
        _;
    }

    constructor(IDeviceRegistry registry_) TypedData("wattproof Scheduler") {
        if (address(registry_).code.length == 0) revert BadRegistry();
        registry = registry_;
    }

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

    /// @notice Enters devices in a batch, for anyone: entries of u32 id, limits, fallback, as enrolled. A bad one is skipped.
    function enter(uint64 epoch, bytes calldata entries) external {
        Entry storage entry = _entryOf(epoch, EpochStatus.ENTERING);
        Batch memory batch;
        batch.epoch = epoch;
        batch.slots = entry.counters.slots;
        batch.ringKey = (epoch % RING) << 32;
        batch.sums = entry.sums.load(batch.slots);
        batch.power2 = entry.power2;
        batch.answered = entry.counters.participants;
        batch.newRecord = DeviceRecords.newBuffer(batch.slots);
        uint256 position = PackedVectors.start(entries);
        for (uint256 end = position + entries.length; position < end;) position = _enterOne(batch, position, end);
        entry.sums.store(batch.sums);
        entry.power2 = uint128(batch.power2);
        entry.counters.participants = batch.answered;
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
            vectors = Coordinator.coldStart(entry.sums.load(h.slots).values(h.slots), int256(uint256(participants)));
        }
        entry.counters.settledBefore = participants;
        _openRound(entry, h, vectors.encode());
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
        batch.answered = counters.answered;
        batch.ringKey = (epoch % RING) << 32;
        batch.separator = domainSeparator();
        batch.sums = entry.sums.load(batch.slots);
        batch.movement = entry.movement;
        batch.power2 = entry.power2;
        batch.oldRecord = DeviceRecords.newBuffer(batch.slots);
        batch.newRecord = DeviceRecords.newBuffer(batch.slots);
        uint256 position = PackedVectors.start(entries);
        for (uint256 end = position + entries.length; position < end;) position = _updateOne(batch, position, end);
        if (batch.answered == counters.answered) return;
        entry.sums.store(batch.sums);
        entry.movement = uint128(batch.movement);
        entry.power2 = uint128(batch.power2);
        entry.counters.answered = batch.answered;
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
            PackedVectors.start(parameters),
            entry.sums.load(h.slots).values(h.slots)
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

    /// @notice The schedule of an epoch. "None yet" is an answer: with a status other than 3 (final) `createdAt` is 0 and
    /// `aggregate` empty; status 0 means that the ring does not hold the epoch.
    /// @return status 0 none, 1 entering, 2 open, 3 final, 4 failed
    /// @return createdAt when it became final
    /// @return startsAt start of slot 0
    /// @return slots T
    /// @return slotSeconds seconds of a slot
    /// @return aggregate sum of all profiles in each slot, W
    function schedule(uint64 epoch)
        external
        view
        returns (
            uint8 status,
            uint64 createdAt,
            uint64 startsAt,
            uint16 slots,
            uint32 slotSeconds,
            int256[] memory aggregate
        )
    {
        Entry storage entry = _ring[epoch % RING];
        if (entry.counters.epoch == epoch && epoch != 0) {
            status = entry.counters.status;
            createdAt = entry.calendar.finalAt;
            startsAt = entry.calendar.start;
            slots = entry.counters.slots;
            slotSeconds = entry.calendar.slotSeconds;
            if (status == EpochStatus.FINAL) aggregate = entry.sums.load(slots).values(slots);
        }
    }

    /// @notice Where an epoch stands: its counters, D and X2 in W^2, and its word. All zero if the ring does not hold it.
    function roundState(uint64 epoch) external view returns (RoundState memory state) {
        Entry storage entry = _ring[epoch % RING];
        Counters memory counters = entry.counters;
        if (counters.epoch != epoch || epoch == 0) return state;
        state.status = counters.status;
        state.round = counters.round;
        state.slots = counters.slots;
        state.participants = counters.participants;
        state.answered = counters.answered;
        state.frozen = counters.frozen;
        state.settledBefore = counters.settledBefore;
        state.movement = entry.movement;
        state.power2 = entry.power2;
        state.word = epochWord[epoch % RING];
    }

    /// @notice The sum of all profiles as it stands now, W; empty if the ring does not hold the epoch.
    function sums(uint64 epoch) external view returns (int256[] memory values) {
        Entry storage entry = _ring[epoch % RING];
        if (entry.counters.epoch == epoch && epoch != 0) values = entry.sums.load(entry.counters.slots).values(entry.counters.slots);
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
        } else if (batch.answered == PARTICIPANTS_MAX) {
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
        ++batch.answered;
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
        uint256 newAt = oldAt + 4 * batch.slots;
        next = newAt + 4 * batch.slots;
        if (next > end) revert MalformedBatch();
        uint32 id = position.uint32At();
        uint8 reason = _answer(batch, position, limitsAt, oldAt);
        if (reason == 0) emit Profile(batch.epoch, batch.round, id, newAt.slice(4 * batch.slots));
        else emit UpdateSkipped(batch.epoch, batch.round, id, reason);
    }

    /// @dev One comparison checks signature, witness and enrolment: the old record is rebuilt with the recovered signer.
    function _answer(Batch memory batch, uint256 position, uint256 limitsAt, uint256 oldAt) private returns (uint8) {
        uint256 newAt = oldAt + 4 * batch.slots;
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
            ++batch.answered;
            return 0;
        }
        (update.from, update.to) = (newAt, oldAt);
        batch.sums.move(batch.slots, update);
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

    // --- rounds ---

    /// @dev How many have answered or are frozen. Reverts with TooEarly while the round must stay open.
    function _checkedSettled(Entry storage entry, EpochHead memory h) private view returns (uint32 settled) {
        Counters memory counters = entry.counters;
        settled = counters.answered + counters.frozen;
        if (settled >= counters.participants || block.timestamp >= h.deadline) return settled;
        bool graceOver = block.timestamp >= uint256(h.changedAt) + entry.rules.graceSeconds;
        if (!graceOver || settled < counters.settledBefore) revert TooEarly(h.deadline);
    }

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
        if (h.round > 1 && capHolds && !outcome.uTooLarge && measure.small(absolute2)) {
            return _finish(entry, h, v.encode());
        }
        if (outcome.uTooLarge || h.round >= rules.roundsMax) {
            h.reason = FailureReason.ROUNDS_USED_UP;
            if (outcome.uTooLarge || !capHolds) {
                h.reason = FailureReason.CAP_CANNOT_BE_MET;
                h.worstSlot = uint16(outcome.worstSlot);
                h.excessW = _saturated32(outcome.worstExcess);
            }
            return _fail(entry, h, v.encode());
        }
        int8 k = h.penaltyShift + measure.penaltyStep(h.round);
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
        vectors.zp = vectors.z;
        h.penaltyShift = warm.penaltyShift;
        h.rho0 = warm.rho0;
    }

    // --- small things ---

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

    /// @dev The ring entry of an epoch that has `status`.
    function _entryOf(uint64 epoch, uint8 status) private view returns (Entry storage entry) {
        entry = _ring[epoch % RING];
        uint8 found = entry.counters.epoch == epoch ? entry.counters.status : EpochStatus.NONE;
        if (found != status) revert WrongStatus(epoch, found);
    }

    function _checkedHead(uint64 epoch, bytes calldata head) private view returns (EpochHead memory) {
        if (keccak256(head) != epochWord[epoch % RING]) revert HeadMismatch();
        return EpochHeads.decode(head);
    }

    /// @dev Stamps the head, stores its hash, and returns its bytes.
    function _commit(EpochHead memory head) private returns (bytes memory data) {
        head.changedAt = _now();
        data = head.encode();
        epochWord[head.epoch % RING] = keccak256(data);
    }

    function _now() private view returns (uint64) {
        return uint64(block.timestamp);
    }

    function _saturated32(int256 value) private pure returns (uint32) {
        if (value <= 0) return 0;
        return value > int256(uint256(type(uint32).max)) ? type(uint32).max : uint32(uint256(value));
    }
}
