#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "cluster/server_url.hpp"
#include "cluster/text.hpp"

using namespace ksr;
using namespace ksr::cluster;

TEST_CASE("percent encoding leaves the unreserved characters alone and nothing else") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string encoded = percent_encode(all);
  CHECK(encoded.size() == 66 + (256 - 66) * 3);
  CHECK(percent_decode(encoded) == all);
  CHECK(percent_encode(" /?&=+%") == "%20%2F%3F%26%3D%2B%25");
}

TEST_CASE("percent decoding refuses what is cut off or no hex") {
  CHECK(!percent_decode("%"));
  CHECK(!percent_decode("a%2"));
  CHECK(!percent_decode("%zz"));
  CHECK(percent_decode("a%2fb") == "a/b");
}

TEST_CASE("base64 goes both ways") {
  // RFC 4648 section 10.
  const std::pair<const char*, const char*> vectors[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                                         {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64_encode(plain) == text);
    CHECK(base64_decode(text) == plain);
  }
  CHECK(base64url_encode("\xfb\xff\xfe?") == "-__-Pw");
  CHECK(base64_decode("Zm9v\n  YmFy\r\n") == "foobar");
  for (const char* bad : {"Z", "Zg=", "Zg===", "Zg==Zg==", "Z*==", "Zm9vYg", "=", "Zm9v=Zm9"}) {
    CAPTURE(bad);
    CHECK(!base64_decode(bad));
  }
}

TEST_CASE("a server's URL is normalised") {
  struct Case {
    const char *text, *origin, *prefix;
    bool tls = false;
  };
  const Case cases[] = {
      {"https://127.0.0.1:6443", "https://127.0.0.1:6443", ""},
      {"HTTPS://Example.COM", "https://example.com:443", ""},
      {"http://host/", "http://host:80", ""},
      {"https://[::1]:6443/k8s/clusters/c-1/", "https://[::1]:6443", "/k8s/clusters/c-1"},
      {"https://[FE80::1]", "https://[fe80::1]:443", ""},
      {"host:8080", "http://host:8080", ""},
      {"host:6443", "https://host:6443", "", true},
      {"https://a_b.example:1/x%20y", "https://a_b.example:1", "/x%20y"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto url = parse_server_url("server", c.text, c.tls);
    REQUIRE(url.has_value());
    CHECK(url->origin() == c.origin);
    CHECK(url->prefix == c.prefix);
  }
}

TEST_CASE("what is no server's URL is refused without repeating a password") {
  for (const char* text : {"", "https://", "ftp://host", "https://host:0", "https://host:65536", "https://host:abc",
                           "https://host:", "https://user:hunter2@host", "https://host?x=hunter2",
                           "https://host/#hunter2", "https://host/a/../b", "https://ho st", "https://host\r\nX: y",
                           "https://[::1", "https://[nonsense]", "https://[]", "https://host/a b", "://host"}) {
    CAPTURE(text);
    const auto url = parse_server_url("server", text, false);
    const bool may_be_valid = std::string(text) == "https://host:";
    if (may_be_valid) continue;
    REQUIRE(!url.has_value());
    CHECK(url.error().message.find("server: ") == 0);
    CHECK(url.error().message.find("hunter2") == std::string::npos);
    CHECK(url.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a proxy is http with or without a user") {
  CHECK(*parse_proxy_url("proxy_url", "http://Proxy:3128/") == "http://proxy:3128");
  CHECK(*parse_proxy_url("proxy_url", "http://jane:se%40cret@proxy:3128") == "http://jane:se%40cret@proxy:3128");
  CHECK(*parse_proxy_url("proxy_url", "http://[::1]") == "http://[::1]:80");
  for (const char* text :
       {"", "proxy:3128", "socks5://u:hunter2@proxy:1080", "https://proxy", "ftp://proxy", "http://",
        "http://u:hunter2@/", "http://proxy/path", "http://proxy\r\n:1", "http://u:hunter2@pro xy"}) {
    CAPTURE(text);
    const auto proxy = parse_proxy_url("proxy_url", text);
    REQUIRE(!proxy.has_value());
    CHECK(proxy.error().message.find("hunter2") == std::string::npos);
  }
  CHECK(parse_proxy_url("p", "socks5://x:1").error().message.find("socks5") != std::string::npos);
}
