// Random scenarios of one client: requests, streams, calls, cancels and closes from several threads and from inside
// callbacks, in both delivery modes. What must hold whatever happens: callbacks never overlap, an answer comes exactly
// once, destroy runs once, nothing follows a cancel, and nothing at all the close of the client.
#include <poll.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server/cases/on_server.hpp"
#include "support/requester.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

constexpr int kScenarios = 200;
constexpr int kStepsOfAThread = 12;
constexpr int kThreads = 3;

class Scenario;

// A request or stream of the scenario.
struct Item {
  Scenario* scenario = nullptr;
  ksr_request* request = nullptr;
  ksr_stream* stream = nullptr;
  std::atomic<bool> opened{false};
  bool wants_answer = false;  // it has an on_response
  // Somebody has begun to cancel or close it: no answer is owed any more.
  std::atomic<bool> ending{false};
  // A cancel inside a callback has returned, or a close anywhere: nothing may start.
  std::atomic<bool> silent{false};
  std::atomic<int> answers{0};
  std::atomic<int> closed{0};
  std::atomic<int> destroyed{0};
};

class Scenario {
 public:
  Scenario(const ApiServer& server, unsigned seed) : seed_(seed), manual_(seed % 2 == 1) {
    ksr_config* config = nullptr;
    REQUIRE(ksr_config_new(&config) == KSR_OK);
    for (const auto& [key, value] :
         Settings{{"server", server.url()}, {"token", kTestToken}, {"delivery", manual_ ? "manual" : "thread"}}) {
      REQUIRE(ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK);
    }
    if (seed % 3 == 0) {
      ksr_config_on_log(config, [](std::int32_t, const char*, std::size_t, void* self) {
        static_cast<Scenario*>(self)->within([] {});
      });
    }
    const ksr_status opened = ksr_client_open(config, this, on_client_destroy, &client_, nullptr);
    ksr_config_free(config);
    REQUIRE(opened == KSR_OK);
  }
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  void run() {
    std::atomic<bool> stop{false};
    std::thread dispatcher;
    if (manual_) {
      dispatcher = std::thread([&] {
        while (!stop) {
          pollfd entry{ksr_client_fd(client_), POLLIN, 0};
          poll(&entry, 1, 1);
          ksr_client_dispatch(client_);
        }
      });
    }
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([this, i] {
        std::mt19937 random(seed_ * kThreads + i);
        for (int step = 0; step < kStepsOfAThread; ++step) this->step(random, false);
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::mt19937 random(seed_);
    if (random() % 4 != 0) wait_for_answers(random);
    end(random, stop);
    if (dispatcher.joinable()) dispatcher.join();
    over_ = true;
    check();
  }

 private:
  template <class Body>
  void within(Body&& body) {
    if (inside_.fetch_add(1) != 0) violated("callbacks overlap");
    if (over_) violated("a callback after the end of the client");
    if (clients_destroyed_ != 0) violated("a callback after the client's destroy");
    body();
    inside_.fetch_sub(1);
  }

  void step(std::mt19937& random, bool in_callback) {
    switch (random() % (in_callback ? 8 : 10)) {
      case 0:
      case 1:
      case 2:
        return open_request(random);
      case 3:
        return open_stream(random);
      case 4:
        return cancel(pick(random), in_callback);
      case 5:
        return close_async(pick(random), in_callback);
      case 6:
        return wait(pick(random), random() % 5);
      case 7:
        return call(random);
      case 8:
        return close(pick(random));
      default:
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    }
  }

  std::shared_ptr<Item> add() {
    auto item = std::make_shared<Item>();
    item->scenario = this;
    const std::lock_guard<std::mutex> lock(mutex_);
    items_.push_back(item);
    return item;
  }
  // One that is open; empty: there is none.
  std::shared_ptr<Item> pick(std::mt19937& random) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (items_.empty()) return nullptr;
    auto item = items_[random() % items_.size()];
    return item->opened ? item : nullptr;
  }

  Settings random_request(std::mt19937& random, std::string& body) {
    switch (random() % 6) {
      case 0:
        return {{"resource", "v1/configmaps"}, {"namespace", "default"}, {"name", "none"}};
      case 1:
        return {{"verb", "list"}, {"resource", "v1/pods"}};
      case 2:
        // Answered by nobody until it is cancelled.
        return {{"resource", "v1/secrets"}, {"namespace", "default"}, {"name", "stalled"}, {"timeout", "20s"}};
      case 3:
        body = R"({"metadata":{"generateName":"g-"}})";
        return {{"verb", "create"}, {"resource", "v1/configmaps"}, {"namespace", "default"}};
      case 4:
        return {{"path", "/healthz"}, {"timeout", random() % 2 == 0 ? "1ms" : "20s"}};
      default:
        return {{"resource", "v1/pods"}, {"namespace", "default"}, {"name", "a"}};
    }
  }

  void open_request(std::mt19937& random) {
    const auto item = add();
    std::string body;
    const Settings settings = random_request(random, body);
    const Params params(settings, body);
    item->wants_answer = random() % 5 != 0;
    if (item->wants_answer) ksr_params_on_response(params.get(), on_response);
    const ksr_status opened =
        ksr_request_open(client_, params.get(), item.get(), on_item_destroy, &item->request, nullptr);
    if (opened == KSR_OK) {
      item->opened = true;
    } else if (item->destroyed != 1) {
      violated("a request that could not be opened was not destroyed");
    }
  }

  void open_stream(std::mt19937& random) {
    const auto item = add();
    ksr_config* config = nullptr;
    REQUIRE(ksr_config_new(&config) == KSR_OK);
    ksr_config_set(config, "resource", random() % 2 == 0 ? "v1/pods" : "v1/configmaps", nullptr);
    ksr_config_set(config, "backoff_initial", "5ms", nullptr);
    ksr_config_set(config, "transport", random() % 2 == 0 ? "http" : "websocket", nullptr);
    ksr_config_on_update(config, on_update);
    ksr_config_on_error(config, on_error);
    ksr_config_on_state(config, on_state);
    const ksr_status opened = ksr_client_stream(client_, config, item.get(), on_item_destroy, &item->stream, nullptr);
    ksr_config_free(config);
    if (opened == KSR_OK) {
      item->opened = true;
    } else if (item->destroyed != 1) {
      violated("a stream that could not be opened was not destroyed");
    }
  }

  static void cancel(const std::shared_ptr<Item>& item, bool in_callback) {
    if (!item) return;
    item->ending = true;
    if (item->request != nullptr) ksr_request_cancel(item->request);
    if (item->stream != nullptr) ksr_cancel(item->stream);
    if (in_callback) item->silent = true;
  }

  static void close_async(const std::shared_ptr<Item>& item, bool in_callback) {
    if (!item) return;
    item->ending = true;
    if (item->request != nullptr) ksr_request_close_async(item->request);
    if (item->stream != nullptr) ksr_close_async(item->stream);
    if (in_callback) item->silent = true;
  }

  void close(const std::shared_ptr<Item>& item) {
    if (!item) return;
    item->ending = true;
    const ksr_status closed = item->request != nullptr ? ksr_request_close(item->request) : ksr_close(item->stream);
    if (closed == KSR_OK) {
      item->silent = true;
      if (item->destroyed != 1) violated("closed, but not destroyed");
    } else if (closed != KSR_E_INVALID) {
      // Another thread was first.
      violated("close: " + std::to_string(closed));
    }
  }

  void wait(const std::shared_ptr<Item>& item, std::int64_t milliseconds) {
    if (!item) return;
    if (item->request != nullptr) ksr_request_wait(item->request, milliseconds, nullptr, nullptr);
    if (item->stream != nullptr) ksr_wait_synced(item->stream, milliseconds);
  }

  void call(std::mt19937& random) {
    std::string body;
    Settings settings = random_request(random, body);
    settings.emplace_back("timeout", "50ms");
    const Params params(settings, body);
    ksr_call(client_, params.get(), nullptr, nullptr);
  }

  // Inside a callback.
  void react(const std::shared_ptr<Item>& own) {
    std::mt19937 random(seed_ + 7919U * reactions_.fetch_add(1));
    if (reactions_ > 40) return;
    if (random() % 4 == 0 && ksr_client_close(client_) != KSR_E_WOULD_DEADLOCK) violated("closed in a callback");
    if (own && own->opened && random() % 4 == 0) {
      const ksr_status closed = own->request != nullptr ? ksr_request_close(own->request) : ksr_close(own->stream);
      // The handle may be gone: another thread has closed it without waiting.
      if (closed != KSR_E_WOULD_DEADLOCK && closed != KSR_E_INVALID) violated("closed itself in a callback");
    }
    if (random() % 2 == 0) step(random, true);
  }

  void wait_for_answers(std::mt19937&) {
    std::vector<std::shared_ptr<Item>> items;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      items = items_;
    }
    for (const auto& item : items) {
      if (!item->opened || item->ending || item->request == nullptr) continue;
      if (ksr_request_wait(item->request, 0, nullptr, nullptr) == KSR_E_TIMEOUT) cancel(item, false);
    }
  }

  void end(std::mt19937& random, std::atomic<bool>& stop) {
    all_ending_ = true;
    if (random() % 3 == 0) ksr_client_cancel(client_);
    if (random() % 3 == 0) {
      ksr_client_close_async(client_);
      const auto end = std::chrono::steady_clock::now() + ksr::testing::kWaitLimit;
      while (clients_destroyed_ == 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      stop = true;
    } else {
      // Also while another thread dispatches.
      if (random() % 2 == 0) stop = true;
      if (ksr_client_close(client_) != KSR_OK) violated("the client could not be closed");
      stop = true;
    }
  }

  void check() {
    if (clients_destroyed_ != 1) violated("the client's destroy ran " + std::to_string(clients_destroyed_));
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& item : items_) {
      if (item->destroyed != 1) violated("destroy ran " + std::to_string(item->destroyed));
      if (item->answers > 1) violated("more than one answer");
      if (item->stream != nullptr && item->opened && item->closed != 1) {
        violated("CLOSED came " + std::to_string(item->closed));
      }
      if (item->request != nullptr && ksr_request_close(item->request) != KSR_E_INVALID) violated("a handle lives on");
      if (item->stream != nullptr && ksr_close(item->stream) != KSR_E_INVALID) violated("a handle lives on");
    }
    const std::lock_guard<std::mutex> violations_lock(violations_mutex_);
    for (const std::string& violation : violations_) FAIL_CHECK("seed " << seed_ << ": " << violation);
  }

  void violated(std::string rule) {
    const std::lock_guard<std::mutex> lock(violations_mutex_);
    if (violations_.size() < 5) violations_.push_back(std::move(rule));
  }

  std::shared_ptr<Item> own(const Item* item) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& held : items_) {
      if (held.get() == item) return held;
    }
    return nullptr;
  }

  void on_event(Item& item, const char* what) {
    if (item.silent) violated(std::string(what) + " after a cancel or close");
    if (item.destroyed != 0) violated(std::string(what) + " after destroy");
    if (item.closed != 0) violated(std::string(what) + " after CLOSED");
  }

  static void on_response(ksr_request*, const ksr_response* response, const ksr_error* error, void* data) {
    Item& item = *static_cast<Item*>(data);
    Scenario& self = *item.scenario;
    self.within([&] {
      self.on_event(item, "on_response");
      if ((response == nullptr) == (error == nullptr)) self.violated("both or neither of response and error");
      if (++item.answers > 1) self.violated("a second answer");
      self.react(self.own(&item));
    });
  }
  static void on_update(ksr_stream*, const ksr_snapshot*, void* data) {
    Item& item = *static_cast<Item*>(data);
    Scenario& self = *item.scenario;
    self.within([&] {
      self.on_event(item, "on_update");
      self.react(self.own(&item));
    });
  }
  static void on_error(ksr_stream*, const ksr_error*, void* data) {
    Item& item = *static_cast<Item*>(data);
    item.scenario->within([&] { item.scenario->on_event(item, "on_error"); });
  }
  static void on_state(ksr_stream*, ksr_state state, void* data) {
    Item& item = *static_cast<Item*>(data);
    item.scenario->within([&] {
      if (item.closed != 0) item.scenario->violated("a state after CLOSED");
      if (state == KSR_STATE_CLOSED) ++item.closed;
    });
  }
  // Not `within`: of what could not be opened it runs on the thread that has tried.
  static void on_item_destroy(void* data) {
    Item& item = *static_cast<Item*>(data);
    if (item.scenario->over_) item.scenario->violated("destroy after the end of the client");
    if (++item.destroyed > 1) item.scenario->violated("destroy twice");
    if (item.opened && item.wants_answer && !item.ending && !item.scenario->all_ending_ && item.answers == 0) {
      item.scenario->violated("destroyed without an answer");
    }
  }
  static void on_client_destroy(void* data) {
    auto& self = *static_cast<Scenario*>(data);
    self.within([] {});
    // Last: the scenario may be gone then.
    ++self.clients_destroyed_;
  }

  const unsigned seed_;
  const bool manual_;
  ksr_client* client_ = nullptr;
  std::atomic<int> inside_{0};
  std::atomic<int> clients_destroyed_{0};
  std::atomic<unsigned> reactions_{0};
  std::atomic<bool> all_ending_{false};
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Item>> items_;
  std::mutex violations_mutex_;
  std::vector<std::string> violations_;
};

}  // namespace

TEST_CASE("200 random scenarios of a client") {
  ApiServer server(with_token());
  server.script("create pods a\nfault get secrets stall bytes=0 times=forever");
  for (unsigned seed = 0; seed < kScenarios; ++seed) Scenario(server, seed).run();
}
