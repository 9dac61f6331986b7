// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Which devices have entered the epoch of a ring entry
/// @notice A word holds the epoch (64 bits) and a bit for each of 192 devices. A word of another epoch counts as empty, so that
/// a reused ring entry needs no clearing and the set never grows beyond the ring.
library EnteredSet {
    uint256 private constant DEVICES_A_WORD = 192;

    /// @dev Adds a device. False if it was in the set already.
    function add(mapping(uint256 => uint256) storage words, uint256 ringEntry, uint64 epoch, uint32 id)
        internal
        returns (bool)
    {
        uint256 key = ringEntry << 32 | id / DEVICES_A_WORD;
        uint256 bit = 1 << (id % DEVICES_A_WORD);
        uint256 word = words[key];
        if (uint64(word >> DEVICES_A_WORD) != epoch) word = uint256(epoch) << DEVICES_A_WORD;
        if (word & bit != 0) return false;
        words[key] = word | bit;
        return true;
    }
}
