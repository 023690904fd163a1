// The streams of a client: over its connection, in its delivery, closed with it.
#include <poll.h>

#include <atomic>
#include <filesystem>
#include <list>
#include <set>
#include <thread>

#include "server/cases/on_server.hpp"
#include "support/requester.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

Settings pods() {
  return {{"resource", "v1/pods"}, {"backoff_initial", "20ms"}, {"backoff_max", "200ms"}};
}

std::size_t threads_of_the_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// What delivery waits with: epoll and eventfd. Sockets come and go by themselves, those of the server's side too.
std::size_t descriptors_to_wait_with() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone).string().rfind("anon_inode:", 0) == 0) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("fifty streams of a client have one thread, and are views as any other") {
  ApiServer server(with_token());
  server.script("create pods a\ncreate pods b");
  const Requester requester(client_of(server, "thread"));
  // The network thread and the client's own are there from now on.
  REQUIRE(requester.call({{"path", "/healthz"}}).status == KSR_OK);
  const std::size_t threads = threads_of_the_process();
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  std::mutex mutex;
  std::set<std::thread::id> used;
  std::list<Recorder> streams(50);
  for (Recorder& stream : streams) {
    stream.during_update = [&](ksr_stream*, const ksr_snapshot*) {
      if (inside.fetch_add(1) > 0) ++overlaps;
      CHECK(ksr_in_callback() == 1);
      {
        const std::lock_guard<std::mutex> lock(mutex);
        used.insert(std::this_thread::get_id());
      }
      std::this_thread::yield();
      inside.fetch_sub(1);
    };
    REQUIRE(stream.open(pods(), requester.client()) == KSR_OK);
  }
  for (const Recorder& stream : streams) {
    CHECK(ksr_wait_synced(stream.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
    CHECK(ksr_fd(stream.stream()) == -1);
    CHECK(ksr_dispatch(stream.stream()) == KSR_E_INVALID);
  }
  CHECK(threads_of_the_process() <= threads);
  CHECK(requester.stat("open_streams") == 50);
  server.script("create pods c\nupdate pods a\ndelete pods b");
  for (const Recorder& stream : streams) check_equals_server(stream, server);
  CHECK(overlaps == 0);
  CHECK(used.size() == 1);
  for (Recorder& stream : streams) CHECK(stream.close() == KSR_OK);
  CHECK(requester.stat("open_streams") == 0);
  for (const Recorder& stream : streams) {
    CHECK(stream.destroyed() == 1);
    CHECK(stream.states().back() == KSR_STATE_CLOSED);
    CHECK(stream.violations() == std::vector<std::string>{});
  }
}

TEST_CASE("delivery=manual: the descriptor of a stream is that of its client") {
  ApiServer server(with_token());
  server.script("create pods a");
  const Requester requester(client_of(server, "manual"));
  Recorder first;
  Recorder second;
  REQUIRE(first.open(pods(), requester.client()) == KSR_OK);
  const std::size_t descriptors = descriptors_to_wait_with();
  CHECK(descriptors >= 2);
  REQUIRE(second.open({{"resource", "v1/configmaps"}}, requester.client()) == KSR_OK);
  CHECK(ksr_fd(first.stream()) == ksr_client_fd(requester.client()));
  CHECK(ksr_fd(second.stream()) == ksr_client_fd(requester.client()));
  CHECK(descriptors_to_wait_with() <= descriptors);
  CHECK(ksr_wait_synced(first.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
  CHECK(ksr_wait_synced(second.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
  CHECK(first.updates() == 0);
  CHECK(dispatch_until(requester.client(), [&] { return first.updates() > 0 && second.updates() > 0; }));
  server.script("create pods b");
  // Dispatching one stream is dispatching the client.
  const auto end = std::chrono::steady_clock::now() + ksr::testing::kWaitLimit;
  while (first.count() != 2 && std::chrono::steady_clock::now() < end) {
    pollfd entry{ksr_fd(second.stream()), POLLIN, 0};
    poll(&entry, 1, 100);
    CHECK(ksr_dispatch(second.stream()) >= 0);
  }
  CHECK(first.count() == 2);
  CHECK(first.close() == KSR_OK);
  CHECK(first.destroyed() == 1);
  ksr_stream* const open = second.stream();
  second.forget();
  ksr_close_async(open);
  CHECK(second.destroyed() == 1);
  CHECK(ksr_close(open) == KSR_E_INVALID);
  CHECK(first.violations() == std::vector<std::string>{});
}

TEST_CASE("what belongs to the client is refused in a stream of it, and destroy runs") {
  ApiServer server(with_token());
  const Requester requester(client_of(server, "thread"));
  for (const auto& [key, value] : Settings{{"server", server.url()},
                                           {"token", "x"},
                                           {"kubeconfig", ""},
                                           {"header.X-A", "b"},
                                           {"impersonate_extra.a", "b"},
                                           {"headlamp_url", "http://127.0.0.1:1"},
                                           {"request_timeout", "30s"},
                                           {"insecure_skip_tls_verify", "false"},
                                           {"delivery", "thread"},
                                           {"min_interval", "0"},
                                           {"max_object_size", "64Mi"}}) {
    CAPTURE(key);
    Recorder stream;
    Settings settings = pods();
    settings.emplace_back(key, value);
    CHECK(stream.open(settings, requester.client()) == KSR_E_INVALID);
    CHECK(stream.open_error().find("config key " + key.substr(0, key.find('.'))) == 0);
    CHECK(stream.destroyed() == 1);
    CHECK(stream.states().empty());
  }
  Recorder nothing;
  CHECK(nothing.open({{"limit", "5"}}, requester.client()) == KSR_E_INVALID);
  CHECK(nothing.open_error().find("resource") != std::string::npos);
  CHECK(nothing.destroyed() == 1);
  CHECK(requester.stat("open_streams") == 0);
  int destroyed = 0;
  const auto count = [](void* counter) { ++*static_cast<int*>(counter); };
  ksr_stream* stream = nullptr;
  CHECK(ksr_client_stream(nullptr, nullptr, &destroyed, count, &stream, nullptr) == KSR_E_INVALID);
  CHECK(destroyed == 1);
  CHECK(stream == nullptr);
}

TEST_CASE("closing a client closes its streams first, also those that ended by themselves") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    server.script("create pods a\nfault list configmaps answer 403 times=forever");
    auto requester = std::make_unique<Requester>(client_of(server, delivery));
    std::list<Recorder> streams(5);
    for (Recorder& stream : streams) REQUIRE(stream.open(pods(), requester->client()) == KSR_OK);
    Recorder refused;
    REQUIRE(refused.open({{"resource", "v1/configmaps"}, {"initial", "list"}, {"reconnect", "false"}},
                         requester->client()) == KSR_OK);
    CHECK(ksr_wait_synced(refused.stream(), ksr::testing::kWaitLimitMs) == KSR_E_CANCELLED);
    CHECK(ksr_wait_synced(streams.front().stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
    std::vector<ksr_stream*> handles{refused.stream()};
    for (const Recorder& stream : streams) handles.push_back(stream.stream());
    requester.reset();
    for (Recorder& stream : streams) {
      stream.forget();
      CHECK(stream.destroyed() == 1);
      CHECK(stream.states().back() == KSR_STATE_CLOSED);
    }
    refused.forget();
    CHECK(refused.destroyed() == 1);
    for (ksr_stream* handle : handles) {
      CHECK(ksr_close(handle) == KSR_E_INVALID);
      CHECK(ksr_latest(handle) == nullptr);
    }
  }
}

TEST_CASE("inside a callback of the client no stream of it can be closed but without waiting") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    server.script("create pods a");
    const Requester requester(client_of(server, delivery));
    Recorder first;
    Recorder second;
    std::atomic<int> refused{0};
    second.during_update = [&](ksr_stream* self, const ksr_snapshot*) {
      if (refused > 0) return;
      if (ksr_close(self) == KSR_E_WOULD_DEADLOCK) ++refused;
      if (ksr_close(first.stream()) == KSR_E_WOULD_DEADLOCK) ++refused;
      if (ksr_client_close(requester.client()) == KSR_E_WOULD_DEADLOCK) ++refused;
      ksr_close_async(first.stream());
      ksr_close_async(self);
    };
    REQUIRE(first.open(pods(), requester.client()) == KSR_OK);
    REQUIRE(ksr_wait_synced(first.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
    REQUIRE(second.open(pods(), requester.client()) == KSR_OK);
    // A stream is open until its destroy has returned.
    const auto over = [&] {
      return first.destroyed() == 1 && second.destroyed() == 1 && requester.stat("open_streams") == 0;
    };
    if (std::string(delivery) == "manual") {
      CHECK(dispatch_until(requester.client(), over));
    } else {
      CHECK(second.wait([&](const Recorder&) { return over(); }));
    }
    first.forget();
    second.forget();
    CHECK(refused == 3);
    CHECK(requester.stat("open_streams") == 0);
    CHECK(first.violations() == std::vector<std::string>{});
  }
}

TEST_CASE("after ksr_client_cancel streams end, and none can be opened") {
  ApiServer server(with_token());
  const Requester requester(client_of(server, "thread"));
  Recorder stream;
  REQUIRE(stream.open(pods(), requester.client()) == KSR_OK);
  ksr_client_cancel(requester.client());
  CHECK(stream.wait_state(KSR_STATE_CLOSED));
  Recorder late;
  CHECK(late.open(pods(), requester.client()) == KSR_E_CANCELLED);
  CHECK(late.destroyed() == 1);
  CHECK(stream.close() == KSR_OK);
}

TEST_CASE("request_timeout of a client is that of its streams") {
  ApiServer server(with_token());
  server.script("fault list pods stall bytes=0 times=forever");
  Settings settings = client_of(server, "thread");
  settings.emplace_back("request_timeout", "250ms");
  const Requester requester(settings);
  Recorder stream;
  REQUIRE(stream.open(pods(), requester.client()) == KSR_OK);
  CHECK(stream.wait_error(KSR_E_TIMEOUT));
  REQUIRE_FALSE(stream.errors().empty());
  CHECK(stream.errors().front().message.find("nothing received for 250 ms") != std::string::npos);
  CHECK(stream.close() == KSR_OK);
}

TEST_CASE("min_interval of a client is that of its streams") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    server.script("create pods a");
    Settings settings = client_of(server, delivery);
    settings.emplace_back("min_interval", "1h");
    const Requester requester(settings);
    Recorder stream;
    REQUIRE(stream.open(pods(), requester.client()) == KSR_OK);
    const bool manual = std::string(delivery) == "manual";
    const auto wait = [&](const std::function<bool()>& condition) {
      return manual ? dispatch_until(requester.client(), condition)
                    : stream.wait([&](const Recorder&) { return condition(); });
    };
    CHECK(wait([&] { return stream.updates() == 1; }));
    server.script("create pods b");
    // It is there, but not told within the hour, while other callbacks are.
    CHECK(wait([&] {
      const ksr_snapshot* latest = ksr_latest(stream.stream());
      const std::size_t count = ksr_snapshot_count(latest);
      ksr_snapshot_release(latest);
      return count == 2;
    }));
    Recorder other;
    REQUIRE(other.open(pods(), requester.client()) == KSR_OK);
    CHECK(wait([&] { return other.updates() == 1; }));
    if (manual) {
      // Nothing is due: the descriptor becomes quiet.
      pollfd entry{ksr_client_fd(requester.client()), POLLIN, 0};
      int tries = 0;
      while (poll(&entry, 1, 50) != 0 && ++tries < 400) ksr_client_dispatch(requester.client());
      CHECK(tries < 400);
    }
    CHECK(stream.updates() == 1);
    CHECK(stream.close() == KSR_OK);
    CHECK(other.close() == KSR_OK);
  }
}

TEST_CASE("a client that is closed while threads open streams: each of them ends, and close returns") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    for (int round = 0; round < 10; ++round) {
      const Requester requester(client_of(server, delivery));
      std::atomic<int> opened{0};
      std::atomic<int> destroyed{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
          ksr_config* config = nullptr;
          ksr_config_new(&config);
          ksr_config_set(config, "resource", "v1/pods", nullptr);
          for (int n = 0; n < 12; ++n) {
            ksr_stream* stream = nullptr;
            const ksr_status status = ksr_client_stream(
                requester.client(), config, &destroyed, [](void* count) { ++*static_cast<std::atomic<int>*>(count); },
                &stream, nullptr);
            // A stream that was opened, and one that was not, are destroyed once.
            if (status == KSR_OK || status == KSR_E_CANCELLED || status == KSR_E_INVALID) ++opened;
          }
          ksr_config_free(config);
        });
      }
      if (round % 2 == 0) {
        for (std::thread& thread : threads) thread.join();
        threads.clear();
      }
      CHECK(ksr_client_close(requester.client()) == KSR_OK);
      for (std::thread& thread : threads) thread.join();
      CHECK(opened == 96);
      CHECK(destroyed == 96);
    }
  }
}

TEST_CASE("a callback that blocks delays the client's other streams, not what they receive") {
  ApiServer server(with_token());
  server.script("create pods a");
  const Requester requester(client_of(server, "thread"));
  std::atomic<bool> go_on{false};
  std::atomic<bool> blocked{false};
  Recorder slow;
  slow.during_update = [&](ksr_stream*, const ksr_snapshot*) {
    blocked = true;
    while (!go_on) std::this_thread::yield();
  };
  REQUIRE(slow.open(pods(), requester.client()) == KSR_OK);
  CHECK(slow.wait([&](const Recorder&) { return blocked.load(); }));
  Recorder quick;
  REQUIRE(quick.open(pods(), requester.client()) == KSR_OK);
  CHECK(ksr_wait_synced(quick.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
  server.script("create pods b\ncreate pods c");
  CHECK(quick.wait([&](const Recorder& seen) { return seen.stat("objects") == 3; }));
  CHECK(quick.updates() == 0);
  go_on = true;
  CHECK(quick.wait_count(3));
  CHECK(quick.close() == KSR_OK);
  CHECK(slow.close() == KSR_OK);
}
