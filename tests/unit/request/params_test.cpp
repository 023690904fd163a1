#include "request/params.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "request/call_plan.hpp"
#include "request/channel_keys.hpp"
#include "unit/request/keys.hpp"

using namespace ksr;
using namespace ksr::request;
using namespace ksr::request::testing;

namespace {

std::string refused(const char* key, const std::string& value) {
  Params params;
  const Expected<void> set = set_param(params, key, value);
  if (set) return "(taken)";
  CHECK(set.error().status == Status::invalid);
  CHECK(set.error().message.find('\n') == std::string::npos);
  CHECK(set.error().message.size() < 400);
  CHECK(params.keys.empty());
  return set.error().message;
}

bool names_key(const std::string& message, const std::string& key) {
  return message.rfind("params key " + key + ": ", 0) == 0;
}

// Empty: nothing contradicts.
std::string call_contradiction(Pairs pairs, const char* body = nullptr) {
  return contradiction(check_params(params_of(pairs, body)));
}

}  // namespace

TEST_CASE("values that a key does not take are refused with the key and what it takes") {
  const std::pair<const char*, std::string> bad[] = {
      {"verb", "watch"},
      {"verb", "GET"},
      {"method", "CONNECT"},
      {"method", "get"},
      {"path", "healthz"},
      {"path", "/a b"},
      {"path", "/api\r\nX: y"},
      {"path", "/api/../clusters/other"},
      {"path", "/api/%2e%2E/x"},
      {"path", "/api/v1#x"},
      {"resource", ""},
      {"resource", "v1/Pods/x/y"},
      {"namespace", "a,b"},
      {"namespace", "a/b"},
      {"name", "a/b"},
      {"name", ".."},
      {"name", "a%2fb"},
      {"name", ""},
      {"name", "a\nb"},
      {"subresource", "proxy/x"},
      {"patch_type", "apply"},
      {"field_manager", std::string(129, 'x')},
      {"field_validation", "strictly"},
      {"propagation", "none"},
      {"grace_period", "-1"},
      {"grace_period", "1500ms"},
      {"force", "yes"},
      {"dry_run", "All"},
      {"label_selector", "a=b\n"},
      {"query.x", "a\r\nb"},
      {"accept", "xml"},
      {"accept", "text/plain\r\nX: y"},
      {"timeout", "30"},
      {"retries", "often"},
      {"max_body", "1Ti"},
      {"scope", "all"},
  };
  for (const auto& [key, value] : bad) {
    CAPTURE(key);
    CAPTURE(value);
    CHECK_MESSAGE(names_key(refused(key, value), key), refused(key, value));
  }
}

TEST_CASE("headers that frame the message, hold credentials, or would break the line are refused") {
  for (const char* name : {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE",
                           "Authorization", "Proxy-Authorization", "Impersonate-User", "impersonate-extra-scopes",
                           "Accept-Encoding", "User-Agent", "Sec-WebSocket-Key"}) {
    const std::string key = std::string("header.") + name;
    CHECK_MESSAGE(names_key(refused(key.c_str(), "x"), key), key);
  }
  CHECK(names_key(refused("header.X-A", "a\r\nb: c"), "header.X-A"));
  CHECK(refused("header.X A", "x") != "(taken)");
  CHECK(refused("header.X\r\nB", "x").find("(not a name)") != std::string::npos);
  // Of any request the caller's own.
  CHECK(refused("header.Content-Type", "application/yaml") == "(taken)");
  CHECK(refused("header.accept", "text/plain") == "(taken)");
}

TEST_CASE("a key that does not exist is another error") {
  Params params;
  CHECK(set_param(params, "verbs", "get").error().status == Status::unknown_key);
  CHECK(set_param(params, "query.", "x").error().status == Status::unknown_key);
  CHECK(set_param(params, "", "x").error().status == Status::unknown_key);
  CHECK(add_param(params, "token", "secret").error().status == Status::unknown_key);
  CHECK(set_param(params, "se cret", "x").error().message.find("se cret") == std::string::npos);
}

TEST_CASE("a list key gets values, and loses them when it is set") {
  Params params;
  CHECK(add_param(params, "query.a", "1"));
  CHECK(add_param(params, "query.a", "2"));
  CHECK(add_param(params, "query.b", "3"));
  CHECK(params.query.size() == 3);
  CHECK(set_param(params, "query.a", "4"));
  CHECK(params.query.size() == 2);
  CHECK(set_param(params, "resource", "v1/pods, pods"));
  CHECK(add_param(params, "resource", "apps/v1/deployments"));
  CHECK(params.resources.size() == 3);
  // A value that is not taken changes nothing.
  CHECK_FALSE(set_param(params, "resource", "a/b/c/d"));
  CHECK(params.resources.size() == 3);
  CHECK(set_param(params, "resource", "v1/nodes"));
  CHECK(params.resources.size() == 1);
  CHECK(add_param(params, "name", "x").error().status == Status::invalid);
}

TEST_CASE("the defaults are those of the contract") {
  const Params params;
  CHECK(verb_of(params) == Verb::get);
  CHECK(params.patch_type == PatchType::merge);
  CHECK(params.timeout == Milliseconds(30'000));
  CHECK_FALSE(params.retries.has_value());
  CHECK(params.max_body == std::size_t{64} * 1024 * 1024);
  CHECK(verb_of(params_of({{"path", "/healthz"}})) == Verb::raw);
}

TEST_CASE("keys of another kind") {
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}, {"name", "a"}, {"command", "ls"}}), "command"));
  CHECK(names_key(call_contradiction({{"path", "/healthz"}, {"follow", "true"}}), "follow"));
  CHECK(names_key(call_contradiction({{"verb", "get"}, {"path", "/healthz"}}), "verb"));
  CHECK(names_key(call_contradiction({{"path", "/healthz"}, {"resource", "v1/pods"}}), "resource"));
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}, {"name", "a"}, {"patch_type", "json"}}), "patch_type"));
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}, {"name", "a"}, {"force", "true"}}), "force"));
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}, {"name", "a"}, {"dry_run", "true"}}), "dry_run"));
  CHECK(names_key(call_contradiction({{"verb", "list"}, {"resource", "v1/pods"}, {"name", "a"}}), "name"));
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}, {"name", "a"}, {"label_selector", "a=b"}}),
                  "label_selector"));
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}, {"name", "a"}, {"scope", "headlamp"}}), "scope"));
}

TEST_CASE("what is missing") {
  CHECK(names_key(call_contradiction({{"name", "a"}}), "resource"));
  CHECK(names_key(call_contradiction({{"resource", "v1/pods"}}), "name"));
  CHECK(names_key(call_contradiction({{"method", "GET"}}), "path"));
  CHECK(names_key(call_contradiction({{"verb", "create"}, {"resource", "v1/pods"}, {"subresource", "eviction"}}, "{}"),
                  "name"));
  CHECK(names_key(call_contradiction({{"verb", "apply"}, {"resource", "v1/pods"}, {"name", "a"}}, "{}"),
                  "field_manager"));
}

TEST_CASE("bodies") {
  const auto body_of = [](const char* verb, const char* body) {
    return call_contradiction({{"verb", verb}, {"resource", "v1/pods"}, {"name", "a"}}, body);
  };
  for (const char* verb : {"create", "update", "patch"}) {
    CHECK(body_of(verb, nullptr).rfind("params body: is empty", 0) == 0);
    CHECK(body_of(verb, "").rfind("params body: is empty", 0) == 0);
    CHECK(body_of(verb, "a: b").rfind("params body: is not JSON", 0) == 0);
    CHECK(body_of(verb, "{} {}").rfind("params body: is not JSON", 0) == 0);
    CHECK(body_of(verb, "[]").find("an array") != std::string::npos);
    CHECK(body_of(verb, " {\"a\":1}\n") == "");
  }
  CHECK(body_of("get", "{}").rfind("params body: ", 0) == 0);
  CHECK(body_of("delete", R"({"kind":"DeleteOptions"})") == "");
  const char* options = R"({"kind":"DeleteOptions"})";
  CHECK(call_contradiction({{"verb", "delete"}, {"resource", "v1/pods"}, {"name", "a"}, {"grace_period", "0"}}, options)
            .rfind("params body: ", 0) == 0);
  // The server reads options of a deletion from the query only where there is no body.
  for (const char* key :
       {"query.dryRun", "query.gracePeriodSeconds", "query.orphanDependents", "query.propagationPolicy"}) {
    CHECK(call_contradiction({{"verb", "delete"}, {"resource", "v1/pods"}, {"name", "a"}, {key, "x"}}) == "");
    CHECK(names_key(
        call_contradiction({{"verb", "delete"}, {"resource", "v1/pods"}, {"name", "a"}, {key, "x"}}, options), key));
    CHECK(names_key(
        call_contradiction(
            {{"verb", "deletecollection"}, {"resource", "v1/pods"}, {"propagation", "background"}, {key, "x"}}),
        key));
  }
  const auto patch = [](const char* type, const char* body) {
    return call_contradiction({{"verb", "patch"}, {"resource", "v1/pods"}, {"name", "a"}, {"patch_type", type}}, body);
  };
  CHECK(patch("json", "[]") == "");
  CHECK(patch("json", "{}").find("an object") != std::string::npos);
  CHECK(patch("merge", "[]") != "");
  const auto apply = [](const char* body) {
    return call_contradiction(
        {{"verb", "apply"}, {"resource", "v1/pods"}, {"name", "a"}, {"field_manager", "me"}, {"header.X", "y"}}, body);
  };
  CHECK(apply("{}") == "");
  CHECK(apply("kind: Pod").rfind("params body: is not JSON", 0) == 0);
  // With a type of its own a body is the caller's business.
  CHECK(call_contradiction({{"verb", "create"}, {"resource", "v1/pods"}, {"header.content-type", "application/yaml"}},
                           "kind: Pod") == "");
  CHECK(call_contradiction({{"path", "/x"}}, "body") != "");
  CHECK(call_contradiction({{"path", "/x"}, {"method", "POST"}}, "body") == "");
}

namespace {

// The rows with three cells of one section: key, default, meaning.
std::map<std::string, std::string> documented_defaults(const std::string& heading) {
  std::map<std::string, std::string> documented;
  std::ifstream file(KSR_CONFIGURATION_MD);
  bool within = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) within = line == heading;
    if (!within || line.rfind("| `", 0) != 0 || std::count(line.begin(), line.end(), '|') != 4) continue;
    const std::size_t name_end = line.find('`', 3);
    std::string standard = line.substr(line.find('|', name_end) + 1);
    standard.erase(standard.find('|'));
    const auto blank = [](char c) { return c == ' ' || c == '`'; };
    standard.erase(std::remove_if(standard.begin(), standard.end(), blank), standard.end());
    documented[line.substr(3, name_end - 3)] = standard;
  }
  return documented;
}

}  // namespace

TEST_CASE("CONFIGURATION.md has every key of requests and channels with its default, and no other") {
  const std::map<std::string, std::string> of_requests = documented_defaults("## Requests");
  const std::map<std::string, std::string> of_channels = documented_defaults("## Channels");
  for (const ParamKey& key : param_keys()) {
    const auto& documented = key.kind == ParamKey::channel ? of_channels : of_requests;
    std::string name(key.name);
    if (name.back() == '.') name += "NAME";
    CAPTURE(name);
    REQUIRE(documented.count(name) == 1);
    CHECK(documented.at(name) == key.standard);
  }
  CHECK(of_requests.size() + of_channels.size() == param_keys().size());
}

TEST_CASE("whatever text a key of params or a name in it has, messages are one line") {
  for (const ParamKey& key : param_keys()) {
    std::string name(key.name);
    if (name.back() == '.') name += "a\a\nb";
    for (const char* value : {"a\nb\ac", "/none\a/such\nthing", "v1/a\a\nb", "-5\a\n"}) {
      CAPTURE(name);
      CAPTURE(value);
      Params params;
      std::vector<std::string> messages;
      const auto note = [&](const auto& outcome) {
        if (!outcome) messages.push_back(outcome.error().message);
      };
      note(set_param(params, name, value));
      note(check_params(params));
      note(check_channel(params));
      note(plan_call(params, nullptr, ""));
      messages.push_back(context_of(params, nullptr, "ns", "https://h").text());
      for (const std::string& message : messages) {
        CAPTURE(message);
        CHECK_FALSE(has_control_characters(message));
      }
    }
  }
}
