// SPDX-License-Identifier: Apache-2.0
// What every image of this kind has: vectors, start code, handlers. To be taken off chain_flash.
int main() { return 0; }
