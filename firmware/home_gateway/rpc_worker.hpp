// SPDX-License-Identifier: Apache-2.0
// One thread that talks to the node, so that a slow node never holds up the devices. Jobs run there in order; what
// they return runs afterwards on the thread of the event loop, which alone owns all state.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "rpc_client.hpp"

namespace wattproof::gateway {

// Runs on the event loop's thread.
using Completion = std::function<void()>;
// Runs on the worker's thread. It must not throw and must not touch what it does not own.
using RpcJob = std::function<Completion(ethereum::Rpc&)>;

class RpcWorker {
 public:
  explicit RpcWorker(ethereum::RpcOptions options);
  ~RpcWorker();  // ends a request that is under way; completions that wait are dropped
  RpcWorker(const RpcWorker&) = delete;
  RpcWorker& operator=(const RpcWorker&) = delete;

  void post(RpcJob job);

  // Becomes readable when completions wait.
  int descriptor() const { return event_; }
  void run_completions();

 private:
  void run();

  ethereum::RpcClient client_;
  int event_ = -1;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<RpcJob> jobs_;
  std::deque<Completion> completions_;
  bool is_ending_ = false;
  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace wattproof::gateway
