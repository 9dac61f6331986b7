// SPDX-License-Identifier: Apache-2.0
// The library's half of a differential run: reads questions, one a line, and answers each with a line.
//   rlp HEX                   ok | error NAME
//   trie ROOT KEY NODE,...    found HEX | absent | error NAME     (the key as it is; nodes root first)
//   header FIELDS HEX         HASH NUMBER TIMESTAMP STATE_ROOT | error NAME
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "chain/header.hpp"
#include "chain/trie.hpp"
#include "codec/rlp.hpp"

namespace {

using namespace wattproof;
using Buffer = std::vector<std::uint8_t>;

Buffer from_hex(const std::string& text) {
  Buffer bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string to_hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string error(Error error) { return std::string("error ") + error_name(error); }

std::string answer_trie(std::istringstream& line) {
  std::string root_hex, key_hex, nodes_hex;
  std::getline(line, root_hex, ' ');
  std::getline(line, key_hex, ' ');
  std::getline(line, nodes_hex, ' ');
  const Buffer root = from_hex(root_hex);
  const Result<chain::TrieKey> key = chain::raw_key(from_hex(key_hex));
  if (root.size() != 32 || !key) return "error question";
  std::vector<Buffer> nodes;
  std::istringstream list(nodes_hex);
  for (std::string node; std::getline(list, node, ',');) nodes.push_back(from_hex(node));
  const std::vector<Bytes> views(nodes.begin(), nodes.end());
  const Result<chain::TrieAnswer> answer = chain::verify_proof(to_array<32>(root), *key, views);
  if (!answer) return error(answer.error());
  return answer->is_found ? "found " + to_hex(answer->value) : "absent";
}

std::string answer_header(std::istringstream& line) {
  std::string fields, hex;
  line >> fields >> hex;
  using chain::HeaderShape;
  for (const HeaderShape shape : {HeaderShape::frontier, HeaderShape::london, HeaderShape::shanghai,
                                  HeaderShape::cancun, HeaderShape::prague}) {
    if (std::to_string(chain::header_field_count(shape)) != fields) continue;
    const Buffer encoded = from_hex(hex);
    chain::Header header;
    if (const Error failure = chain::decode_header(encoded, shape, header); failure != Error::none) return error(failure);
    return to_hex(chain::hash_as_delivered(header)) + " " + std::to_string(header.number) + " " +
           std::to_string(header.timestamp_s) + " " + to_hex(header.state_root);
  }
  return "error question";
}

std::string answer(const std::string& question) {
  std::istringstream line(question);
  std::string kind;
  std::getline(line, kind, ' ');
  if (kind == "trie") return answer_trie(line);
  if (kind == "header") return answer_header(line);
  if (kind != "rlp") return "error question";
  std::string hex;
  line >> hex;
  const Error result = codec::check_rlp(from_hex(hex));
  return result == Error::none ? "ok" : error(result);
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line) << '\n';
  return 0;
}
