// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 over HTTP (libcurl): one kept-alive connection, single calls and batches, answers of bounded size and
// depth, retries with back-off. A failure names the URL, the method and the cause.
//
// One client belongs to one thread. Only stop() may be called from another one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace wattproof::ethereum {

using Json = nlohmann::json;

struct RpcOptions {
  std::string url;                            // http:// or https://
  std::uint32_t connect_ms_max = 3'000;       // until the connection stands
  std::uint32_t request_ms_max = 20'000;      // of one attempt, the answer included
  std::uint32_t attempts_max = 4;             // of one call; 1 never tries again
  std::uint32_t retry_ms_min = 200;           // wait before the second attempt; doubles, with jitter
  std::uint32_t retry_ms_max = 3'000;
  std::size_t answer_size_max = 32u << 20;    // bytes
  std::size_t batch_count_max = 100;          // calls of one request; longer batches are cut
};

// Deepest nesting of an answer. A block with its transactions' logs needs 6.
constexpr int rpc_depth_max = 24;

enum class RpcFailure : std::uint8_t {
  unreachable,  // no connection, or it broke: worth trying later
  refused,      // the server answered with an HTTP status other than 200
  malformed,    // not JSON-RPC, or another id
  too_large,    // above answer_size_max
  error,        // the node answered with an error object
  stopped,      // stop() was called
};

class RpcError : public std::runtime_error {
 public:
  RpcError(RpcFailure why, const std::string& what, std::int64_t error_code = 0, std::string error_data = {})
      : std::runtime_error(what), failure(why), code(error_code), data(std::move(error_data)) {}

  RpcFailure failure;
  std::int64_t code;  // of the error object
  std::string data;   // of the error object: what a reverted call returned, as hexadecimal text
};

struct RpcCall {
  std::string method;
  Json params = Json::array();
};

// The answer to one call of a batch: a result, or the node's error object.
struct RpcAnswer {
  Json result;
  bool failed = false;
  std::int64_t code = 0;
  std::string message;  // URL, method and the node's words
  std::string data;
};

// Where calls go. Programs use RpcClient; tests answer from memory.
class Rpc {
 public:
  virtual ~Rpc() = default;

  // The result; throws RpcError for anything else.
  virtual Json call(const std::string& method, Json params = Json::array()) = 0;

  // One answer a call, in the same order. Throws only if the request as a whole failed.
  virtual std::vector<RpcAnswer> batch(const std::vector<RpcCall>& calls) = 0;
};

class RpcClient final : public Rpc {
 public:
  // Throws RpcError (refused) for a URL that is not http or https.
  explicit RpcClient(RpcOptions options);
  ~RpcClient() override;
  RpcClient(const RpcClient&) = delete;
  RpcClient& operator=(const RpcClient&) = delete;

  Json call(const std::string& method, Json params = Json::array()) override;
  std::vector<RpcAnswer> batch(const std::vector<RpcCall>& calls) override;

  // Ends a request that is under way, and every later one, with RpcFailure::stopped.
  void stop() { stopped_ = true; }

  const std::string& url() const { return options_.url; }
  std::uint64_t requests() const { return requests_; }  // HTTP requests sent
  std::uint64_t retries() const { return retries_; }

 private:
  struct Connection;

  std::vector<RpcAnswer> batch_part(const RpcCall* calls, std::size_t count);
  std::string exchange(const std::string& body, const std::string& what);
  std::string attempt(const std::string& body, const std::string& what);
  void wait_before_retry(std::uint32_t failures);
  Json parse(const std::string& text, const std::string& what) const;
  std::string named(const std::string& method) const { return options_.url + ": " + method; }

  RpcOptions options_;
  std::unique_ptr<Connection> connection_;
  std::atomic<bool> stopped_ = false;
  std::uint64_t next_id_ = 1;
  std::uint64_t requests_ = 0;
  std::uint64_t retries_ = 0;
};

}  // namespace wattproof::ethereum
