// Every verb against the scriptable server: what is sent, what comes back, and what is refused before anything is sent.
#include "server/cases/on_server.hpp"
#include "support/requester.hpp"
#include "support/text.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

Settings map_call(const std::string& verb, const std::string& name = "") {
  Settings settings{{"verb", verb}, {"resource", "v1/configmaps"}, {"namespace", "default"}};
  if (!name.empty()) settings.emplace_back("name", name);
  return settings;
}

using ksr::testing::has;

}  // namespace

TEST_CASE("objects are created, read, listed, replaced, patched and deleted") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  const Answer created = requester.call(map_call("create"), R"({"metadata":{"name":"a"},"data":{"k":"1"}})");
  CHECK(created.status == KSR_OK);
  CHECK(created.http_status == 201);
  const Answer read = requester.call(map_call("get", "a"));
  CHECK(read.http_status == 200);
  CHECK(has(read.body, R"("k":"1")"));
  CHECK(has(requester.call(map_call("list")).body, "ConfigMapList"));
  CHECK(
      has(requester.call(map_call("update", "a"), R"({"metadata":{"name":"a"},"data":{"k":"2"}})").body, R"("k":"2")"));
  CHECK(has(requester.call(map_call("patch", "a"), R"({"data":{"j":"3"}})").body, R"("j":"3")"));
  CHECK(requester.call(map_call("delete", "a")).status == KSR_OK);
  const Answer gone = requester.call(map_call("get", "a"));
  CHECK(gone.status == KSR_E_NOT_FOUND);
  CHECK(gone.http_status == 404);
  CHECK(gone.reason == "NotFound");
  CHECK(has(gone.details, R"("name":"a")"));
  CHECK(gone.maybe_done == 0);
  CHECK(has(gone.message, "get of v1/configmaps \"a\" in namespace default at http://127.0.0.1:"));
  CHECK_FALSE(has(gone.message, kTestToken));
  CHECK(requester.stat("requests") == 7);
  CHECK(requester.stat("errors") == 1);
  CHECK(requester.stat("open_requests") == 0);
}

TEST_CASE("a second create is a conflict") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  const char* body = R"({"metadata":{"name":"a"}})";
  REQUIRE(requester.call(map_call("create"), body).status == KSR_OK);
  const Answer second = requester.call(map_call("create"), body);
  CHECK(second.status == KSR_E_CONFLICT);
  CHECK(second.reason == "AlreadyExists");
  CHECK(second.maybe_done == 0);
}

TEST_CASE("names of resources are found by discovery, as streams find them") {
  ApiServer server(with_token());
  server.script("create configmaps a\ncreate nodes n");
  const Requester requester(client_of(server));
  CHECK(requester.call({{"resource", "cm"}, {"namespace", "default"}, {"name", "a"}}).status == KSR_OK);
  CHECK(requester.call({{"resource", "configmap"}, {"namespace", "default"}, {"name", "a"}}).status == KSR_OK);
  CHECK(requester.call({{"resource", "no"}, {"name", "n"}}).status == KSR_OK);
  CHECK(requester.call({{"resource", "no"}, {"namespace", "default"}, {"name", "n"}}).status == KSR_E_INVALID);
  CHECK(requester.call({{"resource", "nonsense"}, {"name", "n"}}).status == KSR_E_NOT_FOUND);
  // While the API is missing, the next name counts; while the object is, none does.
  CHECK(requester.call({{"resource", "gone.io/v1/configmaps,v1/configmaps"}, {"namespace", "default"}, {"name", "a"}})
            .status == KSR_OK);
}

TEST_CASE("a name is not resolved past a discovery document that fails: the call fails as the document does") {
  auto options = with_token();
  options.aggregated_discovery = false;
  ApiServer server(options);
  server.script("create configmaps a\nfault discovery /api/v1 answer 503");
  const Requester requester(client_of(server));
  CHECK(requester.call({{"resource", "cm"}, {"namespace", "default"}, {"name", "a"}}).status == KSR_OK);
  const auto of_nothing = [&] {
    return requester.call({{"resource", "nonsense"}, {"name", "n"}, {"retries", "never"}}).status;
  };
  CHECK(of_nothing() == KSR_E_NOT_FOUND);
  server.script("fault discovery /api/v1 answer 503");
  CHECK(of_nothing() == KSR_E_SERVER);
  server.script("fault discovery /api/v1 answer 403");
  CHECK(of_nothing() == KSR_E_FORBIDDEN);
  server.script("fault discovery /api/v1 answer 401");
  CHECK(of_nothing() == KSR_E_AUTH);
  server.script("fault discovery /api/v1 answer 404");
  CHECK(of_nothing() == KSR_E_NOT_FOUND);
  server.script("fault discovery /api/v1 answer 503");
  CHECK(requester.call({{"resource", "deployments.apps"}, {"namespace", "default"}, {"name", "n"}}).status ==
        KSR_E_NOT_FOUND);
  // With new credentials, at once.
  server.script("clear\nfault discovery /api/v1 answer 401");
  CHECK(requester.call({{"resource", "nonsense"}, {"name", "n"}}).status == KSR_E_NOT_FOUND);
}

TEST_CASE("clients and streams with the same connection share discovery and sockets") {
  ApiServer server(with_token());
  server.script("create configmaps a");
  const Settings by_name{{"resource", "cm"}, {"namespace", "default"}, {"name", "a"}};
  const Requester first(client_of(server));
  CHECK(first.call(by_name).status == KSR_OK);
  const std::size_t before = server.requests().size();
  const Requester second(client_of(server));
  Recorder stream;
  REQUIRE(stream.open({{"server", server.url()}, {"token", kTestToken}, {"resource", "cm"}}) == KSR_OK);
  REQUIRE(stream.wait_count(1));
  CHECK(second.call(by_name).status == KSR_OK);
  for (std::size_t i = before; i < server.requests().size(); ++i) {
    // No discovery document is asked for again. The version is what the first stream asks for.
    const std::string target = server.requests()[i].target;
    CAPTURE(target);
    CHECK((has(target, "/configmaps") || target == "/version"));
  }
  CHECK(stream.close() == KSR_OK);
}

TEST_CASE("a body of 3 MiB arrives as it is, and is copied when it is set") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  std::string body = R"({"metadata":{"name":"a"},"data":{"k":")";
  body += std::string((std::size_t{3} << 20) - body.size() - 3, 'x') + "\"}}";
  CHECK(body.size() == std::size_t{3} << 20);
  const std::string kept = body;
  const Params params(map_call("create"), body);
  body.assign(body.size(), 'y');
  const ksr_response* response = nullptr;
  REQUIRE(ksr_call(requester.client(), params.get(), &response, nullptr) == KSR_OK);
  std::size_t size = 0;
  const auto* answer = static_cast<const char*>(ksr_response_body(response, &size));
  CHECK(size > kept.size());
  CHECK(answer[size] == 0);
  CHECK(std::string_view(answer, size).find(std::string(1000, 'x')) != std::string_view::npos);
  CHECK(std::string_view(answer, size).find("yyyy") == std::string_view::npos);
  ksr_response_release(response);
  CHECK(requester.stat("bytes_sent") == kept.size());
}

TEST_CASE("values of an object are read without a parser of JSON") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  const Params params(map_call("create"), R"({"metadata":{"name":"a","annotations":{"a/b":"x"}},"data":{"k":"\u00e9\n",
      "n":7,"f":1.5,"t":true,"l":[1,2,3],"when":"1970-01-01T00:00:01.5Z"}})");
  const ksr_response* response = nullptr;
  REQUIRE(ksr_call(requester.client(), params.get(), &response, nullptr) == KSR_OK);
  const ksr_object* object = ksr_response_object(response);
  char text[4] = "###";
  CHECK(ksr_object_get_string(object, "/data/k", text, sizeof text) == 3);
  CHECK(std::string(text) == "\xc3\xa9\n");
  CHECK(ksr_object_get_string(object, "/data/k", text, 3) == 3);
  CHECK(std::string(text) == "\xc3\xa9");
  CHECK(ksr_object_get_string(object, "/data/k", nullptr, 0) == 3);
  CHECK(ksr_object_get_string(object, "/data/k", nullptr, 7) == 3);
  CHECK(ksr_object_get_string(object, "/metadata/annotations/a~1b", text, sizeof text) == 1);
  std::int64_t number = -1;
  CHECK(ksr_object_get_int64(object, "/data/n", &number) == 1);
  CHECK(number == 7);
  double fraction = 0;
  CHECK(ksr_object_get_double(object, "/data/f", &fraction) == 1);
  CHECK(fraction == 1.5);
  int truth = -1;
  CHECK(ksr_object_get_bool(object, "/data/t", &truth) == 1);
  CHECK(truth == 1);
  CHECK(ksr_object_get_time(object, "/data/when", &number) == 1);
  CHECK(number == 1500);
  CHECK(ksr_object_size(object, "/data/l") == 3);
  CHECK(ksr_object_size(object, "/data") == 6);
  CHECK(ksr_object_key(object, "/data", 1, text, sizeof text) == 1);
  CHECK(std::string(text) == "n");
  // Another kind, nothing, or no pointer: what is out stays as it is.
  number = 5;
  CHECK(ksr_object_get_int64(object, "/data/f", &number) == 0);
  CHECK(ksr_object_get_int64(object, "/data/none", &number) == 0);
  CHECK(ksr_object_get_int64(object, "data/n", &number) == 0);
  CHECK(ksr_object_get_int64(object, "/data/n", nullptr) == 0);
  CHECK(ksr_object_get_int64(nullptr, "/data/n", &number) == 0);
  CHECK(ksr_object_get_int64(object, nullptr, &number) == 0);
  CHECK(number == 5);
  CHECK(ksr_object_get_string(object, "/data/n", text, sizeof text) == -1);
  CHECK(std::string(text) == "n");
  CHECK(ksr_object_size(object, "/data/n") == -1);
  CHECK(ksr_object_key(object, "/data", 6, text, sizeof text) == -1);
  CHECK(ksr_object_key(object, "/data/l", 0, text, sizeof text) == -1);
  CHECK(ksr_object_get_bool(object, "/data/n", &truth) == 0);
  CHECK(ksr_object_get_time(object, "/data/k", &number) == 0);
  ksr_response_release(response);
}

TEST_CASE("an answer that was compressed has no header of that") {
  ApiServer server(with_token());
  server.script("populate configmaps 3000");
  const Requester requester(client_of(server));
  const Params params(map_call("list"));
  const ksr_response* response = nullptr;
  REQUIRE(ksr_call(requester.client(), params.get(), &response, nullptr) == KSR_OK);
  CHECK(ksr_response_header(response, "Content-Encoding", nullptr) == nullptr);
  CHECK(ksr_response_header(response, "Content-Length", nullptr) == nullptr);
  CHECK(ksr_response_header(response, "Content-Type", nullptr) == std::string("application/json"));
  ksr_response_release(response);
}

TEST_CASE("a conditional request whose answer has not changed, and a cookie that the server repeats") {
  ApiServer server(with_token());
  server.script(
      "fault get configmaps answer 304\n"
      "fault get configmaps answer 400 body={\"kind\":\"Status\",\"message\":\"cookie=0123456789abcdef\"}");
  const Requester requester(client_of(server));
  Settings get = map_call("get", "a");
  get.emplace_back("header.If-None-Match", "\"x\"");
  const Answer unchanged = requester.call(get);
  CHECK(unchanged.http_status == 304);
  CHECK(has(unchanged.message, "304 Not Modified"));
  CHECK_FALSE(has(unchanged.message, "redirect"));
  get.emplace_back("header.Cookie", "session=0123456789abcdef");
  const Answer refused = requester.call(get);
  CHECK(refused.status == KSR_E_REJECTED);
  CHECK_FALSE(has(refused.message, "0123456789abcdef"));
  CHECK_FALSE(has(refused.details, "0123456789abcdef"));
}

TEST_CASE("raw paths, with bodies of any kind and answers as they are") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  const Answer healthy = requester.call({{"path", "/healthz"}});
  CHECK(healthy.http_status == 200);
  CHECK(healthy.body == "ok");
  const Answer missing = requester.call({{"path", "/nothing"}, {"retries", "never"}});
  CHECK(missing.status == KSR_E_NOT_FOUND);
  CHECK(has(missing.message, "404 page not found"));
}

TEST_CASE("warnings come with successes") {
  ApiServer server(with_token());
  server.script("fault get configmaps answer 200 body={} header=\"Warning: 299 - \\\"old, very old\\\"\"");
  const Requester requester(client_of(server));
  CHECK(requester.call(map_call("get", "a")).warnings == std::vector<std::string>{"old, very old"});
}

TEST_CASE("an answer above max_body is refused, also when it was compressed") {
  ApiServer server(with_token());
  server.script("populate configmaps 3000");
  const Requester requester(client_of(server));
  Settings list = map_call("list");
  list.emplace_back("max_body", "10Ki");
  const Answer refused = requester.call(list);
  CHECK(refused.status == KSR_E_TOO_LARGE);
  CHECK(has(refused.message, "max_body"));
  CHECK(refused.http_status == 200);
  CHECK(requester.call(map_call("list")).status == KSR_OK);
}

TEST_CASE("the timeout of a request, and its 504 without a kind") {
  ApiServer server(with_token());
  server.script(
      "fault get configmaps answer 504 type=text/plain "
      "body={\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: "
      "slow\",\"reason\":\"Timeout\",\"code\":504} "
      "times=forever");
  const Requester requester(client_of(server));
  Settings get = map_call("get", "a");
  get.emplace_back("retries", "never");
  const Answer late = requester.call(get);
  CHECK(late.status == KSR_E_SERVER);
  CHECK(late.http_status == 504);
  CHECK(late.reason == "Timeout");
}

TEST_CASE("what can be told before anything is sent is not sent") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  CHECK(requester.call({{"verb", "create"}, {"resource", "v1/configmaps"}}).status == KSR_E_INVALID);
  CHECK(
      requester.call({{"verb", "apply"}, {"resource", "v1/configmaps"}, {"name", "a"}, {"field_manager", "m"}}, "k: v")
          .status == KSR_E_INVALID);
  CHECK(requester.call({{"resource", "v1/configmaps"}, {"name", "a"}, {"stdin", "true"}}).status == KSR_E_INVALID);
  CHECK(requester.call({{"path", "/x"}, {"scope", "headlamp"}}).status == KSR_E_INVALID);
  CHECK(server.requests().empty());
}

TEST_CASE("401 is followed by one more try") {
  ApiServer server(with_token());
  server.script("fault write configmaps answer 401");
  const Requester requester(client_of(server));
  CHECK(requester.call(map_call("create"), R"({"metadata":{"name":"a"}})").status == KSR_OK);
  CHECK(server.count_requests("write") == 2);
}

TEST_CASE("an expired token is an error of its own") {
  ApiServer server(with_token());
  server.script(std::string("revoke ") + kTestToken);
  const Requester requester(client_of(server));
  CHECK(requester.call(map_call("get", "a")).status == KSR_E_AUTH);
}
