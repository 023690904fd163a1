// Methods and bodies of requests, and what is repeated when the server had closed a pooled connection.
#include <doctest/doctest.h>

#include <atomic>
#include <future>

#include "support/urls.hpp"
#include "support/wait_limit.hpp"
#include "transport/http_exchange.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

constexpr const char* kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

Request request_of(const std::string& method, const std::string& body = "") {
  Request request = request_for("/api/v1/pods");
  request.method = method;
  request.body = body;
  return request;
}

// The head and the body that the server got.
struct Received {
  std::string head;
  std::string body;
};

Received received_of(Request request) {
  Received received;
  {
    RawServer server([&](Peer& peer) {
      received.head = peer.receive_head();
      const std::string length = header_value(received.head, "Content-Length");
      if (!length.empty()) received.body = peer.receive_exactly(std::stoul(length));
      peer.send(kNoContent);
      peer.wait_for_close();
    });
    Listener listener;
    listener.get(connect(server.url()), std::move(request));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
    CHECK(listener.head().status == 204);
  }
  return received;
}

// How a request ends that goes over a connection that the server closes when it gets a second request.
std::optional<Error> outcome_over_stale_connection(const std::string& method, const std::string& body, int& requests) {
  std::atomic<int> received{0};
  std::optional<Error> outcome;
  {
    RawServer server([&](Peer& peer) {
      // Its one request is answered; the next one meets the end of the connection.
      if (!peer.receive_head().empty()) ++received;
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      peer.receive_head();
    });
    const auto connection = connect(server.url());
    Listener first;
    first.get(connection, request_of("GET"));
    REQUIRE(first.wait_for_end());
    CHECK_FALSE(first.error());
    Listener second;
    second.get(connection, request_of(method, body));
    REQUIRE(second.wait_for_end());
    outcome = second.error();
    if (!outcome) CHECK(second.head().status == 200);
  }
  requests = received;
  return outcome;
}

}  // namespace

TEST_CASE("a body is sent with its Content-Length and the content headers given") {
  Request request = request_of("PATCH", "{\"spec\":{}}");
  request.headers = {{"Content-Type", "application/merge-patch+json"}, {"Authorization", "Bearer x"}};
  const Received received = received_of(request);
  CHECK(received.head.find("PATCH /api/v1/pods HTTP/1.1\r\n") == 0);
  CHECK(header_value(received.head, "Content-Type") == "application/merge-patch+json");
  CHECK(header_value(received.head, "Content-Length") == "11");
  CHECK(header_value(received.head, "Authorization") == "Bearer x");
  CHECK(received.head.find("User-Agent") == std::string::npos);
  CHECK(received.body == "{\"spec\":{}}");
}

TEST_CASE("a big binary body is sent whole") {
  std::string body(3'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  const Received received = received_of(request_of("POST", body));
  CHECK((received.body == body));
  CHECK(header_value(received.head, "Content-Type") == "application/octet-stream");
}

TEST_CASE("without a body POST, PUT and PATCH say so, and the others have no Content-Length") {
  for (const char* method : {"POST", "PUT", "PATCH"}) {
    CHECK(header_value(received_of(request_of(method)).head, "Content-Length") == "0");
  }
  for (const char* method : {"GET", "DELETE", "OPTIONS"}) {
    CHECK(received_of(request_of(method)).head.find("Content-Length") == std::string::npos);
  }
  CHECK(received_of(request_of("DELETE", "{}")).body == "{}");
}

TEST_CASE("a response to HEAD has no body, whatever its headers say, and leaves the connection to the next request") {
  for (const std::string headers :
       {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\nContent-Length: 9\r\n"}) {
    RawServer server([&](Peer& peer) {
      while (!peer.receive_head().empty()) peer.send("HTTP/1.1 200 OK\r\n" + headers + "\r\n");
    });
    const auto connection = connect(server.url());
    for (int i = 0; i < 2; ++i) {
      Listener listener;
      listener.get(connection, request_of("HEAD"));
      REQUIRE(listener.wait_for_end());
      CHECK_FALSE(listener.error());
      CHECK(listener.head().status == 200);
      CHECK(listener.body().empty());
    }
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("a response that comes before the body was read is delivered") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer.wait_for_close();
  });
  Listener listener;
  listener.get(connect(server.url()), request_of("POST", std::string(20'000'000, 'x')));
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.head().status == 413);
  CHECK(listener.body() == "big");
}

TEST_CASE("over a connection that the server had closed, a safe request is repeated once") {
  for (const char* method : {"GET", "OPTIONS"}) {
    int requests = 0;
    CHECK_FALSE(outcome_over_stale_connection(method, "", requests));
    CHECK(requests == 2);
  }
}

TEST_CASE(
    "over a connection that the server had closed, no other request is repeated, and it may have been carried out") {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "get"}) {
    CAPTURE(method);
    int requests = 0;
    const auto error = outcome_over_stale_connection(method, "{}", requests);
    REQUIRE(error);
    CHECK(error->status == Status::transport);
    CHECK(error->maybe_done);
    CHECK(error->message.find("the request may have been carried out") != std::string::npos);
    CHECK(requests == 1);
  }
}

// The server answers one request, then does `afterwards`, and answers one request on each further connection.
template <class Afterwards>
std::optional<Error> second_outcome(const std::string& method, const Afterwards& afterwards, std::string& body) {
  std::promise<void> first_ended;
  std::promise<void> done;
  RawServer server([&](Peer& peer, int number) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (number == 0) {
      first_ended.get_future().wait();
      afterwards(peer);
      done.set_value();
    }
    peer.wait_for_close();
  });
  const auto connection = connect(server.url());
  Listener first;
  first.get(connection, request_of("GET"));
  REQUIRE(first.wait_for_end());
  first_ended.set_value();
  done.get_future().wait();
  Listener second;
  second.get(connection, request_of(method));
  REQUIRE(second.wait_for_end());
  body = second.body();
  CHECK(server.connections() == 2);
  return second.error();
}

TEST_CASE("bytes that come on an idle connection are no answer to the next request") {
  for (const char* method : {"GET", "POST"}) {
    CAPTURE(method);
    std::string body;
    CHECK_FALSE(second_outcome(
        method, [](Peer& peer) { peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"); }, body));
    CHECK(body == "ok");
  }
}

TEST_CASE("over a connection that the server closed while it was idle, no request is sent") {
  for (const char* method : {"GET", "POST"}) {
    CAPTURE(method);
    std::string body;
    CHECK_FALSE(second_outcome(
        method, [](Peer& peer) { peer.shut_down(); }, body));
    CHECK(body == "ok");
  }
}

TEST_CASE("only a request that was sent may have been carried out, and only one that is not safe") {
  const auto error_of = [](const std::string& server, Request request) {
    request.response_timeout = Milliseconds(50);
    Listener listener;
    listener.get(connect(server), std::move(request));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    return *listener.error();
  };
  RawServer silent([](Peer& peer) { peer.wait_for_close(); });
  RawServer cut([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  });
  CHECK(error_of(silent.url(), request_of("POST", "x")).maybe_done);
  CHECK(error_of(silent.url(), request_of("POST", "x")).status == Status::timeout);
  CHECK(error_of(cut.url(), request_of("DELETE")).maybe_done);
  CHECK_FALSE(error_of(silent.url(), request_of("GET")).maybe_done);
  CHECK_FALSE(error_of(cut.url(), request_of("GET")).maybe_done);
  const std::string closed = "http://127.0.0.1:" + std::to_string(closed_port());
  CHECK_FALSE(error_of(closed, request_of("POST", "x")).maybe_done);
}

TEST_CASE("what is no method is refused, and CONNECT and TRACE are") {
  for (const char* method : {"", "GET /x", "P\r\nX: y", "CONNECT", "TRACE"}) {
    CAPTURE(method);
    Listener listener;
    listener.get(connect("http://127.0.0.1:1"), request_of(method));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->status == Status::invalid);
    CHECK(listener.error()->message.find("method") != std::string::npos);
  }
}

TEST_CASE("the http_response of cpprestsdk has status and headers when the head has arrived") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  struct Answer {
    int status = 0;
    std::string retry_after;
    std::string two;
  };
  std::promise<Answer> promised;
  Listener listener;
  std::unique_ptr<ksr::transport::HttpClient> client;
  on_network([&] {
    using namespace ksr::transport;
    auto route = std::make_shared<const Route>(
        Route{network_thread(), nullptr, ksr::testing::url_of(server.url()), {}, {}, Milliseconds(20'000)});
    client = std::make_unique<HttpClient>(std::move(route));
    HttpClient::Started started = client->start(request_for("/"), listener);
    listener.exchange = std::move(started.exchange);
    started.response.then([&](const web::http::http_response& response) {
      Answer answer{response.status_code(), "", ""};
      response.headers().match("Retry-After", answer.retry_after);
      response.headers().match("X-Two", answer.two);
      promised.set_value(answer);
    });
  });
  auto answered = promised.get_future();
  REQUIRE(answered.wait_for(ksr::testing::kWaitLimit) == std::future_status::ready);
  const Answer answer = answered.get();
  CHECK(answer.status == 429);
  CHECK(answer.retry_after == "7");
  CHECK(answer.two == "a, b");
  REQUIRE(listener.wait_for_end());
  listener.drop();
  on_network([&] { client.reset(); });
}
