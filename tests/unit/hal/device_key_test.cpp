// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/device_key.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::hal {
namespace {

namespace fs = std::filesystem;
using testing::ScratchFolder;

TEST(device_key, is_made_once_and_read_back) {
  const ScratchFolder folder;
  DeviceKey first;
  ASSERT_EQ(first.open(folder / "key"), Error::none) << first.detail();
  EXPECT_TRUE(first.was_created());
  DeviceKey second;
  ASSERT_EQ(second.open(folder / "key"), Error::none) << second.detail();
  EXPECT_FALSE(second.was_created());
  EXPECT_EQ(first.address(), second.address());
  EXPECT_FALSE(is_zero(first.address()));
}

TEST(device_key, differs_between_two_devices) {
  const ScratchFolder folder;
  DeviceKey one, other;
  ASSERT_EQ(one.open(folder / "one"), Error::none);
  ASSERT_EQ(other.open(folder / "other"), Error::none);
  EXPECT_NE(one.address(), other.address());
}

TEST(device_key, is_readable_by_its_owner_alone_and_leaves_nothing_beside_it) {
  const ScratchFolder folder;
  DeviceKey key;
  ASSERT_EQ(key.open(folder / "key"), Error::none);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_FALSE(fs::exists(folder / "key.new"));
}

TEST(device_key, is_refused_if_others_may_read_it) {
  const ScratchFolder folder;
  {
    DeviceKey key;
    ASSERT_EQ(key.open(folder / "key"), Error::none);
  }
  fs::permissions(folder / "key", fs::perms::group_read, fs::perm_options::add);
  DeviceKey key;
  EXPECT_EQ(key.open(folder / "key"), Error::key_file_refused);
  EXPECT_NE(key.detail().find("others"), std::string::npos);
}

TEST(device_key, signs_so_that_its_address_is_recovered) {
  const ScratchFolder folder;
  DeviceKey key;
  ASSERT_EQ(key.open(folder / "key"), Error::none);
  Hash32 digest{};
  digest.fill(7);
  crypto::Signature signature{};
  ASSERT_EQ(key.sign(digest, signature), Error::none);
  const Result<Address> signer = crypto::recover_address(digest, signature);
  ASSERT_TRUE(signer);
  EXPECT_EQ(*signer, key.address());
}

TEST(device_key, never_signs_before_it_is_open) {
  const DeviceKey key;
  crypto::Signature signature{};
  EXPECT_EQ(key.sign(Hash32{}, signature), Error::not_ready);
}

TEST(device_key, refuses_what_is_no_key_file_and_does_not_replace_it) {
  const ScratchFolder folder;
  for (const std::string& text : {std::string(), std::string("WPKP"), std::string(36, 'x'), "WPKP" + std::string(32, '\0'),
                                  "WPKP" + std::string(32, '\xff'), "WPKP" + std::string(33, 'a'), std::string(96, 'x'), std::string(97, 'x')}) {
    folder.write("key", text);
    fs::permissions(folder / "key", fs::perms::owner_read | fs::perms::owner_write);
    DeviceKey key;
    EXPECT_EQ(key.open(folder / "key"), Error::key_file_refused) << text.size();
    EXPECT_EQ(folder.read("key"), text);
  }
}

TEST(device_key, is_worthless_without_its_wrapping_key) {
  const ScratchFolder folder;
  folder.write("wrap", "a wrapping key of the machine");
  folder.write("other", "a wrapping key of another machine");
  Address address{};
  {
    DeviceKey key;
    ASSERT_EQ(key.open(folder / "key", folder / "wrap"), Error::none) << key.detail();
    address = key.address();
  }
  EXPECT_EQ(folder.read("key").size(), 96u);
  DeviceKey again, wrong, without;
  ASSERT_EQ(again.open(folder / "key", folder / "wrap"), Error::none) << again.detail();
  EXPECT_EQ(again.address(), address);
  const std::string before = folder.read("key");
  EXPECT_EQ(wrong.open(folder / "key", folder / "other"), Error::key_file_refused);
  EXPECT_EQ(without.open(folder / "key"), Error::key_file_refused);
  EXPECT_NE(without.detail().find("wrapped"), std::string::npos) << without.detail();
  EXPECT_EQ(folder.read("key"), before);
}

TEST(device_key, refuses_a_plain_key_where_a_wrapping_key_is_named) {
  const ScratchFolder folder;
  folder.write("wrap", "a wrapping key of the machine");
  {
    DeviceKey key;
    ASSERT_EQ(key.open(folder / "key"), Error::none);
  }
  DeviceKey key;
  EXPECT_EQ(key.open(folder / "key", folder / "wrap"), Error::key_file_refused);
}

TEST(device_key, refuses_a_wrapping_key_that_is_absent_or_of_no_use) {
  const ScratchFolder folder;
  folder.write("short", "fifteen bytes..");
  folder.write("long", std::string(1025, 'x'));
  DeviceKey absent, brief, lengthy;
  EXPECT_EQ(absent.open(folder / "key", folder / "absent"), Error::storage_failed);
  EXPECT_EQ(brief.open(folder / "key", folder / "short"), Error::key_file_refused);
  EXPECT_EQ(lengthy.open(folder / "key", folder / "long"), Error::key_file_refused);
  EXPECT_FALSE(fs::exists(folder / "key"));
}

TEST(device_key, reports_a_folder_that_is_not_there) {
  const ScratchFolder folder;
  DeviceKey key;
  EXPECT_EQ(key.open(folder / "absent" / "key"), Error::storage_failed);
  EXPECT_NE(key.detail().find("No such file"), std::string::npos) << key.detail();
}

}  // namespace
}  // namespace wattproof::hal
