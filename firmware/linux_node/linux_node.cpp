// SPDX-License-Identifier: Apache-2.0
// linux_node: a device on Linux. See README.md beside this file.
#include <getopt.h>
#include <sys/resource.h>

#include <cstdio>
#include <string>

#include "firmware/linux_node/configuration.hpp"
#include "firmware/linux_node/device_program.hpp"
#include "firmware/linux_node/node_config.hpp"
#include "hal/linux/device_key.hpp"
#include "hal/linux/gpio_line.hpp"
#include "hal/linux/i2c_relay.hpp"
#include "message/frame.hpp"

namespace wattproof {

// Our own mistake. The outputs are left to the watchdog and the hardware: nothing in this process can be trusted now.
void check_failed(const char* file, int line) {
  std::fprintf(stderr, "<2>check failed at %s:%d\n", file, line);
  std::abort();
}

}  // namespace wattproof

namespace {

using namespace wattproof;

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

constexpr const char* usage_text = R"(usage: linux_node --config FILE [--events FILE]
       linux_node --config FILE --check
       linux_node --config FILE --print-identity
       linux_node --config FILE --make-safe
       linux_node --version [--json]

  --config FILE     what this device is and does (TOML); boards/host_sim has an example of each kind
  --check           reads the configuration, names everything that is wrong with it, and ends
  --print-identity  prints the device's address, making its key if there is none, and ends
  --make-safe       opens the relay that nobody holds any more, and ends: what systemd calls after the node
  --events FILE     appends one JSON object a line for each event
  --version         prints the version; with --json also what was built in
)";

struct Arguments {
  std::string config, events;
  bool check = false, identity = false, make_safe = false, version = false, json = false;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  static const option options[] = {{"config", required_argument, nullptr, 'c'}, {"events", required_argument, nullptr, 'e'},
                                   {"check", no_argument, nullptr, 'k'},        {"print-identity", no_argument, nullptr, 'i'},
                                   {"make-safe", no_argument, nullptr, 's'},
                                   {"version", no_argument, nullptr, 'v'},      {"json", no_argument, nullptr, 'j'},
                                   {nullptr, 0, nullptr, 0}};
  for (int key = 0; (key = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    switch (key) {
      case 'c': arguments.config = optarg; break;
      case 'e': arguments.events = optarg; break;
      case 'k': arguments.check = true; break;
      case 'i': arguments.identity = true; break;
      case 's': arguments.make_safe = true; break;
      case 'v': arguments.version = true; break;
      case 'j': arguments.json = true; break;
      default: return false;
    }
  }
  return optind == argc && (arguments.version || !arguments.config.empty());
}

void print_version(bool json) {
  if (!json) {
    std::printf("linux_node %s\n", WATTPROOF_VERSION);
    return;
  }
  std::printf("{\"name\":\"linux_node\",\"version\":\"%s\",\"frame_version\":%u,\"slot_count_max\":%u,"
              "\"validator_count_max\":%u,\"gpio\":\"%s\"}\n",
              WATTPROOF_VERSION, message::frame_version, slot_count_max, validator_count_max, hal::gpio_backend_name());
}

// A broker may announce a packet of 256 MB, and its client library would allocate that. With this limit the allocation
// fails, the connection ends and the device goes on. (A sanitizer needs more room than any limit of ours.)
void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__)
  constexpr rlim_t data_size_max = 64u << 20;
  const rlimit limit{data_size_max, data_size_max};
  setrlimit(RLIMIT_DATA, &limit);
#endif
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);  // a core file would hold the key
}

int refuse(const std::vector<std::string>& errors) {
  for (const std::string& error : errors) std::fprintf(stderr, "%s\n", error.c_str());
  return exit_refused;
}

// Taking the line drives it to off. A load whose fallback is "on" is left as it is, as the node leaves it.
int make_safe(const firmware::OutputConfiguration& output) {
  if (output.limits.fallback_on) return 0;
  std::unique_ptr<hal::RelayDriver> relay;
  std::string detail;
  Error error = Error::none;
  if (output.relay == firmware::RelayKind::gpio) error = hal::open_gpio_relay(output.gpio, relay, detail);
  if (output.relay == firmware::RelayKind::i2c) error = hal::open_i2c_relay(output.i2c, relay, detail);
  if (error == Error::none) return 0;
  return refuse({"the relay was not opened: " + detail});
}

int run(const Arguments& arguments) {
  firmware::Configuration configuration;
  const std::vector<std::string> errors = firmware::read_configuration(arguments.config, configuration);
  // A configuration with a mistake may still name the relay.
  if (arguments.make_safe) return make_safe(configuration.output);
  if (!errors.empty()) return refuse(errors);
  if (const std::string error = firmware::check_node_config(configuration); !error.empty()) return refuse({error});
  if (arguments.check) {
    std::printf("%s: ok\n", arguments.config.c_str());
    return 0;
  }
  std::error_code code;
  std::filesystem::create_directories(configuration.store_folder, code);
  if (code) return refuse({configuration.store_folder.string() + ": " + code.message()});
  hal::DeviceKey key;
  if (const Error error = key.open(configuration.key_file, configuration.wrapping_key_file); error != Error::none) return refuse({key.detail()});
  if (arguments.identity) {
    std::printf("%s\n", firmware::to_hex(key.address()).c_str());
    return 0;
  }
  firmware::EventLog log;
  log.set_level(static_cast<firmware::Level>(configuration.log_level));
  if (!arguments.events.empty() && !log.open_events(arguments.events)) return refuse({arguments.events + ": cannot be written"});
  static node::Node node;  // tens of kilobytes: not on the stack
  firmware::LinuxPort port(configuration, key, log);
  return firmware::DeviceProgram(configuration, port, node, log).run();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(usage_text, stderr);
    return exit_usage;
  }
  if (arguments.version) {
    print_version(arguments.json);
    return 0;
  }
  limit_memory();
  return run(arguments);
}
