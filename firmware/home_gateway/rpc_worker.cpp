// SPDX-License-Identifier: Apache-2.0
#include "rpc_worker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace wattproof::gateway {

RpcWorker::RpcWorker(ethereum::RpcOptions options)
    : client_(std::move(options)), event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { run(); });
}

RpcWorker::~RpcWorker() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  client_.stop();
  wake_.notify_one();
  thread_.join();
  ::close(event_);
}

void RpcWorker::post(RpcJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void RpcWorker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return is_ending_ || !jobs_.empty(); });
    if (is_ending_) return;
    const RpcJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    Completion completion = job(client_);
    lock.lock();
    completions_.push_back(std::move(completion));
    const std::uint64_t one = 1;
    // Only fails when the counter is full, and then the descriptor is readable anyway.
    [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof one);
  }
}

void RpcWorker::run_completions() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(event_, &count, sizeof count);
  std::deque<Completion> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(completions_);
  }
  for (const Completion& completion : ready) {
    if (completion) completion();
  }
}

}  // namespace wattproof::gateway
