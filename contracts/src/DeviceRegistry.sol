// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {DeviceStatus, IDeviceRegistry} from "./IDeviceRegistry.sol";
import {Terms} from "./Terms.sol";
import {PackedVectors} from "./PackedVectors.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";

/// @dev The words that devices prove. They come first, so that their slots are small constants.
abstract contract RegistryWords {
    /// @notice Address of a contract by its name (ASCII, padded right with zeros), zero if not set.
    mapping(bytes32 name => address) public contractOf;

    /// @notice Nonce of the last check-in of a device, zero before the first one with its present key.
    mapping(uint256 id => uint256) public checkInOf;
}

/// @title Who takes part, on which terms, and where the other contracts are
/// @notice A device has an id (from 1, never reused), a signer (the address of its key, replaceable, never used twice) and terms
/// (limits and fallback profile, see Terms; the registry keeps their hashes, the event DeviceTerms the bytes).
/// Roles: the admin (handed over in two steps with a delay) grants and revokes the operator's role, nothing else. Operators
/// manage devices and contract names. Registering and checking in are open to everyone: what counts is the device's signature.
contract DeviceRegistry is RegistryWords, AccessControlDefaultAdminRules, TypedData, IDeviceRegistry {
    using PackedVectors for uint256;

    bytes32 public constant OPERATOR_ROLE = keccak256("OPERATOR_ROLE");

    bytes32 private constant REGISTRATION_TYPEHASH = keccak256("Registration(bytes limits,bytes fallbackProfile)");
    bytes32 private constant CHECK_IN_TYPEHASH = keccak256("CheckIn(uint64 nonce)");

    /// @dev An entry of checkIn: u32 id, u64 nonce, signature.
    uint256 private constant CHECK_IN_SIZE = 12 + Signatures.SIZE;

    /// @dev Reasons of CheckInSkipped.
    uint8 private constant SKIP_NOT_ACTIVE = 1;
    uint8 private constant SKIP_NONCE_NOT_GREATER = 2;
    uint8 private constant SKIP_BAD_SIGNATURE = 3;

    /// @notice How many devices are active now.
    uint32 public activeCount;

    /// @notice How many ids were given out; the ids are 1 to deviceCount.
    uint32 public deviceCount;

    mapping(uint256 id => Device) private _devices;
    mapping(address signer => uint32) private _idEverOf;

    /// @notice An operator added an active device.
    event DeviceAdded(uint32 indexed id, address indexed signer);
    /// @notice A device waits for approval.
    event DeviceRegistered(uint32 indexed id, address indexed signer);
    /// @notice The terms that count from now on, for epochs not entered yet. The registry keeps only their hashes.
    event DeviceTerms(uint32 indexed id, bytes limits, bytes fallbackProfile);
    event DeviceApproved(uint32 indexed id);
    /// @notice A registration was refused and forgotten.
    event DeviceRejected(uint32 indexed id, address indexed signer);
    event DeviceSuspended(uint32 indexed id);
    event DeviceResumed(uint32 indexed id);
    /// @notice From now on `signer` signs for the device, `before` for nobody.
    event KeyReplaced(uint32 indexed id, address indexed before, address indexed signer);
    /// @notice The contract `name` is at `location` from now on.
    event ContractSet(bytes32 indexed name, address indexed location);
    /// @notice The device has proved that it had its key after a boot.
    event CheckedIn(uint32 indexed id, uint64 nonce);

    /// @notice A check-in did not count. Reason: 1 the device is not active, 2 the nonce is not greater than the one before,
    /// 3 not signed by the device's key.
    event CheckInSkipped(uint32 indexed id, uint64 nonce, uint8 reason);

    /// @notice The address is zero, or is or was the signer of a device.
    error SignerNotUsable(address signer);

    /// @notice The device does not have the status that the call asks for.
    error WrongStatus(uint256 id, uint8 status);

    /// @notice The signature is not one of the signer over these terms.
    error BadSignature();

    /// @notice The name of a contract is empty.
    error BadName();

    /// @notice The batch is not a whole number of entries.
    error MalformedBatch();

    /// @param admin holds the admin role, at first
    /// @param operator is the first operator
    /// @param adminDelaySeconds must pass before the admin role that was offered can be taken over
    constructor(address admin, address operator, uint48 adminDelaySeconds)
        AccessControlDefaultAdminRules(adminDelaySeconds, admin)
        TypedData("wattproof DeviceRegistry")
    {
        _grantRole(OPERATOR_ROLE, operator);
    }

    /// @notice Adds an active device. Operator only.
    function add(address signer, bytes calldata limits, bytes calldata fallbackProfile)
        external
        onlyRole(OPERATOR_ROLE)
        returns (uint32 id)
    {
        id = _create(signer, DeviceStatus.ACTIVE, limits, fallbackProfile);
        ++activeCount;
        emit DeviceAdded(id, signer);
    }

    /// @notice Registers a device that waits for approval. Anyone may send it; `signature` is that of the device's key over
    /// the typed message Registration(bytes limits,bytes fallbackProfile), so that nobody registers another's key or terms.
    function register(address signer, bytes calldata limits, bytes calldata fallbackProfile, bytes calldata signature)
        external
        returns (uint32 id)
    {
        bytes32 structHash = keccak256(abi.encode(REGISTRATION_TYPEHASH, keccak256(limits), keccak256(fallbackProfile)));
        if (signature.length != Signatures.SIZE) revert BadSignature();
        address found = Signatures.signerOf(_digest(domainSeparator(), structHash), PackedVectors.start(signature));
        if (found != signer) revert BadSignature(); // a zero signer is refused by _create
        id = _create(signer, DeviceStatus.PENDING, limits, fallbackProfile);
        emit DeviceRegistered(id, signer);
    }

    /// @notice Makes a pending device active. Operator only.
    function approve(uint256 id) external onlyRole(OPERATOR_ROLE) {
        _change(id, DeviceStatus.PENDING, DeviceStatus.ACTIVE);
        ++activeCount;
        emit DeviceApproved(uint32(id));
    }

    /// @notice Forgets a pending device; its key may register again, under another id. Operator only.
    function reject(uint256 id) external onlyRole(OPERATOR_ROLE) {
        Device storage found = _devices[id];
        if (found.status != DeviceStatus.PENDING) revert WrongStatus(id, found.status);
        address signer = found.signer;
        delete _idEverOf[signer];
        delete _devices[id];
        emit DeviceRejected(uint32(id), signer);
    }

    /// @notice Bars an active device from check-ins and from epochs that it has not entered. Operator only.
    function suspend(uint256 id) external onlyRole(OPERATOR_ROLE) {
        _change(id, DeviceStatus.ACTIVE, DeviceStatus.SUSPENDED);
        --activeCount;
        emit DeviceSuspended(uint32(id));
    }

    /// @notice Makes a suspended device active again. Operator only.
    function resume(uint256 id) external onlyRole(OPERATOR_ROLE) {
        _change(id, DeviceStatus.SUSPENDED, DeviceStatus.ACTIVE);
        ++activeCount;
        emit DeviceResumed(uint32(id));
    }

    /// @notice Gives a device another key. Operator only. An epoch that it has entered goes on with the key before. The
    /// check-in nonce starts again, since a new key comes with a new boot counter and no check-in signed by it is known.
    function replaceKey(uint256 id, address signer) external onlyRole(OPERATOR_ROLE) {
        Device storage found = _existing(id);
        address before = found.signer;
        _claim(signer, uint32(id));
        found.signer = signer;
        delete checkInOf[id];
        emit KeyReplaced(uint32(id), before, signer);
    }

    /// @notice Sets the terms of a device, for epochs that it has not entered yet. Operator only.
    function setTerms(uint256 id, bytes calldata limits, bytes calldata fallbackProfile) external onlyRole(OPERATOR_ROLE) {
        _existing(id);
        _setTerms(uint32(id), limits, fallbackProfile);
    }

    /// @notice Says where the contract `name` is; the zero address removes it. Operator only.
    function setContract(bytes32 name, address location) external onlyRole(OPERATOR_ROLE) {
        if (name == 0) revert BadName();
        contractOf[name] = location;
        emit ContractSet(name, location);
    }

    /// @notice Takes check-ins in a batch: entries of u32 id, u64 nonce, r, s, v (77 bytes). A bad one is skipped with an event.
    function checkIn(bytes calldata entries) external {
        if (entries.length % CHECK_IN_SIZE != 0) revert MalformedBatch();
        bytes32 separator = domainSeparator();
        uint256 position = PackedVectors.start(entries);
        for (uint256 end = position + entries.length; position < end; position += CHECK_IN_SIZE) {
            uint32 id = position.uint32At();
            uint64 nonce = (position + 4).uint64At();
            uint8 reason = _checkIn(separator, id, nonce, position + 12);
            if (reason == 0) emit CheckedIn(id, nonce);
            else emit CheckInSkipped(id, nonce, reason);
        }
    }

    /// @inheritdoc IDeviceRegistry
    function device(uint256 id) external view returns (Device memory) {
        return _devices[id];
    }

    /// @notice The id of the device whose signer is `signer` now, pending and suspended ones included; 0 if there is none.
    function idOf(address signer) external view returns (uint32 id) {
        id = _idEverOf[signer];
        if (_devices[id].signer != signer) id = 0;
    }

    /// @inheritdoc IDeviceRegistry
    function isOperator(address account) external view returns (bool) {
        return hasRole(OPERATOR_ROLE, account);
    }

    function _checkIn(bytes32 separator, uint32 id, uint64 nonce, uint256 signatureAt) private returns (uint8 reason) {
        Device storage found = _devices[id];
        if (found.status != DeviceStatus.ACTIVE) return SKIP_NOT_ACTIVE;
        if (nonce <= checkInOf[id]) return SKIP_NONCE_NOT_GREATER;
        bytes32 digest = _digest(separator, keccak256(abi.encode(CHECK_IN_TYPEHASH, nonce)));
        if (Signatures.signerOf(digest, signatureAt) != found.signer) return SKIP_BAD_SIGNATURE;
        checkInOf[id] = nonce;
        return 0;
    }

    function _create(address signer, uint8 status, bytes calldata limits, bytes calldata fallbackProfile)
        private
        returns (uint32 id)
    {
        id = ++deviceCount;
        _claim(signer, id);
        _devices[id].signer = signer;
        _devices[id].status = status;
        _setTerms(id, limits, fallbackProfile);
    }

    /// @dev An address serves one device only, ever: else an old check-in of it could be played back for another device.
    function _claim(address signer, uint32 id) private {
        if (signer == address(0) || _idEverOf[signer] != 0) revert SignerNotUsable(signer);
        _idEverOf[signer] = id;
    }

    function _setTerms(uint32 id, bytes calldata limits, bytes calldata fallbackProfile) private {
        Terms.check(limits, fallbackProfile);
        _devices[id].limitsHash = keccak256(limits);
        _devices[id].fallbackHash = keccak256(fallbackProfile);
        emit DeviceTerms(id, limits, fallbackProfile);
    }

    function _change(uint256 id, uint8 from, uint8 to) private {
        Device storage found = _devices[id];
        if (found.status != from) revert WrongStatus(id, found.status);
        found.status = to;
    }

    function _existing(uint256 id) private view returns (Device storage found) {
        found = _devices[id];
        if (found.status == DeviceStatus.NONE) revert WrongStatus(id, DeviceStatus.NONE);
    }
}
