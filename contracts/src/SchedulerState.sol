// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochHead, EpochHeads, EpochStatus} from "./EpochHead.sol";
import {IDeviceRegistry} from "./IDeviceRegistry.sol";
import {ProfileSums} from "./ProfileSums.sol";

/// @dev The words that devices prove. They come first, so that their slots are small constants.
abstract contract SchedulerWords {
    /// @notice Hash of the epoch head of each ring entry (entry = epoch mod 8).
    bytes32[8] public epochWord;

    /// @notice Hash of a device's record, by ring entry * 2^32 + id.
    mapping(uint256 key => bytes32) public recordOf;
}
/// @title What the Scheduler keeps, and what anyone can read of it
/// @notice Sums, counters and commitments; the data behind the commitments stands in the events.
abstract contract SchedulerState is SchedulerWords {
    using EpochHeads for EpochHead;
    using ProfileSums for uint256[];
    using ProfileSums for uint256[72];

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
        uint256[72] sums; // S and its moves; four slots a word, 288 slots
    }

    uint256 internal constant RING = 8;

    /// @notice Where devices, terms and operators are looked up.
    IDeviceRegistry public immutable registry;

    /// @notice The greatest epoch opened so far, 0 if none.
    uint64 public lastEpoch;

    /// @notice How many epochs became final.
    uint64 public finalCount;

    /// @notice How many epochs failed, cancelled ones included.
    uint64 public failedCount;

    Entry[RING] internal _ring;

    /// @notice Devices can enter.
    event EpochOpened(uint64 indexed epoch, bytes head, bytes parameters);

    /// @notice A device entered; its record holds round 0, these limits and this profile, its fallback.
    event DeviceEntered(uint64 indexed epoch, uint32 indexed id, address signer, bytes32 limitsHash, bytes profile);

    /// @notice Reason: 1 not active or not with these terms, 2 has entered already, 3 terms for another number of slots, 4 full.
    event EnterSkipped(uint64 indexed epoch, uint32 indexed id, uint8 reason);

    /// @notice A round takes updates; devices answer to these vectors.
    event RoundOpened(uint64 indexed epoch, uint32 indexed round, bytes head, bytes vectors);
    /// @notice An update counts: from now on this is the device's profile, and in the sum.
    event Profile(uint64 indexed epoch, uint32 indexed round, uint32 indexed id, bytes profile);

    /// @notice Reason: 1 the record does not match (wrong signer, wrong witness, not entered, frozen), 2 has answered this round
    /// already, 3 outside the limits, 4 no valid signature.
    event UpdateSkipped(uint64 indexed epoch, uint32 indexed round, uint32 indexed id, uint8 reason);

    /// @notice The device's profile stays as it is until the epoch ends.
    event DeviceFrozen(uint64 indexed epoch, uint32 indexed id, uint32 round);
    /// @notice The profiles in the records are the schedule.
    event ScheduleFinal(uint64 indexed epoch, uint32 indexed round, bytes head, bytes vectors);

    /// @notice There is no schedule; devices take their fallback profiles. `vectors` is empty if the epoch had none or was
    /// cancelled; then those of the last RoundOpened stand.
    event EpochFailed(
        uint64 indexed epoch, uint8 reason, uint16 worstSlot, uint32 excessW, bytes head, bytes vectors
    );

    /// @notice The registry does not know the account as an operator.
    error NotOperator(address account);
    /// @notice The registry has no code.
    error BadRegistry();
    /// @notice A value of OpenParams or of the parameters is out of its range.
    error BadParameters();
    /// @notice The epoch's number is not above that of every epoch opened before.
    error EpochNotAbove(uint64 lastEpoch);
    /// @notice The ring entry is in negotiation, or in its dispute window until `reusableFrom`.
    error RingEntryBusy(uint64 epoch, uint64 reusableFrom);
    /// @notice The ring does not hold the epoch, or its status is another than the call asks for.
    error WrongStatus(uint64 epoch, uint8 status);
    /// @notice `round` takes updates now, or it is too early in the epoch to freeze.
    error WrongRound(uint32 round);
    /// @notice The head does not hash to the epoch word: it is of another round, or not true.
    error HeadMismatch();
    /// @notice The vectors are not those of the head.
    error VectorsMismatch();
    /// @notice The parameters are not those of the head.
    error ParametersMismatch();
    /// @notice Too few have entered or answered for now; from `deadline` on the call is allowed whoever has not.
    error TooEarly(uint64 deadline);
    /// @notice The bytes are not whole entries of this epoch's shape.
    error MalformedBatch();
    /// @notice What was shown is not the device's record, or the device is frozen already.
    error RecordMismatch();
    /// @notice The device does not keep the epoch from ending: it has not moved most in both of the last two rounds.
    error NotDisturbing();

    constructor(IDeviceRegistry registry_) {
        if (address(registry_).code.length == 0) revert BadRegistry();
        registry = registry_;
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
        uint256 slots = entry.counters.slots;
        if (entry.counters.epoch == epoch && epoch != 0) values = entry.sums.load(slots).values(slots);
    }

    /// @dev The ring entry of an epoch that has `status`.
    function _entryOf(uint64 epoch, uint8 status) internal view returns (Entry storage entry) {
        entry = _ring[epoch % RING];
        uint8 found = entry.counters.epoch == epoch ? entry.counters.status : EpochStatus.NONE;
        if (found != status) revert WrongStatus(epoch, found);
    }

    function _checkedHead(uint64 epoch, bytes calldata head) internal view returns (EpochHead memory) {
        if (keccak256(head) != epochWord[epoch % RING]) revert HeadMismatch();
        return EpochHeads.decode(head);
    }

    /// @dev Stamps the head, stores its hash, and returns its bytes.
    function _commit(EpochHead memory head) internal returns (bytes memory data) {
        head.changedAt = _now();
        data = head.encode();
        epochWord[head.epoch % RING] = keccak256(data);
    }

    function _now() internal view returns (uint64) {
        return uint64(block.timestamp);
    }
}
