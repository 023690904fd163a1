// ksr_wait_until: on the caller's thread, with every delivery, and never beyond the end of the stream.
#include <atomic>
#include <thread>

#include "server/cases/on_server.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

struct Wanted {
  const char* name;
  std::thread::id thread = std::this_thread::get_id();
  std::atomic<int> tests{0};
  bool elsewhere = false;
};

int named_pod_is_there(const ksr_snapshot* snapshot, void* user_data) {
  auto& wanted = *static_cast<Wanted*>(user_data);
  wanted.elsewhere = wanted.elsewhere || std::this_thread::get_id() != wanted.thread;
  ++wanted.tests;
  return ksr_snapshot_find(snapshot, "default", wanted.name) != nullptr ? 1 : 0;
}

int named_pod_is_gone(const ksr_snapshot* snapshot, void* user_data) {
  return named_pod_is_there(snapshot, user_data) == 1 ? 0 : 1;
}

int always(const ksr_snapshot*, void*) {
  return 1;
}

int throws(const ksr_snapshot*, void*) {
  throw std::runtime_error("a host in C++");
}

int closes(const ksr_snapshot*, void* user_data) {
  ksr_close(static_cast<ksr_stream*>(user_data));
  return 0;
}

}  // namespace

TEST_CASE("wait_until: what is there, what comes, what goes; in each delivery, on the thread of the caller") {
  on_both_transports([](const std::string& transport) {
    for (const char* delivery : {"thread", "manual"}) {
      CAPTURE(delivery);
      ApiServer server(with_token());
      server.script("populate pods 5");
      Recorder seen;
      REQUIRE(seen.open(with(on_server(server, transport), "delivery", delivery)) == KSR_OK);
      Wanted there{"pod-3"};
      CHECK(ksr_wait_until(seen.stream(), named_pod_is_there, &there, kWaitLimitMs) == KSR_OK);
      Wanted missing{"new"};
      CHECK(ksr_wait_until(seen.stream(), named_pod_is_there, &missing, 0) == KSR_E_TIMEOUT);
      CHECK(ksr_wait_until(seen.stream(), named_pod_is_there, &missing, 30) == KSR_E_TIMEOUT);
      CHECK(missing.tests == 2);
      std::thread changing(
          [&] { server.script("wait watches pods 1\ncreate pods new\nsleep 20ms\ndelete pods pod-3"); });
      CHECK(ksr_wait_until(seen.stream(), named_pod_is_there, &missing, -1) == KSR_OK);
      CHECK(ksr_wait_until(seen.stream(), named_pod_is_gone, &there, -1) == KSR_OK);
      changing.join();
      CHECK_FALSE((there.elsewhere || missing.elsewhere));
      if (std::string(delivery) == "manual") CHECK(seen.updates() == 0);
      CHECK(seen.close() == KSR_OK);
      CHECK(seen.violations().empty());
    }
  });
}

TEST_CASE("wait_until needs no callback, and on a stream of a client nothing is dispatched for it") {
  ApiServer server(with_token());
  server.script("populate pods 5");
  ksr_config* config = nullptr;
  REQUIRE(ksr_config_new(&config) == KSR_OK);
  for (const auto& [key, value] : on_server(server, "http")) {
    REQUIRE(ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK);
  }
  REQUIRE(ksr_config_set(config, "delivery", "manual", nullptr) == KSR_OK);
  ksr_client* client = nullptr;
  REQUIRE(ksr_client_open(config, nullptr, nullptr, &client, nullptr) == KSR_OK);
  ksr_config_free(config);
  REQUIRE(ksr_config_new(&config) == KSR_OK);
  REQUIRE(ksr_config_set(config, "resource", "v1/pods", nullptr) == KSR_OK);
  ksr_stream* stream = nullptr;
  REQUIRE(ksr_client_stream(client, config, nullptr, nullptr, &stream, nullptr) == KSR_OK);
  ksr_config_free(config);
  Wanted wanted{"new"};
  std::thread changing([&] { server.script("wait watches pods 1\nupdate pods pod-1\ncreate pods new"); });
  CHECK(ksr_wait_until(stream, named_pod_is_there, &wanted, kWaitLimitMs) == KSR_OK);
  changing.join();
  std::thread closing([&] {
    while (wanted.tests > 0) std::this_thread::yield();
    CHECK(ksr_client_close(client) == KSR_OK);
  });
  wanted.name = "never";
  // Reset behind the wait's back: the closer begins once the first test of this wait has run.
  const auto never = [](const ksr_snapshot*, void* user_data) {
    static_cast<Wanted*>(user_data)->tests = 0;
    return 0;
  };
  CHECK(ksr_wait_until(stream, never, &wanted, -1) == KSR_E_CANCELLED);
  closing.join();
  CHECK(ksr_wait_until(stream, always, nullptr, -1) == KSR_E_INVALID);
}

TEST_CASE("wait_until ends with the stream: cancelled, closed elsewhere or by its test, failed for good") {
  ApiServer server(with_token());
  server.script("populate pods 3");
  for (const char* end : {"cancel", "close", "test"}) {
    CAPTURE(end);
    Recorder seen;
    REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
    ksr_stream* const stream = seen.stream();
    Wanted wanted{"never"};
    if (std::string(end) == "test") {
      CHECK(ksr_wait_until(stream, closes, stream, -1) == KSR_E_CANCELLED);
    } else {
      std::thread ending([&] {
        while (wanted.tests == 0) std::this_thread::yield();
        std::string(end) == "cancel" ? ksr_cancel(stream) : (void)ksr_close(stream);
      });
      CHECK(ksr_wait_until(stream, named_pod_is_there, &wanted, -1) == KSR_E_CANCELLED);
      ending.join();
    }
    if (std::string(end) == "cancel") {
      CHECK(ksr_wait_until(stream, always, nullptr, 0) == KSR_OK);
      CHECK(seen.close() == KSR_OK);
    } else {
      seen.forget();
    }
    CHECK(ksr_wait_until(stream, always, nullptr, -1) == KSR_E_INVALID);
  }
  Recorder refused;
  REQUIRE(refused.open(with(on_server(server, "http"), "token", "wrong")) == KSR_OK);
  CHECK(ksr_wait_until(refused.stream(), always, nullptr, 20) == KSR_E_TIMEOUT);
  Recorder failed;
  REQUIRE(failed.open(with(with(on_server(server, "http"), "token", "wrong"), "reconnect", "false")) == KSR_OK);
  CHECK(ksr_wait_until(failed.stream(), always, nullptr, -1) == KSR_E_CANCELLED);
  ksr_error* const why = ksr_last_error(failed.stream());
  CHECK(ksr_error_code(why) == KSR_E_AUTH);
  ksr_error_free(why);
}

TEST_CASE("wait_until: wrong arguments, and a test that throws") {
  ApiServer server(with_token());
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
  CHECK(ksr_wait_until(nullptr, always, nullptr, 0) == KSR_E_INVALID);
  CHECK(ksr_wait_until(seen.stream(), nullptr, nullptr, 0) == KSR_E_INVALID);
  CHECK(ksr_wait_until(seen.stream(), throws, nullptr, -1) == KSR_E_INTERNAL);
  CHECK(ksr_wait_until(seen.stream(), always, nullptr, -1) == KSR_OK);
}

TEST_CASE("wait_until inside a callback waits on, and ends when another thread closes the stream") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    server.script("populate pods 3");
    Recorder seen;
    Wanted wanted{"never"};
    std::atomic<ksr_status> waited{KSR_OK};
    seen.during_update = [&](ksr_stream* stream, const ksr_snapshot*) {
      waited = ksr_wait_until(stream, named_pod_is_there, &wanted, -1);
    };
    REQUIRE(seen.open(with(on_server(server, "http"), "delivery", delivery)) == KSR_OK);
    REQUIRE(ksr_wait_synced(seen.stream(), kWaitLimitMs) == KSR_OK);
    std::thread dispatching([&] {
      for (int i = 0; std::string(delivery) == "manual" && wanted.tests == 0 && i < kWaitLimitMs; ++i) {
        ksr_dispatch(seen.stream());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    while (wanted.tests == 0) std::this_thread::yield();
    CHECK(seen.close() == KSR_OK);
    dispatching.join();
    CHECK(waited == KSR_E_CANCELLED);
  }
}
