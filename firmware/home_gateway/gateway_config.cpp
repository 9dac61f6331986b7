// SPDX-License-Identifier: Apache-2.0
#include "gateway_config.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace wattproof::gateway {
namespace {

constexpr std::size_t secret_size_max = 256;

std::string place(const std::string& path, const toml::source_region& where) {
  return path + ":" + std::to_string(where.begin.line);
}

// One table. Every key must be asked for.
class Table {
 public:
  Table(const std::string& path, const toml::table& root, const char* name, bool is_required) : path_(path), name_(name) {
    const toml::node* const node = root.get(name);
    if (node == nullptr && is_required) throw std::runtime_error(path + ": [" + name + "] is missing");
    if (node == nullptr) return;
    table_ = node->as_table();
    if (table_ == nullptr) throw std::runtime_error(place(path, node->source()) + ": " + name + " must be a table");
  }

  std::string text(const char* key, std::optional<std::string> fallback = std::nullopt) {
    const toml::node* const node = find(key);
    if (node == nullptr) return required(key, fallback);
    const auto value = node->value_exact<std::string>();
    if (!value) fail(*node, key, "must be text");
    return *value;
  }

  std::uint64_t number(const char* key, std::uint64_t min, std::uint64_t max, std::optional<std::uint64_t> fallback) {
    const toml::node* const node = find(key);
    if (node == nullptr) return required(key, fallback);
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 0 || static_cast<std::uint64_t>(*value) < min || static_cast<std::uint64_t>(*value) > max) {
      fail(*node, key, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return static_cast<std::uint64_t>(*value);
  }

  bool flag(const char* key, bool fallback) {
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    const auto value = node->value_exact<bool>();
    if (!value) fail(*node, key, "must be true or false");
    return *value;
  }

  void finish() const {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (!asked_.contains(std::string(key.str()))) fail(node, std::string(key.str()).c_str(), "is not a known key");
    }
  }

  [[noreturn]] void refuse(const char* key, const std::string& detail) const { fail(*table_->get(key), key, detail); }

 private:
  const toml::node* find(const char* key) {
    asked_.insert(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }
  template <class T>
  T required(const char* key, const std::optional<T>& fallback) const {
    if (!fallback) throw std::runtime_error(path_ + ": " + name_ + "." + key + " is missing");
    return *fallback;
  }
  [[noreturn]] void fail(const toml::node& node, const char* key, const std::string& detail) const {
    throw std::runtime_error(place(path_, node.source()) + ": " + name_ + "." + key + " " + detail);
  }

  std::string path_;
  std::string name_;
  const toml::table* table_ = nullptr;
  std::set<std::string> asked_;
};

std::string beside(const std::string& config, const std::string& path) {
  if (path.empty() || std::filesystem::path(path).is_absolute()) return path;
  return (std::filesystem::path(config).parent_path() / path).string();
}

std::string read_secret(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path);
  std::string text;
  if (!std::getline(file, text) || text.empty() || text.size() > secret_size_max) {
    throw std::runtime_error(path + ": must hold one line of at most " + std::to_string(secret_size_max) + " characters");
  }
  return text;
}

void read_chain(Table& chain, GatewayConfig& config) {
  config.url = chain.text("url");
  config.gateway.chain_id = chain.number("id", 1, INT64_MAX, std::nullopt);
  const auto registry = ethereum::parse_hex_array<20>(chain.text("registry"));
  if (!registry) chain.refuse("registry", "must be \"0x\" and 40 hexadecimal digits");
  config.gateway.registry = *registry;
  const auto engine = ethereum::engine_of_name(chain.text("engine", "qbft"));
  if (!engine) chain.refuse("engine", "must be qbft, ibft2, clique or aura");
  config.gateway.engine = *engine;
  config.gateway.first_block = chain.number("first_block", 0, INT64_MAX, 0);
  config.gateway.poll_ms = chain.number("poll_ms", 20, 60'000, 250);
  chain.finish();
}

void read_mqtt(Table& mqtt, const std::string& path, MqttOptions& options) {
  options.host = mqtt.text("host");
  options.port = static_cast<std::uint16_t>(mqtt.number("port", 1, 65535, 1883));
  options.client_id = mqtt.text("client_id", "gateway");
  options.username = mqtt.text("username", "");
  options.password = read_secret(beside(path, mqtt.text("password_file", "")));
  options.ca_file = beside(path, mqtt.text("ca_file", ""));
  options.psk_identity = mqtt.text("psk_identity", "");
  options.psk_hex = read_secret(beside(path, mqtt.text("psk_file", "")));
  mqtt.finish();
}

}  // namespace

GatewayConfig load_config(const std::string& path) {
  toml::table root;
  try {
    root = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    throw std::runtime_error(place(path, error.source()) + ": " + std::string(error.description()));
  }
  for (const auto& [key, node] : root) {
    static const std::set<std::string> known{"chain", "account", "mqtt", "batch", "log"};
    if (!known.contains(std::string(key.str()))) {
      throw std::runtime_error(place(path, node.source()) + ": " + std::string(key.str()) + " is not a known key");
    }
  }
  GatewayConfig config;
  Table chain(path, root, "chain", true);
  read_chain(chain, config);
  Table account(path, root, "account", true);
  config.key_file = beside(path, account.text("key_file"));
  config.gateway.gas_price_wei = account.number("gas_price_wei", 0, INT64_MAX, 0);
  account.finish();
  Table mqtt(path, root, "mqtt", true);
  read_mqtt(mqtt, path, config.mqtt);
  Table batch(path, root, "batch", false);
  config.gateway.batch.count_max = batch.number("count_max", 1, 500, 50);
  config.gateway.batch.wait_ms = batch.number("wait_ms", 0, 60'000, 400);
  config.gateway.batch.is_closing = batch.flag("closing", true);
  batch.finish();
  Table log(path, root, "log", false);
  config.metrics_s = log.number("metrics_s", 1, 86'400, 60);
  log.finish();
  return config;
}

}  // namespace wattproof::gateway
