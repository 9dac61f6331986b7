// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Status of a device. A rejected registration leaves no trace but its used-up id.
library DeviceStatus {
    uint8 internal constant NONE = 0;
    uint8 internal constant PENDING = 1;
    uint8 internal constant ACTIVE = 2;
    uint8 internal constant SUSPENDED = 3;
}

/// @title What other contracts ask the registry
interface IDeviceRegistry {
    struct Device {
        address signer;
        uint8 status;
        bytes32 limitsHash;
        bytes32 fallbackHash;
    }

    /// @notice The device `id`; all zero if there is none.
    function device(uint256 id) external view returns (Device memory);

    /// @notice How many devices are active now.
    function activeCount() external view returns (uint32);

    /// @notice Whether `account` may do what is the operator's.
    function isOperator(address account) external view returns (bool);
}
