// `Rig` is a reflector whose network, clock and host are the test, which sends its inputs and reads its effects; used
// by all unit tests of sync.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/cache.hpp"
#include "support/errors.hpp"
#include "support/test_object.hpp"
#include "sync/reflector.hpp"

namespace ksr::sync::testing {

using namespace std::chrono_literals;

class FixedRandom final : public Random {
 public:
  double unit() override { return value; }
  double value = 0;
};

class RecordingLogger final : public Logger {
 public:
  bool wants(LogLevel) const noexcept override { return true; }
  void log(LogLevel, std::string line) override { lines.push_back(std::move(line)); }
  std::vector<std::string> lines;
};

struct SentRequest {
  RequestId id = 0;
  bool is_watch = false;
  ListRequest list;
  WatchRequest watch;
  bool stopped = false;
};

struct ReportedError {
  Error error;
  std::optional<Milliseconds> next_try;
};

class Rig final : public Effects {
 public:
  explicit Rig(const Options& options = {},
               std::shared_ptr<ServerState> server_state = std::make_shared<ServerState>());
  ~Rig() override;

  // --- inputs
  void start() { reflector.start(now); }
  // Time passes; timers fire when due.
  void advance(Milliseconds time);

  // For the last request.
  void item(const TestObject& object) { reflector.on_list_item(last().id, object.item(), now); }
  void end_list(const std::string& version, const std::string& continue_token = "");
  void list(const std::vector<TestObject>& objects, const std::string& version, const std::string& continue_token = "");
  void fail_list(const Error& error, const std::optional<json::ApiStatus>& status = std::nullopt);
  void open() { reflector.on_watch_open(last().id, now); }
  void event(json::EventType type, const TestObject& object) { event(last().id, type, object); }
  void event(RequestId id, json::EventType type, const TestObject& object);
  void bookmark(const std::string& version, bool initial_events_end = false);
  void error_event(const json::ApiStatus& status) { reflector.on_watch_error_event(last().id, status, now); }
  void bad_event(const Error& error, bool may_be_deletion = false) {
    reflector.on_watch_bad_event(last().id, error, {may_be_deletion, error.status == Status::too_large}, now);
  }
  void end() { reflector.on_watch_end(last().id, now); }
  void fail(const Error& error, const std::optional<json::ApiStatus>& status = std::nullopt);

  // Listed, watching, live; the last request is the open watch.
  void go_live(const std::vector<TestObject>& objects = {pod("a", "5")}, const std::string& version = "10");

  // --- effects
  const SentRequest& last() const { return requests.back(); }
  std::size_t running() const;
  std::string held();  // "a=5 b=7"
  State state() const { return reflector.state(); }
  // How long until the timer; empty without one.
  std::optional<Milliseconds> timer_in() const;

  std::vector<SentRequest> requests;
  // Watches of one object.
  std::vector<SentRequest> probes;
  std::vector<State> states;
  std::vector<ReportedError> errors;
  std::optional<Instant> timer;
  int credentials_refreshed = 0;
  // Events that were applied each by itself.
  int applied = 0;
  // The version that came with the last one of them.
  std::string applied_version;
  bool credentials_obtained = true;
  int resolutions = 0;
  // The test calls on_newest_version().
  int version_questions = 0;
  // The test calls on_resolved().
  bool resolves_again = false;
  // Whether a request without an answer is with the server.
  bool sent = false;
  // Whether an event has come in part, and nothing after it.
  bool stalled = false;
  std::string version;
  // Between begin_list and its commit or abandonment.
  bool listing = false;
  store::Cache cache{0};
  Instant now{std::chrono::hours(1)};
  FixedRandom random;
  RecordingLogger logger;
  Reflector reflector;

  // Effects
  void start_list(RequestId id, const ListRequest& request) override;
  void start_watch(RequestId id, const WatchRequest& request) override;
  void stop(RequestId id) override;
  bool is_sent(RequestId) const override { return sent; }
  bool is_stalled(RequestId, Milliseconds) const override { return stalled; }
  bool refresh_credentials() override {
    ++credentials_refreshed;
    return credentials_obtained;
  }
  bool resolve_again() override {
    ++resolutions;
    return resolves_again;
  }
  void ask_newest_version(std::size_t) override { ++version_questions; }
  void set_timer(std::optional<Instant> at) override { timer = at; }
  void begin_list() override;
  void stage(const json::Item& item) override { cache.stage(item); }
  void stage_deletion(const json::Item& item) override { cache.stage_deletion(item); }
  std::size_t commit_list(std::string_view resource_version, store::Precedence precedence) override;
  void abandon_list() override;
  store::Applied apply(json::EventType type, const json::Item& item, std::string_view view_version) override {
    ++applied;
    applied_version = view_version;
    if (!view_version.empty()) version = view_version;
    return cache.apply(type, item);
  }
  void set_resource_version(std::string_view resource_version) override { version = resource_version; }
  void on_state(State state) override { states.push_back(state); }
  void on_error(const Error& error, std::optional<Milliseconds> next_try) override;
};

// Lists and watches over HTTP, for tests that are not about WatchList or WebSocket.
Options plain();

}  // namespace ksr::sync::testing
