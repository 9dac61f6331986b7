// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedVectors} from "./PackedVectors.sol";

/// @title The terms of a device: limits and fallback profile
/// @notice limits = u16 n, then n times (i32 min_w, i32 max_w); fallback = u16 n, then n times i32. n = 1 stands for the same
/// in every slot of any epoch; else n is the number of slots.
library Terms {
    using PackedVectors for uint256;

    /// @dev The greatest |power| that may be enrolled, in W. Sums and squares rest on it (see Coordinator).
    int256 internal constant POWER_W_MAX = 2_000_000;

    /// @notice The terms are not well formed: wrong length, min above max, beyond POWER_W_MAX, fallback outside the limits.
    error BadTerms();

    /// @dev Size in bytes of limits for `count` slots.
    function limitsSize(uint256 count) internal pure returns (uint256) {
        return 2 + 8 * count;
    }

    /// @dev Size in bytes of a fallback profile for `count` slots.
    function fallbackSize(uint256 count) internal pure returns (uint256) {
        return 2 + 4 * count;
    }

    /// @dev Reverts with BadTerms unless both are well formed and the fallback is within the limits.
    function check(bytes calldata limits, bytes calldata fallbackProfile) internal pure {
        uint256 limitsCount = _count(limits, 8);
        uint256 fallbackCount = _count(fallbackProfile, 4);
        if (limitsCount != fallbackCount && limitsCount != 1 && fallbackCount != 1) revert BadTerms();
        uint256 limitsAt = PackedVectors.start(limits) + 2;
        uint256 fallbackAt = PackedVectors.start(fallbackProfile) + 2;
        uint256 count = limitsCount > fallbackCount ? limitsCount : fallbackCount;
        for (uint256 t = 0; t < count; ++t) {
            uint256 limitAt = limitsCount == 1 ? limitsAt : limitsAt + 8 * t;
            int256 low = limitAt.int32At();
            int256 high = (limitAt + 4).int32At();
            int256 power = (fallbackCount == 1 ? fallbackAt : fallbackAt + 4 * t).int32At();
            if (low < -POWER_W_MAX || high > POWER_W_MAX || power < low || power > high) revert BadTerms();
        }
    }

    function _count(bytes calldata data, uint256 itemSize) private pure returns (uint256 count) {
        if (data.length < 2) revert BadTerms();
        count = PackedVectors.start(data).uint16At();
        if (count == 0 || count > PackedVectors.SLOTS_MAX || data.length != 2 + itemSize * count) revert BadTerms();
    }
}
