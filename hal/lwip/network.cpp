// SPDX-License-Identifier: Apache-2.0
#include "hal/lwip/network.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "hal/cortex_m/board.hpp"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

namespace wattproof::hal {
namespace {

netif interface;
dhcp dhcp_state;

err_t transmit(netif*, pbuf* frame) { return ethernet::transmit(frame) ? ERR_OK : ERR_IF; }

err_t set_up(netif* to) {
  const std::array<std::uint8_t, 6> address = ethernet::address();
  std::copy(address.begin(), address.end(), to->hwaddr);
  to->hwaddr_len = ETH_HWADDR_LEN;
  to->mtu = 1500;
  to->name[0] = 'e';
  to->name[1] = 't';
  to->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  to->output = etharp_output;
  to->linkoutput = transmit;
  return ERR_OK;
}

ip4_addr_t to_address(const std::array<std::uint8_t, 4>& bytes) {
  ip4_addr_t address;
  IP4_ADDR(&address, bytes[0], bytes[1], bytes[2], bytes[3]);
  return address;
}

}  // namespace

void Network::open(const NetworkOptions& options) {
  ethernet::start();
  lwip_init();
  const ip4_addr_t address = to_address(options.address), mask = to_address(options.mask), gateway = to_address(options.gateway);
  netif_add(&interface, &address, &mask, &gateway, nullptr, set_up, ethernet_input);
  netif_set_default(&interface);
  netif_set_up(&interface);
  if (is_zero(options.address)) {
    dhcp_set_struct(&interface, &dhcp_state);
    WATTPROOF_CHECK(dhcp_start(&interface) == ERR_OK);
  }
}

bool Network::receive_one() {
  pbuf* frame = ethernet::receive();
  if (frame == nullptr) return false;
  if (interface.input(frame, &interface) != ERR_OK) pbuf_free(frame);
  return true;
}

void Network::run_timers() { sys_check_timeouts(); }

bool Network::has_address() { return !ip4_addr_isany_val(*netif_ip4_addr(&interface)); }

}  // namespace wattproof::hal

extern "C" {

std::uint32_t sys_now() { return static_cast<std::uint32_t>(wattproof::board::now_ms()); }

#ifdef WATTPROOF_PLUG_TLS
void wattproof_tls_failed() { wattproof::check_failed("mbedtls", 0); }
#endif

void wattproof_lwip_failed() { wattproof::check_failed("lwip", 0); }

}
