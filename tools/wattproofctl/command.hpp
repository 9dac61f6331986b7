// SPDX-License-Identifier: Apache-2.0
// What the commands of wattproofctl have in common: a document in, a JSON object out, an exit status.
#pragma once

#include "strict_json.hpp"

namespace wattproof::tool {

// Exit status of the process.
constexpr int exit_ok = 0;
constexpr int exit_refused = 1;  // verified and refused, infeasible, or the chain said no
constexpr int exit_usage = 2;    // options or input that cannot be understood

struct Outcome {
  Json output;
  int status = exit_ok;
};

// Fixed forms: `wattproofctl COMMAND --help` lists their fields.
Outcome solve_command(const Json& document, bool with_certificate);
Outcome verify_header_command(const Json& document);
Outcome verify_proof_command(const Json& document);

}  // namespace wattproof::tool
