// SPDX-License-Identifier: Apache-2.0
#include "hal/lwip/tls_psk.hpp"

#include <algorithm>

#include "lwip/altcp.h"
#include "lwip/altcp_tcp.h"
#include "lwip/altcp_tls.h"
#include "lwip/pbuf.h"
#include "lwip/priv/altcp_priv.h"
#include "mbedtls/memory_buffer_alloc.h"
#include "mbedtls/ssl.h"

struct altcp_tls_config {
  mbedtls_ssl_config settings;
};

namespace wattproof::hal {
namespace {

constexpr int suites[] = {MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, 0};
constexpr std::uint16_t record_overhead = 5 + 16;  // header, tag
constexpr std::uint32_t block_overhead = 32;           // of mbedTLS's allocator, for each block
constexpr std::uint32_t part_size_max = 152;

std::array<std::uint8_t, tls_room_size> room;
altcp_tls_config config;
mbedtls_ssl_context session;
altcp_pcb* open_connection = nullptr;  // the upper one; its inner_conn is TCP's
pbuf* encrypted = nullptr;             // received, not yet decrypted
std::array<std::uint8_t, part_size_max> decrypted;  // what was handed up last
bool is_ready = false;                 // the handshake is done

int draw(void* random, unsigned char* into, size_t size) {
  return static_cast<crypto::Drbg*>(random)->generate({into, size}) == Error::none ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

// What mbedTLS sends and receives.
int send_bytes(void*, const unsigned char* bytes, size_t size) {
  if (open_connection == nullptr || open_connection->inner_conn == nullptr) return MBEDTLS_ERR_SSL_CONN_EOF;
  altcp_pcb* inner = open_connection->inner_conn;
  const std::size_t part = std::min<std::size_t>(size, altcp_sndbuf(inner));
  if (part == 0 || altcp_write(inner, bytes, static_cast<u16_t>(part), TCP_WRITE_FLAG_COPY) != ERR_OK) return MBEDTLS_ERR_SSL_WANT_WRITE;
  altcp_output(inner);
  return static_cast<int>(part);
}

int receive_bytes(void*, unsigned char* into, size_t size) {
  if (encrypted == nullptr) return MBEDTLS_ERR_SSL_WANT_READ;
  const u16_t part = pbuf_copy_partial(encrypted, into, static_cast<u16_t>(std::min<std::size_t>(size, encrypted->tot_len)), 0);
  encrypted = pbuf_free_header(encrypted, part);
  if (open_connection != nullptr && open_connection->inner_conn != nullptr) altcp_recved(open_connection->inner_conn, part);
  return part;
}

void forget() {
  if (encrypted != nullptr) pbuf_free(encrypted);
  encrypted = nullptr;
  is_ready = false;
  mbedtls_ssl_free(&session);
  open_connection = nullptr;
}

void detach(altcp_pcb* inner) {
  altcp_arg(inner, nullptr);
  altcp_recv(inner, nullptr);
  altcp_sent(inner, nullptr);
  altcp_err(inner, nullptr);
  altcp_poll(inner, nullptr, 0);
}

// The session is worth nothing any more: TCP is cut, and the client told as if the other side had done it.
void give_up() {
  altcp_pcb* connection = open_connection;
  if (connection == nullptr) return;
  altcp_pcb* inner = connection->inner_conn;
  connection->inner_conn = nullptr;
  if (inner != nullptr) {
    detach(inner);
    altcp_abort(inner);
  }
  forget();
  if (connection->err != nullptr) connection->err(connection->arg, ERR_ABRT);
  altcp_free(connection);
}

// Decrypts one part and hands it up; `has_handed_up` tells whether there was one. False if the session must end.
bool read_part(bool& has_handed_up) {
  altcp_pcb* connection = open_connection;
  if (encrypted == nullptr && mbedtls_ssl_get_bytes_avail(&session) == 0) return true;
  const int size = mbedtls_ssl_read(&session, decrypted.data(), decrypted.size());
  if (size <= 0) return size == MBEDTLS_ERR_SSL_WANT_READ || size == MBEDTLS_ERR_SSL_WANT_WRITE;
  pbuf* plain = pbuf_alloc_reference(decrypted.data(), static_cast<u16_t>(size), PBUF_REF);
  if (plain == nullptr) return false;
  if (connection->recv == nullptr) {
    pbuf_free(plain);
    return false;
  }
  has_handed_up = true;
  return connection->recv(connection->arg, connection, plain, ERR_OK) == ERR_OK;
}

void shake_hands() {
  if (open_connection->connected == nullptr || (encrypted == nullptr && session.out_left == 0)) return;
  const int result = mbedtls_ssl_handshake(&session);
  if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) return;
  if (result != 0) return give_up();
  is_ready = true;
  open_connection->connected(open_connection->arg, open_connection, ERR_OK);
}

struct Lower {
  static err_t connected(void*, altcp_pcb*, err_t error) {
    if (error != ERR_OK) return error;
    mbedtls_ssl_handshake(&session);  // sends its first message; the rest follows what comes
    return ERR_OK;
  }

  // Only keeps what came: decrypting is served from the program's turn, not from within TCP.
  static err_t received(void*, altcp_pcb*, pbuf* bytes, err_t error) {
    altcp_pcb* connection = open_connection;
    if (connection == nullptr) {
      if (bytes != nullptr) pbuf_free(bytes);
      return ERR_OK;
    }
    if (bytes == nullptr || error != ERR_OK) {
      if (bytes != nullptr) pbuf_free(bytes);
      if (connection->recv != nullptr) return connection->recv(connection->arg, connection, nullptr, ERR_OK);
      return ERR_OK;  // the client gives up by itself when it is not answered
    }
    if (encrypted == nullptr) encrypted = bytes;
    else pbuf_cat(encrypted, bytes);
    return ERR_OK;
  }

  static err_t sent(void*, altcp_pcb*, u16_t size) {
    altcp_pcb* connection = open_connection;
    if (connection == nullptr || !is_ready || connection->sent == nullptr) return ERR_OK;
    return connection->sent(connection->arg, connection, size);
  }

  static err_t polled(void*, altcp_pcb*) {
    altcp_pcb* connection = open_connection;
    if (connection == nullptr || !is_ready || connection->poll == nullptr) return ERR_OK;
    return connection->poll(connection->arg, connection);
  }

  // TCP has freed its own side already.
  static void failed(void*, err_t error) {
    altcp_pcb* connection = open_connection;
    if (connection == nullptr) return;
    connection->inner_conn = nullptr;
    forget();
    if (connection->err != nullptr) connection->err(connection->arg, error);
    altcp_free(connection);
  }
};

struct Upper {
  static void set_poll(altcp_pcb* connection, u8_t interval) {
    if (connection->inner_conn != nullptr) altcp_poll(connection->inner_conn, Lower::polled, interval);
  }

  static void taken(altcp_pcb*, u16_t) {}  // TCP is told when a record is decrypted

  static err_t connect(altcp_pcb* connection, const ip_addr_t* address, u16_t port, altcp_connected_fn connected) {
    connection->connected = connected;
    return altcp_connect(connection->inner_conn, address, port, Lower::connected);
  }

  static void abort(altcp_pcb* connection) {
    altcp_pcb* inner = connection->inner_conn;
    connection->inner_conn = nullptr;
    if (inner != nullptr) {
      detach(inner);
      altcp_abort(inner);
    }
    if (connection == open_connection) forget();
    altcp_free(connection);
  }

  static err_t close(altcp_pcb* connection) {
    altcp_pcb* inner = connection->inner_conn;
    if (inner != nullptr) {
      detach(inner);
      const err_t error = altcp_close(inner);
      if (error != ERR_OK) altcp_abort(inner);
      connection->inner_conn = nullptr;
    }
    if (connection == open_connection) forget();
    altcp_free(connection);
    return ERR_OK;
  }

  // A record that TCP has no room for stays in mbedTLS's buffer, and room() is zero until it has left.
  static err_t write(altcp_pcb* connection, const void* bytes, u16_t size, u8_t) {
    if (!is_ready || connection != open_connection) return ERR_VAL;
    if (room_for(connection) < size) return ERR_MEM;
    const int written = mbedtls_ssl_write(&session, static_cast<const unsigned char*>(bytes), size);
    return written == size || written == MBEDTLS_ERR_SSL_WANT_WRITE ? ERR_OK : ERR_CONN;
  }

  static u16_t room_for(altcp_pcb* connection) {
    if (!is_ready || connection->inner_conn == nullptr || session.out_left != 0) return 0;
    const u16_t room_below = altcp_sndbuf(connection->inner_conn);
    if (room_below <= record_overhead || altcp_sndqueuelen(connection->inner_conn) + 4 > TCP_SND_QUEUELEN) return 0;
    return std::min<u16_t>(static_cast<u16_t>(room_below - record_overhead), MBEDTLS_SSL_OUT_CONTENT_LEN);
  }
};

const altcp_functions functions = [] {
  altcp_functions all{};
  all.set_poll = Upper::set_poll;
  all.recved = Upper::taken;
  all.bind = altcp_default_bind;
  all.connect = Upper::connect;
  all.abort = Upper::abort;
  all.close = Upper::close;
  all.shutdown = altcp_default_shutdown;
  all.write = Upper::write;
  all.output = altcp_default_output;
  all.mss = altcp_default_mss;
  all.sndbuf = Upper::room_for;
  all.sndqueuelen = altcp_default_sndqueuelen;
  all.nagle_disable = altcp_default_nagle_disable;
  all.setprio = altcp_default_setprio;
  all.dealloc = altcp_default_dealloc;
  all.addrinfo = altcp_default_get_tcp_addrinfo;
  all.getip = altcp_default_get_ip;
  all.getport = altcp_default_get_port;
  return all;
}();

}  // namespace

altcp_tls_config* open_tls(Bytes identity, Bytes key, crypto::Drbg& random) {
  mbedtls_memory_buffer_alloc_init(room.data(), room.size());
  mbedtls_ssl_config* settings = &config.settings;
  mbedtls_ssl_config_init(settings);
  if (mbedtls_ssl_config_defaults(settings, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0) return nullptr;
  mbedtls_ssl_conf_rng(settings, draw, &random);
  mbedtls_ssl_conf_ciphersuites(settings, suites);
  mbedtls_ssl_conf_min_version(settings, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  if (mbedtls_ssl_conf_max_frag_len(settings, MBEDTLS_SSL_MAX_FRAG_LEN_512) != 0) return nullptr;
  if (mbedtls_ssl_conf_psk(settings, key.data(), key.size(), identity.data(), identity.size()) != 0) return nullptr;
  return &config;
}

bool serve_tls(bool is_wanted) {
  if (open_connection == nullptr) return false;
  if (!is_ready) {
    shake_hands();
    return false;
  }
  // A write of nothing sends what is left of the last record.
  if (session.out_left != 0) mbedtls_ssl_write(&session, nullptr, 0);
  bool has_handed_up = false;
  if (is_wanted && !read_part(has_handed_up)) give_up();
  return has_handed_up;
}

std::uint32_t tls_room_used() {
  size_t used = 0, blocks = 0;
  mbedtls_memory_buffer_alloc_max_get(&used, &blocks);
  return static_cast<std::uint32_t>(used + blocks * block_overhead);
}

}  // namespace wattproof::hal

extern "C" altcp_pcb* altcp_tls_new(altcp_tls_config* tls, u8_t ip_type) {
  using namespace wattproof::hal;
  if (open_connection != nullptr) return nullptr;
  altcp_pcb* inner = altcp_tcp_new_ip_type(ip_type);
  if (inner == nullptr) return nullptr;
  altcp_pcb* connection = altcp_alloc();
  mbedtls_ssl_init(&session);
  if (connection == nullptr || mbedtls_ssl_setup(&session, &tls->settings) != 0) {
    mbedtls_ssl_free(&session);
    if (connection != nullptr) altcp_free(connection);
    altcp_abort(inner);
    return nullptr;
  }
  mbedtls_ssl_set_bio(&session, nullptr, send_bytes, receive_bytes, nullptr);
  connection->inner_conn = inner;
  connection->fns = &functions;
  open_connection = connection;
  altcp_arg(inner, connection);
  altcp_recv(inner, Lower::received);
  altcp_sent(inner, Lower::sent);
  altcp_err(inner, Lower::failed);
  return connection;
}
