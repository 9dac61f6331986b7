// SPDX-License-Identifier: Apache-2.0
// The program as a process, from outside: its commands, its broker, its end.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "hal/sim/scaled_clock.hpp"
#include "message/frame.hpp"
#include "support/vectors.hpp"
#include "unit/firmware/linux_node_config.hpp"
#include "unit/hal/test_broker.hpp"

namespace wattproof {
namespace {

using testing::good_linux_node_config;
using testing::replaced;
using testing::ScratchFolder;
using testing::TestBroker;
using testing::TestClient;

// Under an emulator the program is given to it as an argument.
std::vector<std::string> program() {
  std::vector<std::string> words;
  const std::string emulator = WATTPROOF_EMULATOR;
  for (std::size_t at = 0; at < emulator.size();) {
    const std::size_t end = std::min(emulator.find(';', at), emulator.size());
    words.push_back(emulator.substr(at, end - at));
    at = end + 1;
  }
  words.emplace_back(WATTPROOF_LINUX_NODE);
  return words;
}

class Process {
 public:
  Process(const ScratchFolder& folder, const std::vector<std::string>& arguments) {
    std::vector<std::string> words = program();
    words.insert(words.end(), arguments.begin(), arguments.end());
    const std::string out = folder / "out", err = folder / "err";
    process_ = fork();
    if (process_ != 0) return;
    dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  ~Process() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      wait();
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(process_, number); }
  // The most memory that it has held, in kB, as the kernel counts it.
  [[nodiscard]] long peak_kb() const {
    std::ifstream status("/proc/" + std::to_string(process_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmPeak:")) return std::stol(line.substr(7));
    }
    return -1;
  }
  int wait() {
    int status = -1;
    waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

 private:
  pid_t process_ = -1;
};

int run(const ScratchFolder& folder, const std::vector<std::string>& arguments) { return Process(folder, arguments).wait(); }

bool eventually(const std::function<bool()>& is_true, int ms_max = 10'000) {
  for (int ms = 0; ms < ms_max; ms += 20) {
    if (is_true()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return is_true();
}

bool eventually_says(const ScratchFolder& folder, const std::string& words) {
  return eventually([&] { return folder.read("events").find(words) != std::string::npos; });
}

std::string identity(const ScratchFolder& folder) {
  EXPECT_EQ(run(folder, {"--config", folder / "d.toml", "--print-identity"}), 0) << folder.read("err");
  return folder.read("out").substr(0, 42);
}

TEST(linux_node, checks_a_configuration) {
  const ScratchFolder folder;
  folder.write("d.toml", good_linux_node_config);
  EXPECT_EQ(run(folder, {"--config", folder / "d.toml", "--check"}), 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "state"));  // a check leaves nothing behind
  folder.write("d.toml", replaced(good_linux_node_config, "id = 3", "id = 0"));
  EXPECT_EQ(run(folder, {"--config", folder / "d.toml", "--check"}), 1);
  EXPECT_NE(folder.read("err").find("d.toml:2: device.id: "), std::string::npos) << folder.read("err");
}

TEST(linux_node, makes_its_key_once_and_prints_the_address) {
  const ScratchFolder folder;
  folder.write("d.toml", good_linux_node_config);
  const std::string first = identity(folder);
  EXPECT_EQ(first.substr(0, 2), "0x");
  EXPECT_EQ(first.find_first_not_of("0123456789abcdef", 2), std::string::npos) << first;
  EXPECT_EQ(identity(folder), first);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "state/device.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(linux_node, tells_its_version_and_how_it_is_used) {
  const ScratchFolder folder;
  EXPECT_EQ(run(folder, {"--version", "--json"}), 0);
  EXPECT_NE(folder.read("out").find("\"slot_count_max\":96"), std::string::npos) << folder.read("out");
  EXPECT_EQ(run(folder, {}), 2);
  EXPECT_NE(folder.read("err").find("usage:"), std::string::npos);
  EXPECT_EQ(run(folder, {"--config", folder / "absent.toml"}), 1);
  EXPECT_NE(folder.read("err").find("No such file"), std::string::npos);
}

TEST(linux_node, does_not_grow_with_what_a_hostile_broker_announces) {
  const ScratchFolder folder;
  testing::HostileBroker broker;
  folder.write("d.toml", replaced(good_linux_node_config, "port = 18830", "port = " + std::to_string(broker.port())));
  Process device(folder, {"--config", folder / "d.toml", "--events", folder / "events"});
  ASSERT_TRUE(eventually([&] { return broker.announced() >= 3; })) << folder.read("events");
  const bool is_measurable = std::string(WATTPROOF_EMULATOR).empty() && !WATTPROOF_IS_SANITIZED;
  EXPECT_TRUE(!is_measurable || device.peak_kb() < 200'000) << device.peak_kb();
  device.signal(SIGTERM);
  EXPECT_EQ(device.wait(), 0);
}

TEST(linux_node, lives_on_a_scaled_clock) {
  const ScratchFolder folder;
  ASSERT_EQ(hal::set_scaled_clock(folder / "clock", 1'700'000'000'000, 1'000'000), Error::none);
  folder.write("d.toml", good_linux_node_config + "[clock]\nscaled_file = \"clock\"\n");
  Process device(folder, {"--config", folder / "d.toml", "--events", folder / "events"});
  ASSERT_TRUE(eventually_says(folder, "\"event\":\"mode\""));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  device.signal(SIGTERM);
  EXPECT_EQ(device.wait(), 0);
  const std::string events = folder.read("events");
  const std::size_t stopped = events.rfind("{\"ms\":");
  EXPECT_GE(std::stoull(events.substr(stopped + 6)), 250'000u) << events;  // 0.3 s at a thousand to one
}

TEST(linux_node, refuses_a_clock_that_is_none) {
  const ScratchFolder folder;
  folder.write("clock", "not a clock");
  folder.write("d.toml", good_linux_node_config + "[clock]\nscaled_file = \"clock\"\n");
  EXPECT_EQ(run(folder, {"--config", folder / "d.toml"}), 1);
  EXPECT_NE(folder.read("out").find("clock_refused"), std::string::npos) << folder.read("out");
}

class linux_node_with_broker : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::has_broker()) return;
    if (testing::absence_is_failure()) FAIL() << "mosquitto is not installed";
    GTEST_SKIP() << "mosquitto is not installed";
  }
};

TEST_F(linux_node_with_broker, says_hello_survives_the_broker_and_ends_in_its_safe_state) {
  const ScratchFolder folder;
  TestBroker broker(TestBroker::Access::passwords);
  std::string text = replaced(good_linux_node_config, "port = 18830", "port = " + std::to_string(broker.port()));
  text = replaced(text, "anonymous = true", "password_file = \"password\"");
  folder.write("d.toml", text);
  folder.write("password", "secret\n");
  const std::string address = identity(folder).substr(2);
  broker.add_user(address, "secret");
  broker.add_user("gateway", "other");

  Process device(folder, {"--config", folder / "d.toml", "--events", folder / "events"});
  ASSERT_TRUE(eventually_says(folder, "link_refused")) << folder.read("out") << folder.read("err");
  EXPECT_TRUE(eventually_says(folder, "\"event\":\"relay\",\"on\":false,\"reason\":\"fallback\""));
  for (int life = 0; life < 2; ++life) {
    ASSERT_TRUE(broker.start()) << broker.log();
    TestClient gateway(broker.port(), "gateway", "other", "wp/v1/" + address + "/up");
    ASSERT_TRUE(gateway.is_connected());
    bool said_hello = false;
    for (std::size_t count = 1; count < 20 && !said_hello && gateway.wait_for(count); ++count) {
      message::UpFrame frame;
      const std::string& bytes = gateway.messages().back().payload;
      const Error error = message::decode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, frame);
      EXPECT_EQ(error, Error::none) << error_name(error);
      said_hello = frame.kind == message::FrameKind::hello && frame.hello.id == 3 && frame.hello.head_number == 7;
      EXPECT_TRUE(!said_hello || frame.hello.boot_count == 1);
    }
    EXPECT_TRUE(said_hello) << folder.read("events");
    broker.kill();
    ASSERT_TRUE(eventually_says(folder, "link_down"));
  }
  device.signal(SIGTERM);
  EXPECT_EQ(device.wait(), 0);
  EXPECT_TRUE(eventually_says(folder, "\"event\":\"stopped\""));
}

TEST_F(linux_node_with_broker, refuses_frames_that_are_nonsense_and_goes_on) {
  const ScratchFolder folder;
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  folder.write("d.toml", replaced(good_linux_node_config, "port = 18830", "port = " + std::to_string(broker.port())));
  const std::string address = identity(folder).substr(2);
  Process device(folder, {"--config", folder / "d.toml", "--events", folder / "events"});
  ASSERT_TRUE(eventually_says(folder, "link_up")) << folder.read("out") << folder.read("err");
  TestClient gateway(broker.port(), "", "", "wp/v1/" + address + "/up");
  ASSERT_TRUE(gateway.publish("wp/v1/" + address + "/down", "nonsense"));
  ASSERT_TRUE(eventually_says(folder, "\"event\":\"refused\"")) << folder.read("events");
  ASSERT_TRUE(gateway.publish("wp/v1/" + address + "/down", std::string(100'000, 'x')));
  ASSERT_TRUE(gateway.publish("wp/v1/" + address + "/down", std::string("\x83\x01\x18\x63\x00", 5)));  // an unknown kind
  ASSERT_TRUE(eventually([&] { return folder.read("events").find("unknown_kind") != std::string::npos; })) << folder.read("events");
  device.signal(SIGTERM);
  EXPECT_EQ(device.wait(), 0);
  EXPECT_EQ(folder.read("events").find("\"on\":true"), std::string::npos);
}

TEST_F(linux_node_with_broker, does_not_share_its_store_with_a_second_process) {
  const ScratchFolder folder;
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  folder.write("d.toml", replaced(good_linux_node_config, "port = 18830", "port = " + std::to_string(broker.port())));
  Process first(folder, {"--config", folder / "d.toml", "--events", folder / "events"});
  ASSERT_TRUE(eventually_says(folder, "link_up"));
  EXPECT_EQ(run(folder, {"--config", folder / "d.toml"}), 1);
  EXPECT_NE(folder.read("out").find("another process"), std::string::npos) << folder.read("out");
}

TEST_F(linux_node_with_broker, counts_its_boots_over_a_kill) {
  const ScratchFolder folder;
  TestBroker broker(TestBroker::Access::anonymous);
  ASSERT_TRUE(broker.start());
  folder.write("d.toml", replaced(good_linux_node_config, "port = 18830", "port = " + std::to_string(broker.port())));
  for (int boot = 1; boot <= 3; ++boot) {
    std::filesystem::remove(folder / "events");
    Process device(folder, {"--config", folder / "d.toml", "--events", folder / "events"});
    ASSERT_TRUE(eventually_says(folder, "check_in")) << folder.read("events");
    const std::string events = folder.read("events");
    const std::string nonce = events.substr(events.find("\"nonce\":") + 8);
    EXPECT_EQ(std::stoull(nonce) >> 32, static_cast<std::uint64_t>(boot));
    device.signal(SIGKILL);
    device.wait();
  }
}

}  // namespace
}  // namespace wattproof
