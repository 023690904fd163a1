// The rules of behaviour that ksr.h and the design promise, each with its number. Rule 8, which leaves the host process
// as it is, is tested in tests/host.
#include <atomic>
#include <thread>

#include "server/cases/on_server.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

struct ConfigFree {
  void operator()(ksr_config* config) const { ksr_config_free(config); }
};

std::unique_ptr<ksr_config, ConfigFree> config_of(const Settings& settings) {
  ksr_config* config = nullptr;
  REQUIRE(ksr_config_new(&config) == KSR_OK);
  for (const auto& [key, value] : settings) {
    REQUIRE(ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK);
  }
  return std::unique_ptr<ksr_config, ConfigFree>(config);
}

void count_destroy(void* counter) {
  ++*static_cast<std::atomic<int>*>(counter);
}

}  // namespace

TEST_CASE("rule 1: open copies the config, which may open many and be freed, and never waits for the network") {
  ApiServer server(with_token());
  server.script("populate pods 3\nfault any * stall times=1");
  std::atomic<int> destroyed{0};
  ksr_stream* streams[3] = {};
  {
    const auto config = config_of(on_server(server, "http"));
    for (ksr_stream*& stream : streams) {
      REQUIRE(ksr_open(config.get(), &destroyed, count_destroy, &stream, nullptr) == KSR_OK);
      ksr_config_set(config.get(), "resource", "v1/nodes", nullptr);
      ksr_config_set(config.get(), "resource", "v1/pods", nullptr);
    }
  }
  int synced = 0;
  for (ksr_stream* stream : streams) synced += ksr_wait_synced(stream, 5'000) == KSR_OK ? 1 : 0;
  CHECK(synced >= 2);
  for (ksr_stream* stream : streams) CHECK(ksr_close(stream) == KSR_OK);
  CHECK(destroyed == 3);
}

TEST_CASE("rule 1: destroy runs exactly once before a failing open returns, and only the error is stored") {
  const std::pair<const char*, const char*> bad[] = {{"server", "ftp://x"},
                                                     {"ca_file", "/does/not/exist"},
                                                     {"client_cert_data", "no pem"},
                                                     {"resource", "no/such/thing/at/all"}};
  for (const auto& [key, value] : bad) {
    CAPTURE(key);
    Settings settings{{"server", "https://127.0.0.1:1"}, {"resource", "v1/pods"}};
    settings.emplace_back(key, value);
    const auto config = config_of(settings);
    std::atomic<int> destroyed{0};
    auto* const untouched = reinterpret_cast<ksr_stream*>(std::uintptr_t{0x10});
    ksr_stream* stream = untouched;
    ksr_error* error = nullptr;
    const ksr_status opened = ksr_open(config.get(), &destroyed, count_destroy, &stream, &error);
    if (opened == KSR_OK) {  // what needs the network is an on_error instead
      CHECK(std::string(key) == "resource");
      CHECK(ksr_close(stream) == KSR_OK);
    } else {
      CHECK(opened == KSR_E_INVALID);
      CHECK(stream == untouched);
      REQUIRE(error != nullptr);
      CHECK(ksr_error_code(error) == opened);
      CHECK(std::string(ksr_error_message(error, nullptr)).find(key) != std::string::npos);
      ksr_error_free(error);
    }
    CHECK(destroyed == 1);
  }
  std::atomic<int> destroyed{0};
  CHECK(ksr_open(nullptr, &destroyed, count_destroy, nullptr, nullptr) == KSR_E_INVALID);
  CHECK(destroyed == 1);
}

TEST_CASE(
    "rule 2: a host that blocks costs nothing: the socket is read, changes are merged, callbacks do not overlap") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 10");
    Recorder seen;
    std::atomic<bool> go{false};
    seen.during_update = [&](ksr_stream*, const ksr_snapshot*) {
      while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(ksr_wait_synced(seen.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
    server.script("wait watches pods 1");
    for (int i = 0; i < 200; ++i) server.script("update pods default/pod-" + std::to_string(i % 10));
    CHECK(seen.wait([](const Recorder& now) { return now.stat("events") == 200; }));
    CHECK(seen.updates() == 0);
    const ksr_snapshot* latest = ksr_latest(seen.stream());
    CHECK(contents_of(latest) == server.contents("pods"));
    ksr_snapshot_release(latest);
    go = true;
    check_equals_server(seen, server);
    CHECK(seen.updates() <= 3);
    CHECK(seen.stat("merged") > 100);
  });
}

TEST_CASE("rule 3: the first snapshot is the complete list, and a retained one stays unchanged after its stream") {
  ApiServer server(with_token());
  server.script("populate pods 1000\nfault list pods cut bytes=5000 skip=2");
  const ksr_snapshot* kept = nullptr;
  {
    Recorder seen;
    seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
      if (kept == nullptr) kept = ksr_snapshot_retain(snapshot);
    };
    REQUIRE(seen.open(with(on_server(server, "http"), "page_size", "100")) == KSR_OK);
    REQUIRE(seen.wait_count(1'000));
    CHECK_FALSE(seen.errors().empty());
    server.script("delete pods pod-0");
    CHECK(seen.wait_count(999));
    CHECK(seen.violations().empty());
  }
  REQUIRE(ksr_snapshot_count(kept) == 1'000);
  CHECK(ksr_snapshot_sequence(kept) == 1);
  CHECK(ksr_snapshot_delta_count(kept) == 1'000);
  const ksr_object* object = ksr_object_retain(ksr_snapshot_find(kept, "default", "pod-0"));
  CHECK(ksr_snapshot_find_uid(kept, ksr_object_field(object, KSR_FIELD_UID, nullptr)) == object);
  ksr_snapshot_release(kept);
  CHECK(field(object, KSR_FIELD_NAME) == "pod-0");
  CHECK(get(object, "/metadata/name") == "\"pod-0\"");
  ksr_object_release(object);
}

TEST_CASE("rule 3: with a limit the most recent of all, most recent first, on whichever page they were") {
  ApiServer server(with_token());
  std::string lines;
  for (int i = 0; i < 30; ++i) {
    lines += "create events event-" + std::to_string(100 - i) + R"( {"lastTimestamp":"2026-01-01T00:00:)" +
             std::to_string(10 + i) + "Z\"}\n";
  }
  server.script(lines);
  on_both_transports([&](const std::string& transport) {
    Recorder seen;
    REQUIRE(seen.open(with(with(on_server(server, transport, "v1/events"), "limit", "3"), "page_size", "7")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.names() == std::vector<std::string>{"event-71", "event-72", "event-73"});
    server.script("delete events event-71");
    CHECK(seen.wait_name("event-74"));
    CHECK(seen.names() == std::vector<std::string>{"event-72", "event-73", "event-74"});
    server.script(R"(create events event-71 {"lastTimestamp":"2026-01-01T00:00:39Z"})");
    CHECK(seen.wait_name("event-71"));
    CHECK(seen.violations().empty());
    CHECK(seen.stat("objects") == 30);
  });
}

TEST_CASE(
    "rule 3: with a limit the deltas are those of the N most recent; the others are held, and come back as ADDED") {
  const auto created = [](const char* name, const char* time) {
    return std::string("create pods default/") + name + R"( {"metadata":{"creationTimestamp":")" + time + R"("}})";
  };
  ApiServer server(with_token());
  server.script(created("old", "2026-01-01T00:00:00Z"));
  Recorder seen;
  REQUIRE(seen.open(with(on_server(server, "http"), "limit", "1")) == KSR_OK);
  REQUIRE(seen.wait_name("old"));
  server.script(created("new", "2026-01-02T00:00:00Z"));
  REQUIRE(seen.wait_name("new"));
  CHECK(seen.names() == std::vector<std::string>{"new"});
  CHECK(seen.stat("objects") == 2);
  server.script("delete pods default/new");
  REQUIRE(seen.wait_name("old"));
  std::vector<std::pair<ksr_delta, std::string>> told;
  for (const SeenDelta& delta : seen.deltas()) told.emplace_back(delta.kind, delta.name);
  CHECK(told == std::vector<std::pair<ksr_delta, std::string>>{{KSR_DELTA_ADDED, "old"},
                                                               {KSR_DELTA_DELETED, "old"},
                                                               {KSR_DELTA_ADDED, "new"},
                                                               {KSR_DELTA_DELETED, "new"},
                                                               {KSR_DELTA_ADDED, "old"}});
  CHECK(seen.violations().empty());
}

TEST_CASE("rule 4: an object reads the same from a list and from a watch") {
  on_both_transports([](const std::string& transport) {
    for (const char* resource : {"v1/pods", "example.ksr.dev/v1/widgets"}) {
      CAPTURE(resource);
      ApiServer server(with_token());
      const std::string type = std::string(resource) == "v1/pods" ? "pods" : "widgets";
      server.script("create " + type + " listed");
      std::map<std::string, std::string> texts;
      Recorder seen;
      seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
        for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
          const ksr_object* object = ksr_snapshot_at(snapshot, i);
          texts[field(object, KSR_FIELD_NAME)] = get(object, "/kind") + get(object, "/apiVersion");
        }
      };
      REQUIRE(seen.open(on_server(server, transport, resource)) == KSR_OK);
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      server.script("create " + type + " watched");
      REQUIRE(seen.wait_name("watched"));
      CHECK(seen.close() == KSR_OK);
      CHECK_FALSE(texts["listed"].empty());
      CHECK(texts["listed"] == texts["watched"]);
    }
  });
}

TEST_CASE("rule 5: a replaced object is DELETED and ADDED; after a relist the deltas are the difference") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 5");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    const std::size_t before = seen.deltas().size();
    // The watch misses all of it, and its version is compacted when it is opened again.
    server.script(
        "fault watch pods answer 410\ndrop connections\ndelete pods pod-0\ncreate pods pod-0\nupdate pods pod-1\n"
        "delete pods pod-2\ncreate pods new\ncompact");
    check_equals_server(seen, server);
    std::map<std::string, std::string> kinds;
    for (std::size_t i = before; i < seen.deltas().size(); ++i) {
      const SeenDelta delta = seen.deltas()[i];
      kinds[delta.name] += "?AMD"[delta.kind];
    }
    CHECK(kinds == std::map<std::string, std::string>{{"pod-0", "DA"}, {"pod-1", "M"}, {"pod-2", "D"}, {"new", "A"}});
    CHECK(seen.stat("relists") >= 1);
  });
}

TEST_CASE("rule 6: cancel stops updates and errors at any point; close waits for the callback, not for the network") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3");
    Recorder seen;
    seen.during_update = [&](ksr_stream* stream, const ksr_snapshot*) {
      ksr_cancel(stream);
      CHECK(ksr_close(stream) == KSR_E_WOULD_DEADLOCK);
      ksr_cancel(stream);
    };
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait([](const Recorder& now) { return now.destroyed() == 1; }));
    CHECK(seen.updates() == 1);
    CHECK(seen.states().back() == KSR_STATE_CLOSED);
    ksr_stream* const closed = seen.stream();
    CHECK(seen.close() == KSR_OK);
    CHECK(ksr_close(closed) == KSR_E_INVALID);
    CHECK(ksr_latest(closed) == nullptr);
    CHECK(ksr_wait_synced(closed, 0) == KSR_E_INVALID);
    ksr_cancel(closed);
    ksr_close_async(closed);
    CHECK(seen.violations().empty());
  });
}

TEST_CASE("rule 6: close while connecting, listing, watching and waiting returns, in whatever state the server is") {
  on_both_transports([](const std::string& transport) {
    for (const char* script :
         {"fault any * stall times=forever", "fault list pods stall bytes=300", "fault watch pods stall bytes=1",
          "fault list pods answer 503 times=forever", "sleep 1ms"}) {
      CAPTURE(script);
      ApiServer server(with_token());
      server.script(std::string("populate pods 50\n") + script);
      Recorder seen;
      REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
      seen.wait([](const Recorder& now) { return now.updates() > 0 || !now.errors().empty(); },
                std::chrono::milliseconds(100));
      CHECK(seen.close() == KSR_OK);
      CHECK(seen.destroyed() == 1);
      CHECK(seen.violations().empty());
    }
  });
}

TEST_CASE("rule 6: close_async inside a callback") {
  ApiServer server(with_token());
  server.script("populate pods 3");
  Recorder seen;
  seen.during_update = [](ksr_stream* stream, const ksr_snapshot*) { ksr_close_async(stream); };
  REQUIRE(seen.open(on_server(server, "auto")) == KSR_OK);
  ksr_stream* const stream = seen.stream();
  REQUIRE(seen.wait([](const Recorder& now) { return now.destroyed() == 1; }));
  seen.forget();
  for (int i = 0; i < 1'000 && ksr_wait_synced(stream, 0) != KSR_E_INVALID; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(ksr_wait_synced(stream, 0) == KSR_E_INVALID);
  CHECK(seen.violations().empty());
}

TEST_CASE("rule 7: errors are information with the time to the next attempt; the stream recovers by itself") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script(
        "populate pods 3\nfault list pods answer 503 retry-after=0 times=2\nfault watch pods answer 500 times=2");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    check_equals_server(seen, server);
    CHECK(seen.errors().size() >= 3);
    for (const SeenError& error : seen.errors()) {
      CHECK(error.retry_ms >= 0);
      CHECK(error.http_status >= 500);
      CHECK(error.message.find("pods") != std::string::npos);
    }
  });
}

TEST_CASE("rule 7: with reconnect=false the first failure is fatal: an error without a next attempt, CLOSED, destroy") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3");
    Recorder seen;
    REQUIRE(seen.open(with(on_server(server, transport), "reconnect", "false")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script("fault any * answer 500 times=forever\ndrop connections reset");
    REQUIRE(seen.wait([](const Recorder& now) { return now.destroyed() == 1; }));
    CHECK(seen.errors().back().retry_ms == -1);
    CHECK(seen.states().back() == KSR_STATE_CLOSED);
    CHECK(seen.close() == KSR_OK);
    CHECK(seen.violations().empty());
  });
}

TEST_CASE("rule 7: ksr_last_error says what keeps a stream from being LIVE, and nothing once it is") {
  CHECK(ksr_last_error(nullptr) == nullptr);
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3\ndeny admin list pods");
    Recorder seen;
    std::atomic<int> told{0};
    seen.during_error = [&](ksr_stream* stream, const ksr_error* error) {
      // What on_error is given is there already.
      ksr_error* last = ksr_last_error(stream);
      if (last != nullptr && ksr_error_code(last) == ksr_error_code(error)) ++told;
      ksr_error_free(last);
    };
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    CHECK(ksr_wait_synced(seen.stream(), 0) == KSR_E_TIMEOUT);
    REQUIRE(seen.wait_error(KSR_E_FORBIDDEN));
    CHECK(told == 1);
    ksr_error* last = ksr_last_error(seen.stream());
    REQUIRE(last != nullptr);
    CHECK(ksr_error_code(last) == KSR_E_FORBIDDEN);
    CHECK(ksr_error_http_status(last) == 403);
    CHECK(std::string(ksr_error_reason(last, nullptr)) == "Forbidden");
    CHECK(std::string(ksr_error_message(last, nullptr)) == seen.errors().back().message);
    CHECK(ksr_error_retry_ms(last) > 0);
    CHECK(ksr_error_retry_ms(last) <= seen.errors().back().retry_ms);
    ksr_cancel(seen.stream());
    ksr_error* after_cancel = ksr_last_error(seen.stream());
    CHECK(ksr_error_code(after_cancel) == KSR_E_FORBIDDEN);
    ksr_error_free(after_cancel);
    ksr_stream* const stream = seen.stream();
    CHECK(seen.close() == KSR_OK);
    CHECK(ksr_last_error(stream) == nullptr);
    // The copy is the caller's.
    CHECK(ksr_error_code(last) == KSR_E_FORBIDDEN);
    ksr_error_free(last);

    server.script("allow\nfault list pods answer 503 retry-after=0 times=2");
    Recorder recovered;
    std::atomic<bool> gone{false};
    recovered.during_state = [&](ksr_stream* live, ksr_state state) {
      if (state != KSR_STATE_LIVE) return;
      ksr_error* none = ksr_last_error(live);
      gone = none == nullptr;
      ksr_error_free(none);
    };
    REQUIRE(recovered.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(recovered.wait_state(KSR_STATE_LIVE));
    CHECK(recovered.errors().size() >= 1);
    CHECK(gone);
  });
}

TEST_CASE("rule 7: ksr_last_error has the words of on_error, also where a server repeats what it was sent") {
  ApiServer server(with_token());
  server.script("fault list pods answer 500 body=no-entry-for-" + std::string(kTestToken) +
                " type=text/plain times=forever");
  Recorder seen;
  REQUIRE(seen.open(with(with(on_server(server, "http"), "backoff_max", "30s"), "backoff_initial", "30s")) == KSR_OK);
  REQUIRE(seen.wait_error(KSR_E_SERVER));
  ksr_error* last = ksr_last_error(seen.stream());
  REQUIRE(last != nullptr);
  CHECK(std::string(ksr_error_message(last, nullptr)) == seen.errors().back().message);
  ksr_error_free(last);
}

TEST_CASE("rule 7: ksr_last_error on many threads while the stream fails and recovers") {
  ApiServer server(with_token());
  server.script("populate pods 3\nfault list pods answer 503 retry-after=0 times=20\nevery 20ms drop connections");
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
  std::atomic<bool> over{false};
  std::atomic<int> errors{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&, stream = seen.stream()] {
      while (!over) {
        ksr_error* last = ksr_last_error(stream);
        if (last != nullptr && ksr_error_message(last, nullptr)[0] != '\0') ++errors;
        ksr_error_free(last);
        std::this_thread::yield();
      }
    });
  }
  CHECK(seen.wait_state(KSR_STATE_LIVE));
  CHECK(seen.wait([](const Recorder& now) { return now.errors().size() >= 8; }));
  CHECK(seen.close() == KSR_OK);
  over = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(errors > 0);
}

TEST_CASE("on_log says what a healthy stream does, over which transport, and what a refused one was answered") {
  for (const bool websocket : {true, false}) {
    ApiServer server(with_token());
    server.script("populate pods 3");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, websocket ? "websocket" : "http")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    const std::string at = " of v1/pods at " + server.url() + ": ";
    const auto logged = [&seen](const std::string& text) {
      return seen.wait([&](const Recorder& now) {
        for (const std::string& line : now.log()) {
          if (line.find(text) != std::string::npos) return true;
        }
        return false;
      });
    };
    CHECK(logged("connection from the configuration keys: server " + server.url() + ", credentials: token"));
    CHECK(logged("stream of v1/pods: all namespaces, transport " + std::string(websocket ? "websocket" : "http")));
    CHECK(logged("list" + at + "3 objects at resourceVersion "));
    CHECK(logged("watch" + at + "opened over " + (websocket ? "WebSocket" : "HTTP") + " from resourceVersion "));
    server.script("drop connections");
    CHECK(logged("watch" + at + "broken after "));
    server.script("revoke " + std::string(kTestToken) + "\ndrop connections");
    CHECK(logged("watch" + at + "the server answered 401"));
  }
}

TEST_CASE("rule 9: no secret in a log line, an error or the build info") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("revoke " + std::string(kTestToken) + "\ntoken other");
    Recorder seen;
    Settings settings = with(on_server(server, transport), "header.X-Secret", "s3cret-header");
    settings = with(with(settings, "proxy_url", "http://user:s3cret-proxy@127.0.0.1:1"), "connect_timeout", "2s");
    REQUIRE(seen.open(settings) == KSR_OK);
    CHECK(seen.wait([](const Recorder& now) { return !now.errors().empty(); }));
    Recorder refused;
    settings = on_server(server, transport);
    settings[1] = {"username", "a-user"};
    REQUIRE(refused.open(with(settings, "password", "s3cret-password")) == KSR_OK);
    CHECK(refused.wait_error(KSR_E_AUTH));
    for (const Recorder* recorder : {&seen, &refused}) {
      for (const SeenError& error : recorder->errors()) CHECK(error.message.find("s3cret") == std::string::npos);
      for (const std::string& line : recorder->log()) CHECK(line.find("s3cret") == std::string::npos);
    }
    CHECK(std::string(ksr_build_info()).find("s3cret") == std::string::npos);
  });
}

TEST_CASE("close ends the work before it waits for a callback, for however long that runs") {
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    ApiServer server(with_token());
    server.script("populate pods 3");
    Recorder seen;
    std::atomic<bool> inside{false};
    std::atomic<bool> over{false};
    const auto until_over = [&](ksr_stream* stream) {
      if (inside.exchange(true)) return;
      const auto limit = std::chrono::steady_clock::now() + kWaitLimit;
      std::uint64_t state = 0;
      while (state != KSR_STATE_CLOSED && std::chrono::steady_clock::now() < limit) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ksr_stat(stream, "state", &state);
      }
      over = state == KSR_STATE_CLOSED;
    };
    if (fails) {
      server.script("fault list pods answer 503 times=forever");
      seen.during_error = [&](ksr_stream* stream, const ksr_error*) { until_over(stream); };
    } else {
      seen.during_update = [&](ksr_stream* stream, const ksr_snapshot*) { until_over(stream); };
    }
    REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
    while (!inside) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(seen.close() == KSR_OK);
    CHECK(over);
    CHECK(seen.violations().empty());
  }
}
