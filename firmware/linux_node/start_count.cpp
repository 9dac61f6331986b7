// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/start_count.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace wattproof::firmware {

// What cannot be read counts as nothing: a full disk or a torn file must not keep a device in safe mode for ever.
bool StartCount::begin() {
  std::uint32_t before = 0;
  std::ifstream(file_) >> before;
  if (before > starts_max) before = starts_max;
  count_ = before + 1;
  write(count_);
  return count_ > starts_max;
}

void StartCount::end() {
  if (count_ == 0) return;
  count_ = 0;
  write(0);
}

void StartCount::write(std::uint32_t count) {
  // On the disk before anything else happens: a brown-out is a start that did not last, too.
  const std::string next = file_.string() + ".new";
  const std::string text = std::to_string(count) + "\n";
  const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  const bool is_written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!is_written || ::rename(next.c_str(), file_.c_str()) != 0) return;
  const int folder = ::open(file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  static_cast<void>(::fsync(folder));
  ::close(folder);
}

}  // namespace wattproof::firmware
