// Nothing is carried out twice: the connection breaks at every byte of a POST and of its answer.
#include "server/cases/on_server.hpp"
#include "support/requester.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::World;

namespace {

constexpr const char* kBody = R"({"metadata":{"name":"a"},"data":{"k":"v"}})";

Settings create() {
  return {{"verb", "create"}, {"resource", "v1/configmaps"}, {"namespace", "default"}, {"timeout", "20s"}};
}

// How often the server has carried a create out, whatever it answered.
std::size_t carried_out(ApiServer& server) {
  return server.contents("configmaps").size();
}

}  // namespace

TEST_CASE("the connection breaks at each byte of the answer: once, and the error says that it may be done") {
  std::size_t whole = 0;
  for (std::size_t bytes = 0; whole == 0; bytes += bytes < 40 ? 1 : 7) {
    REQUIRE(bytes < 5'000);
    for (const char* how : {"", " reset=true"}) {
      CAPTURE(bytes);
      CAPTURE(how);
      ApiServer server(with_token());
      server.script("fault write configmaps cut bytes=" + std::to_string(bytes) + how);
      const Requester requester(client_of(server));
      const Answer answer = requester.call(create(), kBody);
      CHECK(server.count_requests("write") == 1);
      CHECK(carried_out(server) == 1);
      if (answer.status == KSR_OK) {
        whole = bytes;
      } else {
        CHECK(answer.status == KSR_E_TRANSPORT);
        CHECK(answer.maybe_done == 1);
      }
    }
  }
  CHECK(whole > 100);
}

TEST_CASE("the connection breaks at each byte of the request: never carried out, nor sent again") {
  // Its head and body are longer than this.
  for (std::size_t bytes = 1; bytes < 250; bytes += bytes < 20 ? 1 : 11) {
    CAPTURE(bytes);
    ApiServer server(with_token());
    server.run([&](World& world) { world.cut_next_request(bytes, bytes % 2 == 0); });
    const Requester requester(client_of(server));
    const Answer answer = requester.call(create(), kBody);
    CHECK(answer.status == KSR_E_TRANSPORT);
    // The server has got a part of it: the client cannot know which.
    CHECK(answer.maybe_done == 1);
    CHECK(server.count_requests("write") == 0);
    CHECK(carried_out(server) == 0);
    CHECK(requester.stat("retries") == 0);
  }
}

TEST_CASE("a server that stalls after each part of its answer") {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{30}, std::size_t{200}}) {
    CAPTURE(bytes);
    ApiServer server(with_token());
    server.script("fault write configmaps stall bytes=" + std::to_string(bytes));
    const Requester requester(client_of(server));
    Settings settings = create();
    settings.back().second = "300ms";
    const Answer answer = requester.call(settings, kBody);
    CHECK(answer.status == KSR_E_TIMEOUT);
    CHECK(answer.http_status == 408);
    CHECK(answer.maybe_done == 1);
    CHECK(server.count_requests("write") == 1);
  }
}

TEST_CASE("answers to a write: which are tried again, and which may be done") {
  struct Row {
    const char* answer;
    std::size_t sent;
    ksr_status status;
    int maybe_done;
  };
  const Row rows[] = {
      {"answer 429 retry-after=1", 2, KSR_OK, 0},
      {"answer 401", 2, KSR_OK, 0},
      {"answer 500", 1, KSR_E_SERVER, 1},
      {"answer 502", 1, KSR_E_SERVER, 1},
      {"answer 503 retry-after=1", 1, KSR_E_SERVER, 1},
      {"answer 504", 1, KSR_E_SERVER, 1},
      {"answer 403", 1, KSR_E_FORBIDDEN, 0},
      {"answer 409", 1, KSR_E_CONFLICT, 0},
      {"answer 422", 1, KSR_E_REJECTED, 0},
      {"answer 413", 1, KSR_E_REJECTED, 0},
      {"redirect to=/elsewhere", 1, KSR_E_PROTOCOL, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer);
    ApiServer server(with_token());
    server.script(std::string("fault write configmaps ") + row.answer);
    const Requester requester(client_of(server));
    const Answer answer = requester.call(create(), kBody);
    CHECK(answer.status == row.status);
    CHECK(answer.maybe_done == row.maybe_done);
    CHECK(server.count_requests("write") == row.sent);
  }
}

TEST_CASE("an eviction that a disruption budget forbids is answered at once") {
  ApiServer server(with_token());
  server.script(
      "fault any /api/v1/namespaces/default/pods/p/eviction answer 429 retry-after=10 times=forever "
      "body={\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"TooManyRequests\",\"code\":429,\"details\":"
      "{\"causes\":[{\"reason\":\"DisruptionBudget\",\"message\":\"no\"}]}}");
  const Requester requester(client_of(server));
  const Answer answer = requester.call({{"verb", "create"},
                                        {"resource", "v1/pods"},
                                        {"namespace", "default"},
                                        {"name", "p"},
                                        {"subresource", "eviction"}},
                                       R"({"metadata":{"name":"p"}})");
  CHECK(answer.status == KSR_E_THROTTLED);
  CHECK(answer.maybe_done == 0);
  CHECK(answer.details.find("DisruptionBudget") != std::string::npos);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("nothing was sent where there is no server, and a read is tried again where there is one") {
  std::string url;
  {
    ApiServer gone;
    url = gone.url();
  }
  const Requester nowhere({{"server", url}});
  Settings settings = create();
  settings.back().second = "2s";
  const Answer refused = nowhere.call(settings, kBody);
  CHECK(refused.status == KSR_E_TRANSPORT);
  CHECK(refused.maybe_done == 0);
  CHECK(nowhere.stat("retries") >= 1);

  ApiServer server(with_token());
  server.script("create configmaps a\nfault get configmaps cut bytes=50\nfault get configmaps answer 503");
  const Requester requester(client_of(server));
  CHECK(requester.call({{"resource", "v1/configmaps"}, {"namespace", "default"}, {"name", "a"}}).status == KSR_OK);
  CHECK(server.count_requests("get") == 3);
}

TEST_CASE("a write does not go over a connection that has rested, which the server may have closed") {
  ApiServer server(with_token());
  const Requester requester(client_of(server));
  REQUIRE(requester.call({{"path", "/healthz"}}).status == KSR_OK);
  // The client learns of it only when it writes, or not before a second of rest.
  server.script("sleep 1200ms\ndrop connections");
  CHECK(requester.call(create(), kBody).status == KSR_OK);
  CHECK(carried_out(server) == 1);
}

TEST_CASE("with retries=all the host vouches for a write") {
  ApiServer server(with_token());
  server.script("fault write configmaps answer 503");
  const Requester requester(client_of(server));
  Settings settings = create();
  settings.emplace_back("retries", "all");
  CHECK(requester.call(settings, kBody).status == KSR_OK);
  CHECK(server.count_requests("write") == 2);
}
