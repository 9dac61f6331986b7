// SPDX-License-Identifier: Apache-2.0
// Options and subcommands; what they do stands in the *_command.cpp files. JSON goes to standard output, on one line;
// explanations go to standard error.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "base/check.hpp"
#include "command.hpp"
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
  } catch (const std::exception& error) {
    std::cerr << "wattproofctl: " << error.what() << '\n';
    return print({{{"error", "failed"}, {"detail", error.what()}}, exit_refused});
  }
}

struct Options {
  std::string file = "-";
  bool certificate = false;
};

// A command that reads one document.
CLI::App* document_command(CLI::App& parent, const char* name, const char* help, Options& options) {
  CLI::App* const command = parent.add_subcommand(name, help);
  command->add_option("FILE", options.file, "JSON document; - is standard input")->required();
  return command;
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
    status = run([&] { return solve_command(parse_document(read_document(options.file)), options.certificate); });
  });

  CLI::App* const verify = app.add_subcommand("verify", "Verify what a chain's node states");
  verify->require_subcommand(1);
  document_command(*verify, "header", "Sealed headers, from a trusted head on", options)->callback([&] {
    status = run([&] { return verify_header_command(parse_document(read_document(options.file))); });
  });
  document_command(*verify, "proof", "A Merkle-Patricia proof", options)->callback([&] {
    status = run([&] { return verify_proof_command(parse_document(read_document(options.file))); });
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_usage;
  }
  return status;
}
