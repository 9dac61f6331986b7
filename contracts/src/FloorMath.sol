// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The one signed division of the protocol
/// @notice Solidity and C++ truncate towards zero. A schedule on which a contract and a device must agree to the last bit
/// floors everywhere, so no signed number is divided by `/` but here.
library FloorMath {
    /// @dev The largest integer <= a / b. On input b > 0 and |a| < 2^255.
    function floorDiv(int256 a, int256 b) internal pure returns (int256 quotient) {
        // The remainder has the sign of a: it is below 0 just where truncation rounded up.
        assembly ("memory-safe") {
            quotient := sub(sdiv(a, b), slt(smod(a, b), 0))
        }
    }
}
