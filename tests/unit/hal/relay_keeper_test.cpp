// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/relay_keeper.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::hal {
namespace {

using testing::ScratchFolder;

// A relay whose contact is a file, so that a test sees it from outside of every process.
class FileRelay final : public RelayDriver {
 public:
  explicit FileRelay(std::filesystem::path file) : file_(std::move(file)) { std::ofstream(file_) << "0"; }
  Error command(bool on, BootMs) override {
    if (std::filesystem::exists(file_.string() + ".broken")) return Error::hardware_failed;
    std::ofstream(file_) << (on ? "1" : "0");
    return Error::none;
  }
  Error sense(bool& on, BootMs) override {
    std::string text;
    std::ifstream(file_) >> text;
    on = text == "1";
    return Error::none;
  }
  std::string detail() const override { return "the contact is broken"; }

 private:
  std::filesystem::path file_;
};

class relay_keeper : public ::testing::Test {
 protected:
  RelayOpener opener() {
    return [this](std::unique_ptr<RelayDriver>& driver, std::string&) {
      driver = std::make_unique<FileRelay>(folder_ / "contact");
      return Error::none;
    };
  }
  [[nodiscard]] bool is_closed() const { return folder_.read("contact") == "1"; }
  bool becomes(bool closed, int ms_max = 3000) {
    for (int ms = 0; ms < ms_max && is_closed() != closed; ms += 5) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return is_closed() == closed;
  }
  // An owner in a process of its own that closes the relay and then keeps calling.
  pid_t start_owner(const RelayKeeperOptions& options) {
    const pid_t owner = fork();
    if (owner != 0) return owner;
    std::unique_ptr<RelayDriver> relay;
    std::string detail;
    if (open_relay_keeper(options, opener(), relay, detail) != Error::none) _exit(1);
    if (relay->command(true, {}) != Error::none) _exit(1);
    for (bool on = false;;) {
      static_cast<void>(relay->sense(on, {}));
      usleep(20'000);
    }
  }

  ScratchFolder folder_;
  std::unique_ptr<RelayDriver> relay_;
  std::string detail_;
};

TEST_F(relay_keeper, does_as_told_and_reads_the_contact_back) {
  ASSERT_EQ(open_relay_keeper({}, opener(), relay_, detail_), Error::none) << detail_;
  bool on = true;
  EXPECT_EQ(relay_->sense(on, {}), Error::none);
  EXPECT_FALSE(on);
  EXPECT_EQ(relay_->command(true, {}), Error::none);
  EXPECT_TRUE(is_closed());
  EXPECT_EQ(relay_->sense(on, {}), Error::none);
  EXPECT_TRUE(on);
  EXPECT_EQ(relay_->command(false, {}), Error::none);
  EXPECT_FALSE(is_closed());
}

TEST_F(relay_keeper, opens_the_relay_when_its_owner_is_killed) {
  const pid_t owner = start_owner({});
  ASSERT_TRUE(becomes(true));
  kill(owner, SIGKILL);
  EXPECT_TRUE(becomes(false));
  waitpid(owner, nullptr, 0);
}

TEST_F(relay_keeper, opens_the_relay_when_its_owner_is_frozen_and_serves_it_when_it_is_back) {
  const pid_t owner = start_owner({.deadline_ms = 200});
  ASSERT_TRUE(becomes(true));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_TRUE(is_closed());  // an owner that calls keeps it closed
  kill(owner, SIGSTOP);
  const auto frozen = std::chrono::steady_clock::now();
  EXPECT_TRUE(becomes(false));
  EXPECT_LT(std::chrono::steady_clock::now() - frozen, std::chrono::milliseconds(1200));
  kill(owner, SIGCONT);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(is_closed());  // it is for the owner to close it again
  EXPECT_EQ(waitpid(owner, nullptr, WNOHANG), 0);
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
}

TEST_F(relay_keeper, opens_the_relay_when_it_is_let_go) {
  ASSERT_EQ(open_relay_keeper({}, opener(), relay_, detail_), Error::none);
  ASSERT_EQ(relay_->command(true, {}), Error::none);
  relay_.reset();
  EXPECT_FALSE(is_closed());
}

TEST_F(relay_keeper, leaves_a_load_on_whose_fallback_is_on) {
  const pid_t owner = start_owner({.deadline_ms = 100, .stays_on = true});
  ASSERT_TRUE(becomes(true));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(is_closed());
}

TEST_F(relay_keeper, tries_an_opening_again_until_it_works) {
  const pid_t owner = start_owner({.deadline_ms = 100});
  ASSERT_TRUE(becomes(true));
  folder_.write("contact.broken", "");
  kill(owner, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(is_closed());
  std::filesystem::remove(folder_ / "contact.broken");
  EXPECT_TRUE(becomes(false));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
}

TEST_F(relay_keeper, tells_an_owner_that_is_back_once_that_it_was_overruled) {
  ASSERT_EQ(open_relay_keeper({.deadline_ms = 100}, opener(), relay_, detail_), Error::none);
  EXPECT_EQ(relay_->command(true, {}), Error::none);
  EXPECT_FALSE(relay_->take_overruled());
  EXPECT_TRUE(becomes(false));  // this owner did not call for 100 ms
  bool on = true;
  EXPECT_EQ(relay_->sense(on, {}), Error::none);
  EXPECT_TRUE(relay_->take_overruled());
  EXPECT_FALSE(relay_->take_overruled());
  EXPECT_EQ(relay_->command(true, {}), Error::none);
  EXPECT_TRUE(is_closed());
  EXPECT_FALSE(relay_->take_overruled());
}

TEST_F(relay_keeper, passes_on_what_the_driver_says) {
  EXPECT_EQ(open_relay_keeper({}, [](std::unique_ptr<RelayDriver>&, std::string& detail) {
    detail = "no such line";
    return Error::hardware_failed;
  }, relay_, detail_), Error::hardware_failed);
  EXPECT_EQ(detail_, "no such line");
  EXPECT_EQ(relay_, nullptr);
  EXPECT_EQ(open_relay_keeper({.deadline_ms = 1}, opener(), relay_, detail_), Error::configuration_invalid);
  ASSERT_EQ(open_relay_keeper({}, opener(), relay_, detail_), Error::none);
  folder_.write("contact.broken", "");
  EXPECT_EQ(relay_->command(true, {}), Error::hardware_failed);
  EXPECT_EQ(relay_->detail(), "the contact is broken");
}

}  // namespace
}  // namespace wattproof::hal
