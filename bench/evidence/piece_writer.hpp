// SPDX-License-Identifier: Apache-2.0
// The host's side of pieces.hpp.
#pragma once

#include <fstream>
#include <vector>

#include "base/bytes.hpp"

namespace wattproof::bench {

class PieceWriter {
 public:
  void piece(Bytes bytes) {
    std::array<std::uint8_t, 2> size{};
    store_be16(size.data(), static_cast<std::uint16_t>(bytes.size()));
    file_.insert(file_.end(), size.begin(), size.end());
    file_.insert(file_.end(), bytes.begin(), bytes.end());
  }
  const std::vector<std::uint8_t>& file() const { return file_; }

  bool save(const char* path) const {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(file_.data()), static_cast<std::streamsize>(file_.size()));
    return out.good();
  }

 private:
  std::vector<std::uint8_t> file_;
};

}  // namespace wattproof::bench
