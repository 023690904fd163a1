// Streams that ask for the same: one list, one watch, one cache, and all else is each stream's own.
#include "stream/informer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <thread>

#include "stream/config_keys.hpp"
#include "stream/sharing_key.hpp"
#include "stream/stream.hpp"
#include "support/allocation_failure.hpp"
#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

namespace {

constexpr const char* kWatch = "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=300";

// An open stream with its host.
struct Opened {
  ~Opened() {
    if (stream) stream->close();
  }
  // The callbacks that wait, without log lines.
  std::vector<std::string> callbacks() {
    while (stream->dispatch() > 0) {
    }
    std::vector<std::string> found;
    for (std::string& line : call_log.lines()) {
      if (line.rfind("log ", 0) != 0) found.push_back(std::move(line));
    }
    return found;
  }
  bool has_callback(const std::string& beginning) {
    for (const std::string& line : callbacks()) {
      if (line.rfind(beginning, 0) == 0) return true;
    }
    return false;
  }
  bool synced() { return stream->wait_synced(Milliseconds(0)) == Status::ok; }
  std::uint64_t stat(const char* name) { return stream->statistic(name).value(); }
  sync::State state() { return static_cast<sync::State>(stat("state")); }
  std::string last_error() {
    const auto report = stream->last_error();
    return report ? report->error.text() : std::string();
  }

  delivery::CallLog call_log;
  std::shared_ptr<Stream> stream;
};

struct Sharing : StreamFixture {
  Sharing() {
    config.delivery.mode = delivery::Mode::manual;
    config.sync.watch_timeout = std::chrono::minutes(5);
    cluster::testing::Reply watch;
    watch.goes_on = true;
    world.transport.replies[kWatch] = watch;
    world.transport.replies["/api/v1/pods"] = pod_list("one");
  }
  ~Sharing() {
    streams.clear();
    world.executor.run();
  }

  // Without running its tasks.
  Opened& open_only() { return open_only(config); }
  Opened& open_only(const Config& as) {
    Opened& opened = streams.emplace_back();
    auto made = Stream::create(as, std::make_unique<delivery::FakeHost>(opened.call_log), runtime,
                               ClientParts{access, "default", {}});
    REQUIRE(made);
    opened.stream = *made;
    opened.stream->start();
    return opened;
  }
  Opened& open() { return open(config); }
  Opened& open(const Config& as) {
    Opened& opened = open_only(as);
    world.executor.run();
    return opened;
  }
  void close(Opened& opened) {
    CHECK(opened.stream->close() == Status::ok);
    opened.stream.reset();
    world.executor.run();
  }
  std::size_t requests() const { return world.transport.requests.size(); }
  void event(const std::string& type, const std::string& name, const std::string& version) {
    run([&] {
      world.transport.send_to_watches(
          R"({"type":")" + type + R"(","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name +
          R"(","namespace":"a","uid":")" + name + R"(","resourceVersion":")" + version + "\"}}}\n");
    });
  }

  Runtime runtime{world.executor, world.transport};
  std::list<Opened> streams;
};

using Lines = std::vector<std::string>;
using ksr::testing::FailingAllocation;

}  // namespace

TEST_CASE("streams that ask for the same have one list and one watch, and each its own callbacks") {
  Sharing sharing;
  Opened& first = sharing.open_only();
  Opened& second = sharing.open_only();
  CHECK(first.stat("shared") == 2);
  sharing.world.executor.run();
  CHECK(sharing.requests() == 2);
  CHECK(sharing.world.transport.open_watches() == 1);
  for (Opened* const each : {&first, &second}) {
    CHECK(each->synced());
    CHECK(each->has_callback("update 1: 1 objects, 1 deltas"));
    CHECK(each->state() == sync::State::live);
    CHECK(each->stat("lists") == 1);
    CHECK(each->stat("watches") == 1);
    CHECK(each->stat("objects") == 1);
    CHECK(each->stat("deliveries") == 1);
  }
  sharing.event("ADDED", "two", "11");
  CHECK(first.callbacks().back() == "update 2: 2 objects, 1 deltas");
  sharing.event("ADDED", "three", "12");
  CHECK(first.callbacks().back() == "update 3: 3 objects, 1 deltas");
  // Both at once: its host was slower.
  CHECK(second.callbacks().back() == "update 2: 3 objects, 2 deltas");
  CHECK(first.stat("merged") == 0);
  CHECK(second.stat("merged") == 1);
  CHECK(first.stat("deliveries") == 3);
  CHECK(second.stat("deliveries") == 2);
  CHECK(sharing.requests() == 2);
}

TEST_CASE("one that comes later starts from the cache at once, with all that it holds as ADDED, and asks for nothing") {
  Sharing sharing;
  Opened& first = sharing.open();
  sharing.event("ADDED", "two", "11");
  first.callbacks();
  sharing.event("ADDED", "three", "12");
  const std::size_t requests = sharing.requests();

  Opened& late = sharing.open_only();
  // Before the network thread knows of it.
  REQUIRE(late.stream->latest());
  CHECK(late.stream->latest()->sequence() == 1);
  CHECK(late.stream->latest()->deltas().count() == 3);
  sharing.world.executor.run();
  CHECK(late.synced());
  CHECK(late.callbacks() == Lines{"update 1: 3 objects, 3 deltas", "state 3"});
  CHECK(
      late.call_log.count("log stream of v1/pods: all namespaces, transport http; it shares the list, watch and cache "
                          "of another stream") == 1);
  CHECK(sharing.requests() == requests);
  sharing.event("DELETED", "one", "13");
  CHECK(late.callbacks().back() == "update 2: 2 objects, 1 deltas");
  CHECK(first.callbacks().back() == "update 2: 2 objects, 2 deltas");
}

TEST_CASE("one that comes while the list is under way waits for that list") {
  Sharing sharing;
  sharing.world.transport.replies["/api/v1/pods"].goes_on = true;
  sharing.open();
  Opened& late = sharing.open();
  CHECK_FALSE(late.synced());
  CHECK(late.callbacks() == Lines{"state 2"});
  CHECK_FALSE(late.stream->latest());
  CHECK(sharing.requests() == 1);
}

TEST_CASE("errors and states reach all, also one that comes while the error lasts") {
  Sharing sharing;
  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  Opened& first = sharing.open();
  Opened& second = sharing.open();
  const std::string refused =
      "list of v1/pods at http://api:8001: the server answered 503 Service Unavailable: refused";
  CHECK(first.callbacks() == Lines{"state 1", "state 2", "state 4", "error " + refused});
  CHECK(second.callbacks() == Lines{"state 4", "error " + refused});
  CHECK(second.last_error() == refused);
  CHECK(second.state() == sync::State::waiting);
  const std::size_t requests = sharing.requests();
  sharing.world.executor.advance(sharing.config.sync.backoff_max);
  CHECK(sharing.requests() == requests + 1);
  CHECK(first.callbacks().back() == "error " + refused);
  CHECK(first.callbacks().size() == 7);
  CHECK(second.callbacks().size() == 5);

  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  sharing.world.executor.advance(sharing.config.sync.backoff_max * 2);
  for (Opened* const each : {&first, &second}) {
    CHECK(each->state() == sync::State::live);
    CHECK(each->callbacks().back() == "state 3");
    CHECK(each->last_error().empty());
    CHECK(each->has_callback("update 1: 1 objects, 1 deltas"));
  }
}

TEST_CASE("a fatal error ends all; a stream that is opened afterwards begins anew") {
  Sharing sharing;
  sharing.config.sync.reconnect = false;
  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(403);
  Opened& first = sharing.open_only();
  Opened& second = sharing.open_only();
  sharing.world.executor.run();
  // Opened after the end, but before any of the others is closed.
  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  Opened& third = sharing.open();
  for (Opened* const each : {&first, &second}) {
    CHECK(each->state() == sync::State::closed);
    CHECK(each->has_callback("error list of v1/pods"));
    CHECK(each->callbacks().back() == "destroy");
    CHECK(each->stream->wait_synced(std::nullopt) == Status::cancelled);
    CHECK(each->last_error().find("403") != std::string::npos);
  }
  CHECK(third.synced());
  CHECK(third.stat("shared") == 1);
  CHECK(third.last_error().empty());
  sharing.close(first);
  sharing.close(second);
  Opened& fourth = sharing.open();
  CHECK(fourth.stat("shared") == 2);
  CHECK(fourth.synced());
}

TEST_CASE("what came in one read with a fatal error is delivered before the end") {
  Sharing sharing;
  sharing.config.sync.reconnect = false;
  Opened& opened = sharing.open();
  opened.callbacks();
  sharing.run([&] {
    sharing.world.transport.send_to_watches(
        R"({"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"two","namespace":"a","uid":"two",)"
        R"("resourceVersion":"11"}}})"
        "\n"
        R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"failed","code":500}})"
        "\n");
  });
  CHECK(opened.has_callback("update 2: 2 objects, 1 deltas"));
  CHECK(opened.has_callback("error watch of v1/pods"));
  CHECK(opened.callbacks().back() == "destroy");
}

TEST_CASE("one that came when the fatal error was on its way gets it too") {
  Sharing sharing;
  sharing.config.sync.reconnect = false;
  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(403);
  sharing.open_only();
  std::shared_ptr<Stream> made;
  delivery::CallLog call_log;
  // It finds the other one alive, and its own task comes last.
  auto created = Stream::create(sharing.config, std::make_unique<delivery::FakeHost>(call_log), sharing.runtime,
                                ClientParts{sharing.access, "default", {}});
  REQUIRE(created);
  sharing.world.executor.run();
  (*created)->start();
  sharing.world.executor.run();
  while ((*created)->dispatch() > 0) {
  }
  const auto lines = call_log.lines();
  CHECK(std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("error list of v1/pods at http://api:8001: the server answered 403") == 0;
        }) != lines.end());
  CHECK(lines.back() == "destroy");
  CHECK((*created)->close() == Status::ok);
}

TEST_CASE("the last one out ends the watch, and what comes afterwards lists again") {
  Sharing sharing;
  Opened& first = sharing.open();
  Opened& second = sharing.open();
  Opened& third = sharing.open();
  CHECK(third.stat("shared") == 3);
  second.callbacks();
  third.callbacks();
  SUBCASE("closed") {
    sharing.close(first);
  }
  SUBCASE("cancelled") {
    first.stream->cancel();
  }
  SUBCASE("closed without waiting") {
    first.stream->close_async([] {});
  }
  sharing.world.executor.run();
  CHECK(third.stat("shared") == 2);
  sharing.event("ADDED", "two", "11");
  CHECK(second.callbacks().back() == "update 2: 2 objects, 1 deltas");
  CHECK(third.callbacks().back() == "update 2: 2 objects, 1 deltas");
  sharing.close(third);
  CHECK(sharing.world.transport.open_watches() == 1);
  CHECK(second.stat("shared") == 1);
  sharing.event("ADDED", "three", "12");
  CHECK(second.callbacks().back() == "update 3: 3 objects, 1 deltas");
  sharing.close(second);
  CHECK(sharing.world.transport.open_watches() == 0);

  const std::size_t requests = sharing.requests();
  Opened& again = sharing.open();
  CHECK(sharing.requests() == requests + 2);
  CHECK(again.stat("shared") == 1);
  CHECK(again.callbacks() == Lines{"state 1", "state 2", "update 1: 1 objects, 1 deltas", "state 1", "state 3"});
}

TEST_CASE("a stream that is cancelled is told nothing more, and what it was told last stays") {
  Sharing sharing;
  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  Opened& first = sharing.open();
  Opened& second = sharing.open();
  first.stream->cancel();
  sharing.world.executor.run();
  const std::string refused = first.last_error();
  REQUIRE_FALSE(refused.empty());
  sharing.world.transport.replies["/api/v1/pods"] = StreamFixture::pod_list("one");
  sharing.world.executor.advance(sharing.config.sync.backoff_max * 2);
  CHECK(second.state() == sync::State::live);
  CHECK(second.last_error().empty());
  CHECK(first.state() == sync::State::closed);
  CHECK(first.last_error() == refused);
  // Without a next try it would be fatal, which it was not.
  CHECK(first.stream->last_error()->next_try);
  CHECK(first.stat("next_retry_ms") == 0);
  CHECK_FALSE(first.has_callback("update"));
  CHECK(first.callbacks().back() == "destroy");
}

TEST_CASE("a stream that is cancelled shows the view as it was, whatever the others receive, until it is closed") {
  Sharing sharing;
  Opened& first = sharing.open();
  Opened& second = sharing.open();
  first.callbacks();
  sharing.event("ADDED", "two", "11");
  first.stream->cancel();
  sharing.event("ADDED", "three", "12");
  sharing.event("DELETED", "one", "13");
  CHECK(second.callbacks() == Lines{"update 1: 2 objects, 2 deltas", "state 3"});
  const delivery::SnapshotRef last = first.stream->latest();
  REQUIRE(last);
  CHECK(last->sequence() == 2);
  CHECK(last->view().count() == 2);
  CHECK(last->view().find("a", "one") != nullptr);
  CHECK(last->deltas().count() == 1);
  sharing.event("ADDED", "four", "14");
  CHECK(second.callbacks().back() == "update 2: 3 objects, 1 deltas");
  CHECK(first.stream->latest()->sequence() == 2);
  CHECK(first.stream->latest()->view().resource_version() == last->view().resource_version());
}

TEST_CASE("a stream that was cancelled before the first list is not synced by what comes after that") {
  Sharing sharing;
  Opened& first = sharing.open_only();
  Opened& second = sharing.open_only();
  while (sharing.requests() == 0) REQUIRE(sharing.world.executor.run_one(true));
  // The list is there before the engine knows of the cancel.
  first.stream->cancel();
  sharing.world.executor.run();
  CHECK(second.synced());
  CHECK_FALSE(first.stream->latest());
  CHECK(first.stream->wait_synced(Milliseconds(0)) == Status::cancelled);
}

TEST_CASE("a fatal error ends the stream, whatever there is no memory for") {
  bool failed = true;
  for (std::size_t nth = 0; failed; ++nth) {
    CAPTURE(nth);
    Sharing sharing;
    sharing.config.sync.reconnect = false;
    transport::ExchangeObserver* list = nullptr;
    sharing.world.transport.serve = [&](const transport::Request&, transport::ExchangeObserver& observer,
                                        const std::shared_ptr<const bool>&) { list = &observer; };
    Opened& opened = sharing.open();
    REQUIRE(list != nullptr);
    sharing.run([&] {
      list->on_head({403, "text/plain", "", {}});
      const FailingAllocation failing(nth);
      list->on_end(std::nullopt);
      failed = failing.has_failed();
    });
    CHECK(opened.state() == sync::State::closed);
    CHECK(opened.has_callback("error "));
    CHECK(opened.callbacks().back() == "destroy");
  }
}

TEST_CASE("what ksr_latest had no memory to show is delivered all the same") {
  bool failed = true;
  for (std::size_t nth = 0; failed; ++nth) {
    CAPTURE(nth);
    Sharing sharing;
    Opened& opened = sharing.open();
    opened.callbacks();
    sharing.event("ADDED", "two", "11");
    CHECK(opened.stream->latest()->view().count() == 2);
    sharing.event("ADDED", "three", "12");
    {
      const FailingAllocation failing(nth);
      try {
        (void)opened.stream->latest();
      } catch (const std::bad_alloc&) {
      }
      failed = failing.has_failed();
    }
    CHECK(opened.callbacks().back().find(": 3 objects") != std::string::npos);
  }
}

TEST_CASE("a watch that takes over from another one needs no memory to say so") {
  bool failed = true;
  for (std::size_t nth = 0; failed; ++nth) {
    CAPTURE(nth);
    Sharing sharing;
    std::vector<transport::ExchangeObserver*> sent;
    sharing.world.transport.serve = [&](const transport::Request&, transport::ExchangeObserver& observer,
                                        const std::shared_ptr<const bool>&) { sent.push_back(&observer); };
    Opened& opened = sharing.open();
    REQUIRE(sent.size() == 1);
    sharing.run([&] {
      sent[0]->on_head({200, "application/json", "", {}});
      sent[0]->on_body(StreamFixture::pod_list("one").body);
      sent[0]->on_end(std::nullopt);
    });
    REQUIRE(sent.size() == 2);
    const transport::ResponseHead head{200, "application/json", "", {}};
    sharing.run([&] { sent[1]->on_head(head); });
    sharing.world.executor.advance(*sharing.config.sync.watch_timeout - std::chrono::seconds(5));
    // A probe that nobody has answered, and the successor.
    REQUIRE(sent.size() == 4);
    sharing.run([&] {
      const FailingAllocation failing(nth);
      sent[3]->on_head(head);
      failed = failing.has_failed();
    });
    CHECK(opened.synced());
  }
}

TEST_CASE("the last stream that is cancelled ends the requests without memory, also while it is not closed") {
  bool failed = true;
  for (std::size_t nth = 0; failed; ++nth) {
    CAPTURE(nth);
    Sharing sharing;
    Opened& opened = sharing.open();
    REQUIRE(sharing.world.transport.open_watches() == 1);
    opened.stream->cancel();
    {
      const FailingAllocation failing(nth);
      REQUIRE(sharing.world.executor.run_one(false));
      failed = failing.has_failed();
    }
    sharing.world.executor.run();
    CHECK(sharing.world.transport.open_watches() == 0);
    const std::size_t requests = sharing.requests();
    sharing.world.executor.advance(std::chrono::hours(1));
    CHECK(sharing.requests() == requests);
  }
}

TEST_CASE("a stream that could not be opened, or was never started, leaves the others as they are") {
  Sharing sharing;
  Opened& first = sharing.open();
  Config wrong = sharing.config;
  wrong.fields.index = {3};
  delivery::CallLog call_log;
  CHECK_FALSE(Stream::create(wrong, std::make_unique<delivery::FakeHost>(call_log), sharing.runtime,
                             ClientParts{sharing.access, "default", {}}));
  CHECK(call_log.lines() == Lines{"destroy"});
  {
    auto never = Stream::create(sharing.config, std::make_unique<delivery::FakeHost>(call_log), sharing.runtime,
                                ClientParts{sharing.access, "default", {}});
    REQUIRE(never);
    CHECK(first.stat("shared") == 2);
    (*never)->abandon();
  }
  sharing.world.executor.run();
  CHECK(first.stat("shared") == 1);
  CHECK(first.state() == sync::State::live);
  CHECK(sharing.world.transport.open_watches() == 1);
  // And the other way round: the one that found it is what starts it.
  sharing.close(first);
  auto never = Stream::create(sharing.config, std::make_unique<delivery::FakeHost>(call_log), sharing.runtime,
                              ClientParts{sharing.access, "default", {}});
  Opened& second = sharing.open_only();
  (*never)->abandon();
  never->reset();
  sharing.world.executor.run();
  CHECK(second.synced());
  CHECK(second.has_callback("update 1"));
}

TEST_CASE("share=false: a list and watch of its own, whatever the others do") {
  Sharing sharing;
  sharing.open();
  Config own = sharing.config;
  own.share = false;
  Opened& second = sharing.open(own);
  Opened& third = sharing.open(own);
  CHECK(sharing.requests() == 6);
  CHECK(second.stat("shared") == 1);
  CHECK(third.stat("shared") == 1);
  Opened& fourth = sharing.open();
  CHECK(sharing.requests() == 6);
  CHECK(fourth.stat("shared") == 2);
}

TEST_CASE("streams over another connection share nothing: another token, another file, another user") {
  Sharing sharing;
  sharing.world.files.write("token", "secret-of-the-file");
  sharing.world.files.write("other", "secret-of-the-file");
  std::vector<std::shared_ptr<cluster::Access>> accesses{sharing.access};
  const auto add = [&](const std::string& key, const std::string& value, const std::string& user = "") {
    CAPTURE(key);
    Config config = sharing.config;
    REQUIRE(set_key(config, key, value));
    if (!user.empty()) REQUIRE(set_key(config, "impersonate_user", user));
    auto opened = sharing.world.open(config.connection);
    REQUIRE(opened);
    accesses.push_back(*opened);
  };
  add("token", "secret-of-one-user");
  add("token", "secret-of-another");
  add("token_file", sharing.world.files.path("token"));
  add("token_file", sharing.world.files.path("other"));
  add("username", "jane");
  add("impersonate_user", "jane");
  add("impersonate_groups", "admins", "jane");
  add("header.X-Tenant", "a");
  add("server", "http://other:8001");
  add("tls_server_name", "other");
  add("proxy_url", "http://proxy:3128");
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    sharing.access = accesses[i];
    Opened& opened = sharing.open();
    CAPTURE(i);
    CHECK(opened.stat("shared") == 1);
    CHECK(sharing.requests() == 2 * (i + 1));
  }
  // The same source again.
  Config config = sharing.config;
  REQUIRE(set_key(config, "token", "secret-of-one-user"));
  sharing.access = sharing.world.open(config.connection).value();
  CHECK(sharing.open().stat("shared") == 2);
  CHECK(sharing.requests() == 2 * accesses.size());
}

TEST_CASE("every query and sync key decides what can be shared, and no delivery key does") {
  StreamFixture fixture;
  const std::map<std::string, const char*> others{{"resource", "v1/nodes"},
                                                  {"namespace", "b"},
                                                  {"label_selector", "a=b"},
                                                  {"field_selector", "a=b"},
                                                  {"limit", "7"},
                                                  {"shard", "0/4"},
                                                  {"metadata_only", "true"},
                                                  {"managed_fields", "keep"},
                                                  {"page_size", "7"},
                                                  {"keep_fields", "/status/phase"},
                                                  {"drop_fields", "/status/phase"},
                                                  {"columns", "/status/phase"},
                                                  {"index", "0"},
                                                  {"notify", "columns"},
                                                  {"transport", "websocket"},
                                                  {"encoding", "json"},
                                                  {"initial", "watchlist"},
                                                  {"reconnect", "false"},
                                                  {"backoff_initial", "7ms"},
                                                  {"backoff_max", "77s"},
                                                  {"watch_timeout", "77s"},
                                                  {"initial_timeout", "77s"},
                                                  {"max_view_bytes", "77Ki"},
                                                  {"max_object_size", "77Ki"},
                                                  {"request_timeout", "77s"}};
  const std::string standard = sharing_key(fixture.config, *fixture.access);
  std::size_t found = 0;
  for (const ConfigKey& key : config_keys()) {
    const std::string name = key.name;
    CAPTURE(name);
    Config config = fixture.config;
    const auto other = others.find(name);
    if (other != others.end()) {
      ++found;
      REQUIRE(set_key(config, name, other->second));
      CHECK(sharing_key(config, *fixture.access) != standard);
    } else if (name == "delivery" || name == "min_interval" || name == "share") {
      REQUIRE(set_key(config, name, name == "delivery" ? "manual" : name == "share" ? "false" : "7ms"));
      CHECK(sharing_key(config, *fixture.access) == standard);
    } else {
      // Of the connection: part of the Access.
      CHECK(key.scope == ConfigKey::Scope::client);
    }
  }
  CHECK(found == others.size());
}

TEST_CASE("configurations that read alike are not the same") {
  StreamFixture fixture;
  const auto key = [&](const std::vector<std::pair<const char*, const char*>>& settings) {
    Config config = fixture.config;
    for (const auto& [name, value] : settings) REQUIRE(set_key(config, name, value));
    return sharing_key(config, *fixture.access);
  };
  CHECK(key({{"namespace", "a,b"}}) == key({{"namespace", "b,a"}}));
  CHECK(key({{"resource", "v1/pods,v1/nodes"}}) != key({{"resource", "v1/nodes,v1/pods"}}));
  CHECK(key({{"namespace", "@context"}}) != key({}));
  CHECK(key({{"label_selector", "x"}}) != key({{"field_selector", "x"}}));
  CHECK(key({{"keep_fields", "/a/*"}}) != key({{"keep_fields", "/a/b"}}));
  CHECK(key({{"keep_fields", "/a /b"}}) != key({{"keep_fields", "/a/b"}}));
  CHECK(key({{"keep_fields", "/a"}}) != key({{"columns", "/a"}}));
  CHECK(key({{"columns", "/a /b"}, {"index", "0"}}) != key({{"columns", "/a /b"}, {"index", "1"}}));
  // Said, and by default.
  CHECK(key({{"page_size", "0"}, {"notify", "all"}, {"limit", "0"}}) == key({}));
}

TEST_CASE("informers are found, and left, from several threads at once") {
  Sharing sharing;
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> most{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        delivery::CallLog call_log;
        auto stream = Stream::create(sharing.config, std::make_unique<delivery::FakeHost>(call_log), sharing.runtime,
                                     ClientParts{sharing.access, "default", {}});
        (*stream)->start();
        const std::uint64_t shared = (*stream)->statistic("shared").value();
        if (shared > most) most = shared;
        if (n % 2 == 0) (*stream)->cancel();
        if ((*stream)->close() != Status::ok) most = 1'000;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= 4);
  sharing.world.executor.run();
  CHECK(sharing.world.transport.open_watches() == 0);
  CHECK(sharing.open().stat("shared") == 1);
}
