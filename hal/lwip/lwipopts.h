/* SPDX-License-Identifier: Apache-2.0
 * lwIP 2.1.3 for one MQTT connection: no operating system, every buffer from a pool of fixed size, nothing from a heap. */
#ifndef WATTPROOF_LWIPOPTS_H
#define WATTPROOF_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* one thread, and no interrupt calls lwIP */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_RAW 0
#define LWIP_STATS 0
#define LWIP_IPV6 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_ICMP 0 /* 700 bytes that nobody needs: a plug is asked by its own status */
#define IP_OPTIONS_ALLOWED 0
#define LWIP_BROADCAST_PING 0
#define LWIP_UDP 1 /* for DHCP alone */
#define LWIP_DHCP 1
#define LWIP_DHCP_CHECK_LINK_UP 0
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_DHCP_PROVIDE_DNS_SERVERS 0
#define LWIP_DHCP_BOOTP_FILE 0
#define DHCP_CREATE_RAND_XID 1
#define LWIP_DNS 0
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define LWIP_CHECKSUM_ON_COPY 0
#define ARP_TABLE_SIZE 4
#define ARP_QUEUEING 0
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define LWIP_NOASSERT 1

/* Pools in the place of a heap: lwippools.h has the sizes. */
#define MEM_ALIGNMENT 4
#define MEM_LIBC_MALLOC 0
#define MEMP_MEM_MALLOC 0
#define MEM_USE_POOLS 1
#define MEMP_USE_CUSTOM_POOLS 1
#define MEM_USE_POOLS_TRY_BIGGER_POOL 1

#define LWIP_TCP 1
#define TCP_MSS 536
/* What comes is given back to the window when TLS has taken it, else when it is a whole MQTT packet (1,152 bytes at most); and
 * lwIP announces a wider window only once it is wider by a segment. So less than a packet and a segment could wait for ever. */
#ifdef WATTPROOF_PLUG_TLS
#define TCP_WND (2 * TCP_MSS)
#else
#define TCP_WND (1152 + TCP_MSS)
#endif
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 8
#define TCP_OVERSIZE 0
#define TCP_QUEUE_OOSEQ 0
#define TCP_LISTEN_BACKLOG 0
#define LWIP_TCP_KEEPALIVE 0
#define MEMP_NUM_TCP_PCB 2 /* one in use, one in TIME_WAIT, which a third takes the place of */
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG 10
#define MEMP_NUM_UDP_PCB 1
#define MEMP_NUM_PBUF 4
#define MEMP_NUM_SYS_TIMEOUT 8
/* A full segment with its headers, 536 + 54 bytes, takes four of these, a short one one. The window, and three for whatever else comes. */
#define PBUF_POOL_BUFSIZE 152
#ifdef WATTPROOF_PLUG_TLS
#define PBUF_POOL_SIZE 12
#else
#define PBUF_POOL_SIZE 18
#endif

/* The MQTT client. A frame of 1,024 bytes, its topic and headers must fit the ring whole. */
#define MQTT_OUTPUT_RINGBUF_SIZE 1160
#define MQTT_VAR_HEADER_BUFFER_LEN 128
#define MQTT_REQ_MAX_IN_FLIGHT 8
#define MQTT_CYCLIC_TIMER_INTERVAL 1
#define MQTT_CONNECT_TIMOUT 10

#ifdef WATTPROOF_PLUG_TLS
#define LWIP_ALTCP 1
#define LWIP_ALTCP_TLS 1
#define MEMP_NUM_ALTCP_PCB 4 /* two layers a connection */
#endif

#endif
