// SPDX-License-Identifier: Apache-2.0
// Examples of the Solidity documentation, "Contract ABI Specification", and well-known selectors.
#include "eth_abi.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace wattproof::ethereum {
namespace {

TEST(gateway_eth_abi, selectors_are_those_of_well_known_functions) {
  EXPECT_EQ(to_hex(selector_of("transfer(address,uint256)")), "0xa9059cbb");
  EXPECT_EQ(to_hex(selector_of("baz(uint32,bool)")), "0xcdcd77c0");
  EXPECT_EQ(to_hex(topic_of("Transfer(address,address,uint256)")),
            "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

TEST(gateway_eth_abi, encodes_words_in_order) {
  EXPECT_EQ(to_hex(AbiArguments().uint(69).uint(1).call("baz(uint32,bool)")),
            "0xcdcd77c0"
            "0000000000000000000000000000000000000000000000000000000000000045"
            "0000000000000000000000000000000000000000000000000000000000000001");
}

TEST(gateway_eth_abi, puts_bytes_behind_the_words_and_pads_them) {
  const ByteVector dave{'d', 'a', 'v', 'e'};
  EXPECT_EQ(to_hex(AbiArguments().bytes(dave).uint(1).bytes({}).encode()),
            "0x"
            "0000000000000000000000000000000000000000000000000000000000000060"
            "0000000000000000000000000000000000000000000000000000000000000001"
            "00000000000000000000000000000000000000000000000000000000000000a0"
            "0000000000000000000000000000000000000000000000000000000000000004"
            "6461766500000000000000000000000000000000000000000000000000000000"
            "0000000000000000000000000000000000000000000000000000000000000000");
}

TEST(gateway_eth_abi, reads_what_it_writes) {
  Address address{};
  address[3] = 7;
  const ByteVector content(45, 0xab);
  const ByteVector encoded = AbiArguments().uint(5).bytes(content).address(address).encode();
  AbiReader reader(encoded);
  EXPECT_EQ(reader.uint64(), 5u);
  EXPECT_TRUE(equal(reader.bytes(), content));
  EXPECT_EQ(reader.address(), address);
  EXPECT_TRUE(reader.ok());
}

TEST(gateway_eth_abi, refuses_what_does_not_fit) {
  ByteVector encoded = AbiArguments().bytes(ByteVector(10, 1)).encode();
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{40}, std::size_t{63}}) {
    AbiReader reader(Bytes(encoded).first(size));
    EXPECT_TRUE(reader.bytes().empty());
    EXPECT_FALSE(reader.ok()) << size;
  }
  encoded[63] = 33;  // longer than what follows
  AbiReader too_long(encoded);
  too_long.bytes();
  EXPECT_FALSE(too_long.ok());
  encoded[0] = 1;  // an offset above 64 bits
  AbiReader far(encoded);
  far.bytes();
  EXPECT_FALSE(far.ok());
  AbiReader no_address(Bytes(encoded).first(32));
  no_address.address();
  EXPECT_FALSE(no_address.ok());
}

}  // namespace
}  // namespace wattproof::ethereum
