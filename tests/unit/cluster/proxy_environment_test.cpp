// HTTPS_PROXY and NO_PROXY by Go's rules.
#include "cluster/proxy_environment.hpp"

#include <doctest/doctest.h>

#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

Url url(const std::string& text) {
  const auto parsed = parse_server_url("server", text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

bool bypassed(const std::string& server, const std::string& no_proxy) {
  return bypasses_proxy(url(server), no_proxy);
}

}  // namespace

TEST_CASE("the proxy is chosen by the server's scheme, upper case first") {
  World world;
  world.variables["HTTPS_PROXY"] = "http://secure:1";
  world.variables["https_proxy"] = "http://lower:1";
  world.variables["http_proxy"] = "plain:2";
  CHECK(proxy_from_environment(url("https://h"), world.process_env).text == "http://secure:1");
  CHECK(proxy_from_environment(url("http://h"), world.process_env).text == "http://plain:2");
  world.variables["HTTPS_PROXY"] = "";
  CHECK(proxy_from_environment(url("https://h"), world.process_env).text == "http://lower:1");
  world.variables["NO_PROXY"] = "h";
  CHECK(!proxy_from_environment(url("https://h"), world.process_env).set());
  world.variables.erase("NO_PROXY");
  world.variables["REQUEST_METHOD"] = "GET";
  CHECK(!proxy_from_environment(url("http://h"), world.process_env).set());
}

TEST_CASE("NO_PROXY") {
  CHECK(!bypassed("https://example.com", ""));
  CHECK(bypassed("https://example.com", "*"));
  CHECK(bypassed("https://example.com", "other, example.com "));
  CHECK(bypassed("https://EXAMPLE.com", "Example.COM"));
  CHECK(bypassed("https://api.example.com", "example.com"));
  CHECK(!bypassed("https://notexample.com", "example.com"));
  CHECK(bypassed("https://api.example.com", ".example.com"));
  CHECK(!bypassed("https://example.com", ".example.com"));
  CHECK(bypassed("https://api.example.com", "*.example.com"));
  CHECK(!bypassed("https://example.com", "*.example.com"));
  CHECK(bypassed("https://example.com:6443", "example.com:6443"));
  CHECK(!bypassed("https://example.com:6443", "example.com:443"));
  CHECK(bypassed("https://10.1.2.3", "10.1.2.3"));
  CHECK(!bypassed("https://10.1.2.3", "10.1.2"));
  CHECK(bypassed("https://10.1.2.3:6443", "10.0.0.0/8"));
  CHECK(!bypassed("https://11.1.2.3", "10.0.0.0/8"));
  CHECK(bypassed("https://10.1.2.3", "0.0.0.0/0"));
  CHECK(bypassed("https://[fd00::1]", "fd00::/8"));
  CHECK(bypassed("https://[fd00::1]:6443", "[fd00::1]:6443"));
  CHECK(bypassed("https://[fd00::1]", "fd00::1"));
  CHECK(bypassed("https://[fd00::1]", "fd00:0:0::1"));
  // net.SplitHostPort takes no brackets without a port.
  CHECK(!bypassed("https://[fd00::1]", "[fd00::1]"));
  CHECK(bypassed("https://[fd00::1]:6443", "[fd00::1]:"));
  CHECK(bypassed("https://10.1.2.3:6443", "10.1.2.3:"));
  CHECK(bypassed("https://example.com:6443", "example.com:"));
  CHECK(!bypassed("https://example.com:6443", "example.com:6443:1"));
  CHECK(!bypassed("https://[fd00::1]", "fe00::/8"));
  CHECK(!bypassed("https://example.com", "10.0.0.0/8,,/,:,[,],[]:,:1,a/b,10.0.0.0/99,10.0.0.0/x"));
}

TEST_CASE("NO_PROXY: an address is no name, and of one family") {
  for (const char* entry : {".2.3", "2.3", ".3", "*.3", "3", "::/0", "::/90", "fd00::/8", "10.1.2", "10.1.2.3/33"}) {
    CAPTURE(entry);
    CHECK(!bypassed("https://10.1.2.3", entry));
  }
  CHECK(bypassed("https://10.1.2.3", "::ffff:10.0.0.0/104"));
  CHECK(bypassed("https://10.1.2.3", "::ffff:10.1.2.3"));
  CHECK(!bypassed("https://[fd00::1]", "0.0.0.0/0"));
  CHECK(bypassed("https://[fd00::1]", "::/0"));
  CHECK(!bypassed("https://[fd00::1]", ":1"));
}

TEST_CASE("loopback is never reached through a proxy of the environment") {
  for (const char* server : {"https://localhost:6443", "https://127.0.0.1", "https://127.9.9.9", "https://[::1]:1"}) {
    CAPTURE(server);
    CHECK(bypassed(server, ""));
  }
}

TEST_CASE(
    "the proxy of the environment is used where no key or kubeconfig names one, and a bad one names its variable") {
  World world;
  world.variables["HTTPS_PROXY"] = "http://env:1";
  ConnectionOptions options;
  options.server = "https://h";
  auto access = world.open(options);
  REQUIRE(access.has_value());
  world.authenticate(**access);
  CHECK(world.transport.connects.back().proxy->text() == "http://env:1");

  ConnectionOptions own = options;
  own.proxy_url = "http://own:2";
  access = world.open(own);
  REQUIRE(access.has_value());
  world.authenticate(**access);
  CHECK(world.transport.connects.back().proxy->text() == "http://own:2");

  world.variables["HTTPS_PROXY"] = "socks5://u:hunter2@env:1";
  access = world.open(options);
  REQUIRE(!access.has_value());
  CHECK(access.error().message.find("environment variable HTTPS_PROXY: ") == 0);
  CHECK(access.error().message.find("hunter2") == std::string::npos);
}
