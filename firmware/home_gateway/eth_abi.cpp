// SPDX-License-Identifier: Apache-2.0
#include "eth_abi.hpp"

#include "crypto/keccak.hpp"

namespace wattproof::ethereum {
namespace {

constexpr std::size_t word_size = 32;

Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

}  // namespace

Hash32 topic_of(std::string_view signature) { return crypto::keccak256(bytes_of(signature)); }

std::array<std::uint8_t, 4> selector_of(std::string_view signature) { return to_array<4>(topic_of(signature)); }

Hash32 word_of_text(std::string_view text) {
  Hash32 word{};
  const Bytes bytes = bytes_of(text.substr(0, word_size));
  std::copy(bytes.begin(), bytes.end(), word.begin());
  return word;
}

AbiArguments& AbiArguments::word(const Hash32& value) {
  arguments_.push_back({false, ByteVector(value.begin(), value.end())});
  return *this;
}

AbiArguments& AbiArguments::bytes(Bytes value) {
  ByteVector content;
  append(content, codec::abi_uint(value.size()));
  append(content, value);
  content.resize((content.size() + word_size - 1) / word_size * word_size);
  arguments_.push_back({true, std::move(content)});
  return *this;
}

ByteVector AbiArguments::encode() const {
  ByteVector head;
  ByteVector tail;
  for (const Argument& argument : arguments_) {
    if (argument.dynamic) {
      append(head, codec::abi_uint(arguments_.size() * word_size + tail.size()));
      append(tail, argument.content);
    } else {
      append(head, argument.content);
    }
  }
  append(head, tail);
  return head;
}

ByteVector AbiArguments::call(std::string_view signature) const {
  const auto selector = selector_of(signature);
  ByteVector data(selector.begin(), selector.end());
  append(data, encode());
  return data;
}

Bytes AbiReader::head() {
  if (!ok_ || tuple_.size() - next_ < word_size) {
    ok_ = false;
    return {};
  }
  const Bytes word = tuple_.subspan(next_, word_size);
  next_ += word_size;
  return word;
}

Hash32 AbiReader::word() {
  const Bytes word = head();
  return word.empty() ? Hash32{} : to_array<32>(word);
}

std::uint64_t AbiReader::uint64() {
  const Bytes word = head();
  if (word.empty()) return 0;
  const auto value = uint64_of_word(word);
  if (!value) ok_ = false;
  return value.value_or(0);
}

Address AbiReader::address() {
  const Bytes word = head();
  if (word.empty()) return {};
  if (!is_zero(word.first(12))) ok_ = false;
  return to_array<20>(word.subspan(12));
}

bool AbiReader::boolean() {
  const std::uint64_t value = uint64();
  if (value > 1) ok_ = false;
  return value == 1;
}

Bytes AbiReader::bytes() {
  const std::uint64_t offset = uint64();
  if (!ok_ || offset > tuple_.size() || tuple_.size() - offset < word_size) {
    ok_ = false;
    return {};
  }
  const Bytes content = tuple_.subspan(offset);
  const auto size = uint64_of_word(content.first(word_size));
  if (!size || content.size() - word_size < *size) {
    ok_ = false;
    return {};
  }
  return content.subspan(word_size, *size);
}

std::optional<std::uint64_t> uint64_of_word(Bytes word) {
  if (word.size() != word_size || !is_zero(word.first(24))) return std::nullopt;
  return load_be64(word.data() + 24);
}

}  // namespace wattproof::ethereum
