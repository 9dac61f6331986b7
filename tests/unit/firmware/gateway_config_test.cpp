// SPDX-License-Identifier: Apache-2.0
#include "gateway_config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace wattproof::gateway {
namespace {

class GatewayConfigFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "wattproof-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "gateway.toml").string(); }
  GatewayConfig load(const std::string& text) {
    std::ofstream(path()) << text;
    return load_config(path());
  }
  std::string refusal(const std::string& text) {
    try {
      load(text);
      return "ok";
    } catch (const std::runtime_error& error) {
      const std::string what = error.what();
      return what.starts_with(path()) ? what.substr(path().size()) : what;
    }
  }
  std::filesystem::path folder_;
};
using gateway_config = GatewayConfigFile;

const std::string good =
    "[chain]\nurl = \"http://127.0.0.1:8545\"\nid = 1337\nregistry = \"0x1111111111111111111111111111111111111111\"\n"
    "[account]\nkey_file = \"gateway.key\"\n[mqtt]\nhost = \"127.0.0.1\"\n";

TEST_F(gateway_config, has_defaults_for_what_may_be_left_out) {
  const GatewayConfig config = load(good);
  EXPECT_EQ(config.gateway.chain_id, 1337u);
  EXPECT_EQ(config.gateway.engine, ethereum::Engine::qbft);
  EXPECT_EQ(config.mqtt.port, 1883);
  EXPECT_EQ(config.gateway.batch.count_max, 50u);
  EXPECT_TRUE(config.gateway.batch.is_closing);
  EXPECT_EQ(config.key_file, (folder_ / "gateway.key").string());  // beside the file
}

TEST_F(gateway_config, reads_secrets_from_files_of_their_own) {
  std::ofstream(folder_ / "password") << "secret\n";
  EXPECT_EQ(load(good + "username = \"gateway\"\npassword_file = \"password\"\n").mqtt.password, "secret");
  EXPECT_THROW(load(good + "password_file = \"absent\"\n"), std::runtime_error);
}

TEST_F(gateway_config, names_line_and_key_of_what_is_wrong) {
  EXPECT_EQ(refusal(good + "prot = 1\n"), ":9: mqtt.prot is not a known key");
  EXPECT_EQ(refusal(good + "port = 65536\n"), ":9: mqtt.port must be a whole number from 1 to 65535");
  EXPECT_EQ(refusal(good + "port = 1.5\n"), ":9: mqtt.port must be a whole number from 1 to 65535");
  EXPECT_EQ(refusal(good + "port = \"1883\"\n"), ":9: mqtt.port must be a whole number from 1 to 65535");
  EXPECT_EQ(refusal(good + "[more]\n"), ":9: more is not a known key");
  EXPECT_EQ(refusal("[chain]\nurl = \"x\"\n"), ": chain.id is missing");
  EXPECT_EQ(refusal(""), ": [chain] is missing");
  EXPECT_EQ(refusal("[chain]\nurl = \"x\"\nid = 1\nregistry = \"0x11\"\n"),
            ":4: chain.registry must be \"0x\" and 40 hexadecimal digits");
  EXPECT_TRUE(refusal("[chain\n").starts_with(":1: "));
}

}  // namespace
}  // namespace wattproof::gateway
