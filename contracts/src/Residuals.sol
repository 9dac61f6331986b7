// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Coordinator} from "./Coordinator.sol";

/// @title When a round is the last one, and how the penalty moves
/// @notice Residuals come from what the contract itself holds, as squares, and are compared by cross-multiplication: no square
/// root, no division, no number that a device reports about itself. By the bounds in Coordinator every product is below
/// 2^253; the arithmetic is checked all the same.
library Residuals {
    /// @dev The relative tolerance is 10^-3, here squared.
    uint256 private constant TOLERANCE_DIVISOR = 1_000_000;

    /// @dev By how much the square of a residual must be the larger for the penalty to move.
    uint256 private constant BALANCE = 16;
    uint256 private constant BALANCE_FROM_ROUND = 2;
    uint256 private constant BALANCE_SELDOM_ROUND = 12; // after it the penalty moves every second round at most
    uint256 private constant BALANCE_TO_ROUND = 60;

    int8 internal constant K_MAX = 24;

    /// @dev How much more the square of the dual residual counts when the penalty moves. Twice the residual: measured over whole
    /// epochs, a penalty that is somewhat too low costs fewer rounds than one that is too high.
    uint256 private constant DUAL_WEIGHT = 4;

    /// @dev What is compared: with N devices primal^2 = gap2 / N, relative to `scale2` / N; dual^2 relative to N * u2. gap2 leaves
    /// out the slots at the cap that are short of the plan; `short2` holds these.
    struct Measure {
        uint256 devices;
        uint256 gap2;
        uint256 short2;
        uint256 dual2;
        uint256 scale2;
        uint256 u2;
        bool slack; // complementary slackness holds
    }

    /// @param movement D, sum of |x_new - x_old|^2 of the round, in W^2
    /// @param power2 X2, sum of |x|^2, in W^2
    function measure(Coordinator.Outcome memory outcome, uint256 devices, uint256 movement, uint256 power2)
        internal
        pure
        returns (Measure memory result)
    {
        int256 dual2 = int256(256 * movement) + outcome.shift2;
        uint256 powerScale2 = 256 * devices * power2;
        result.devices = devices;
        result.gap2 = outcome.gap2;
        result.short2 = outcome.short2;
        result.slack = outcome.slack >= 0;
        result.dual2 = dual2 > 0 ? uint256(dual2) : 0;
        result.scale2 = powerScale2 > outcome.z2 ? powerScale2 : outcome.z2;
        result.u2 = outcome.u2;
    }

    /// @dev The absolute tolerance A of both residuals: (tolerance_w / 4 in every slot of every device)^2, in (1/16 W)^2.
    function absolute(uint256 devices, uint256 slots, uint256 toleranceW) internal pure returns (uint256) {
        return 16 * devices * slots * toleranceW * toleranceW;
    }

    /// @dev Whether both residuals are within 10^-3 of their scale or the absolute tolerance. What slots at the cap are short of the
    /// plan need not be small in power if it is in money: nobody may want it until the price has come down a long way.
    function small(Measure memory m, uint256 absolute2) internal pure returns (bool) {
        uint256 primalBound = m.scale2 + TOLERANCE_DIVISOR * m.devices * absolute2;
        uint256 dualBound = m.devices * m.u2 + TOLERANCE_DIVISOR * absolute2;
        uint256 gap2 = m.slack ? m.gap2 : m.gap2 + m.short2;
        return TOLERANCE_DIVISOR * gap2 <= primalBound && TOLERANCE_DIVISOR * m.dual2 <= dualBound;
    }

    /// @dev The step of k after `round` was closed without an end: up if the square of the primal residual over its scale is more
    /// than BALANCE times that of the dual one (which counts as in DUAL_WEIGHT), down the other way round.
    function penaltyStep(Measure memory m, uint256 round) internal pure returns (int8) {
        if (round < BALANCE_FROM_ROUND || round > BALANCE_TO_ROUND) return 0;
        if (round > BALANCE_SELDOM_ROUND && round & 1 == 1) return 0;
        if (_primalSide(m) > BALANCE * _dualSide(m)) return 1;
        return isDualLarger(m) ? -1 : int8(0);
    }

    /// @dev Whether the dual residual is the larger one in that sense.
    function isDualLarger(Measure memory m) internal pure returns (bool) {
        return _dualSide(m) > BALANCE * _primalSide(m);
    }

    function _primalSide(Measure memory m) private pure returns (uint256) {
        return m.devices * (m.gap2 + m.short2) * m.u2;
    }

    function _dualSide(Measure memory m) private pure returns (uint256) {
        return DUAL_WEIGHT * m.dual2 * m.scale2;
    }

    /// @dev u' for a penalty that was multiplied by 2^step, in place: rho * u stays. `>>` of a signed number floors.
    function rescale(int256[] memory u, int8 step) internal pure {
        for (uint256 t = 0; t < u.length; ++t) {
            u[t] = step > 0 ? u[t] >> uint8(step) : u[t] << uint8(-step);
        }
    }
}
