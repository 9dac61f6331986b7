// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 with a pre-shared key (RFC 4279; ChaCha20-Poly1305, RFC 7905) under lwIP's MQTT client: a layer of lwIP's altcp over mbedTLS. One
// connection at a time. Everything that mbedTLS would take from a heap comes from one array of tls_room_size bytes.
//
// Records are at most 1,024 bytes either way (RFC 6066, which OpenSSL follows); a longer one ends the connection. No more is
// decrypted than one MQTT packet can need: the rest waits in TCP's window.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "crypto/drbg.hpp"

struct altcp_tls_config;  // lwIP's name for what its client hands to altcp_tls_new

namespace wattproof::hal {

constexpr std::uint32_t tls_room_size = 7 * 1024;

// `identity` and `key` stay the caller's. Returns nullptr if mbedTLS refuses them.
altcp_tls_config* open_tls(Bytes identity, Bytes key, crypto::Drbg& random);

// Decrypts and hands up what has come. To be called between two looks at the network.
void serve_tls();

// Most bytes of the array that were ever in use.
std::uint32_t tls_room_used();

}  // namespace wattproof::hal
