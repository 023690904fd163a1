// Clients, requests and streams over them through ksr.hpp.
#include <thread>

#include "host/cpp/wrapped.hpp"

using namespace ksr::testing;
using ksr::status;
using ksr::testserver::ApiServer;

namespace {

ksr::params config_map(std::string_view verb, std::string_view name = "a") {
  ksr::params params{{"verb", verb}, {"resource", "v1/configmaps"}, {"namespace", "default"}};
  // A create has its name in the body.
  if (verb == "create") return std::move(params.body(R"({"metadata":{"name":")" + std::string(name) + R"("}})"));
  return std::move(params.set("name", name));
}

// A request that is not answered.
ksr::params stalled(ApiServer& server) {
  server.script("fault any /api/v1/namespaces/default/configmaps/stalled stall bytes=0 times=forever");
  return config_map("get", "stalled");
}

}  // namespace

TEST_CASE("calls: what comes, and what is refused") {
  ApiServer server(with_token());
  ksr::client client(client_on(server));
  const ksr::response created = client.call(config_map("create"));
  CHECK(created.http_status() == 201);
  CHECK(created.object().name() == "a");
  CHECK(created.object().column(0) == std::nullopt);
  CHECK(created.header("CONTENT-type") == "application/json");
  CHECK(created.header("x-none") == std::nullopt);
  CHECK(created.warnings().empty());
  CHECK(created.body().front() == '{');
  const ksr::result<ksr::response> again = client.try_call(config_map("create"));
  REQUIRE_FALSE(again);
  CHECK(again.code() == status::conflict);
  CHECK(again.failure().http_status() == 409);
  CHECK(again.failure().reason() == "AlreadyExists");
  CHECK(again.failure().details().find(R"("code":409)") != std::string_view::npos);
  CHECK_FALSE(again.failure().maybe_done());
  CHECK(again.failure().is_fatal());
  CHECK(status_of([&] { client.call(config_map("get", "none")); }) == status::not_found);
  CHECK_THROWS_AS(again.value(), ksr::error);
  server.script(
      R"(fault get /api/v1/namespaces/default/configmaps/a answer 200 body={} header="Warning: 299 - \"old\"")");
  CHECK(client.call(config_map("get")).warnings() == std::vector<std::string_view>{"old"});
  server.script("fault any /api/v1/namespaces/default cut bytes=0 times=forever");
  CHECK(client.try_call(config_map("create", "b")).failure().maybe_done());
}

TEST_CASE("the object of an answer that is a temporary outlives it") {
  ApiServer server(with_token());
  ksr::client client(client_on(server));
  const ksr::object kept = client.call(config_map("create")).object();
  client.close();
  CHECK(kept.name() == "a");
  CHECK(kept.get<std::string>("/metadata/name") == "a");
}

TEST_CASE("parameters: lists, bodies, and what they do not take") {
  ApiServer server(with_token());
  ksr::client client(client_on(server));
  const ksr::params raw{{"path", "/api/v1/pods"}, {"query.labelSelector", "app=a"}, {"query.fieldManager", "b"}};
  CHECK(client.call(raw).http_status() == 200);
  const ksr::params listed{{"resource", "v1/nothings"}, {"resource", "v1/pods"}, {"verb", "list"}};
  CHECK(client.call(listed).object().kind() == "PodList");
  CHECK(status_of([] { ksr::params({{"verb", "get"}, {"verb", "list"}}); }) == status::invalid);
  ksr::params params;
  CHECK(status_of([&] { params.set("colour", "blue"); }) == status::unknown_key);
  CHECK(status_of([&] { params.add("name", "b"); }) == status::invalid);
  CHECK(status_of([&] { params.add("command", std::string("a\0b", 3)); }) == status::invalid);
  params.body("").body({}).body(std::string("a\0b", 3)).body("");
  const ksr::params taken = std::move(params);
  CHECK_FALSE(params);  // NOLINT(bugprone-use-after-move)
  CHECK(status_of([&] { params.set("verb", "get"); }) == status::invalid);
  CHECK(client.try_call(params).code() == status::invalid);
  CHECK(client.try_open_request(params).code() == status::invalid);
  CHECK(client.try_open_channel(params).code() == status::invalid);
  CHECK(status_of([&] { client.call_async(params, [](const auto&) {}); }) == status::invalid);
}

TEST_CASE("requests: called back, waited for, cancelled") {
  ApiServer server(with_token());
  ksr::client client(client_on(server));
  Told told;
  ksr::params params = config_map("create");
  params.on_response([&](ksr::request_ref request, const ksr::result<ksr::response>& answer) {
    told.say(answer ? std::string(answer->object().name()) : std::string(to_string(answer.code())));
    // The same to each caller, inside too.
    CHECK(request.try_wait().code() == answer.code());
  });
  params.on_destroy([&] { told.say("destroyed"); });
  ksr::request first = client.open_request(params);
  CHECK(first.wait(kWaitLimit).http_status() == 201);
  CHECK(told.wait_for("a"));
  first.close();
  CHECK(told.all() == std::vector<std::string>{"a", "destroyed"});
  ksr::request second = client.open_request(params);
  CHECK(second.try_wait(kWaitLimit).code() == status::conflict);
  CHECK(told.wait_for("KSR_E_CONFLICT"));
  second = ksr::request();
  CHECK(told.count("destroyed") == 2);
  ksr::request never = client.open_request(stalled(server));
  const ksr::result<ksr::response> none = never.try_wait(std::chrono::milliseconds(1));
  CHECK(none.code() == status::timeout);
  CHECK(none.failure().http_status() == 0);
  const ksr::request_ref named = never;
  never.cancel();
  CHECK(status_of([&] { never.wait(); }) == status::cancelled);
  never.close();
  CHECK(named.try_wait().code() == status::invalid);
  CHECK(ksr::request().try_wait().code() == status::invalid);
}

TEST_CASE("a call that closes itself: its callback comes once, also where the client ends first") {
  ApiServer server(with_token());
  Told told;
  const auto tell = [&](const ksr::result<ksr::response>& answer) {
    told.say(std::string(to_string(answer.code())) + (ksr::in_callback() ? " inside" : ""));
  };
  {
    ksr::client client(client_on(server));
    client.call_async(config_map("create"), tell);
    CHECK(told.wait_for("KSR_OK inside"));
    client.call_async(config_map("create"), tell);
    CHECK(told.wait_for("KSR_E_CONFLICT inside"));
    for (int tries = 0; tries < 3'000 && client.stat("open_requests") > 0; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK(client.stat("open_requests") == 0);
    ksr::params params = config_map("get");
    params.on_exception([&](const std::exception_ptr& thrown, std::string_view callback) {
      told.say(std::string(callback) + ": " + text_of(thrown));
    });
    client.call_async(params, [](const auto&) { throw std::logic_error("on purpose"); });
    CHECK(told.wait_for("call_async: on purpose"));
    // Without it, dropped.
    client.call_async(config_map("get"), [&](const auto&) {
      told.say("thrown");
      throw 7;
    });
    CHECK(told.wait_for("thrown"));
    client.call_async(stalled(server), tell);
    client.close();
    CHECK(told.count("KSR_E_CANCELLED inside") == 1);
    CHECK(status_of([&] { client.call_async(config_map("get"), tell); }) == status::invalid);
  }
  CHECK(told.all().size() == 5);
}

TEST_CASE("calls that close themselves, while their client is closed by another thread") {
  ApiServer server(with_token());
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> called{0};
    std::atomic<int> answered{0};
    {
      ksr::client client(client_on(server));
      std::thread other([&] {
        try {
          for (int i = 0; i < 20; ++i) {
            client.call_async(config_map("get"), [&](const auto&) { ++answered; });
            ++called;
          }
        } catch (const ksr::error&) {
        }
      });
      std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
      client.close();
      other.join();
    }
    CHECK(answered == called);
  }
}

TEST_CASE("an exception of on_response cancels its request") {
  ApiServer server(with_token());
  ksr::client client(client_on(server));
  Told told;
  ksr::params params = config_map("create");
  params.on_response([&](ksr::request_ref, const auto&) {
    told.say("answer");
    throw std::logic_error("on purpose");
  });
  ksr::request request = client.open_request(params);
  CHECK(told.wait_for("answer"));
  CHECK_THROWS_WITH_AS(request.close(), "on purpose", std::logic_error);
  request.close();
}

TEST_CASE("streams over a client, and all of it closed inside a callback") {
  ApiServer server(with_token());
  server.script("create pods a");
  Told told;
  std::mutex mutex;
  std::optional<ksr::client> client;
  ksr::config query{{"resource", "v1/pods"}};
  query.on_update([&](ksr::stream_ref, const ksr::snapshot& view) {
    told.say("update " + std::to_string(view.size()));
    const std::lock_guard<std::mutex> lock(mutex);
    // Also inside callbacks.
    CHECK(client->call(ksr::params{{"path", "/healthz"}}).http_status() == 200);
    CHECK(client->try_close() == status::would_deadlock);
    CHECK(status_of([&] { client->close(); }) == status::would_deadlock);
    client.reset();
  });
  query.on_destroy([&] { told.say("stream destroyed"); });
  ksr::config config = client_on(server);
  config.on_log([&](ksr::log_level, std::string_view) { told.say("log"); });
  config.on_destroy([&] { told.say("client destroyed"); });
  ksr::stream stream;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    client.emplace(config);
    CHECK(client->fd() == -1);
    CHECK(status_of([&] { client->dispatch(); }) == status::invalid);
    CHECK(client->stat("open_requests") == 0);
    CHECK(client->try_stat("colour") == std::nullopt);
    CHECK(client->try_open_stream(ksr::config{{"resource", "v1/pods"}, {"server", "http://a"}}).code() ==
          status::invalid);
    stream = client->open_stream(query);
  }
  CHECK(told.wait_for("client destroyed"));
  CHECK(told.count("update 1") == 1);
  CHECK(told.count("stream destroyed") == 1);
  CHECK(stream.try_wait_synced() == status::invalid);
  stream.close();
}

TEST_CASE("a client with delivery=manual: one descriptor, and callbacks where it is dispatched") {
  ApiServer server(with_token());
  ksr::client client(client_on(server, {{"delivery", "manual"}}));
  CHECK(client.fd() > 2);
  int answers = 0;
  client.call_async(config_map("create"), [&](const auto& answer) { answers += answer ? 1 : 0; });
  while (answers == 0) CHECK(client.dispatch() < 1'000);
  const ksr::client_ref named = client;
  CHECK(named == client);
  client.cancel();
  CHECK(client.try_call(config_map("get")).code() == status::cancelled);
  client.close();
  CHECK(named.try_call(config_map("get")).code() == status::invalid);
  CHECK(named.fd() == -1);
}

TEST_CASE("an exception of a client's on_log cancels it") {
  ksr::config config{{"server", "http://127.0.0.1:1"}};
  config.on_log([](ksr::log_level, std::string_view) { throw std::logic_error("on purpose"); });
  ksr::client client(config);
  // It has a line to log before the answer: where the connection leads.
  static_cast<void>(client.try_call(ksr::params{{"path", "/healthz"}, {"retries", "never"}}));
  for (int tries = 0; tries < 3'000 && client.exception() == nullptr; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(client.try_open_request(ksr::params{{"path", "/healthz"}}).code() == status::cancelled);
  CHECK_THROWS_WITH_AS(client.close(), "on purpose", std::logic_error);
}

TEST_CASE("an exception of a client's on_log is thrown by its dispatch, that of a request by the request") {
  ApiServer server(with_token());
  ksr::config config = client_on(server, {{"delivery", "manual"}});
  {
    ksr::config logging = client_on(server, {{"delivery", "manual"}});
    logging.on_log([](ksr::log_level, std::string_view) { throw std::runtime_error("a line"); });
    const ksr::client client(logging);
    const ksr::request request = client.open_request(config_map("create"));
    std::string thrown;
    for (int tries = 0; tries < 3'000 && thrown.empty(); ++tries) {
      try {
        client.dispatch();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      } catch (const std::runtime_error& error) {
        thrown = error.what();
      }
    }
    CHECK(thrown == "a line");
  }
  const ksr::client client(config);
  ksr::params params = config_map("get", "none");
  int answers = 0;
  params.on_response([&](ksr::request_ref, const auto&) {
    ++answers;
    throw std::logic_error("an answer");
  });
  ksr::request request = client.open_request(params);
  while (answers == 0) client.dispatch();
  CHECK_THROWS_WITH_AS(request.wait(), "an answer", std::logic_error);
}
