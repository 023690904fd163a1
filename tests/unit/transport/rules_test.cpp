// What may go into a request, and what a server and a proxy may be called.
#include <doctest/doctest.h>

#include "transport/header_rules.hpp"
#include "transport/server_address.hpp"

using namespace ksr::transport;
using ksr::Status;

namespace {

std::string refusal_of(const std::string& name, const std::string& value, bool websocket = false, bool gzip = false) {
  Request request;
  request.target = "/";
  request.headers = {{name, value}};
  request.accept_gzip = gzip;
  const auto error = check_request(request, websocket);
  if (!error) return "";
  CHECK(error->status == Status::invalid);
  return error->message;
}

}  // namespace

TEST_CASE("a header that could break out of its line is refused by its name, without its value") {
  for (const std::string& value :
       {std::string("Bearer s3cret\r\nX: y"), std::string("s3cret\n"), std::string("s3cret\r"),
        std::string("s3cret\0x", 8), std::string("s3cret\x7f"), std::string("s3cret\x01")}) {
    const std::string refusal = refusal_of("Authorization", value);
    CHECK(refusal.find("Authorization") != std::string::npos);
    CHECK(refusal.find("s3cret") == std::string::npos);
    CHECK(refusal.find('\n') == std::string::npos);
  }
  for (const char* name : {"", "A B", "A:", "A\r\nB", "\xc3\xa9", "A\x01"}) CHECK_FALSE(refusal_of(name, "x").empty());
  CHECK(refusal_of("X-Name_1", "any \t text \xc3\xa9").empty());
}

TEST_CASE("headers that frame the message are the transport's") {
  for (const char* name :
       {"Host", "connection", "CONTENT-LENGTH", "Transfer-Encoding", "Upgrade", "Sec-WebSocket-Key"}) {
    CHECK_FALSE(refusal_of(name, "x").empty());
    CHECK_FALSE(refusal_of(name, "x", true).empty());
  }
  CHECK(refusal_of("Origin", "x").empty());
  CHECK_FALSE(refusal_of("Origin", "x", true).empty());
  CHECK(refusal_of("Accept-Encoding", "gzip").empty());
  CHECK_FALSE(refusal_of("Accept-Encoding", "br", false, true).empty());
}

TEST_CASE("targets are percent-encoded paths") {
  for (const char* good : {"/", "/api/v1/pods?limit=500&continue=a%3D%3d", "/a;b@c:d,e(f)", "/?a=b/c?d"}) {
    CHECK_MESSAGE(is_request_target(good), good);
  }
  for (const char* bad :
       {"", "api", "http://x/", "/a b", "/a\r\nX: y", "/%", "/%4", "/%zz", "/a#b", "/\xc3\xa9", "/a\"b"}) {
    CHECK_FALSE_MESSAGE(is_request_target(bad), bad);
  }
  CHECK_FALSE(is_request_target(std::string_view("/a\0b", 4)));
}

TEST_CASE("server URLs are taken apart") {
  const auto plain = parse_server("http://example.test:8080/prefix/a/");
  REQUIRE(plain);
  CHECK_FALSE(plain->tls);
  CHECK(plain->host == "example.test");
  CHECK(plain->port == 8080);
  CHECK(plain->prefix == "/prefix/a");
  CHECK(plain->authority() == "example.test:8080");
  const auto ipv6 = parse_server("https://[::1]");
  REQUIRE(ipv6);
  CHECK(ipv6->tls);
  CHECK(ipv6->host == "::1");
  CHECK(ipv6->is_literal());
  CHECK(ipv6->authority() == "[::1]");
  CHECK(ipv6->host_port() == "[::1]:443");
  CHECK(ipv6->origin() == "https://[::1]");
  CHECK(parse_server("https://a:6443")->origin() == "https://a:6443");
  CHECK(parse_server("http://a:443")->authority() == "a:443");
}

TEST_CASE("server URLs that can never work are refused") {
  for (const char* bad : {"", "example.test", "ftp://a", "http://", "http://:80", "http://a:", "http://a:0",
                          "http://a:65536", "http://a:x", "http://a b", "http://[::1", "http://[zz]",
                          "http://user:pw@a", "http://a/p?q", "http://a#f", "http://a/b c", "http://a\r\nX: y"}) {
    const auto parsed = parse_server(bad);
    REQUIRE_FALSE_MESSAGE(parsed, bad);
    CHECK(parsed.error().status == Status::invalid);
  }
  CHECK(parse_server("http://user:hunter2@a").error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("proxy URLs: HTTP only, and never shown with their password") {
  const auto proxy = parse_proxy("http://us%65r:p%40ss@proxy.test:3128/");
  REQUIRE(proxy);
  CHECK(proxy->host == "proxy.test");
  CHECK(proxy->port == 3128);
  CHECK(proxy->authorization == "Basic dXNlcjpwQHNz");
  for (const char* bad :
       {"socks5://user:hunter2@a:1080", "https://a", "proxy.test:3128", "http://user:hunter2@:x", ""}) {
    const auto parsed = parse_proxy(bad);
    REQUIRE_FALSE_MESSAGE(parsed, bad);
    CHECK(parsed.error().status == Status::invalid);
    CHECK(parsed.error().message.find("hunter2") == std::string::npos);
  }
}
