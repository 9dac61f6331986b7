// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedVectors} from "./PackedVectors.sol";

/// @title Signatures of devices: 65 bytes r, s, v with one accepted form per signature
library Signatures {
    using PackedVectors for uint256;

    uint256 internal constant SIZE = 65;

    /// @dev Half of the order of secp256k1, rounded down. Of s and n - s only the smaller is accepted.
    uint256 private constant S_MAX = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @dev The signer of `digest` by the signature at calldata position `position`; zero if it is not a valid one.
    function signerOf(bytes32 digest, uint256 position) internal pure returns (address) {
        uint256 s = (position + 32).wordAt();
        uint256 v = (position + 64).uint8At();
        if (s > S_MAX || v > 1) return address(0);
        return ecrecover(digest, uint8(v + 27), bytes32(position.wordAt()), bytes32(s));
    }
}
