// Streams that ask for the same: what the server sees of them, and what each host does.
#include <atomic>
#include <list>
#include <memory>
#include <thread>

#include "server/cases/on_server.hpp"
#include "support/requester.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

bool synced(const Recorder& stream) {
  return ksr_wait_synced(stream.stream(), ksr::testing::kWaitLimitMs) == KSR_OK;
}

std::size_t lists_and_watches(ApiServer& server) {
  return server.count_requests("list") + server.count_requests("watch");
}

}  // namespace

TEST_CASE("ten streams: the server sees one list and one watch, each host sees all") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 30");
    std::list<Recorder> streams(10);
    std::size_t number = 0;
    for (Recorder& stream : streams) {
      // How a host is called is its own affair.
      Settings settings = on_server(server, transport);
      if (++number % 2 == 0) settings.emplace_back("min_interval", "1ms");
      REQUIRE(stream.open(settings) == KSR_OK);
    }
    for (const Recorder& stream : streams) {
      CHECK(synced(stream));
      CHECK(stream.stat("shared") == 10);
    }
    server.script("create pods a\nupdate pods a\ndelete pods a\ncreate pods b");
    for (const Recorder& stream : streams) check_equals_server(stream, server);
    for (const Recorder& stream : streams) CHECK(stream.wait_state(KSR_STATE_LIVE));
    CHECK(server.count_requests("list") == 1);
    CHECK(server.count_requests("watch") == 1);
    CHECK(server.open_watches("pods") == 1);
  });
}

TEST_CASE("a stream that is opened later has the view at once, and sends nothing") {
  ApiServer server(with_token());
  server.script("populate pods 30");
  Recorder first;
  REQUIRE(first.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(first.wait_state(KSR_STATE_LIVE));
  server.script("create pods a");
  check_equals_server(first, server);
  const std::size_t before = server.requests().size();
  Recorder late;
  REQUIRE(late.open(on_server(server, "http")) == KSR_OK);
  const ksr_snapshot* const latest = ksr_latest(late.stream());
  CHECK(ksr_snapshot_count(latest) == 31);
  CHECK(ksr_snapshot_delta_count(latest) == 31);
  CHECK(ksr_snapshot_sequence(latest) == 1);
  ksr_snapshot_release(latest);
  CHECK(synced(late));
  check_equals_server(late, server);
  CHECK(late.deltas().size() == 31);
  for (const SeenDelta& delta : late.deltas()) CHECK(delta.kind == KSR_DELTA_ADDED);
  CHECK(late.wait_state(KSR_STATE_LIVE));
  CHECK(late.states() == std::vector<ksr_state>{KSR_STATE_LIVE});
  CHECK(server.requests().size() == before);
}

TEST_CASE("the last one out ends the watch; streams of clients and of ksr_open share with one another") {
  ApiServer server(with_token());
  server.script("populate pods 5");
  Settings query = on_server(server, "http");
  Settings connection;
  for (auto setting = query.begin(); setting != query.end();) {
    const bool of_client = setting->first == "server" || setting->first == "token";
    if (of_client) connection.push_back(*setting);
    setting = of_client ? query.erase(setting) : std::next(setting);
  }
  auto requester = std::make_unique<Requester>(connection);
  Recorder own;
  Recorder of_client;
  REQUIRE(of_client.open(query, requester->client()) == KSR_OK);
  REQUIRE(synced(of_client));
  REQUIRE(own.open(on_server(server, "http")) == KSR_OK);
  CHECK(synced(own));
  CHECK(own.wait_state(KSR_STATE_LIVE));
  CHECK(own.stat("shared") == 2);
  CHECK(lists_and_watches(server) == 2);
  of_client.forget();
  requester.reset();
  CHECK(own.stat("shared") == 1);
  server.script("create pods a");
  check_equals_server(own, server);
  CHECK(server.open_watches("pods") == 1);
  CHECK(own.close() == KSR_OK);
  CHECK(own.wait([&](const Recorder&) { return server.open_watches("pods") == 0; }));
  CHECK(lists_and_watches(server) == 2);
}

TEST_CASE("a stream with other credentials never sees what another one may see") {
  ksr::testserver::ServerOptions options = with_token();
  options.tokens.push_back({"token-of-a-guest", "guest"});
  ApiServer server(options);
  server.script("populate pods 5\ndeny guest list pods");
  Recorder admin;
  REQUIRE(admin.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(synced(admin));
  Settings settings = on_server(server, "http");
  for (auto& [key, value] : settings) {
    if (key == "token") value = "token-of-a-guest";
  }
  Recorder guest;
  REQUIRE(guest.open(settings) == KSR_OK);
  CHECK(guest.wait_error(KSR_E_FORBIDDEN));
  CHECK(ksr_latest(guest.stream()) == nullptr);
  CHECK(guest.updates() == 0);
  CHECK(guest.stat("shared") == 1);
  CHECK(admin.stat("shared") == 1);
}

TEST_CASE("what goes wrong reaches all, and so does that it is over") {
  ApiServer server(with_token());
  server.script("populate pods 5");
  std::list<Recorder> streams(3);
  for (Recorder& stream : streams) REQUIRE(stream.open(on_server(server, "http")) == KSR_OK);
  for (const Recorder& stream : streams) REQUIRE(stream.wait_state(KSR_STATE_LIVE));
  server.script("fault any pods answer 500 times=3\ndrop connections reset");
  for (const Recorder& stream : streams) CHECK(stream.wait_error(KSR_E_SERVER));
  server.script("create pods a");
  for (const Recorder& stream : streams) {
    check_equals_server(stream, server);
    CHECK(stream.wait([](const Recorder& seen) { return seen.states().back() == KSR_STATE_LIVE; }));
  }
}

TEST_CASE("a request that can never succeed ends all that share it, and no other") {
  ApiServer server(with_token());
  server.script("populate pods 5\nfault list pods answer 400 times=forever");
  Recorder other;
  REQUIRE(other.open(on_server(server, "http", "v1/configmaps")) == KSR_OK);
  std::list<Recorder> streams(3);
  for (Recorder& stream : streams) REQUIRE(stream.open(on_server(server, "http")) == KSR_OK);
  for (Recorder& stream : streams) {
    CHECK(stream.wait_state(KSR_STATE_CLOSED));
    REQUIRE_FALSE(stream.errors().empty());
    CHECK(stream.errors().back().retry_ms == -1);
  }
  CHECK(other.wait_state(KSR_STATE_LIVE));
  // What is opened while the others are not closed yet is not theirs.
  server.script("clear");
  Recorder again;
  REQUIRE(again.open(on_server(server, "http")) == KSR_OK);
  CHECK(synced(again));
  check_equals_server(again, server);
}

TEST_CASE("a callback that blocks, or closes its stream, is no matter to the others") {
  ApiServer server(with_token());
  server.script("populate pods 5");
  std::atomic<bool> go_on{false};
  std::atomic<bool> blocked{false};
  Recorder slow;
  slow.during_update = [&](ksr_stream*, const ksr_snapshot*) {
    blocked = true;
    while (!go_on) std::this_thread::yield();
  };
  Recorder closing;
  closing.during_update = [&](ksr_stream* self, const ksr_snapshot*) {
    CHECK(ksr_close(self) == KSR_E_WOULD_DEADLOCK);
    ksr_close_async(self);
  };
  Recorder quick;
  REQUIRE(slow.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(closing.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(quick.open(on_server(server, "http")) == KSR_OK);
  CHECK(slow.wait([&](const Recorder&) { return blocked.load(); }));
  CHECK(closing.wait([](const Recorder& seen) { return seen.destroyed() == 1; }));
  closing.forget();
  for (int i = 0; i < 20; ++i) server.script("create pods n" + std::to_string(i) + "\nupdate pods n0");
  check_equals_server(quick, server);
  CHECK(slow.updates() == 0);
  go_on = true;
  check_equals_server(slow, server);
  CHECK(server.count_requests("list") == 1);
}

TEST_CASE("delivery=manual and delivery=thread on one watch") {
  ApiServer server(with_token());
  server.script("populate pods 5");
  Recorder thread;
  Recorder manual;
  REQUIRE(thread.open(on_server(server, "websocket")) == KSR_OK);
  REQUIRE(manual.open(with(on_server(server, "websocket"), "delivery", "manual")) == KSR_OK);
  CHECK(synced(manual));
  CHECK(synced(thread));
  server.script("create pods a\ndelete pods a\ncreate pods b");
  check_equals_server(thread, server);
  CHECK(manual.updates() == 0);
  while (manual.contents() != thread.contents()) ksr_dispatch(manual.stream());
  check_equals_server(manual, server);
  CHECK(server.count_requests("list") == 1);
}
