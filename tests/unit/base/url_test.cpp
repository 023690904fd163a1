#include "base/url.hpp"
#include "support/text.hpp"

#include <doctest/doctest.h>

#include <string>

using ksr::parse_proxy_url;
using ksr::parse_server_url;
using ksr::percent_decode;
using ksr::Status;

namespace {

std::string problem_of_server(const std::string& text) {
  const auto url = parse_server_url("server", text);
  CAPTURE(text);
  REQUIRE_FALSE(url);
  const std::string& message = url.error().message;
  CHECK(url.error().status == Status::invalid);
  CHECK(message.rfind("server: ", 0) == 0);
  CHECK(message.find("hunter2") == std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

std::string problem_of_proxy(const std::string& text) {
  const auto url = parse_proxy_url("proxy_url", text);
  CAPTURE(text);
  REQUIRE_FALSE(url);
  const std::string& message = url.error().message;
  CHECK(url.error().status == Status::invalid);
  CHECK(message.rfind("proxy_url: ", 0) == 0);
  CHECK(message.find("hunter2") == std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

using ksr::testing::has;

std::string labels(std::size_t count, std::size_t length) {
  std::string name;
  for (std::size_t i = 0; i < count; ++i) name += (i == 0 ? "" : ".") + std::string(length, 'a');
  return name;
}

}  // namespace

TEST_CASE("the URL of a server is normalised") {
  struct Case {
    const char *text, *address, *prefix;
  };
  const Case cases[] = {
      {"https://127.0.0.1:6443", "https://127.0.0.1:6443", ""},
      {"HTTPS://Example.COM", "https://example.com:443", ""},
      {"http://host/", "http://host:80", ""},
      {"http://host//", "http://host:80", ""},
      {"https://[::1]:6443/k8s/clusters/c-1/", "https://[::1]:6443", "/k8s/clusters/c-1"},
      {"https://[FE80::1]", "https://[fe80::1]:443", ""},
      {"https://[::ffff:192.0.2.1]:1", "https://[::ffff:192.0.2.1]:1", ""},
      {"https://host/a://b", "https://host:443", "/a:/b"},
      {"https://h//pre//fix", "https://h:443", "/pre/fix"},
      {"https://h////a%2F/b///", "https://h:443", "/a%2F/b"},
      {"https://a_b.example:1/x%20y", "https://a_b.example:1", "/x%20y"},
      {"https://cluster.local.:65535", "https://cluster.local.:65535", ""},
      {"https://h/.../a..b/.c", "https://h:443", "/.../a..b/.c"},
      {"https://h/clusters/arn%3Aaws;v=1/a@b/(c)", "https://h:443", "/clusters/arn%3Aaws;v=1/a@b/(c)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto url = parse_server_url("server", c.text);
    REQUIRE(url);
    CHECK(url->address() == c.address);
    CHECK(url->prefix == c.prefix);
    CHECK(url->text() == c.address + std::string(c.prefix));
    CHECK(url->secure() == (url->scheme == "https"));
    // What was normalised stays as it is.
    CHECK(parse_server_url("server", url->text())->text() == url->text());
  }
}

TEST_CASE("the port is written in a Host and an Origin header only where it is not the default") {
  const auto url = [](const char* text) { return *parse_server_url("server", text); };
  CHECK(url("https://[::1]").host == "::1");
  CHECK(url("https://[::1]").authority() == "[::1]");
  CHECK(url("https://[::1]").host_port() == "[::1]:443");
  CHECK(url("https://[::1]").origin() == "https://[::1]");
  CHECK(url("https://a:6443/p").origin() == "https://a:6443");
  CHECK(url("http://a:443").authority() == "a:443");
  CHECK(url("https://a:80").authority() == "a:80");
  CHECK(url("http://example.test:8080/prefix").authority() == "example.test:8080");
}

TEST_CASE("a URL that cannot be a server's is refused, and the message says why") {
  for (const char* text : {"https://", "http://:80", "https:///path"}) {
    CHECK(has(problem_of_server(text), "has no host"));
  }
  for (const char* text : {"", "/path", "hunter2", "host:8080", "host/a://b", "a:b:c", "user:hunter2@host", "http:host",
                           "https:/host", "//host"}) {
    CHECK(has(problem_of_server(text), "has no scheme; expected https://HOST:PORT or http://HOST:PORT"));
  }
  CHECK(has(problem_of_server("ftp://host"), "has the scheme \"ftp\""));
  for (const char* text : {"://host", "hunter2 is://host", "-hunter2-hunter2-hunter2://host"}) {
    CHECK(has(problem_of_server(text), "no valid scheme"));
  }
  for (const char* text : {"https://host:", "https://host:0", "https://host:65536", "https://host:abc",
                           "https://host:-1", "https://host:+1", "https://host: 1", "https://host:443x",
                           "https://[::1]:", "https://host:99999999999999999999"}) {
    CHECK(has(problem_of_server(text), "port that is not a number from 1 to 65535"));
  }
  CHECK(has(problem_of_server("https://[::1"), "without its \"]\""));
  CHECK(has(problem_of_server("https://[::1]x"), "between the IPv6 address and its port"));
  for (const char* text : {"https://[1:2]", "https://[invalid]", "https://[127.0.0.1]", "https://[host]",
                           "https://[fe80::1%lo]", "https://[::1::2]", "https://[12345::]"}) {
    CHECK(has(problem_of_server(text), "not an IPv6 address"));
  }
  CHECK(has(problem_of_server("https://[]"), "has no host"));
  for (const char* text : {"https://ho st", "https://host\r\nX: y", "https://a..b", "https://.a", "https://.",
                           "https://1.2.3.4.", "https://a%20b", "https://h\xc3\xb6st", "https://a,b", "https://a\\b"}) {
    CHECK(has(problem_of_server(text), "not a DNS name or an IP address"));
  }
  for (const char* text :
       {"https://user:hunter2@host", "https://hunter2@", "https://a@hunter2@host", "https://@host"}) {
    CHECK(has(problem_of_server(text), "has a user name or password"));
  }
}

TEST_CASE("names longer than DNS has are refused") {
  CHECK(parse_server_url("server", "https://" + labels(1, 63)));
  CHECK(has(problem_of_server("https://" + labels(1, 64)), "not a DNS name"));
  // 4 labels of 62, 3 dots: 251; and the limit is 253.
  CHECK(parse_server_url("server", "https://" + labels(4, 62) + ".a"));
  CHECK(has(problem_of_server("https://" + labels(4, 62) + ".aa"), "not a DNS name"));
}

TEST_CASE("a path that is not one is refused") {
  CHECK(has(problem_of_server("https://host?x=hunter2"), "has a query"));
  CHECK(has(problem_of_server("https://host/p?x=hunter2"), "has a query"));
  CHECK(has(problem_of_server("https://host/#hunter2"), "has a fragment"));
  for (const char* text : {"https://host/%zz", "https://host/%", "https://host/a%2", "https://host/%4"}) {
    CHECK(has(problem_of_server(text), "without two hexadecimal digits"));
  }
  for (const char* text :
       {"https://host/a b", "https://host/a{b", "https://host/a|b", "https://host/\"", "https://host/a\\b",
        "https://host/a\r\nX: y", "https://host/\xc3\xb6", "https://host/<", "https://host/[a]"}) {
    CHECK(has(problem_of_server(text), "percent-encoded"));
  }
  CHECK(has(problem_of_server(std::string("https://host/a\0b", 16)), "percent-encoded"));
  for (const char* text :
       {"https://host/a/../b", "https://host/..", "https://host/./b", "https://host/%2e%2E/b", "https://host/a/.%2e"}) {
    CHECK(has(problem_of_server(text), "\"..\" in its path"));
  }
}

TEST_CASE("a proxy is http, with or without a user and password") {
  CHECK(parse_proxy_url("p", "http://Proxy:3128/")->text() == "http://proxy:3128");
  // net/http and kubectl take port 80 for an http proxy without a port.
  CHECK(parse_proxy_url("p", "HTTP://[::1]")->text() == "http://[::1]:80");
  CHECK(parse_proxy_url("p", "http://proxy")->basic_authorization().empty());
  const auto proxy = parse_proxy_url("p", "http://us%65r:p%40ss@proxy.test:3128/");
  REQUIRE(proxy);
  CHECK(proxy->userinfo == "us%65r:p%40ss");
  CHECK(proxy->basic_authorization() == "Basic dXNlcjpwQHNz");
  CHECK(proxy->host_port() == "proxy.test:3128");
  for (const std::string& text : {proxy->text(), proxy->address(), proxy->origin(), proxy->authority()}) {
    CHECK_FALSE(has(text, "us%65r"));
  }
  CHECK(parse_proxy_url("p", "http://u@proxy:1")->basic_authorization() == "Basic dTo=");
  CHECK(parse_proxy_url("p", "http://u:@proxy:1")->basic_authorization() == "Basic dTo=");
  for (const char* text : {"http://u:p@proxy:1/path", "http://u:p@proxy:1?query", "http://u:p@proxy:1/a//../b?c#d",
                           "http://u:p@proxy:1#fragment"}) {
    CAPTURE(text);
    const auto with_more = parse_proxy_url("p", text);
    REQUIRE(with_more);
    CHECK(with_more->text() == "http://proxy:1");
    CHECK(with_more->userinfo == "u:p");
  }
  // The last '@' ends the user and password.
  CHECK(parse_proxy_url("p", "http://a:b@c@proxy:1")->basic_authorization() == "Basic YTpiQGM=");
}

TEST_CASE("a URL that cannot be a proxy's is refused, and its password is not shown") {
  CHECK(has(problem_of_proxy("socks5://user:hunter2@a:1080"), "has the scheme \"socks5\", which is not supported"));
  CHECK(has(problem_of_proxy("https://a"), "has the scheme \"https\", which is not supported"));
  for (const char* text : {"", "proxy:3128", "user:hunter2@proxy"}) CHECK(has(problem_of_proxy(text), "has no scheme"));
  for (const char* text : {"http://", "http://u:hunter2@/"}) CHECK(has(problem_of_proxy(text), "has no host"));
  CHECK(has(problem_of_proxy("http://user:hunter2@:x"), "has no host"));
  CHECK(has(problem_of_proxy("http://user:hunter2@a:x"), "has a port"));
  problem_of_proxy("http://u:hunter2/@proxy");
  for (const char* text : {"http://u:1/hunter2@proxy", "http://u?hunter2@proxy", "http://u#hunter2@proxy"}) {
    CHECK(has(problem_of_proxy(text), "has an \"@\" after its first \"/\""));
  }
  for (const char* text : {"http://u:hunter2@pro xy", "http://[1:2]:3"}) problem_of_proxy(text);
  for (const char* text : {"http://u:hunter2\n@proxy", "http://u:hunter2%zz@proxy"}) {
    CHECK(has(problem_of_proxy(text), "user name or password that is not percent-encoded"));
  }
}

TEST_CASE("percent decoding refuses a % without two hexadecimal digits") {
  CHECK(percent_decode("a%2fb%2Fc+d") == "a/b/c+d");
  CHECK(percent_decode("%00")->size() == 1);
  for (const char* bad : {"%", "a%2", "%zz", "%2%20"}) CHECK_FALSE(percent_decode(bad));
}
