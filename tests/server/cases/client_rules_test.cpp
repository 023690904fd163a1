// The rules of clients and requests (CONTRIBUTING.md, ABI rules), each with a case that fails when it is broken.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "server/cases/on_server.hpp"
#include "support/requester.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

// A host of one client and its requests.
class ClientHost {
 public:
  explicit ClientHost(const Settings& settings) {
    ksr_config* config = nullptr;
    REQUIRE(ksr_config_new(&config) == KSR_OK);
    for (const auto& [key, value] : settings) {
      REQUIRE(ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK);
    }
    ksr_config_on_log(config, [](std::int32_t, const char*, std::size_t, void* self) {
      static_cast<ClientHost*>(self)->within([] {});
    });
    const ksr_status opened = ksr_client_open(config, this, on_client_destroy, &client, nullptr);
    ksr_config_free(config);
    REQUIRE(opened == KSR_OK);
  }
  ~ClientHost() { close(); }
  ClientHost(const ClientHost&) = delete;
  ClientHost& operator=(const ClientHost&) = delete;

  void close() {
    if (client != nullptr) CHECK(ksr_client_close(client) == KSR_OK);
    client = nullptr;
  }

  ksr_request* open(const Settings& settings, ksr_status expected = KSR_OK) {
    const Params params(settings);
    ksr_params_on_response(params.get(), on_response);
    ksr_request* request = nullptr;
    CHECK(ksr_request_open(client, params.get(), this, on_request_destroy, &request, nullptr) == expected);
    return request;
  }

  bool wait(const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, ksr::testing::kWaitLimit, condition);
  }
  // For the conditions of wait(), or after close().
  std::size_t answers = 0;
  std::size_t requests_destroyed = 0;
  std::size_t clients_destroyed = 0;
  std::size_t overlaps = 0;
  std::size_t both_or_none = 0;
  std::set<std::thread::id> threads;
  std::thread::id destroyed_on;  // of the last request
  std::vector<Answer> seen;

  ksr_client* client = nullptr;
  // Inside on_response, before it is counted.
  std::function<void(ksr_request*)> during_response;

 private:
  // `counter` is counted last: the host may be gone once it is.
  void within(const std::function<void()>& body, std::size_t ClientHost::*counter = nullptr) {
    const bool alone = inside_.fetch_add(1) == 0;
    body();
    inside_.fetch_sub(1);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!alone) ++overlaps;
    threads.insert(std::this_thread::get_id());
    if (counter != nullptr) ++(this->*counter);
    changed_.notify_all();
  }
  static void on_response(ksr_request* request, const ksr_response* response, const ksr_error* error, void* self) {
    auto& host = *static_cast<ClientHost*>(self);
    host.within([&] {
      CHECK(ksr_in_callback() == 1);
      if (host.during_response) host.during_response(request);
      const std::lock_guard<std::mutex> lock(host.mutex_);
      ++host.answers;
      if ((response == nullptr) == (error == nullptr)) ++host.both_or_none;
      host.seen.push_back(answer_of(response, error));
    });
  }
  static void on_request_destroy(void* self) {
    auto& host = *static_cast<ClientHost*>(self);
    host.within([&] { host.destroyed_on = std::this_thread::get_id(); }, &ClientHost::requests_destroyed);
  }
  static void on_client_destroy(void* self) {
    auto& host = *static_cast<ClientHost*>(self);
    host.within([] {}, &ClientHost::clients_destroyed);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> inside_{0};
};

const Settings kGet{{"resource", "v1/configmaps"}, {"namespace", "default"}, {"name", "a"}};

}  // namespace

TEST_CASE("callbacks of a client never overlap, on one thread, each answer once, each destroy once") {
  ApiServer server(with_token());
  server.script("create configmaps a");
  ClientHost host(client_of(server, "thread"));
  std::vector<ksr_request*> requests;
  for (int i = 0; i < 100; ++i) requests.push_back(host.open(kGet));
  CHECK(host.wait([&] { return host.answers == 100 && host.requests_destroyed == 100; }));
  // Handles live on after the answer, and are never the same.
  CHECK(std::set<ksr_request*>(requests.begin(), requests.end()).size() == 100);
  for (ksr_request* request : requests) {
    const ksr_response* response = nullptr;
    CHECK(ksr_request_wait(request, 0, &response, nullptr) == KSR_OK);
    CHECK(ksr_response_http_status(response) == 200);
    ksr_response_release(response);
    CHECK(ksr_request_close(request) == KSR_OK);
    CHECK(ksr_request_close(request) == KSR_E_INVALID);
    CHECK(ksr_request_wait(request, 0, nullptr, nullptr) == KSR_E_INVALID);
  }
  host.close();
  CHECK(host.overlaps == 0);
  CHECK(host.both_or_none == 0);
  CHECK(host.threads.size() == 1);
  CHECK(host.answers == 100);
  CHECK(host.requests_destroyed == 100);
  CHECK(host.clients_destroyed == 1);
}

TEST_CASE("delivery=manual: one descriptor, no callback but inside dispatch and close") {
  ApiServer server(with_token());
  server.script("create configmaps a");
  ClientHost host(client_of(server, "manual"));
  CHECK(ksr_client_fd(host.client) >= 0);
  ksr_request* first = host.open(kGet);
  ksr_request* second = host.open(kGet);
  // Nothing needs to be dispatched for it.
  CHECK(ksr_request_wait(first, 20'000, nullptr, nullptr) == KSR_OK);
  CHECK(ksr_request_wait(second, 20'000, nullptr, nullptr) == KSR_OK);
  CHECK(host.answers == 0);
  CHECK(dispatch_until(host.client, [&] { return host.answers == 2; }));
  CHECK(host.requests_destroyed == 2);
  CHECK(host.threads == std::set<std::thread::id>{std::this_thread::get_id()});
  ksr_request* third = host.open(kGet);
  CHECK(ksr_request_wait(third, 20'000, nullptr, nullptr) == KSR_OK);
  CHECK(ksr_request_close(third) == KSR_OK);
  CHECK(host.requests_destroyed == 3);
  CHECK(host.answers == 2);  // close cancels
  host.open(kGet);
  host.close();
  CHECK(host.requests_destroyed == 4);
  CHECK(host.clients_destroyed == 1);
  CHECK(host.overlaps == 0);
}

TEST_CASE("the answer is the same for all who wait, in callbacks too") {
  ApiServer server(with_token());
  ClientHost host(client_of(server, "thread"));
  std::atomic<int> same{0};
  host.during_response = [&](ksr_request* request) {
    ksr_error* error = nullptr;
    if (ksr_request_wait(request, 10'000, nullptr, &error) == KSR_E_NOT_FOUND && ksr_error_http_status(error) == 404) {
      ++same;
    }
    ksr_error_free(error);
    // A whole call inside a callback of the same client.
    const Settings healthz{{"path", "/healthz"}};
    const Params params(healthz);
    if (ksr_call(host.client, params.get(), nullptr, nullptr) == KSR_OK) ++same;
  };
  ksr_request* request = host.open(kGet);
  std::vector<std::thread> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back([&] {
      if (ksr_request_wait(request, -1, nullptr, nullptr) == KSR_E_NOT_FOUND) ++same;
    });
  }
  for (std::thread& thread : waiting) thread.join();
  CHECK(host.wait([&] { return host.requests_destroyed == 1; }));
  CHECK(same == 6);
}

TEST_CASE("after cancel no on_response starts, destroy does, and who waits is told") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    server.script("fault get configmaps stall bytes=0 times=forever");
    ClientHost host(client_of(server, delivery));
    ksr_request* request = host.open(kGet);
    CHECK(ksr_request_wait(request, 50, nullptr, nullptr) == KSR_E_TIMEOUT);
    ksr_request_cancel(request);
    ksr_request_cancel(request);
    ksr_error* error = nullptr;
    CHECK(ksr_request_wait(request, -1, nullptr, &error) == KSR_E_CANCELLED);
    CHECK(ksr_error_maybe_done(error) == 0);
    ksr_error_free(error);
    CHECK(ksr_request_close(request) == KSR_OK);
    CHECK(host.requests_destroyed == 1);
    host.open(kGet);
    ksr_client_cancel(host.client);
    const Params params(kGet);
    CHECK(ksr_call(host.client, params.get(), nullptr, nullptr) == KSR_E_CANCELLED);
    host.open(kGet, KSR_E_CANCELLED);
    host.close();
    CHECK(host.requests_destroyed == 3);  // also of the one that was not opened
    CHECK(host.answers == 0);
  }
}

TEST_CASE("closing inside a callback: only without waiting") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    ClientHost host(client_of(server, delivery));
    std::atomic<int> refused{0};
    host.during_response = [&](ksr_request* request) {
      if (ksr_request_close(request) == KSR_E_WOULD_DEADLOCK) ++refused;
      if (ksr_client_close(host.client) == KSR_E_WOULD_DEADLOCK) ++refused;
      ksr_request_close_async(request);
      ksr_client_close_async(host.client);
    };
    ksr_request* request = host.open(kGet);
    if (std::string(delivery) == "thread") {
      CHECK(host.wait([&] { return host.clients_destroyed == 1; }));
    } else {
      CHECK(ksr_request_wait(request, 20'000, nullptr, nullptr) == KSR_E_NOT_FOUND);
      CHECK(dispatch_until(host.client, [&] { return host.clients_destroyed == 1; }));
    }
    host.client = nullptr;
    CHECK(refused == 2);
    CHECK(host.requests_destroyed == 1);
    CHECK(host.overlaps == 0);
  }
}

TEST_CASE("closing a client closes its requests, never waits for the network, and responses outlive it") {
  for (const char* delivery : {"thread", "manual"}) {
    CAPTURE(delivery);
    ApiServer server(with_token());
    server.script("create configmaps a\nfault get configmaps stall bytes=0 times=forever skip=1");
    ClientHost host(client_of(server, delivery));
    const ksr_response* kept = nullptr;
    CHECK(ksr_request_wait(host.open(kGet), 20'000, &kept, nullptr) == KSR_OK);
    std::vector<ksr_request*> requests;
    for (int i = 0; i < 10; ++i) requests.push_back(host.open(kGet));
    host.close();
    CHECK(host.requests_destroyed == 11);
    CHECK(host.clients_destroyed == 1);
    CHECK(host.overlaps == 0);
    for (ksr_request* request : requests) CHECK(ksr_request_close(request) == KSR_E_INVALID);
    CHECK(ksr_client_close(host.client) == KSR_OK);  // NULL
    std::size_t length = 0;
    CHECK(ksr_object_field(ksr_response_object(kept), KSR_FIELD_NAME, &length) == std::string("a"));
    CHECK(*ksr_response_header(kept, "content-TYPE", nullptr) == 'a');
    CHECK(ksr_response_header(kept, "x-none", &length) == nullptr);
    ksr_response_release(kept);
  }
}

TEST_CASE("destroy runs when opening fails, on the calling thread") {
  ApiServer server(with_token());
  ClientHost host(client_of(server, "thread"));
  host.open({{"verb", "create"}, {"resource", "v1/pods"}}, KSR_E_INVALID);
  CHECK(host.requests_destroyed == 1);
  CHECK(host.destroyed_on == std::this_thread::get_id());
  int destroyed = 0;
  const auto count = [](void* counter) { ++*static_cast<int*>(counter); };
  ksr_client* client = nullptr;
  ksr_config* config = nullptr;
  REQUIRE(ksr_config_new(&config) == KSR_OK);
  CHECK(ksr_config_set(config, "kubeconfig", "/does/not/exist", nullptr) == KSR_OK);
  ksr_error* error = nullptr;
  CHECK(ksr_client_open(config, &destroyed, count, &client, &error) == KSR_E_INVALID);
  CHECK(ksr_error_code(error) == KSR_E_INVALID);
  ksr_error_free(error);
  ksr_config_free(config);
  CHECK(client == nullptr);
  CHECK(destroyed == 1);
  CHECK(ksr_client_open(nullptr, &destroyed, count, &client, nullptr) == KSR_E_INVALID);
  CHECK(ksr_request_open(nullptr, nullptr, &destroyed, count, nullptr, nullptr) == KSR_E_INVALID);
  CHECK(destroyed == 3);
}

TEST_CASE("a callback that blocks stalls its client, not another one, nor the network") {
  ApiServer server(with_token());
  server.script("create configmaps a");
  ClientHost slow(client_of(server, "thread"));
  ClientHost quick(client_of(server, "thread"));
  std::atomic<bool> go_on{false};
  slow.during_response = [&](ksr_request*) {
    while (!go_on) std::this_thread::yield();
  };
  slow.open(kGet);
  ksr_request* second = slow.open(kGet);
  CHECK(ksr_request_wait(second, 20'000, nullptr, nullptr) == KSR_OK);
  quick.open(kGet);
  CHECK(quick.wait([&] { return quick.answers == 1; }));
  CHECK(slow.answers == 0);
  go_on = true;
  CHECK(slow.wait([&] { return slow.answers == 2; }));
}

TEST_CASE("ksr_client_dispatch counts calls of callbacks that the host has, and no others") {
  ApiServer server(with_token());
  server.script("create configmaps a");
  const Requester requester(client_of(server, "manual"));
  const Params params(kGet);
  int answers = 0;
  ksr_params_on_response(params.get(), [](ksr_request*, const ksr_response*, const ksr_error*, void* counted) {
    ++*static_cast<int*>(counted);
  });
  ksr_request* request = nullptr;
  REQUIRE(ksr_request_open(requester.client(), params.get(), &answers, nullptr, &request, nullptr) == KSR_OK);
  ksr_request_cancel(request);
  CHECK(ksr_client_dispatch(requester.client()) == 0);
  CHECK(answers == 0);
  CHECK(ksr_request_close(request) == KSR_OK);
  REQUIRE(ksr_request_open(requester.client(), params.get(), &answers, nullptr, &request, nullptr) == KSR_OK);
  REQUIRE(ksr_request_wait(request, ksr::testing::kWaitLimitMs, nullptr, nullptr) == KSR_OK);
  std::int64_t made = 0;
  const auto end = std::chrono::steady_clock::now() + ksr::testing::kWaitLimit;
  while (answers == 0 && std::chrono::steady_clock::now() < end) made += ksr_client_dispatch(requester.client());
  CHECK(answers == 1);
  CHECK(made == 1);
  CHECK(ksr_request_close(request) == KSR_OK);
}

TEST_CASE("what is NULL or no handle is refused, and does not crash") {
  const ksr_response* response = nullptr;
  ksr_error* error = nullptr;
  CHECK(ksr_call(nullptr, nullptr, &response, &error) == KSR_E_INVALID);
  ksr_error_free(error);
  CHECK(ksr_request_wait(nullptr, 0, &response, nullptr) == KSR_E_INVALID);
  ksr_request_cancel(nullptr);
  ksr_request_close_async(nullptr);
  ksr_client_cancel(nullptr);
  ksr_client_close_async(nullptr);
  CHECK(ksr_request_close(nullptr) == KSR_OK);
  CHECK(ksr_client_close(nullptr) == KSR_OK);
  CHECK(ksr_client_fd(nullptr) == -1);
  CHECK(ksr_client_dispatch(nullptr) == KSR_E_INVALID);
  CHECK(ksr_client_stat(nullptr, "requests", nullptr) == KSR_E_INVALID);
  CHECK(ksr_response_retain(nullptr) == nullptr);
  ksr_response_release(nullptr);
  std::size_t length = 7;
  CHECK(static_cast<const char*>(ksr_response_body(nullptr, &length)) == std::string());
  CHECK(length == 0);
  CHECK(ksr_response_object(nullptr) == nullptr);
  CHECK(ksr_response_warning(nullptr, 0, nullptr) == nullptr);
  CHECK(ksr_error_details(nullptr, nullptr) == std::string());
  CHECK(ksr_error_maybe_done(nullptr) == 0);
  ksr_params_free(nullptr);
  ksr_params_on_response(nullptr, nullptr);
  CHECK(ksr_params_set(nullptr, "a", "b", nullptr) == KSR_E_INVALID);
  CHECK(ksr_has_feature("requests") == 1);
}
