// SPDX-License-Identifier: Apache-2.0
#include "rpc_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

namespace wattproof::ethereum {
namespace {

struct Body {
  std::string text;
  std::size_t size_max = 0;
  bool overflow = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) {
  Body& body = *static_cast<Body*>(context);
  const std::size_t bytes = size * count;
  if (body.size_max - body.text.size() < bytes) {
    body.overflow = true;
    return 0;  // ends the transfer
  }
  body.text.append(data, bytes);
  return bytes;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<std::atomic<bool>*>(context) ? 1 : 0;
}

void start_curl_once() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw RpcError(RpcFailure::unreachable, curl_easy_strerror(started));
}

// Worth another attempt: the node is restarting or busy. Every method that we send twice has the same effect as once.
bool is_passing(const RpcError& error) {
  if (error.failure == RpcFailure::unreachable) return true;
  return error.failure == RpcFailure::refused && (error.code == 429 || error.code >= 500);
}

RpcAnswer answer_of(const Json& item, const std::string& what) {
  RpcAnswer answer;
  if (const auto error = item.find("error"); error != item.end() && !error->is_null()) {
    answer.failed = true;
    const Json& object = *error;
    if (object.is_object()) {
      if (object.contains("code") && object["code"].is_number_integer()) answer.code = object["code"];
      answer.message = object.contains("message") && object["message"].is_string()
                           ? object["message"].get<std::string>() : object.dump();
      if (object.contains("data") && object["data"].is_string()) answer.data = object["data"];
    }
    answer.message = what + ": " + (answer.message.empty() ? "error without a message" : answer.message);
  } else if (const auto result = item.find("result"); result != item.end()) {
    answer.result = *result;
  } else {
    throw RpcError(RpcFailure::malformed, what + ": answer has neither result nor error");
  }
  return answer;
}

}  // namespace

struct RpcClient::Connection {
  CURL* handle = curl_easy_init();
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
  }
};

RpcClient::RpcClient(RpcOptions options) : options_(std::move(options)) {
  if (!options_.url.starts_with("http://") && !options_.url.starts_with("https://")) {
    throw RpcError(RpcFailure::refused, "\"" + options_.url + "\" is not a http:// or https:// URL");
  }
  start_curl_once();
  connection_ = std::make_unique<Connection>();
  CURL* const handle = connection_->handle;
  if (handle == nullptr) throw RpcError(RpcFailure::unreachable, "libcurl gives no handle");
  curl_easy_setopt(handle, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, connection_->headers);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_ms_max));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.request_ms_max));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &stopped_);
}

RpcClient::~RpcClient() = default;

Json RpcClient::call(const std::string& method, Json params) {
  const RpcCall one{method, std::move(params)};
  const std::string what = named(method);
  const Json request = {{"jsonrpc", "2.0"}, {"id", next_id_}, {"method", one.method}, {"params", one.params}};
  const std::uint64_t id = next_id_++;
  const Json reply = parse(exchange(request.dump(), what), what);
  if (!reply.is_object() || !reply.contains("id") || (reply["id"] != id && !reply["id"].is_null())) {
    throw RpcError(RpcFailure::malformed, what + ": not the answer to this call");
  }
  RpcAnswer answer = answer_of(reply, what);
  if (answer.failed) throw RpcError(RpcFailure::error, answer.message, answer.code, answer.data);
  return std::move(answer.result);
}

std::vector<RpcAnswer> RpcClient::batch(const std::vector<RpcCall>& calls) {
  std::vector<RpcAnswer> answers;
  for (std::size_t first = 0; first < calls.size(); first += options_.batch_count_max) {
    const std::size_t count = std::min(calls.size() - first, options_.batch_count_max);
    for (RpcAnswer& answer : batch_part(calls.data() + first, count)) answers.push_back(std::move(answer));
  }
  return answers;
}

std::vector<RpcAnswer> RpcClient::batch_part(const RpcCall* calls, std::size_t count) {
  const std::uint64_t first_id = next_id_;
  Json request = Json::array();
  for (std::size_t i = 0; i < count; ++i) {
    request.push_back({{"jsonrpc", "2.0"}, {"id", next_id_++}, {"method", calls[i].method}, {"params", calls[i].params}});
  }
  const std::string what = named(calls[0].method + (count > 1 ? " and " + std::to_string(count - 1) + " more" : ""));
  const Json reply = parse(exchange(request.dump(), what), what);
  if (!reply.is_array() || reply.size() != count) {
    throw RpcError(RpcFailure::malformed, what + ": not the answers to this batch");
  }
  std::vector<RpcAnswer> answers(count);
  std::vector<bool> seen(count);
  for (const Json& item : reply) {  // in any order
    if (!item.is_object() || !item.contains("id") || !item["id"].is_number_unsigned()) {
      throw RpcError(RpcFailure::malformed, what + ": an answer without its id");
    }
    const std::uint64_t index = item["id"].get<std::uint64_t>() - first_id;
    if (index >= count || seen[index]) throw RpcError(RpcFailure::malformed, what + ": an answer with a foreign id");
    seen[index] = true;
    answers[index] = answer_of(item, named(calls[index].method));
  }
  return answers;
}

std::string RpcClient::exchange(const std::string& body, const std::string& what) {
  for (std::uint32_t failures = 0;;) {
    try {
      return attempt(body, what);
    } catch (const RpcError& error) {
      if (++failures >= options_.attempts_max || !is_passing(error)) throw;
    }
    wait_before_retry(failures);
    if (stopped_) throw RpcError(RpcFailure::stopped, what + ": stopped");
    ++retries_;
  }
}

std::string RpcClient::attempt(const std::string& body, const std::string& what) {
  CURL* const handle = connection_->handle;
  Body answer{.text = {}, .size_max = options_.answer_size_max};
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
  ++requests_;
  const CURLcode code = curl_easy_perform(handle);
  if (stopped_) throw RpcError(RpcFailure::stopped, what + ": stopped");
  if (answer.overflow) {
    throw RpcError(RpcFailure::too_large,
                   what + ": answer exceeds " + std::to_string(options_.answer_size_max) + " bytes");
  }
  if (code != CURLE_OK) throw RpcError(RpcFailure::unreachable, what + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    throw RpcError(RpcFailure::refused, what + ": HTTP status " + std::to_string(status), status);
  }
  return std::move(answer.text);
}

void RpcClient::wait_before_retry(std::uint32_t failures) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const std::uint64_t doubled = std::uint64_t{options_.retry_ms_min} << std::min(failures - 1, 16u);
  const std::uint64_t limit = std::min<std::uint64_t>(doubled, options_.retry_ms_max);
  std::uint64_t wait_ms = limit / 2 + random() % (limit / 2 + 1);
  while (wait_ms > 0 && !stopped_) {
    const std::uint64_t part_ms = std::min<std::uint64_t>(wait_ms, 50);
    std::this_thread::sleep_for(std::chrono::milliseconds(part_ms));
    wait_ms -= part_ms;
  }
}

Json RpcClient::parse(const std::string& text, const std::string& what) const {
  const auto bounded = [&what](int depth, Json::parse_event_t, Json&) {
    if (depth > rpc_depth_max) throw RpcError(RpcFailure::malformed, what + ": answer nested too deep");
    return true;
  };
  try {
    return Json::parse(text, bounded);
  } catch (const Json::exception& error) {
    throw RpcError(RpcFailure::malformed, what + ": " + error.what());
  }
}

}  // namespace wattproof::ethereum
