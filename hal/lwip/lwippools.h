/* SPDX-License-Identifier: Apache-2.0
 * What lwIP calls malloc: segments to send (at most TCP_SND_BUF at a time), ARP and DHCP messages. */
LWIP_MALLOC_MEMPOOL_START
LWIP_MALLOC_MEMPOOL(5, 136)
LWIP_MALLOC_MEMPOOL(3, 624)
LWIP_MALLOC_MEMPOOL_END
