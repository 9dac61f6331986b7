// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/mqtt_link.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <functional>

#include "support/vectors.hpp"
#include "unit/hal/test_broker.hpp"

namespace wattproof::hal {
namespace {

using testing::TestBroker;
using testing::TestClient;

constexpr const char* device = "00112233445566778899aabbccddeeff00112233";
constexpr const char* other_device = "ffffffffffffffffffffffffffffffffffffffff";
const std::string up = std::string("wp/v1/") + device + "/up";
const std::string down = std::string("wp/v1/") + device + "/down";
const std::string presence = std::string("wp/v1/") + device + "/presence";

std::uint64_t clock_ms() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

MqttOptions options(std::uint16_t port) {
  MqttOptions options;
  options.port = port;
  options.client_id = device;
  options.publish_topic = up;
  options.subscribe_topic = down;
  options.presence_topic = presence;
  options.backoff_ms_min = 20;
  options.backoff_ms_max = 200;
  options.answer_ms_max = 1000;
  return options;
}

// What a program's main loop does, until `done` or the time is over.
bool run_until(MqttLink& link, const std::function<bool()>& done, int ms_max = 5000) {
  const std::uint64_t end = clock_ms() + static_cast<std::uint64_t>(ms_max);
  while (clock_ms() < end) {
    link.service(clock_ms());
    if (done()) return true;
    pollfd entry{link.socket(), static_cast<short>(link.wants_write() ? POLLIN | POLLOUT : POLLIN), 0};
    poll(&entry, entry.fd >= 0 ? 1 : 0, 5);
  }
  return done();
}

bool run_until_up(MqttLink& link, int ms_max = 5000) {
  return run_until(link, [&] { return link.is_up(); }, ms_max);
}

Bytes as_bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string take(MqttLink& link) {
  std::array<std::uint8_t, frame_size_max> frame{};
  const std::uint32_t size = link.receive(frame);
  return {reinterpret_cast<const char*>(frame.data()), size};
}

class mqtt_link : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::has_broker()) return;
    if (testing::absence_is_failure()) FAIL() << "mosquitto is not installed";
    GTEST_SKIP() << "mosquitto is not installed";
  }
};

TEST_F(mqtt_link, carries_frames_both_ways_and_tells_of_its_presence) {
  TestBroker broker(TestBroker::Access::passwords);
  broker.add_user(device, "secret");
  broker.add_user("gateway", "other");
  ASSERT_TRUE(broker.start()) << broker.log();
  TestClient gateway(broker.port(), "gateway", "other", "wp/v1/#");
  ASSERT_TRUE(gateway.is_connected());
  MqttLink link;
  MqttOptions with_user = options(broker.port());
  with_user.user = device;
  with_user.password = "secret";
  ASSERT_EQ(link.open(with_user), Error::none);
  EXPECT_EQ(link.send(as_bytes("too early")), Error::link_down);
  ASSERT_TRUE(run_until_up(link)) << link.last_error();
  EXPECT_EQ(link.send(as_bytes("first")), Error::none);
  ASSERT_TRUE(run_until(link, [&] { return !link.wants_write(); }));
  ASSERT_TRUE(gateway.wait_for(2));
  EXPECT_EQ(gateway.messages()[0].topic, presence);
  EXPECT_EQ(gateway.messages()[0].payload, "online");
  EXPECT_EQ(gateway.messages()[1].topic, up);
  EXPECT_EQ(gateway.messages()[1].payload, "first");
  EXPECT_FALSE(gateway.messages()[1].retain);

  ASSERT_TRUE(gateway.publish(down, "answer"));
  ASSERT_TRUE(run_until(link, [&] { return link.counters().received == 1; }));
  EXPECT_EQ(take(link), "answer");
  EXPECT_EQ(take(link), "");
  link.close();
  ASSERT_TRUE(gateway.wait_for(4));
  EXPECT_EQ(gateway.messages().back().payload, "offline");
}

TEST_F(mqtt_link, is_told_of_by_the_broker_when_it_dies) {
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start()) << broker.log();
  TestClient watcher(broker.port(), "", "", presence);
  MqttLink link;
  ASSERT_EQ(link.open(options(broker.port())), Error::none);
  ASSERT_TRUE(run_until_up(link)) << link.last_error();
  ASSERT_TRUE(watcher.wait_for(1));
  ASSERT_EQ(::shutdown(link.socket(), SHUT_RDWR), 0);  // no DISCONNECT, as when the power goes
  ASSERT_TRUE(watcher.wait_for(2));
  EXPECT_EQ(watcher.messages()[1].payload, "offline");
}

TEST_F(mqtt_link, waits_for_a_broker_that_is_not_there_yet) {
  TestBroker broker(TestBroker::Access::anonymous);
  MqttLink link;
  ASSERT_EQ(link.open(options(broker.port())), Error::none);
  EXPECT_FALSE(run_until_up(link, 300));
  EXPECT_GE(link.counters().failures, 2u);
  EXPECT_NE(link.last_error().find("refused"), std::string::npos) << link.last_error();
  ASSERT_TRUE(broker.start());
  EXPECT_TRUE(run_until_up(link)) << link.last_error();
}

TEST_F(mqtt_link, comes_back_and_subscribes_again_after_the_broker_was_killed) {
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  MqttLink link;
  ASSERT_EQ(link.open(options(broker.port())), Error::none);
  for (std::uint64_t life = 1; life <= 3; ++life) {
    ASSERT_TRUE(run_until_up(link)) << link.last_error();
    TestClient gateway(broker.port(), "", "", up);
    ASSERT_TRUE(gateway.publish(down, "hello"));
    ASSERT_TRUE(run_until(link, [&] { return link.counters().received == life; }));
    broker.kill();
    ASSERT_TRUE(run_until(link, [&] { return !link.is_up(); }));
    EXPECT_EQ(link.send(as_bytes("lost")), Error::link_down);
    ASSERT_TRUE(broker.start());
  }
  EXPECT_EQ(link.counters().connects, 3u);
}

TEST_F(mqtt_link, says_why_a_wrong_password_is_refused_and_backs_off) {
  TestBroker broker(TestBroker::Access::passwords);
  broker.add_user(device, "secret");
  ASSERT_TRUE(broker.start());
  MqttLink link;
  MqttOptions wrong = options(broker.port());
  wrong.user = device;
  wrong.password = "guess";
  ASSERT_EQ(link.open(wrong), Error::none);
  EXPECT_FALSE(run_until_up(link, 1500));
  EXPECT_NE(link.last_error().find("not authorised"), std::string::npos) << link.last_error();
  // 20, 40, 80, 160, 200, 200 ... with jitter of half: at most a dozen tries, where one without back-off makes hundreds.
  EXPECT_GE(link.counters().failures, 3u);
  EXPECT_LE(link.counters().failures, 20u);
}

TEST_F(mqtt_link, cannot_reach_the_topics_of_another_device) {
  TestBroker broker(TestBroker::Access::passwords);
  broker.add_user(device, "secret");
  broker.add_user(other_device, "theirs");
  broker.add_user("gateway", "other");
  ASSERT_TRUE(broker.start());
  TestClient gateway(broker.port(), "gateway", "other", "wp/v1/#");
  ASSERT_TRUE(gateway.is_connected());
  MqttLink link;
  MqttOptions intruder = options(broker.port());
  intruder.user = device;
  intruder.password = "secret";
  intruder.publish_topic = std::string("wp/v1/") + other_device + "/up";
  intruder.subscribe_topic = std::string("wp/v1/") + other_device + "/down";
  intruder.presence_topic.clear();
  ASSERT_EQ(link.open(intruder), Error::none);
  // mosquitto grants the subscription and delivers nothing, or refuses it: either way nothing may get through.
  run_until(link, [&] { return link.is_up(); }, 500);
  static_cast<void>(link.send(as_bytes("forged")));
  ASSERT_TRUE(gateway.publish(intruder.subscribe_topic, "private"));
  run_until(link, [] { return false; }, 300);
  gateway.run(100);
  EXPECT_EQ(link.counters().received, 0u);
  for (const TestClient::Message& message : gateway.messages()) EXPECT_NE(message.payload, "forged");
}

TEST_F(mqtt_link, drops_what_is_too_large_retained_or_empty) {
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  TestClient gateway(broker.port(), "", "", up);
  ASSERT_TRUE(gateway.publish(down, "switch on!", true));  // waits at the broker for whoever subscribes
  MqttLink link;
  ASSERT_EQ(link.open(options(broker.port())), Error::none);
  ASSERT_TRUE(run_until_up(link)) << link.last_error();
  ASSERT_TRUE(run_until(link, [&] { return link.counters().dropped_retained == 1; }));
  ASSERT_TRUE(gateway.publish(down, std::string(frame_size_max + 1, 'x')));
  ASSERT_TRUE(gateway.publish(down, std::string(5'000'000, 'x')));
  ASSERT_TRUE(run_until(link, [&] { return link.counters().dropped_large == 2; }));
  ASSERT_TRUE(gateway.publish(down, ""));
  ASSERT_TRUE(run_until(link, [&] { return link.counters().dropped_large == 3; }));
  ASSERT_TRUE(gateway.publish(down, std::string(frame_size_max, 'y')));
  ASSERT_TRUE(run_until(link, [&] { return link.counters().received == 1; }));
  EXPECT_EQ(take(link), std::string(frame_size_max, 'y'));
  EXPECT_TRUE(link.is_up());
  EXPECT_EQ(link.send(as_bytes(std::string(frame_size_max + 1, 'z'))), Error::too_large);
  EXPECT_EQ(link.send({}), Error::too_large);
}

TEST_F(mqtt_link, keeps_the_first_frames_of_a_flood_and_the_newest_of_its_own) {
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  TestClient gateway(broker.port(), "", "", up);
  MqttLink link;
  ASSERT_EQ(link.open(options(broker.port())), Error::none);
  ASSERT_TRUE(run_until_up(link)) << link.last_error();
  const std::uint32_t count = 3 * MqttLink::ring_frames_max;
  for (std::uint32_t i = 0; i < count; ++i) gateway.publish(down, "frame " + std::to_string(i));
  ASSERT_TRUE(run_until(link, [&] { return link.counters().received + link.counters().dropped_full_in == count; }));
  EXPECT_EQ(link.counters().received, MqttLink::ring_frames_max);
  EXPECT_EQ(take(link), "frame 0");
}

TEST_F(mqtt_link, gives_up_on_a_broker_that_accepts_and_stays_silent) {
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  broker.freeze();
  MqttLink link;
  MqttOptions impatient = options(broker.port());
  impatient.answer_ms_max = 200;
  ASSERT_EQ(link.open(impatient), Error::none);
  ASSERT_TRUE(run_until(link, [&] { return link.counters().failures >= 2; }));
  EXPECT_EQ(link.last_error(), "the broker did not answer");
  broker.thaw();
  EXPECT_TRUE(run_until_up(link)) << link.last_error();
}

TEST_F(mqtt_link, speaks_tls_with_a_shared_key_and_its_identity_is_its_user) {
  TestBroker broker(TestBroker::Access::psk);
  broker.add_user(device, "00112233445566778899aabbccddeeff");
  ASSERT_TRUE(broker.start()) << broker.log();
  MqttLink link;
  MqttOptions secure = options(broker.port());
  secure.psk_identity = device;
  secure.psk_hex = "00112233445566778899aabbccddeeff";
  ASSERT_EQ(link.open(secure), Error::none);
  ASSERT_TRUE(run_until_up(link)) << link.last_error() << "\n" << broker.log();
  EXPECT_EQ(link.send(as_bytes("sealed")), Error::none);
  EXPECT_TRUE(run_until(link, [&] { return link.counters().sent == 1 && !link.wants_write(); }));

  MqttLink wrong;
  secure.psk_hex = "ff112233445566778899aabbccddeeff";
  ASSERT_EQ(wrong.open(secure), Error::none);
  EXPECT_FALSE(run_until_up(wrong, 700));
  EXPECT_GE(wrong.counters().failures, 1u);
}

TEST_F(mqtt_link, resolves_a_name_without_waiting_for_it) {
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  MqttLink link;
  MqttOptions named = options(broker.port());
  named.host = "localhost";
  ASSERT_EQ(link.open(named), Error::none);
  EXPECT_TRUE(run_until_up(link)) << link.last_error();

  MqttLink lost;
  named.host = "no-such-host.invalid";
  ASSERT_EQ(lost.open(named), Error::none);
  const std::uint64_t before = clock_ms();
  lost.service(before);
  EXPECT_LT(clock_ms() - before, 500u);
  ASSERT_TRUE(run_until(lost, [&] { return lost.counters().failures >= 1; }, 20'000));
  EXPECT_NE(lost.last_error().find("no-such-host.invalid"), std::string::npos) << lost.last_error();
}

TEST(mqtt_link_without_broker, outlives_a_packet_of_256_megabytes) {
  const testing::HostileBroker broker;
  MqttLink link;
  ASSERT_EQ(link.open(options(broker.port())), Error::none);
  EXPECT_TRUE(run_until(link, [&] { return broker.announced() == 2 && !link.is_up(); })) << link.last_error();
  EXPECT_EQ(link.counters().received, 0u);
  EXPECT_GE(link.counters().failures, 1u);
  EXPECT_GE(link.counters().dropped_topic, 1u);  // what was never subscribed to
}

TEST(mqtt_link_without_broker, refuses_options_that_make_no_link) {
  for (const auto& spoil : std::vector<std::function<void(MqttOptions&)>>{
           [](MqttOptions& o) { o.host.clear(); }, [](MqttOptions& o) { o.client_id.clear(); },
           [](MqttOptions& o) { o.publish_topic.clear(); }, [](MqttOptions& o) { o.keepalive_s = 1; },
           [](MqttOptions& o) { o.backoff_ms_max = 1; }, [](MqttOptions& o) { o.psk_hex = "not hex"; o.psk_identity = "x"; }}) {
    MqttLink link;
    MqttOptions bad = options(1883);
    spoil(bad);
    EXPECT_EQ(link.open(bad), Error::configuration_invalid);
    EXPECT_FALSE(link.last_error().empty());
  }
}

}  // namespace
}  // namespace wattproof::hal
