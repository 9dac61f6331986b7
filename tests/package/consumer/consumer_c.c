/* SPDX-License-Identifier: Apache-2.0
 * A vendor's C program: finds <wattproof.h>, gives a node its memory, and links with the C compiler alone. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wattproof.h>

static uint64_t memory[WATTPROOF_NODE_SIZE_MAX / sizeof(uint64_t) + 1];

int main(void) {
  const uint8_t key[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                           0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  uint8_t address[20];
  wattproof_node *node = NULL;
  if (wattproof_address_of(key, address) != 0 || address[0] != 0x7e) return 1;
  if (wattproof_node_size() > sizeof memory || wattproof_node_place(memory, sizeof memory, &node) != 0) return 1;
  puts("consumer: ok");
  return 0;
}
