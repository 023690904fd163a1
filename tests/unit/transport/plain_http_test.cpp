// GET over plain HTTP: what is sent, what is delivered, which connection carries it.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "support/urls.hpp"
#include "unit/transport/gzip.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

std::string sized(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

void serve_until_closed(Peer& peer, const std::string& response) {
  while (!peer.receive_head().empty()) {
    if (!peer.send(response)) return;
  }
}

std::string answer_to(const std::string& response, Request request = request_for("/")) {
  RawServer server([&](Peer& peer) { serve_until_closed(peer, response); });
  Listener listener;
  listener.get(connect(server.url()), std::move(request));
  REQUIRE(listener.wait_for_end());
  if (listener.error()) return "error: " + listener.error()->message;
  return listener.body();
}

int sockets_inherited_by_programs() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    const int fd = std::stoi(entry.path().filename().string());
    if (target.rfind("socket:", 0) == 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a GET sends its target and headers and delivers head and body") {
  std::string seen;
  RawServer server([&](Peer& peer) {
    seen = peer.receive_head();
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Two: a\r\nRetry-After: 7\r\nX-Two: b\r\n"
        "Content-Length: 5\r\n\r\nhello");
  });
  Listener listener;
  Request request = request_for("/api/v1/pods?limit=500&labelSelector=a%3Db");
  request.headers = {{"Authorization", "Bearer x"}, {"Impersonate-Group", "a"}, {"Impersonate-Group", "b"}};
  listener.get(connect(server.url() + "/prefix/"), request);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.head().status == 200);
  CHECK(listener.head().content_type == "application/json");
  CHECK(listener.head().retry_after == "7");
  CHECK(listener.head().headers.size() == 5);
  CHECK(listener.head().headers[1] == Header{"x-two", "a"});
  CHECK(listener.body() == "hello");
  CHECK(seen == "GET /prefix/api/v1/pods?limit=500&labelSelector=a%3Db HTTP/1.1\r\nHost: " + server.authority() +
                    "\r\nAuthorization: Bearer x\r\nImpersonate-Group: a\r\nImpersonate-Group: b\r\n\r\n");
}

TEST_CASE("a target is sent as it stands, a question mark at its end included") {
  for (const char* target : {"/a?", "/a??", "/a?b=", "/a/", "/a//b", "/a?b?"}) {
    CAPTURE(target);
    std::string seen;
    RawServer server([&](Peer& peer) {
      seen = peer.receive_head();
      peer.send("HTTP/1.1 204 X\r\n\r\n");
    });
    Listener listener;
    listener.get(connect(server.url()), request_for(target));
    REQUIRE(listener.wait_for_end());
    CHECK(seen.substr(0, seen.find('\r')) == std::string("GET ") + target + " HTTP/1.1");
  }
}

TEST_CASE("a server on an IPv6 address is reached, and one by name") {
  RawServer server([](Peer& peer) { serve_until_closed(peer, sized("six")); }, true);
  Listener listener;
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.body() == "six");
  RawServer ipv4([](Peer& peer) { serve_until_closed(peer, sized("four")); });
  Listener named;
  named.get(connect("http://localhost:" + std::to_string(ipv4.port())), request_for("/"));
  REQUIRE(named.wait_for_end());
  CHECK(named.body() == "four");
}

TEST_CASE("bytes of a chunk reach the observer before the chunk is complete") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n{\"type\":");
    peer.wait_for_close();
  });
  Listener listener;
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_body(8));
  CHECK(listener.body() == "{\"type\":");
  CHECK(listener.ends() == 0);
}

TEST_CASE("bytes of a body without chunks reach the observer as they come") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.0 200 OK\r\n\r\nfirst");
    peer.receive();
  });
  Listener listener;
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_body(5));
  CHECK(listener.ends() == 0);
}

TEST_CASE("a complete response leaves its connection to the next request") {
  RawServer server([&](Peer& peer) { serve_until_closed(peer, sized("x")); });
  const auto connection = connect(server.url());
  for (int i = 0; i < 5; ++i) {
    Listener listener;
    listener.get(connection, request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("a gateway that serves one connection at a time is given the next one when the idle one has rested") {
  std::mutex serving;
  RawServer server([&](Peer& peer) {
    const std::lock_guard lock(serving);
    for (std::string head = peer.receive_head(); !head.empty(); head = peer.receive_head()) {
      if (head.find("Upgrade: websocket") != std::string::npos) {
        peer.send("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                  accept_key(head) + "\r\n\r\n");
        continue;
      }
      if (head.find("/slow") != std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
      peer.send("HTTP/1.1 204 X\r\n\r\n");
    }
  });
  const auto connection = connect(server.url());
  // Less than the time for which the pool keeps a connection.
  Request request = request_for("/");
  request.response_timeout = Milliseconds(15'000);
  Listener first;
  first.get(connection, request_for("/slow"));
  Listener second;
  SUBCASE("a WebSocket behind a request") {
    REQUIRE(first.wait_for_end());
    second.open_websocket(connection, request);
    REQUIRE(second.wait_for_head());
    CHECK(second.head().status == 101);
  }
  SUBCASE("a request that has waited since before the connection became idle") {
    second.get(connection, request);
    REQUIRE(second.wait_for_end());
    CHECK((second.error() ? second.error()->message : "") == "");
  }
  CHECK(server.connections() == 2);
}

TEST_CASE("a request made within on_end finds the connection in the pool") {
  RawServer server([&](Peer& peer) { serve_until_closed(peer, sized("x")); });
  const auto connection = connect(server.url());
  Listener second;
  Listener first;
  first.at = [&](Listener::Point point) {
    if (point == Listener::Point::end) second.exchange = connection->send(request_for("/2"), second);
  };
  first.get(connection, request_for("/1"));
  REQUIRE(second.wait_for_end());
  CHECK(server.connections() == 1);
}

TEST_CASE("connections of different settings are not shared") {
  RawServer server([&](Peer& peer) { serve_until_closed(peer, sized("x")); });
  for (int i = 0; i < 2; ++i) {
    Listener listener;
    listener.get(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
  }
  CHECK(server.connections() == 2);
}

TEST_CASE("a pooled connection that the server closed is replaced without the caller noticing") {
  for (const bool with_reset : {false, true}) {
    RawServer server([&](Peer& peer, int number) {
      if (number < 2) {
        peer.receive_head();
        if (with_reset) peer.reset();
        peer.send(sized("first"));
        return;
      }
      serve_until_closed(peer, sized("second"));
    });
    const auto connection = connect(server.url());
    Listener first;
    first.get(connection, request_for("/"));
    REQUIRE(first.wait_for_end());
    usleep(20'000);
    // Its own connection is cut after the head of the request: that one is fresh, so nothing is tried again.
    Listener second;
    second.get(connection, request_for("/"));
    REQUIRE(second.wait_for_end());
    CHECK_FALSE(second.error());
    CHECK(second.body() == "first");
    CHECK(server.connections() == 2);
  }
}

TEST_CASE("a fresh connection that closes without a response is an error") {
  RawServer server([](Peer& peer) { peer.receive_head(); });
  Listener listener;
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::transport);
  CHECK(listener.error()->http_status == 502);
  CHECK(listener.error()->message.find(server.authority()) != std::string::npos);
  CHECK(server.connections() == 1);
}

TEST_CASE("a redirect is delivered, not followed") {
  int asked = 0;
  RawServer other([&](Peer& peer) {
    ++asked;
    serve_until_closed(peer, sized("stolen"));
  });
  RawServer server([&](Peer& peer) {
    serve_until_closed(peer, "HTTP/1.1 302 Found\r\nLocation: " + other.url() + "/\r\nContent-Length: 0\r\n\r\n");
  });
  Listener listener;
  Request request = request_for("/");
  request.headers = {{"Authorization", "Bearer x"}};
  listener.get(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.head().status == 302);
  CHECK(asked == 0);
}

TEST_CASE("gzip is asked for and unpacked; a truncated one is an error") {
  Request request = request_for("/");
  request.accept_gzip = true;
  const std::string header = "Content-Encoding: gzip\r\n";
  CHECK(answer_to(sized(gzip("hello "), header), request) == "hello ");
  CHECK(answer_to(sized(gzip("hello ") + gzip("world"), header), request) == "hello world");
  const std::string packed = gzip("hello world");
  CHECK(answer_to(sized(packed.substr(0, packed.size() - 1), header), request).find("gzip") != std::string::npos);
  CHECK(answer_to(sized("plain", header), request).find("gzip") != std::string::npos);
  CHECK(answer_to(sized("plain", "Content-Encoding: Identity\r\n"), request) == "plain");
  CHECK(answer_to(sized(gzip("hello "), "Content-Encoding: X-GZip\r\n"), request) == "hello ");
  CHECK(answer_to(sized(gzip("hello "), "Content-Encoding: identity,\r\n GZIP\r\n"), request) == "hello ");
  const std::string unknown = answer_to(sized("?", "Content-Encoding: br\r\n"), request);
  CHECK(unknown.find("Content-Encoding") != std::string::npos);
  std::string seen;
  RawServer server([&](Peer& peer) {
    seen = peer.receive_head();
    peer.send(sized(""));
  });
  Listener listener;
  listener.get(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  CHECK(seen.find("\r\nAccept-Encoding: gzip\r\n") != std::string::npos);
}

TEST_CASE("a response that is not HTTP is a protocol error that quotes its beginning, without secrets") {
  std::string answer;
  std::string quoted;
  SUBCASE("another protocol") {
    answer = "SSH-2.0-OpenSSH_9.2\r\n\r\n";
    quoted = "SSH-2.0-OpenSSH_9.2";
  }
  SUBCASE("without a line end") {
    answer = "<html>old</html>";
    quoted = "<html>old</html>";
  }
  SUBCASE("HTTP/2") {
    answer = std::string("\0\0\x12\4\0", 5);
    quoted = "?????";
  }
  SUBCASE("what was sent") {
    answer = "token s3cret-of-the-client \"x\"";
    quoted = "token*** ?x?";
  }
  Listener listener;
  RawServer server([&](Peer& peer) {
    peer.receive_head();
    peer.send(answer);
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.headers = {{"Authorization", "Bearer s3cret-of-the-client"}};
  listener.get(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::protocol);
  CHECK(listener.error()->message ==
        "response of " + server.authority() + ": the status line is not that of HTTP/1.x: \"" + quoted + "\"");
  CHECK(listener.heads() == 0);
}

TEST_CASE("a response that has begun is not called none") {
  RawServer closing([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nA: b\r\n");
  });
  Listener closed;
  closed.get(connect(closing.url()), request_for("/"));
  REQUIRE(closed.wait_for_end());
  REQUIRE(closed.error());
  CHECK(closed.error()->status == Status::transport);
  CHECK(closed.error()->message.find("closed the connection within the header of its response") != std::string::npos);
  RawServer slow([](Peer& peer) {
    peer.receive_head();
    while (peer.send("HTTP/1.1 102 Processing\r\n\r\n")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  Request request = request_for("/");
  request.response_timeout = Milliseconds(300);
  Listener late;
  late.get(connect(slow.url()), request);
  REQUIRE(late.wait_for_end());
  REQUIRE(late.error());
  CHECK(late.error()->status == Status::timeout);
  CHECK(late.error()->message.find(": its header was not complete within 300 ms") != std::string::npos);
}

TEST_CASE("a body that is cut is an error after what came of it") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  });
  Listener listener;
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.body() == "hello");
  REQUIRE(listener.error());
}

TEST_CASE("a request that cannot be sent ends with invalid, later, and naming no value") {
  RawServer server([](Peer&) {});
  Request request = request_for("/");
  request.headers = {{"Authorization", "Bearer s3cret\r\nX: y"}};
  for (const bool websocket : {false, true}) {
    Listener listener;
    on_network([&] {
      const auto connection = ksr::transport::real_transport().connect({ksr::testing::url_of(server.url()), {}});
      auto& exchange = listener.exchange;
      exchange = websocket ? (*connection)->open_websocket(request, listener) : (*connection)->send(request, listener);
      CHECK(listener.ends() == 0);
    });
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->status == Status::invalid);
    CHECK(listener.error()->message.find("Authorization") != std::string::npos);
    CHECK(listener.error()->message.find("s3cret") == std::string::npos);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("no socket is inherited by programs that the host starts") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    peer.wait_for_close();
  });
  Listener listener;
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_body(1));
  CHECK(sockets_inherited_by_programs() == 0);
}

TEST_CASE("secrets that the server repeats in Content-Encoding are in no error") {
  for (const std::string secret : {"tok-7f3a9c2e51d8", "pass word", "dXNlcjpwYXNzIHdvcmQ=", "session=41e8f0a2"}) {
    CAPTURE(secret);
    RawServer server([&](Peer& peer) {
      peer.receive_head();
      peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: x-" + secret + "\r\nContent-Length: 1\r\n\r\nx");
      peer.wait_for_close();
    });
    Request request = request_for("/");
    request.headers = {{"Authorization", "Bearer tok-7f3a9c2e51d8"},
                       {"X-Auth-Token", "Basic dXNlcjpwYXNzIHdvcmQ="},
                       {"Cookie", "session=41e8f0a2"}};
    Listener listener;
    listener.get(connect(server.url()), request);
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->message.find(secret) == std::string::npos);
    CHECK(listener.error()->message.find("Content-Encoding is x-***") != std::string::npos);
  }
}

TEST_CASE("every target that is taken is sent as it stands") {
  const std::vector<std::string> targets = {
      "/", "//x", "/a;b@c:d,e(f)!$&'*+=~_-.", "/?a=b/c?d", "/a%2Fb%25%c3%a9", "/./..", "/x//y///?&&=", "/%00"};
  std::vector<std::string> seen;
  {
    RawServer server([&](Peer& peer) {
      for (std::string head = peer.receive_head(); !head.empty(); head = peer.receive_head()) {
        seen.push_back(head.substr(0, head.find("\r\n")));
        peer.send("HTTP/1.1 204 X\r\n\r\n");
      }
    });
    const auto connection = connect(server.url());
    for (const std::string& target : targets) {
      Listener listener;
      listener.get(connection, request_for(target));
      REQUIRE(listener.wait_for_end());
      CHECK_FALSE(listener.error());
    }
  }
  REQUIRE(seen.size() == targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) CHECK(seen[i] == "GET " + targets[i] + " HTTP/1.1");
}
