// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FloorMath} from "./FloorMath.sol";
import {PackedVectors} from "./PackedVectors.sol";
import {ProfileSums} from "./ProfileSums.sol";

/// @title The coordinator's side of sharing ADMM: from the sum of all profiles to the next plan and price
/// @notice Over-relaxation 8/5, applied to the sum, so that no slot costs more than O(1) whatever the number of devices.
/// What a slot is short of is shared among its movers alone: those that changed their power there of late, n of N. Dividing by N
/// instead, as the textbook does, makes every step shorter by n / N, since who cannot move does not (docs/DESIGN.md).
/// z, u, xb, zp in 1/16 W; the sum S, base and cap in W; prices in micro-units per kWh; rho and gamma in 2^-16 micro-units per
/// kWh and W. Bounds, from which it follows that nothing here or in Residuals leaves its integer: |x| <= 2*10^6, T <= 288,
/// N <= 2^16, N / 16 <= n <= N, rho0 and gamma < 2^40, |k| <= 24, and in a round that is not the last |u| < 2^36 before a second
/// step and before the penalty changes.
library Coordinator {
    using FloorMath for int256;
    using PackedVectors for uint256;
    using ProfileSums for uint256[];

    /// @dev A scaled price of this size means that the cap cannot be met.
    int256 internal constant U_MAX = 2 ** 36;

    /// @dev The plan stays below the cap by cap / 256, so that the profiles, which follow it within a tolerance, meet it. As a shift,
    /// which floors too.
    uint256 private constant CAP_MARGIN_BITS = 8;

    /// @dev What the cap may leave unused, in money: this part of the bill.
    int256 private constant SLACKNESS_DIVISOR = 1000;

    /// @dev In these rounds a slot at the cap whose gap stays on one side may take a double step. Before, every gap is a big one; a
    /// slow epoch ends as textbook ADMM.
    uint256 private constant HASTEN_FROM_ROUND = 8;
    uint256 private constant HASTEN_TO_ROUND = 20;

    /// @dev The first two rounds of a cold epoch move everybody; they say little about who can move later.
    uint256 private constant COUNT_FROM_ROUND = 3;
    /// @dev After this round the movers of a slot do not become fewer: a slow epoch ends as textbook ADMM over whoever moves.
    uint256 private constant SHRINK_TO_ROUND = 20;

    /// @dev What a round rests on. `parametersAt` is a calldata position: u64 gamma, then T times (price, base, cap), each i32.
    struct Problem {
        int256 devices;
        int256 rho;
        int256 gamma;
        int256 least; // of the movers of a slot
        uint256 round;
        uint256 slots;
        uint256 parametersAt;
        uint256[] sums; // as ProfileSums packs them
    }

    /// @dev What a round leaves to judge it by. A slot is at the cap if its plan was clipped there: then the sum is where it should be
    /// if it keeps the cap, whatever lies between it and the plan; what that leaves unused is counted in money (complementary
    /// slackness). Squares in (1/16 W)^2.
    struct Outcome {
        uint256 gap2; // sum of gap^2, gap = 16 S - n z', but for slots at the cap that keep it: N * primal^2
        uint256 short2; // the same sum over slots at the cap whose S is below the plan
        int256 slack; // what the bill, sum of |price (S + base)|, is above SLACKNESS_DIVISOR times what these slots leave unused: the
            // sum of -gap times what the cap costs there; 2^-24 micro-units per kWh times W
        int256 shift2; // sum of 2 n (xb' - xb) a + N a^2 with a = (z' - z) - (xb' - xb)
        uint256 z2; // sum of (n z')^2, which is N times the square of the plan of all devices
        uint256 u2; // |u'|^2
        bool uTooLarge;
        uint256 worstSlot; // the first slot of the greatest S + base - cap
        int256 worstExcess; // that value, in W; the cap holds if it is not positive
        int256[] gapBefore; // of slots at the cap the gap of the round before, n (xb - z); else 0
        int256 stalled; // sum of (8 gap - 5 gapBefore) gapBefore: positive if less than 3/8 of these gaps was closed
    }

    /// @dev rho0 * 2^k, rounded down, at least 1.
    function penalty(uint64 rho0, int8 k) internal pure returns (int256) {
        if (k >= 0) return int256(uint256(rho0)) << uint8(k);
        uint256 rho = uint256(rho0) >> uint8(-k);
        return rho == 0 ? int256(1) : int256(rho);
    }

    /// @dev The vectors of a cold start: everybody keeps its fallback profile, there is no price, and anyone may move.
    function coldStart(uint256[] memory sums, uint256 slots, int256 devices)
        internal
        pure
        returns (PackedVectors.Vectors memory first)
    {
        first.xb = new int256[](slots);
        first.movers = new int256[](slots);
        for (uint256 t = 0; t < slots; ++t) {
            (int256 sum,) = sums.slotOf(t);
            first.xb[t] = (16 * sum).floorDiv(devices);
            first.movers[t] = devices;
        }
        first.z = first.xb;
        first.zp = first.xb;
        first.u = new int256[](slots);
        first.moves = new int256[](slots);
    }

    /// @dev Those of a warm start, in place, from the end of an earlier epoch: its movers as far as the new number of devices
    /// allows, and nothing counted yet.
    function warmStart(PackedVectors.Vectors memory vectors, int256 devices) internal pure {
        vectors.zp = vectors.z;
        for (uint256 t = 0; t < vectors.z.length; ++t) {
            int256 movers = vectors.movers[t];
            int256 least = leastMovers(devices);
            vectors.movers[t] = movers < least ? least : movers > devices ? devices : movers;
            vectors.moves[t] = 0;
        }
    }

    /// @dev How many of `devices` share a slot at least, so that the vectors stay bounded: a sixteenth, rounded up.
    function leastMovers(int256 devices) internal pure returns (int256) {
        return (devices + 15) / 16;
    }

    /// @dev One round. Turns `vectors` into those of the next round, without a change of the penalty.
    function step(Problem memory problem, PackedVectors.Vectors memory vectors)
        internal
        pure
        returns (Outcome memory outcome)
    {
        outcome.worstExcess = type(int256).min;
        outcome.gapBefore = new int256[](problem.slots);
        for (uint256 t = 0; t < problem.slots; ++t) {
            (int256 sum, int256 moves) = problem.sums.slotOf(t);
            _slot(problem, vectors, outcome, t, sum, _recount(problem, vectors, t, moves));
        }
    }

    /// @dev A second step of the price, in place, where a slot at the cap has its gap on the side where it was a round ago: what the
    /// price of such a slot has to travel does not depend on how small the gap has become.
    function hasten(Outcome memory outcome, PackedVectors.Vectors memory vectors) internal pure {
        unchecked {
            for (uint256 t = 0; t < vectors.z.length; ++t) {
                int256 second = vectors.z[t] - vectors.xb[t];
                if (outcome.gapBefore[t] * second < 0) vectors.u[t] -= second;
            }
        }
    }

    /// @dev Whether that second step is due.
    function isStalled(Outcome memory outcome, uint256 round) internal pure returns (bool) {
        return round >= HASTEN_FROM_ROUND && round <= HASTEN_TO_ROUND && outcome.stalled > 0;
    }

    /// @dev The movers of a slot after this round, and z and xb per each of them.
    function _recount(Problem memory problem, PackedVectors.Vectors memory vectors, uint256 t, int256 moves)
        private
        pure
        returns (int256 movers)
    {
        unchecked {
            int256 moved = moves - vectors.moves[t]; // at most once a device and round: no more than N
            int256 before = vectors.movers[t];
            vectors.moves[t] = moves;
            movers = before;
            if (moved > before) {
                if (problem.round >= COUNT_FROM_ROUND) movers = moved;
            } else if (problem.round >= COUNT_FROM_ROUND && problem.round <= SHRINK_TO_ROUND) {
                movers = (moved + before) >> 1;
            }
            if (movers < problem.least) movers = problem.least;
            if (movers == before) return movers;
            vectors.movers[t] = movers;
            vectors.z[t] = (vectors.z[t] * before).floorDiv(movers);
            vectors.xb[t] = (vectors.xb[t] * before).floorDiv(movers);
        }
    }

    function _slot(
        Problem memory problem,
        PackedVectors.Vectors memory vectors,
        Outcome memory outcome,
        uint256 t,
        int256 sum,
        int256 movers
    ) private pure {
        unchecked {
            int256 z = vectors.z[t];
            int256 xbNext = (16 * sum).floorDiv(movers);
            int256 h = (8 * xbNext - 3 * z).floorDiv(5);
            int256 zNext = _planAndJudge(problem, vectors, outcome, t, sum, movers, h);
            int256 uNext = vectors.u[t] - (zNext - h);
            int256 plan = movers * zNext;
            int256 dxb = xbNext - vectors.xb[t];
            int256 a = zNext - z - dxb;
            outcome.shift2 += (2 * movers * dxb + problem.devices * a) * a;
            outcome.z2 += uint256(plan * plan);
            outcome.u2 += uint256(uNext * uNext);
            if (uNext >= U_MAX || uNext <= -U_MAX) outcome.uTooLarge = true;
            vectors.zp[t] = z;
            vectors.z[t] = zNext;
            vectors.u[t] = uNext;
            vectors.xb[t] = xbNext;
        }
    }

    /// @dev z': the minimiser of price y + gamma/2 y^2 + the proximal term, y = base + n z, clipped below the cap. Adds what only this
    /// slot's price, base and cap tell of the sum to `outcome`: excess, bill, gap.
    function _planAndJudge(
        Problem memory problem,
        PackedVectors.Vectors memory vectors,
        Outcome memory outcome,
        uint256 t,
        int256 sum,
        int256 movers,
        int256 h
    ) private pure returns (int256 plan) {
        unchecked {
            uint256 position = problem.parametersAt + 8 + 12 * t;
            int256 price = position.int32At();
            int256 base = (position + 4).int32At();
            int256 cap = (position + 8).int32At();
            int256 excess = sum + base - cap;
            if (excess > outcome.worstExcess) {
                outcome.worstExcess = excess;
                outcome.worstSlot = t;
            }
            int256 bill = price * (sum + base);
            outcome.slack += (bill < 0 ? -bill : bill) << 24;
            int256 numerator = problem.rho * (h + vectors.u[t]) - (price << 20) - 16 * problem.gamma * base;
            int256 room = (16 * (cap - (cap >> CAP_MARGIN_BITS) - base)).floorDiv(movers);
            plan = numerator.floorDiv(problem.rho + problem.gamma * movers);
            if (plan <= room) {
                _addGap(outcome, 16 * sum - movers * plan);
                return plan;
            }
            plan = room;
            int256 gap = 16 * sum - movers * room;
            int256 before = movers * (vectors.xb[t] - vectors.z[t]);
            outcome.gapBefore[t] = before;
            outcome.stalled += (8 * gap - 5 * before) * before;
            if (excess > 0) {
                _addGap(outcome, gap);
            } else if (gap < 0) {
                outcome.short2 += uint256(gap * gap);
                // What the price of the devices is above the price and the quadratic cost of the community: positive, since the
                // unclipped plan is above the room and the sum below it.
                int256 capCost = numerator - problem.rho * room - 16 * problem.gamma * sum;
                outcome.slack += SLACKNESS_DIVISOR * capCost * gap;
            }
        }
    }

    function _addGap(Outcome memory outcome, int256 gap) private pure {
        unchecked {
            outcome.gap2 += uint256(gap * gap);
        }
    }
}
