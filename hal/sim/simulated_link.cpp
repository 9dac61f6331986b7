// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/simulated_link.hpp"

#include <algorithm>

namespace wattproof::hal {

void SimulatedLink::send(Bytes frame, BootMs now) {
  if (frame.empty() || frame.size() > frame_size_max || happens(faults_.loss_permille)) {
    ++lost_;
    return;
  }
  put(frame, now);
  if (before_size_ != 0 && happens(faults_.replay_permille)) {
    ++replayed_;
    put(Bytes(before_).first(before_size_), now);
  }
  std::copy(frame.begin(), frame.end(), before_.begin());
  before_size_ = static_cast<std::uint32_t>(frame.size());
}

void SimulatedLink::put(Bytes frame, BootMs now) {
  const auto free = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.used; });
  if (free == slots_.end()) {
    ++lost_;
    return;
  }
  const std::uint32_t spread = faults_.delay_ms_max > faults_.delay_ms_min ? faults_.delay_ms_max - faults_.delay_ms_min : 0;
  free->used = true;
  free->due = now.plus(faults_.delay_ms_min + (spread == 0 ? 0 : random_.next() % (spread + 1)));
  free->order = order_++;
  free->size = static_cast<std::uint32_t>(frame.size());
  std::copy(frame.begin(), frame.end(), free->bytes.begin());
  if (free->size > 1 && happens(faults_.truncate_permille)) {
    ++damaged_;
    free->size = 1 + static_cast<std::uint32_t>(random_.next() % (free->size - 1));
  }
  if (happens(faults_.flip_permille)) {
    ++damaged_;
    const std::uint64_t bit = random_.next() % (std::uint64_t{free->size} * 8);
    free->bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
}

const SimulatedLink::Slot* SimulatedLink::first_due() const {
  const Slot* first = nullptr;
  for (const Slot& slot : slots_) {
    if (!slot.used) continue;
    if (first == nullptr || slot.due < first->due || (slot.due == first->due && slot.order < first->order)) first = &slot;
  }
  return first;
}

std::uint32_t SimulatedLink::receive(MutableBytes into, BootMs now) {
  const Slot* first = first_due();
  if (first == nullptr || first->due > now || first->size > into.size()) return 0;
  std::copy_n(first->bytes.begin(), first->size, into.begin());
  slots_[static_cast<std::size_t>(first - slots_.data())].used = false;
  return first->size;
}

bool SimulatedLink::next_due(BootMs& due) const {
  const Slot* first = first_due();
  if (first != nullptr) due = first->due;
  return first != nullptr;
}

}  // namespace wattproof::hal
