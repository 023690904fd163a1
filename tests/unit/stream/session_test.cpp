#include "stream/session.hpp"

#include <doctest/doctest.h>

#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

namespace {

struct SessionTestOwner final : SessionOwner {
  void on_session_state() override { ++states; }
  void on_session_counters() override {}
  void on_session_synced() override { ++synced; }
  void on_fatal() override { ++fatal; }
  bool resolve_again() override { return false; }
  int states = 0;
  int synced = 0;
  int fatal = 0;
};

// A session of v1/pods in namespace a.
struct SessionSetup : StreamFixture {
  SessionSetup() {
    Subscribers::List node{{dispatcher, own_statistics, last_error}};
    subscribers.add(node);
    remake();
  }
  // As the configuration is now.
  void remake() {
    session = std::make_unique<Session>(
        owner, SessionParts{world.executor, random, config, *access, resources, *view, subscribers, *statistics}, "a",
        config.sync, std::make_shared<sync::ServerState>());
  }
  ~SessionSetup() {
    run([this] { session->cancel(); });
  }
  void start() {
    run([this] { session->start(); });
  }

  SessionTestOwner owner;
  Subscribers subscribers;
  FixedRandom random{0.5};
  std::vector<cluster::Resource> resources{{"/api/v1", "pods", true, "v1/pods"}};
  std::unique_ptr<Session> session;
};

}  // namespace

TEST_CASE("a list that is complete reaches the cache, and is reported once") {
  SessionSetup setup;
  setup.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::pod_list("one");
  setup.start();
  CHECK(setup.session->synced());
  CHECK(setup.owner.synced == 1);
  CHECK(setup.session->counters().lists == 1);
  CHECK(setup.publisher->view().write([](const store::Cache& cache) { return cache.count(); }) == 1);
}

TEST_CASE("the error of a request says which request, where and at which server, once") {
  SessionSetup setup;
  setup.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::refusal(403);
  setup.start();
  CHECK(setup.has_callback(
      "error list of v1/pods in namespace a at http://api:8001: the server answered 403 Forbidden: refused"));
}

TEST_CASE("an error that belongs to no request is reported as one of the watch") {
  SessionSetup setup;
  setup.world.transport.silent = true;
  setup.start();
  setup.run([&] { setup.session->on_lost(Error{Status::internal, "list of things: not a request"}); });
  CHECK(setup.has_callback("error watch of v1/pods in namespace a at http://api:8001: list of things: not a request"));
}

TEST_CASE("an error that a list itself shows is reported as one of the list") {
  SessionSetup setup;
  setup.config.sync.max_view_bytes = 1;
  setup.remake();
  setup.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::pod_list("one");
  setup.start();
  CHECK(setup.has_callback("error list of v1/pods in namespace a at http://api:8001: the list is larger than"));
}

TEST_CASE("an item that is skipped is reported, and is not what keeps the list from being there") {
  SessionSetup setup;
  cluster::testing::Reply list = StreamFixture::pod_list("one");
  list.body.insert(list.body.size() - 2,
                   R"(,{"metadata":{"name":"deep"},"x":)" + std::string(600, '[') + std::string(600, ']') + "}");
  list.goes_on = true;
  setup.world.transport.replies["/api/v1/namespaces/a/pods"] = list;
  setup.start();
  CHECK(setup.has_callback("error list of v1/pods in namespace a at http://api:8001: item 2 (deep) at byte "));
  CHECK(setup.session->current_error() == nullptr);
  CHECK(setup.owner.fatal == 0);
}

TEST_CASE("a page ahead that the list has no use for in the end is given up with the list") {
  SessionSetup setup;
  setup.config.sync.page_size = 2;
  setup.remake();
  const std::string pods = "/api/v1/namespaces/a/pods?limit=2";
  cluster::testing::Reply page = StreamFixture::pod_list("one");
  // The last of two equal members wins, and comes after the next page was requested.
  page.body.insert(1, R"("metadata":{"continue":"next"},)");
  setup.world.transport.replies[pods] = page;
  cluster::testing::Reply next;
  next.goes_on = true;
  setup.world.transport.replies[pods + "&continue=next"] = next;
  setup.start();
  CHECK(setup.session->synced());
  CHECK_FALSE(setup.world.transport.holds(pods + "&continue=next"));
}

TEST_CASE("nothing is received after cancel") {
  SessionSetup setup;
  setup.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::pod_list("one");
  // The answer waits in the executor when the session is cancelled.
  setup.world.executor.post([&] {
    setup.session->start();
    setup.world.executor.post([&] { setup.session->cancel(); });
  });
  setup.world.executor.run();
  CHECK_FALSE(setup.session->synced());
  CHECK(setup.owner.synced == 0);
  setup.world.executor.advance(std::chrono::hours(1));
  CHECK(setup.owner.synced == 0);
}
