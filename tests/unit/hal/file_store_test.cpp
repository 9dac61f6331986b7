// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/file_store.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <vector>

#include "node/node.hpp"
#include "unit/hal/scratch_folder.hpp"

namespace wattproof::hal {
namespace {

namespace fs = std::filesystem;
using testing::ScratchFolder;

std::vector<std::uint8_t> read_all(FileStore& store, std::uint8_t id) {
  std::vector<std::uint8_t> into(node::record_size_max);
  const Result<std::uint32_t> size = store.read(id, into);
  EXPECT_TRUE(size) << error_name(size.error());
  into.resize(size ? *size : 0);
  return into;
}

// Files larger than `bytes` cannot be written while it lives, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(file_store, gives_back_the_newest_of_each_record) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> old_record{1, 2, 3}, new_record{4, 5}, other{9};
  FileStore store;
  ASSERT_EQ(store.open(folder / "store"), Error::none) << store.detail();
  ASSERT_EQ(store.write(1, old_record), Error::none);
  ASSERT_EQ(store.write(2, other), Error::none);
  ASSERT_EQ(store.write(1, new_record), Error::none);
  EXPECT_EQ(read_all(store, 1), new_record);
  EXPECT_EQ(read_all(store, 2), other);
}

TEST(file_store, keeps_records_over_a_restart) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> record(node::record_size_max, 0xa5);
  {
    FileStore store;
    ASSERT_EQ(store.open(folder / "store"), Error::none);
    ASSERT_EQ(store.write(3, record), Error::none);
    ASSERT_EQ(store.write(4, {}), Error::none);
  }
  FileStore store;
  ASSERT_EQ(store.open(folder / "store"), Error::none);
  EXPECT_EQ(read_all(store, 3), record);
  EXPECT_TRUE(read_all(store, 4).empty());
}

TEST(file_store, tells_absent_from_corrupt) {
  const ScratchFolder folder;
  std::vector<std::uint8_t> into(node::record_size_max);
  FileStore store;
  ASSERT_EQ(store.open(folder.path()), Error::none);
  EXPECT_EQ(store.read(1, into).error(), Error::record_absent);
  folder.write("record-1", "");
  EXPECT_EQ(store.read(1, into).error(), Error::record_corrupt);
  folder.write("record-1", std::string(5000, 'x'));
  EXPECT_EQ(store.read(1, into).error(), Error::record_corrupt);
}

TEST(file_store, finds_every_changed_bit_and_every_cut) {
  const ScratchFolder folder;
  std::vector<std::uint8_t> into(node::record_size_max);
  const std::vector<std::uint8_t> record{10, 20, 30, 40, 50};
  FileStore store;
  ASSERT_EQ(store.open(folder.path()), Error::none);
  ASSERT_EQ(store.write(1, record), Error::none);
  const std::string good = folder.read("record-1");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    folder.write("record-1", bad);
    EXPECT_EQ(store.read(1, into).error(), Error::record_corrupt) << "bit " << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    folder.write("record-1", good.substr(0, size));
    EXPECT_EQ(store.read(1, into).error(), Error::record_corrupt) << "size " << size;
  }
  folder.write("record-1", good);
  EXPECT_EQ(read_all(store, 1), record);
}

TEST(file_store, keeps_the_old_record_when_the_new_one_cannot_be_written) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> old_record{1, 2, 3}, new_record(1000, 7);
  FileStore store;
  ASSERT_EQ(store.open(folder.path()), Error::none);
  ASSERT_EQ(store.write(1, old_record), Error::none);
  {
    const FileSizeLimit full(100);
    EXPECT_EQ(store.write(1, new_record), Error::storage_failed);
    EXPECT_NE(store.detail().find("write"), std::string::npos) << store.detail();
  }
  EXPECT_EQ(read_all(store, 1), old_record);
  EXPECT_FALSE(fs::exists(folder / "record-1.tmp"));
  EXPECT_EQ(store.write(1, new_record), Error::none);
  EXPECT_EQ(read_all(store, 1), new_record);
}

TEST(file_store, is_not_misled_by_what_an_interrupted_write_left) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> record{1, 2, 3}, next{4};
  FileStore store;
  ASSERT_EQ(store.open(folder.path()), Error::none);
  ASSERT_EQ(store.write(1, record), Error::none);
  folder.write("record-1.tmp", "WPR1 half of a rec");
  EXPECT_EQ(read_all(store, 1), record);
  EXPECT_EQ(store.write(1, next), Error::none);
  EXPECT_EQ(read_all(store, 1), next);
}

TEST(file_store, belongs_to_one_process) {
  const ScratchFolder folder;
  FileStore first, second;
  ASSERT_EQ(first.open(folder.path()), Error::none);
  EXPECT_EQ(second.open(folder.path()), Error::not_ready);
}

TEST(file_store, refuses_a_record_above_the_limit_and_a_buffer_below_it) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> large(node::record_size_max + 1), good(10);
  std::vector<std::uint8_t> small(9);
  FileStore store;
  ASSERT_EQ(store.open(folder.path()), Error::none);
  EXPECT_EQ(store.write(1, large), Error::too_large);
  ASSERT_EQ(store.write(1, good), Error::none);
  EXPECT_EQ(store.read(1, small).error(), Error::capacity);
}

TEST(file_store, says_what_is_wrong_with_its_folder) {
  const ScratchFolder folder;
  folder.write("file", "");
  FileStore store;
  EXPECT_EQ(store.open(folder / "file"), Error::storage_failed);
  EXPECT_NE(store.detail().find("Not a directory"), std::string::npos) << store.detail();
  FileStore deep;
  EXPECT_EQ(deep.open(folder / "absent" / "store"), Error::storage_failed);
  EXPECT_NE(deep.detail().find("No such file"), std::string::npos) << deep.detail();
}

}  // namespace
}  // namespace wattproof::hal
