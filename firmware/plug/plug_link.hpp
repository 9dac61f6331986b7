// SPDX-License-Identifier: Apache-2.0
// The link that this image was built with: MQTT over Ethernet, or frames over a serial line.
#pragma once

#include "crypto/drbg.hpp"
#include "firmware/plug/plug_settings.hpp"
#ifdef WATTPROOF_PLUG_SERIAL
#include "hal/serial/serial_link.hpp"
#else
#include "hal/lwip/mqtt_client_link.hpp"
#ifdef WATTPROOF_PLUG_TLS
#include "hal/lwip/tls_psk.hpp"
#endif
#endif

namespace wattproof::firmware {

#ifdef WATTPROOF_PLUG_SERIAL
using PlugLink = hal::SerialLink;

inline Error open_link(PlugLink& link, const PlugSettings&, const Address&, crypto::Drbg&, std::uint64_t) {
  link.open();
  return Error::none;
}
#else
using PlugLink = hal::MqttClientLink;

inline Error open_link(PlugLink& link, const PlugSettings& settings, const Address& device, crypto::Drbg& random, std::uint64_t seed) {
  hal::MqttClientOptions options;
  options.network = {settings.network.address, settings.network.mask, settings.network.gateway};
  options.broker = settings.broker.address;
  options.port = settings.broker.port;
  options.device = device;
  options.is_anonymous = settings.broker.is_anonymous;
  options.password = settings.broker.password.data();
  options.psk = Bytes(settings.broker.psk).first(settings.broker.psk_size);
  options.random = &random;
  options.keepalive_s = settings.broker.keepalive_s;
  options.backoff_ms_min = settings.broker.backoff_ms_min;
  options.backoff_ms_max = settings.broker.backoff_ms_max;
  options.seed = seed;
  return link.open(options);
}
#endif

// Most bytes of the link's own room, as TLS has one, that were ever in use.
inline std::uint32_t link_room_used() {
#ifdef WATTPROOF_PLUG_TLS
  return hal::tls_room_used();
#else
  return 0;
#endif
}

}  // namespace wattproof::firmware
