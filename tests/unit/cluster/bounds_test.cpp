// The bounds of JSON from outside: its depth, its memory, and what of a discovery document is taken.
#include <doctest/doctest.h>

#include "base/text.hpp"
#include "cluster/bounded_json.hpp"
#include "cluster/discovery_documents.hpp"
#include "cluster/exec_credential.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve((text.size() + 1) * count);
  for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "" : ",") + text;
  return all;
}

// Numbered, as `before`0`after`, `before`1`after`…
std::string numbered(const std::string& before, const std::string& after, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "" : ",") + before + std::to_string(i) + after;
  return all;
}

}  // namespace

TEST_CASE("JSON is taken up to 32 levels") {
  CHECK(parse_bounded_json(nested(32)));
  for (const std::size_t levels : {33u, 1'000u, 1'000'000u}) CHECK_FALSE(parse_bounded_json(nested(levels)));
  std::string objects = "1";
  for (int i = 0; i < 33; ++i) objects = R"({"a":)" + objects + "}";
  CHECK_FALSE(parse_bounded_json(objects));
}

TEST_CASE("JSON is taken within its memory, of which small values need the most") {
  // Two bytes of text are a value of 24 bytes or so.
  const std::string zeros = "[" + repeated("0", 10'000) + "]";
  CHECK(parse_bounded_json(zeros, std::size_t{4} << 20));
  CHECK_FALSE(parse_bounded_json(zeros, zeros.size()));
  const std::string objects = "[" + repeated("{}", 10'000) + "]";
  CHECK(parse_bounded_json(objects, std::size_t{4} << 20));
  CHECK_FALSE(parse_bounded_json(objects, objects.size()));
  const std::string text = "\"" + std::string(100'000, 'x') + "\"";
  CHECK(parse_bounded_json(text, std::size_t{1} << 20));
  CHECK_FALSE(parse_bounded_json(text, 50'000));
  CHECK_FALSE(parse_bounded_json(R"({"a":1,"b":{"c":[]}})", 16));
}

TEST_CASE("copies of values that were just within the memory are no one's error") {
  std::size_t memory = 64;
  std::optional<boost::json::value> value;
  while (!(value = parse_bounded_json(R"({"a":[1,2,3],"b":{"c":"d"}})", memory))) memory += 8;
  const boost::json::value copy = *value;
  CHECK(copy == *value);
  value->as_object()["more"] = std::string(1'000, 'x');
}

TEST_CASE("what is not JSON is none, a byte order mark before it is no part of it") {
  CHECK(parse_bounded_json("\xEF\xBB\xBF{}"));
  for (const char* text : {"", " ", "{", "{} {}", "{'a':1}", "nul", "[1,]", "\xEF\xBB\xBF", "\"\x01\"", "\"\xC3\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bounded_json(text));
  }
}

TEST_CASE("a discovery document nested too deep, or of too many values, is an error of one line") {
  for (const std::string& body :
       {R"({"kind":"APIGroupDiscoveryList","items":)" + nested(100) + "}",
        R"({"kind":"APIGroupDiscoveryList","items":[)" + repeated(R"({"a":[0]})", 3'000'000) + "]}"}) {
    const auto root = parse_discovery_root(body);
    REQUIRE(!root.has_value());
    CHECK(root.error().status == Status::protocol);
    CHECK(root.error().message == "discovery: the response is not a JSON object, or is too large");
  }
}

TEST_CASE("of a discovery document 50,000 resources are taken, and 2,000 group versions") {
  const std::string entry = R"({"responseKind":{"kind":"K"},"scope":"Cluster","verbs":["list"],"resource":"r)";
  const auto aggregated =
      parse_discovery_root(R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"g.test"},"versions":[)"
                           R"({"version":"v1","resources":[)" +
                           numbered(entry, "\"}", 50'100) + "]}]}]}");
  REQUIRE(aggregated.has_value());
  REQUIRE(aggregated->versions.size() == 1);
  CHECK(aggregated->versions[0].resources->size() == 50'000);
  const auto groups =
      parse_discovery_root(R"({"kind":"APIGroupList","groups":[)" +
                           numbered(R"({"name":"g)", R"(.test","versions":[{"version":"v1"}]})", 2'100) + "]}");
  REQUIRE(groups.has_value());
  CHECK(groups->versions.size() == 2'000);
  const auto core = parse_discovery_root(R"({"kind":"APIVersions","versions":[)" + numbered("\"v", "\"", 2'100) + "]}");
  REQUIRE(core.has_value());
  CHECK(core->versions.size() == 2'000);
  const auto list = parse_resource_list(R"({"kind":"APIResourceList","resources":[)" +
                                            numbered(R"({"kind":"K","verbs":["list"],"name":"r)", "\"}", 50'100) + "]}",
                                        {"g.test", "v1"});
  REQUIRE(list.has_value());
  CHECK(list->size() == 50'000);
}

TEST_CASE("a discovery document above 32 MiB is not read to its end") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const std::string large = R"({"kind":"APIGroupDiscoveryList","items":[],"x":")" + std::string(33 << 20, 'x') + "\"}";
  world.transport.replies["/api"] = {200, large};
  world.transport.replies["/apis"] = {200, large};
  QueryOptions query;
  query.resources = {"pods"};
  std::optional<Expected<std::vector<Resource>>> answer;
  const auto pending =
      (*access)->resolve(query, [&](Expected<std::vector<Resource>> found) { answer = std::move(found); });
  world.run_all();
  REQUIRE(answer);
  REQUIRE(!answer->has_value());
  CHECK(answer->error().message.find("is larger than 33554432 bytes") != std::string::npos);
}

TEST_CASE("exec credentials nested too deep are refused without repeating them") {
  const auto credentials =
      parse_exec_credential(R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
                            R"("status":{"token":"S3CRET"},"x":)" +
                                nested(100) + "}",
                            "client.authentication.k8s.io/v1");
  REQUIRE(!credentials.has_value());
  CHECK(credentials.error().message.find("S3CRET") == std::string::npos);
  CHECK(credentials.error().message.find('\n') == std::string::npos);
}
