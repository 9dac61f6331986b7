// SPDX-License-Identifier: Apache-2.0
// Counts starts in a row that did not last: a device that crashes again and again must not switch its load each time. After
// starts_max of them the node waits safe_mode_ms with its outputs safe before it tries again; a start that lives good_ms, or
// that somebody ended on purpose, ends the count.
#pragma once

#include <cstdint>
#include <filesystem>

namespace wattproof::firmware {

class StartCount {
 public:
  static constexpr std::uint32_t starts_max = 4;
  static constexpr std::uint64_t good_ms = 60'000;
  static constexpr std::uint64_t safe_mode_ms = 300'000;

  explicit StartCount(const std::filesystem::path& folder) : file_(folder / "starts") {}

  // This start begins. True if it is to wait in safe mode first.
  bool begin();
  // It was good.
  void end();
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  void write(std::uint32_t count);
  std::filesystem::path file_;
  std::uint32_t count_ = 0;
};

}  // namespace wattproof::firmware
