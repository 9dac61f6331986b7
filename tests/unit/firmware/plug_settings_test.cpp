// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/cbor.hpp"

namespace wattproof::firmware {
namespace {

constexpr Address device = {0xde, 0x01};

// What can be varied; the rest is a plug with a fixed profile of 24 quarter hours.
struct Document {
  std::uint64_t version = settings_version;
  std::uint64_t chain_id = 1337;
  std::uint32_t validators = 4;
  std::uint32_t slots = 24;
  std::uint32_t profile_slots = 24;
  bool is_curtailable = false;
  bool has_setpoint = false;
  std::uint32_t keepalive_s = 30;
  std::uint32_t backoff_ms_max = 300'000;
  std::string password = "secret";
  std::vector<std::uint8_t> psk = {1, 2, 3};
  bool has_network = false;
};

void write_chain(codec::CborWriter& writer, const Document& document) {
  writer.array(15);
  writer.uint(document.chain_id);
  writer.bytes(Address{0x11});
  for (const std::uint64_t number : {0u, 0u, 0u, 1u, 86'400u, 60u, 15u, 200u}) writer.uint(number);
  writer.uint(7);
  writer.boolean(false);
  writer.bytes(Hash32{});
  writer.uint(0);
  writer.array(document.validators);
  for (std::uint32_t i = 0; i < document.validators; ++i) writer.bytes(Address{static_cast<std::uint8_t>(i + 1)});
}

void write_device(codec::CborWriter& writer, const Document& document) {
  writer.array(7);
  writer.uint(5);
  writer.uint(document.slots);
  writer.uint(900);
  writer.uint(0);
  writer.uint(static_cast<std::uint8_t>(document.is_curtailable ? solver::DeviceKind::curtailable : solver::DeviceKind::fixed));
  if (document.is_curtailable) {
    writer.array(2);
    writer.integer(0);
    writer.integer(1000);
  } else {
    writer.array(1);
    writer.array(document.profile_slots);
    for (std::uint32_t i = 0; i < document.profile_slots; ++i) writer.integer(static_cast<std::int32_t>(100 * i));
  }
  writer.integer(0);
}

void write_broker(codec::CborWriter& writer, const Document& document) {
  writer.array(8);
  writer.bytes(std::array<std::uint8_t, 4>{10, 0, 2, 2});
  writer.uint(1883);
  writer.uint(document.keepalive_s);
  writer.uint(1000);
  writer.uint(document.backoff_ms_max);
  writer.boolean(false);
  writer.text({reinterpret_cast<const std::uint8_t*>(document.password.data()), document.password.size()});
  writer.bytes(document.psk);
}

std::vector<std::uint8_t> encode(const Document& document) {
  std::vector<std::uint8_t> bytes(8192);
  codec::CborWriter writer(bytes);
  writer.array(7);
  writer.uint(document.version);
  write_chain(writer, document);
  write_device(writer, document);
  writer.array(17);
  for (const std::uint64_t number : {0u, 0u, 900'000u, 0u}) writer.uint(number);
  writer.boolean(false);
  for (const std::uint64_t number : {0u, 0u, 0u, 5u, 2000u, 1000u}) writer.uint(number);
  writer.boolean(document.has_setpoint);
  writer.integer(0);
  writer.integer(0);
  writer.boolean(true);
  writer.uint(7200);
  writer.uint(1800);
  writer.array(6);
  for (const std::uint64_t number : {5000u, 4u, 1000u, 60'000u, 30'000u, 60'000u}) writer.uint(number);
  write_broker(writer, document);
  if (document.has_network) {
    writer.array(3);
    for (const std::uint8_t last : std::array<std::uint8_t, 3>{7, 0, 1}) writer.bytes(std::array<std::uint8_t, 4>{192, 168, 0, last});
  } else {
    writer.null();
  }
  const Result<Bytes> whole = writer.finish();
  EXPECT_TRUE(whole);
  bytes.resize(whole ? (*whole).size() : 0);
  return bytes;
}

class plug_settings : public testing::Test {
 protected:
  Error read(Bytes bytes) { return decode_settings(bytes, device, settings, config); }
  Error read(const Document& document) { return read(Bytes(encode(document))); }

  PlugSettings settings;
  node::Config config;
};

TEST_F(plug_settings, reads_a_whole_document) {
  Document document;
  document.has_network = true;
  ASSERT_EQ(read(document), Error::none);
  EXPECT_EQ(config.chain.chain_id, 1337u);
  EXPECT_EQ(config.chain.checkpoint.validators.count, 4u);
  EXPECT_EQ(config.chain.checkpoint.number, 7u);
  EXPECT_EQ(config.device.address, device);
  EXPECT_EQ(config.device.id, 5u);
  EXPECT_EQ(config.device.device.profile_w.size(), 24u);
  EXPECT_EQ(config.device.device.profile_w[23], 2300);
  EXPECT_EQ(config.output.relay.fallback_ms, 900'000u);
  EXPECT_TRUE(settings.has_contact);
  EXPECT_EQ(settings.button_s, 1800u);
  EXPECT_EQ(std::string(settings.broker.password.data()), "secret");
  EXPECT_EQ(settings.broker.psk_size, 3u);
  EXPECT_EQ(settings.network.address, (std::array<std::uint8_t, 4>{192, 168, 0, 7}));
}

TEST_F(plug_settings, takes_an_address_by_dhcp_where_none_is_given) {
  settings.network.address = {1, 2, 3, 4};
  ASSERT_EQ(read(Document{}), Error::none);
  EXPECT_TRUE(is_zero(settings.network.address));
}

TEST_F(plug_settings, refuses_every_beginning_of_a_document) {
  const std::vector<std::uint8_t> whole = encode({});
  ASSERT_EQ(read(Bytes(whole)), Error::none);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(read(Bytes(whole).first(size)), Error::none) << size;
}

TEST_F(plug_settings, refuses_a_byte_too_many) {
  std::vector<std::uint8_t> bytes = encode({});
  bytes.push_back(0);
  EXPECT_EQ(read(Bytes(bytes)), Error::trailing_bytes);
}

// Which ones are refused depends on the field; none may read or write beyond its own.
TEST_F(plug_settings, survives_every_flipped_bit) {
  std::vector<std::uint8_t> bytes = encode({});
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    refused += read(Bytes(bytes)) != Error::none ? 1u : 0u;
    EXPECT_LE(settings.broker.psk_size, secret_size_max);
    EXPECT_EQ(settings.broker.password.back(), 0);
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  EXPECT_GT(refused, bytes.size());
  EXPECT_EQ(read(Bytes(bytes)), Error::none);
}

TEST_F(plug_settings, refuses_another_version) {
  Document document;
  document.version = settings_version + 1;
  EXPECT_EQ(read(document), Error::unknown_version);
}

TEST_F(plug_settings, refuses_what_a_node_cannot_run_on) {
  Document no_chain, no_validators, no_slots, short_profile;
  no_chain.chain_id = 0;
  no_validators.validators = 0;
  no_slots.slots = no_slots.profile_slots = 0;
  short_profile.profile_slots = 23;
  EXPECT_EQ(read(no_chain), Error::configuration_invalid);
  EXPECT_EQ(read(no_validators), Error::configuration_invalid);
  EXPECT_NE(read(no_slots), Error::none);
  EXPECT_EQ(read(short_profile), Error::wrong_length);
}

TEST_F(plug_settings, refuses_more_than_its_arrays_hold) {
  Document validators, slots, profile, password, psk;
  validators.validators = validator_count_max + 1;
  slots.slots = slots.profile_slots = slot_count_max + 1;
  profile.profile_slots = 25;
  password.password = std::string(secret_size_max + 1, 'p');
  psk.psk.assign(secret_size_max + 1, 7);
  for (const Document& document : {validators, slots, profile, password, psk}) EXPECT_NE(read(document), Error::none);
  password.password.pop_back();
  psk.psk.pop_back();
  EXPECT_EQ(read(password), Error::none);
  EXPECT_EQ(settings.broker.password.back(), 0);
  EXPECT_EQ(read(psk), Error::none);
  EXPECT_EQ(settings.broker.psk_size, secret_size_max);
}

TEST_F(plug_settings, refuses_a_broker_that_could_not_be_kept) {
  Document restless, shrinking;
  restless.keepalive_s = 4;
  shrinking.backoff_ms_max = 999;
  EXPECT_EQ(read(restless), Error::configuration_invalid);
  EXPECT_EQ(read(shrinking), Error::configuration_invalid);
}

TEST_F(plug_settings, wants_a_setpoint_for_what_a_contact_cannot_follow) {
  Document document;
  document.is_curtailable = true;
  EXPECT_EQ(read(document), Error::configuration_invalid);
  document.has_setpoint = true;
  EXPECT_EQ(read(document), Error::none);
}

}  // namespace
}  // namespace wattproof::firmware
