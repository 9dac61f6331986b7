// SPDX-License-Identifier: Apache-2.0
// The home gateway as a program: options, one poll loop, a clean end.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "base/check.hpp"
#include "gateway_config.hpp"

namespace wattproof {

[[noreturn]] void check_failed(const char* file, int line) {
  std::cerr << "internal check failed at " << file << ':' << line << std::endl;
  std::abort();
}

}  // namespace wattproof

namespace {

using namespace wattproof;
using namespace wattproof::gateway;

constexpr int loop_ms = 20;

struct Options {
  std::string config;
  std::string events;
  std::string lie;
  bool check = false;
};

std::uint64_t boot_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

crypto::PrivateKey load_or_make_key(const std::string& path) {
  if (!std::filesystem::exists(path)) ethereum::write_key_file(path, ethereum::generate_key());
  return ethereum::load_key_file(path);
}

// SIGTERM and SIGINT as a descriptor, so that the loop ends where it stands safely.
int block_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

int run(const GatewayConfig& config, const Options& options) {
  const int signals = block_signals();  // before the worker's thread starts, which inherits it
  EventLog log = options.events.empty() ? EventLog() : EventLog(options.events);
  ethereum::RpcOptions rpc;
  rpc.url = config.url;
  rpc.attempts_max = 2;  // the gateway asks again by itself, with news of what has happened meanwhile
  RpcWorker worker(rpc);
  std::unique_ptr<MqttClient> mqtt;
  Gateway gateway(config.gateway, load_or_make_key(config.key_file), [&](RpcJob job) { worker.post(std::move(job)); },
                  [&](const Address& device, const ByteVector& frame) { mqtt->publish(device, frame); }, log);
  bool was_up = true;
  mqtt = std::make_unique<MqttClient>(
      config.mqtt, [&](const Address& device, Bytes frame) { gateway.on_frame(device, frame, boot_ms()); },
      [&](bool is_up, const std::string& why) {
        if (is_up || was_up) log.event(is_up ? "broker_up" : "broker_down", {{"detail", why}});
        was_up = is_up;
      });

  std::uint64_t metrics_ms = boot_ms();
  for (;;) {
    std::array<pollfd, 3> watched{{{signals, POLLIN, 0},
                                   {worker.descriptor(), POLLIN, 0},
                                   {mqtt->descriptor(), static_cast<short>(mqtt->wants_write() ? POLLIN | POLLOUT : POLLIN), 0}}};
    ::poll(watched.data(), watched.size(), loop_ms);
    if ((watched[0].revents & POLLIN) != 0) break;
    mqtt->work((watched[2].revents & ~POLLOUT) != 0, (watched[2].revents & POLLOUT) != 0, boot_ms());
    worker.run_completions();
    gateway.tick(boot_ms());
    if (boot_ms() - metrics_ms >= config.metrics_s * 1000) {
      metrics_ms = boot_ms();
      nlohmann::ordered_json metrics = gateway.metrics();
      metrics["lost_frames"] = mqtt->lost_frames();
      metrics["ignored_frames"] = mqtt->ignored_frames();
      log.event("metrics", metrics);
    }
  }
  log.event("end", gateway.metrics());
  ::close(signals);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The gateway between wattproof devices on MQTT and their chain.", "home_gateway");
  Options options;
  app.add_option("--config", options.config, "TOML file")->required();
  app.add_flag("--check", options.check, "Check the configuration and end");
  app.add_option("--events", options.events, "Append events to this file too, as JSON lines");
  app.add_option("--lie", options.lie, "Test aid: lie to the devices. One of: " + lie_names());
  app.set_version_flag("--version", WATTPROOF_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    GatewayConfig config = load_config(options.config);
    if (!options.lie.empty()) {
      const auto lie = lie_of_name(options.lie);
      if (!lie) throw std::runtime_error("--lie " + options.lie + ": must be one of: " + lie_names());
      config.gateway.lie = *lie;
    }
    if (options.check) {
      std::cout << "{\"config\":\"ok\"}" << std::endl;
      return 0;
    }
    return run(config, options);
  } catch (const std::exception& error) {
    std::cerr << "home_gateway: " << error.what() << std::endl;
    return 2;
  }
}
