// SPDX-License-Identifier: Apache-2.0
// From what a person wrote to what a node takes.
#pragma once

#include "base/bytes.hpp"
#include "firmware/linux_node/configuration.hpp"
#include "node/config.hpp"

namespace wattproof::firmware {

// `configuration` must outlive the node: its arrays are referred to, not copied.
node::Config to_node_config(const Configuration& configuration, const Address& address);

// What a node will say about it, in words that name the keys; empty if it is content.
std::string check_node_config(const Configuration& configuration);

}  // namespace wattproof::firmware
