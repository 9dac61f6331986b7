// SPDX-License-Identifier: Apache-2.0
#include "rpc_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

namespace wattproof::ethereum {
namespace {

// Answers one request a connection, as `answer` says.
class HttpServer {
 public:
  using Answer = std::function<std::string(const std::string& body, int count)>;

  explicit HttpServer(Answer answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void run() {
    for (int count = 0;; ++count) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      const std::string reply = answer_(read_body(client), count);
      [[maybe_unused]] const ssize_t sent = ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
      ::close(client);
    }
  }
  static std::string read_body(int client) {
    std::string text;
    char part[4096];
    for (;;) {
      const std::size_t end = text.find("\r\n\r\n");
      const std::size_t length = text.find("Content-Length: ");
      if (end != std::string::npos && length != std::string::npos) {
        const std::size_t size = std::stoul(text.substr(length + 16));
        if (text.size() >= end + 4 + size) return text.substr(end + 4);
      }
      const ssize_t got = ::recv(client, part, sizeof part, 0);
      if (got <= 0) return {};
      text.append(part, static_cast<std::size_t>(got));
    }
  }

  Answer answer_;
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string http(const std::string& body, const char* status = "200 OK") {
  return std::string("HTTP/1.1 ") + status + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string result_of(const std::string& request, const Json& result) {
  return http(Json{{"jsonrpc", "2.0"}, {"id", Json::parse(request)["id"]}, {"result", result}}.dump());
}

RpcOptions options_for(const std::string& url) {
  RpcOptions options;
  options.url = url;
  options.retry_ms_min = 1;
  options.retry_ms_max = 2;
  return options;
}

RpcFailure failure_of(RpcClient& client, std::string* what = nullptr) {
  try {
    client.call("eth_test");
  } catch (const RpcError& error) {
    if (what != nullptr) *what = error.what();
    return error.failure;
  }
  ADD_FAILURE() << "no error";
  return RpcFailure::stopped;
}

TEST(gateway_rpc_client, gives_the_result_of_a_call) {
  HttpServer server([](const std::string& request, int) { return result_of(request, "0x7"); });
  RpcClient client(options_for(server.url()));
  EXPECT_EQ(client.call("eth_blockNumber"), "0x7");
}

TEST(gateway_rpc_client, orders_the_answers_of_a_batch) {
  HttpServer server([](const std::string& request, int) {
    Json answers = Json::array();
    for (const Json& call : Json::parse(request)) {
      Json answer = {{"jsonrpc", "2.0"}, {"id", call["id"]}};
      if (call["method"] == "bad") {
        answer["error"] = {{"code", 3}, {"message", "execution reverted"}, {"data", "0x12"}};
      } else {
        answer["result"] = call["method"];
      }
      answers.insert(answers.begin(), answer);
    }
    return http(answers.dump());
  });
  RpcClient client(options_for(server.url()));
  const auto answers = client.batch({{"a", Json::array()}, {"bad", Json::array()}, {"c", Json::array()}});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].result, "a");
  EXPECT_TRUE(answers[1].failed);
  EXPECT_EQ(answers[1].data, "0x12");
  EXPECT_EQ(answers[2].result, "c");
}

TEST(gateway_rpc_client, tries_again_while_a_node_is_busy) {
  HttpServer server([](const std::string& request, int count) {
    return count < 2 ? http("busy", "503 Service Unavailable") : result_of(request, 1);
  });
  RpcClient client(options_for(server.url()));
  EXPECT_EQ(client.call("eth_test"), 1);
  EXPECT_EQ(client.retries(), 2u);
}

TEST(gateway_rpc_client, names_url_method_and_cause_when_nobody_listens) {
  std::string url;
  {
    HttpServer server([](const std::string&, int) { return http(""); });
    url = server.url();
  }
  RpcClient client(options_for(url));
  std::string what;
  EXPECT_EQ(failure_of(client, &what), RpcFailure::unreachable);
  EXPECT_NE(what.find(url), std::string::npos);
  EXPECT_NE(what.find("eth_test"), std::string::npos);
  EXPECT_EQ(client.requests(), 4u);
}

TEST(gateway_rpc_client, reads_no_more_than_its_limit) {
  HttpServer server([](const std::string& request, int) { return result_of(request, std::string(5000, 'x')); });
  RpcOptions options = options_for(server.url());
  options.answer_size_max = 1000;
  RpcClient client(options);
  EXPECT_EQ(failure_of(client), RpcFailure::too_large);
}

TEST(gateway_rpc_client, refuses_answers_that_are_not_its_own) {
  for (const std::string& body : {std::string("not json"), std::string("[]"), std::string("{}"),
                                  std::string(R"({"jsonrpc":"2.0","id":99,"result":1})"),
                                  std::string(R"({"jsonrpc":"2.0","id":1})"),
                                  R"({"jsonrpc":"2.0","id":1,"result":)" + std::string(100, '[') + std::string(100, ']') + "}"}) {
    HttpServer server([&](const std::string&, int) { return http(body); });
    RpcClient client(options_for(server.url()));
    EXPECT_EQ(failure_of(client), RpcFailure::malformed) << body;
  }
}

TEST(gateway_rpc_client, passes_on_what_the_node_says_is_wrong) {
  HttpServer server([](const std::string&, int) {
    return http(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"nonce too low"}})");
  });
  RpcClient client(options_for(server.url()));
  std::string what;
  EXPECT_EQ(failure_of(client, &what), RpcFailure::error);
  EXPECT_EQ(what, server.url() + ": eth_test: nonce too low");
}

TEST(gateway_rpc_client, takes_only_http_urls) {
  for (const char* url : {"", "127.0.0.1:8545", "file:///etc/passwd", "ftp://host"}) {
    EXPECT_THROW(RpcClient(options_for(url)), RpcError) << url;
  }
}

}  // namespace
}  // namespace wattproof::ethereum
