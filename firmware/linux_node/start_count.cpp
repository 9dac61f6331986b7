// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/start_count.hpp"

#include <fstream>

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
  const std::filesystem::path next = file_.string() + ".new";
  {
    std::ofstream stream(next, std::ios::trunc);
    stream << count << '\n';
    if (!stream.flush()) return;
  }
  std::error_code ignored;
  std::filesystem::rename(next, file_, ignored);
}

}  // namespace wattproof::firmware
