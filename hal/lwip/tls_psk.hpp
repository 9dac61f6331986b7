// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 with a pre-shared key (RFC 4279; ChaCha20-Poly1305, RFC 7905) under lwIP's MQTT client: a layer of lwIP's altcp over mbedTLS. One
// connection at a time. Everything that mbedTLS would take from a heap comes from one array of tls_room_size bytes.
//
// Records are at most 512 bytes either way (RFC 6066, which OpenSSL follows); a longer one ends the connection. What was
// decrypted is handed up part by part, each in the same memory: the rest waits in TCP's window.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "crypto/drbg.hpp"

struct altcp_tls_config;  // lwIP's name for what its client hands to altcp_tls_new

namespace wattproof::hal {

constexpr std::uint32_t tls_room_size = 4 * 1024;

// `identity` and `key` stay the caller's. Returns nullptr if mbedTLS refuses them.
altcp_tls_config* open_tls(Bytes identity, Bytes key, crypto::Drbg& random);

// Goes on with the handshake and sends what is left over. If `is_wanted`, also decrypts one part of what has come and hands it
// up, and tells whether it did: all of the part before must have been used by then.
bool serve_tls(bool is_wanted);

// Most bytes of the array that were ever in use.
std::uint32_t tls_room_used();

}  // namespace wattproof::hal
