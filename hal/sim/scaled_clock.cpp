// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/scaled_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <ctime>

namespace wattproof::hal {
namespace {

constexpr std::size_t file_size = 40;
constexpr std::size_t real_at = 8, chain_at = 16, rate_at = 24, sequence_at = 32;
constexpr char magic[] = "WPCLOCK1";
constexpr int read_tries_max = 1000;

// The file is little-endian on every machine; this project runs on little-endian ones only, and says so here.
static_assert(std::endian::native == std::endian::little, "the clock file is mapped as it is");

std::uint64_t load(const std::uint8_t* at) {
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(at), __ATOMIC_RELAXED);
}

void save(std::uint8_t* at, std::uint64_t value) {
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), value, __ATOMIC_RELAXED);
}

}  // namespace

std::uint64_t real_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

ScaledClock::~ScaledClock() {
  if (map_ != nullptr) munmap(const_cast<std::uint8_t*>(map_), file_size);
}

Error ScaledClock::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error::not_ready;
  struct stat status {};
  Error error = Error::none;
  if (fstat(file, &status) != 0) error = Error::not_ready;
  else if (status.st_size != static_cast<off_t>(file_size)) error = Error::wrong_length;
  void* map = error == Error::none ? mmap(nullptr, file_size, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
  ::close(file);
  if (error != Error::none) return error;
  if (map == MAP_FAILED) return Error::not_ready;
  if (std::memcmp(map, magic, 8) != 0) {
    munmap(map, file_size);
    return Error::wrong_type;
  }
  map_ = static_cast<const std::uint8_t*>(map);
  return Error::none;
}

// A sequence lock: what was read counts only if the sequence was even and stayed the same.
bool ScaledClock::read(Setting& setting) const {
  for (int tries = 0; tries < read_tries_max; ++tries) {
    const std::uint64_t before = __atomic_load_n(reinterpret_cast<const std::uint64_t*>(map_ + sequence_at), __ATOMIC_ACQUIRE);
    setting = {load(map_ + real_at), load(map_ + chain_at), load(map_ + rate_at)};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && load(map_ + sequence_at) == before) return true;
  }
  return false;
}

std::uint64_t ScaledClock::now_ms() {
  Setting setting{};
  if (map_ == nullptr || !read(setting) || setting.rate_permille > clock_rate_permille_max) return last_ms_;
  const std::uint64_t now = real_ms();
  const std::uint64_t passed = now > setting.real_ms0 ? now - setting.real_ms0 : 0;
  // floor(passed * rate / 1000) without leaving 64 bits.
  const std::uint64_t chain_ms = setting.chain_ms0 + passed / 1000 * setting.rate_permille + passed % 1000 * setting.rate_permille / 1000;
  if (chain_ms > last_ms_) last_ms_ = chain_ms;
  return last_ms_;
}

std::uint64_t ScaledClock::rate_permille() const {
  Setting setting{};
  return map_ != nullptr && read(setting) ? setting.rate_permille : 0;
}

Error set_scaled_clock(const std::string& path, std::uint64_t chain_ms0, std::uint64_t rate_permille) {
  if (rate_permille > clock_rate_permille_max) return Error::out_of_range;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return Error::storage_failed;
  const bool sized = ftruncate(file, static_cast<off_t>(file_size)) == 0;
  void* map = sized ? mmap(nullptr, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
  ::close(file);
  if (map == MAP_FAILED) return Error::storage_failed;
  auto* bytes = static_cast<std::uint8_t*>(map);
  auto* sequence = reinterpret_cast<std::uint64_t*>(bytes + sequence_at);
  const std::uint64_t odd = load(bytes + sequence_at) | 1;
  __atomic_store_n(sequence, odd, __ATOMIC_RELAXED);
  std::atomic_thread_fence(std::memory_order_release);
  save(bytes + real_at, real_ms());
  save(bytes + chain_at, chain_ms0);
  save(bytes + rate_at, rate_permille);
  std::memcpy(bytes, magic, 8);
  __atomic_store_n(sequence, odd + 1, __ATOMIC_RELEASE);
  munmap(map, file_size);
  return Error::none;
}

}  // namespace wattproof::hal
