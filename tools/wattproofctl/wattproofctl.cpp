// SPDX-License-Identifier: Apache-2.0
// Options and subcommands; what they do stands in the *_command.cpp files. JSON goes to standard output, on one line;
// explanations go to standard error.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "base/check.hpp"
#include "board_command.hpp"
#include "chain_commands.hpp"
#include "genesis_command.hpp"
#include "rpc_client.hpp"

namespace wattproof {

[[noreturn]] void check_failed(const char* file, int line) {
  std::cerr << "internal check failed at " << file << ':' << line << '\n';
  std::abort();
}

}  // namespace wattproof

namespace {

using namespace wattproof::tool;

int print(const Outcome& outcome) {
  if (outcome.output.is_null()) return outcome.status;  // printed already, as text
  std::cout << outcome.output.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  std::cout.flush();
  return std::cout ? outcome.status : exit_refused;
}

// Runs a command and turns what it throws into an error object.
int run(const std::function<Outcome()>& command) {
  try {
    return print(command());
  } catch (const InputError& error) {
    std::cerr << "wattproofctl: " << error.what() << '\n';
    Json output = {{"error", "bad_input"}, {"detail", error.what()}};
    if (!error.field.empty()) output["field"] = error.field;
    return print({output, exit_usage});
  } catch (const Refused& error) {
    std::cerr << "wattproofctl: " << error.what() << '\n';
    return print({{{"error", error.error}, {"detail", error.what()}}, exit_refused});
  } catch (const std::exception& error) {
    std::cerr << "wattproofctl: " << error.what() << '\n';
    return print({{{"error", "failed"}, {"detail", error.what()}}, exit_refused});
  }
}

struct Options {
  std::string file = "-";
  bool certificate = false;
  bool json = false;
  ChainOptions chain;
  DeployOptions deploy;
  ProvisionOptions provision;
  EpochOptions epoch;
  GenesisOptions genesis;
};

// Runs a command that speaks to a node.
int run_on_chain(const Options& options, const std::function<Outcome(wattproof::ethereum::Rpc&)>& command) {
  return run([&] {
    wattproof::ethereum::RpcOptions rpc;
    rpc.url = options.chain.url;
    wattproof::ethereum::RpcClient client(rpc);
    return command(client);
  });
}

void add_chain_options(CLI::App& command, Options& options, bool has_registry, bool has_key) {
  command.add_option("--url", options.chain.url, "JSON-RPC of a node: http://..")->required();
  if (has_registry) {
    command.add_option("--registry", options.chain.registry, "Address of the DeviceRegistry")->required();
    command.add_option("--engine", options.chain.engine, "qbft, ibft2, clique or aura")->capture_default_str();
    command.add_option("--first-block", options.chain.first_block, "Block from which events are read");
  }
  if (has_key) command.add_option("--key", options.chain.key_file, "File with the operator's private key")->required();
  if (has_key) command.add_option("--gas-price", options.chain.gas_price_wei, "In wei, where nodes demand one")->capture_default_str();
}

// A command that reads one document.
CLI::App* document_command(CLI::App& parent, const char* name, const char* help, Options& options) {
  CLI::App* const command = parent.add_subcommand(name, help);
  command->add_option("FILE", options.file, "JSON document; - is standard input")->required();
  return command;
}

void add_operator_commands(CLI::App& app, Options& options, int& status) {
  CLI::App* const deploy = app.add_subcommand("deploy", "Deploy the contracts; makes the key file if there is none");
  add_chain_options(*deploy, options, false, true);
  options.deploy.artifacts = WATTPROOF_ARTIFACTS;
  deploy->add_option("--artifacts", options.deploy.artifacts, "Folder with the contracts' JSON files")->capture_default_str();
  deploy->add_option("--admin", options.deploy.admin, "Holder of the admin role; default: the operator");
  deploy->add_option("--admin-delay", options.deploy.admin_delay_s, "Seconds before an offered admin role can be taken")
      ->capture_default_str();
  deploy->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) { return deploy_command(options.chain, options.deploy, rpc); });
  });

  CLI::App* const enrol = document_command(app, "enrol", "Add devices with their terms to the registry", options);
  add_chain_options(*enrol, options, true, true);
  enrol->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) {
      return enrol_command(options.chain, load_document(options.file), rpc);
    });
  });

  CLI::App* const provision = document_command(app, "provision", "Write the operator's part of a device's TOML file", options);
  add_chain_options(*provision, options, true, false);
  provision->add_option("--id", options.provision.id, "Number of the device in the registry")->required();
  provision->add_option("--output", options.provision.output, "File to write; - is standard output")->capture_default_str();
  provision->add_option("--validators", options.provision.validators_file,
                        "JSON array of the addresses that the chain's validators must be");
  provision->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) {
      return provision_command(options.chain, options.provision, load_document(options.file), rpc);
    });
  });

  CLI::App* const show = app.add_subcommand("status", "Devices and epochs, as the events tell them");
  add_chain_options(*show, options, true, false);
  show->callback([&] { status = run_on_chain(options, [&](auto& rpc) { return status_command(options.chain, rpc); }); });
}

void add_epoch_open(CLI::App& epoch, Options& options, int& status) {
  CLI::App* const open = document_command(epoch, "open", "Open an epoch with prices, base load and cap (JSON or CSV)", options);
  add_chain_options(*open, options, true, true);
  EpochOptions& rules = options.epoch;
  open->add_option("--epoch", rules.epoch, "Number; default: the one after the last");
  open->add_option("--start", rules.start_s, "Chain time of slot 0; default: the next midnight, UTC");
  open->add_option("--rho0", rules.rho0, "Penalty in 2^-16 micro-units per kWh and W; default: from the prices");
  open->add_option("--tolerance-w", rules.tolerance_w, "Absolute tolerance of the residuals")->capture_default_str();
  open->add_option("--round-seconds", rules.round_s, "After which any round may be closed")->capture_default_str();
  open->add_option("--grace-seconds", rules.grace_s, "After which as many answers as before suffice")->capture_default_str();
  open->add_option("--enter-seconds", rules.enter_s, "After which the first round may start")->capture_default_str();
  open->add_option("--rounds-max", rules.rounds_max, "The last round")->capture_default_str();
  open->add_option("--dispute-seconds", rules.dispute_s, "For which the ring entry is kept")->capture_default_str();
  open->add_option("--warm-epoch", rules.warm_epoch, "Epoch to start from if it became final; 0: none");
  open->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) {
      return epoch_open_command(options.chain, options.epoch, options.file, read_document(options.file), rpc);
    });
  });
}

void add_epoch_commands(CLI::App& app, Options& options, int& status) {
  CLI::App* const epoch = app.add_subcommand("epoch", "Open, watch and close epochs");
  epoch->require_subcommand(1);
  add_epoch_open(*epoch, options, status);
  CLI::App* const show = epoch->add_subcommand("status", "Round, answers and residuals of an epoch");
  CLI::App* const close = epoch->add_subcommand("close", "Close the present round, as anyone may when it is time");
  CLI::App* const schedule = app.add_subcommand("schedule", "Read schedules");
  schedule->require_subcommand(1);
  CLI::App* const table = schedule->add_subcommand("show", "Aggregate and profiles, recomputed from the events");
  table->add_flag("--json", options.json, "JSON in place of a table");
  for (CLI::App* const command : {show, close, table}) {
    add_chain_options(*command, options, true, command == close);
    command->add_option("--epoch", options.epoch.epoch, "Number; default: the newest");
  }
  show->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) { return epoch_status_command(options.chain, options.epoch.epoch, rpc); });
  });
  close->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) { return epoch_close_command(options.chain, options.epoch.epoch, rpc); });
  });
  table->callback([&] {
    status = run_on_chain(options, [&](auto& rpc) {
      Outcome outcome = schedule_show_command(options.chain, options.epoch.epoch, rpc);
      if (options.json) return outcome;
      std::cout << schedule_table(outcome.output);
      return Outcome{nullptr, outcome.status};
    });
  });
}

void add_board_command(CLI::App& app, Options& options, int& status) {
  CLI::App* const board = app.add_subcommand("board", "Look at this machine's relay board");
  board->require_subcommand(1);
  CLI::App* const check = board->add_subcommand("check", "Say which line is which, and what is missing; moves nothing");
  check->add_option("FILE", options.file, "Board file (TOML), as in boards/")->required();
  check->add_flag("--json", options.json, "JSON in place of text");
  check->callback([&] {
    status = run([&] {
      Outcome outcome = board_check_command(options.file, probe_this_machine());
      if (options.json) return outcome;
      std::cout << board_table(outcome.output);
      return Outcome{nullptr, outcome.status};
    });
  });
}

void add_genesis_command(CLI::App& app, Options& options, int& status) {
  CLI::App* const genesis = app.add_subcommand("genesis", "Write the first block of a private chain");
  genesis->add_option("--engine", options.genesis.engine, "qbft, ibft2 or clique")->required();
  genesis->add_option("--validators", options.file, "JSON array of addresses; - is standard input")->required();
  genesis->add_option("--period", options.genesis.period_s, "Seconds between blocks")->required()->check(CLI::Range(1, 3600));
  genesis->add_option("--empty-period", options.genesis.empty_period_s,
                      "Seconds between blocks without transactions; default: the period, twice that on GoQuorum")
      ->check(CLI::Range(1, 3600));
  genesis->add_option("--chain-id", options.genesis.chain_id)->capture_default_str();
  genesis->add_option("--fork", options.genesis.fork, "london, or berlin for nodes without a base fee")->capture_default_str();
  genesis->add_option("--gas-limit", options.genesis.gas_limit, "Of a block")->capture_default_str();
  genesis->add_option("--timestamp", options.genesis.timestamp_s, "Of block 0")->capture_default_str();
  genesis->add_option("--fund", options.genesis.funded, "Address that begins with coins, where gas has a price");
  genesis->callback([&] {
    status = run([&] { return genesis_command(options.genesis, load_document(options.file)); });
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The operator's and debugger's command of wattproof.", "wattproofctl");
  app.require_subcommand(1);
  app.set_version_flag("--version", WATTPROOF_VERSION);
  Options options;
  int status = exit_usage;

  CLI::App* const solve = document_command(app, "solve", "The profile of one device nearest to a target", options);
  solve->add_flag("--certificate", options.certificate, "State how far from the optimum the answer can be");
  solve->callback([&] {
    status = run([&] { return solve_command(load_document(options.file), options.certificate); });
  });

  CLI::App* const verify = app.add_subcommand("verify", "Verify what a chain's node states");
  verify->require_subcommand(1);
  document_command(*verify, "header", "Sealed headers, from a trusted head on", options)->callback([&] {
    status = run([&] { return verify_header_command(load_document(options.file)); });
  });
  document_command(*verify, "proof", "A Merkle-Patricia proof", options)->callback([&] {
    status = run([&] { return verify_proof_command(load_document(options.file)); });
  });

  add_operator_commands(app, options, status);
  add_epoch_commands(app, options, status);
  add_genesis_command(app, options, status);
  add_board_command(app, options, status);

  const auto is_named = [argv](const CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    std::cerr << "wattproofctl: no command '" << argv[1] << "'; wattproofctl --help lists them\n";
    return exit_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_usage;
  }
  return status;
}
