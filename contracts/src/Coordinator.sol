// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FloorMath} from "./FloorMath.sol";
import {PackedVectors} from "./PackedVectors.sol";

/// @title The coordinator's side of sharing ADMM: from the sum of all profiles to the next plan and price
/// @notice Over-relaxation 8/5, applied to the mean, so that no slot costs more than O(1) whatever the number of devices.
/// z, u, xb, zp in 1/16 W; the sum S, base and cap in W; prices in micro-units per kWh; rho and gamma in 2^-16 micro-units per
/// kWh and W. Bounds, from which it follows that nothing here or in Residuals leaves its integer: |x| <= 2*10^6, T <= 288,
/// N <= 2^20, rho0 and gamma < 2^40, |k| <= 24, and in a round that is not the last |u| < 2^40 before the penalty changes.
library Coordinator {
    using FloorMath for int256;
    using PackedVectors for uint256;

    /// @dev A scaled price of this size means that the cap cannot be met.
    int256 internal constant U_MAX = 2 ** 40;

    /// @dev The plan stays below the cap by cap / 256, so that the profiles, which follow it within a tolerance, meet it.
    int256 internal constant CAP_MARGIN_DIVISOR = 256;

    /// @dev What a round rests on. `parametersAt` is a calldata position: u64 gamma, then T times (price, base, cap), each i32.
    struct Problem {
        int256 devices;
        int256 rho;
        int256 gamma;
        uint256 parametersAt;
        int256[] sums;
    }

    /// @dev What a round leaves to judge it by. All but the last three in (1/16 W)^2.
    struct Outcome {
        uint256 gap2; // sum of (16 S - N z')^2, which is N * primal^2
        int256 shift2; // sum of 2 (xb' - xb) a + a^2 with a = (z' - z) - (xb' - xb)
        uint256 z2; // |z'|^2
        uint256 u2; // |u'|^2
        bool uTooLarge;
        uint256 worstSlot; // the first slot of the greatest S + base - cap
        int256 worstExcess; // that value, in W; the cap holds if it is not positive
    }

    /// @dev rho0 * 2^k, rounded down, at least 1.
    function penalty(uint64 rho0, int8 k) internal pure returns (int256) {
        if (k >= 0) return int256(uint256(rho0)) << uint8(k);
        uint256 rho = uint256(rho0) >> uint8(-k);
        return rho == 0 ? int256(1) : int256(rho);
    }

    /// @dev The vectors of a cold start: everybody keeps its fallback profile, there is no price.
    function coldStart(int256[] memory sums, int256 devices) internal pure returns (PackedVectors.Vectors memory first) {
        first.xb = new int256[](sums.length);
        for (uint256 t = 0; t < sums.length; ++t) first.xb[t] = (16 * sums[t]).floorDiv(devices);
        first.z = first.xb;
        first.zp = first.xb;
        first.u = new int256[](sums.length);
    }

    /// @dev One round. Turns `vectors` into those of the next round, without a change of the penalty.
    function step(Problem memory problem, PackedVectors.Vectors memory vectors)
        internal
        pure
        returns (Outcome memory outcome)
    {
        outcome.worstExcess = type(int256).min;
        uint256 slots = problem.sums.length;
        for (uint256 t = 0; t < slots; ++t) _slot(problem, vectors, outcome, t);
    }

    function _slot(Problem memory problem, PackedVectors.Vectors memory vectors, Outcome memory outcome, uint256 t)
        private
        pure
    {
        unchecked {
            int256 sum16 = 16 * problem.sums[t];
            int256 z = vectors.z[t];
            int256 xbNext = sum16.floorDiv(problem.devices);
            int256 h = (8 * xbNext - 3 * z).floorDiv(5);
            int256 zNext;
            int256 uNext;
            {
                uint256 position = problem.parametersAt + 8 + 12 * t;
                int256 base = (position + 4).int32At();
                int256 cap = (position + 8).int32At();
                int256 u = vectors.u[t];
                zNext = _plan(problem, position.int32At(), base, h + u);
                int256 room = (16 * (cap - cap.floorDiv(CAP_MARGIN_DIVISOR) - base)).floorDiv(problem.devices);
                if (zNext > room) zNext = room;
                uNext = u - (zNext - h);
                int256 excess = problem.sums[t] + base - cap;
                if (excess > outcome.worstExcess) {
                    outcome.worstExcess = excess;
                    outcome.worstSlot = t;
                }
            }
            int256 gap = sum16 - problem.devices * zNext;
            int256 dxb = xbNext - vectors.xb[t];
            int256 a = zNext - z - dxb;
            outcome.gap2 += uint256(gap * gap);
            outcome.shift2 += 2 * dxb * a + a * a;
            outcome.z2 += uint256(zNext * zNext);
            outcome.u2 += uint256(uNext * uNext);
            if (uNext >= U_MAX || uNext <= -U_MAX) outcome.uTooLarge = true;
            vectors.zp[t] = z;
            vectors.z[t] = zNext;
            vectors.u[t] = uNext;
            vectors.xb[t] = xbNext;
        }
    }

    /// @dev The minimiser of price y + gamma/2 y^2 + the proximal term, y = base + N z, before it is clipped at the cap.
    function _plan(Problem memory problem, int256 price, int256 base, int256 point) private pure returns (int256) {
        unchecked {
            int256 numerator = problem.rho * point - (price << 20) - 16 * problem.gamma * base;
            return numerator.floorDiv(problem.rho + problem.gamma * problem.devices);
        }
    }
}
