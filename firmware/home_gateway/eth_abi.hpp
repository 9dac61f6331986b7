// SPDX-License-Identifier: Apache-2.0
// Calls and answers in the contract ABI, as far as our contracts use it: static words and `bytes`.
// Source: the Solidity documentation, "Contract ABI Specification".
#pragma once

#include <string_view>

#include "codec/abi.hpp"
#include "hex_text.hpp"

namespace wattproof::ethereum {

// First four bytes of keccak("name(type,...)").
std::array<std::uint8_t, 4> selector_of(std::string_view signature);

// keccak of the signature: topic 0 of an event.
Hash32 topic_of(std::string_view signature);

// ASCII, padded right with zeros; at most 32 characters.
Hash32 word_of_text(std::string_view text);

// The arguments of one call, in order. Dynamic arguments go behind the static ones by themselves.
class AbiArguments {
 public:
  AbiArguments& word(const Hash32& value);
  AbiArguments& uint(std::uint64_t value) { return word(codec::abi_uint(value)); }
  AbiArguments& address(const Address& value) { return word(codec::abi_address(value)); }
  AbiArguments& bytes(Bytes value);

  ByteVector encode() const;
  ByteVector call(std::string_view signature) const;  // selector and arguments

 private:
  struct Argument {
    bool dynamic = false;
    ByteVector content;
  };
  std::vector<Argument> arguments_;
};

// Reads a tuple of arguments (the data of an event, the answer of a call). The first failure is kept; afterwards every
// read gives an empty value, so a caller reads all and tests ok() once.
class AbiReader {
 public:
  explicit AbiReader(Bytes tuple) : tuple_(tuple) {}

  Hash32 word();
  std::uint64_t uint64();  // fails above 64 bits
  Address address();
  bool boolean();
  Bytes bytes();           // a view into the tuple

  bool ok() const { return ok_; }

 private:
  Bytes head();
  Bytes tuple_;
  std::size_t next_ = 0;
  bool ok_ = true;
};

// Number of a word, or nothing above 64 bits.
std::optional<std::uint64_t> uint64_of_word(Bytes word);

}  // namespace wattproof::ethereum
