// SPDX-License-Identifier: Apache-2.0
// A node's records as files of one folder: `record-<id>`. A power cut at any moment leaves the old record or the new one.
//
// File: "WPR1" ‖ u32 size ‖ payload ‖ u32 CRC-32 of all that comes before it; numbers big-endian.
// Writing: a temporary file in the same folder, fdatasync, rename over the old one, fsync of the folder. Whatever fails
// before the rename leaves the old record as it was.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::hal {

class FileStore {
 public:
  // Uses `folder`, making it (mode 0700, not its parents) if it is not there, and locks it: two processes with one
  // identity would undo each other's records.
  //   storage_failed  the folder cannot be made or written; detail() says why
  //   not_ready       another process holds the folder
  Error open(const std::string& folder);

  //   too_large       above node::record_size_max
  //   storage_full    no space or quota left; the old record stands
  //   storage_failed  anything else; the old record stands unless detail() says that only the folder's fsync failed
  Error write(std::uint8_t id, Bytes record);

  // Reads into `into`; the record's size.
  //   record_absent   none was written
  //   record_corrupt  a file of another form, length or checksum
  //   capacity        larger than `into`
  //   storage_failed  it cannot be read
  Result<std::uint32_t> read(std::uint8_t id, MutableBytes into);

  // What the operating system said about the last failure: "rename: No space left on device". For logs.
  [[nodiscard]] const std::string& detail() const { return detail_; }

  FileStore() = default;
  ~FileStore();
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

 private:
  Error fail(const char* what);
  Error write_all(int file, Bytes bytes);

  std::string folder_;
  std::string detail_;
  int folder_file_ = -1;
};

}  // namespace wattproof::hal
