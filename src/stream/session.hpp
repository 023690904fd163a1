// `Session` connects one reflector to the network and the cache: it carries out the reflector's effects and feeds it
// what is received; used by Engine, which has one for each namespace. Lives on the network thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/executor.hpp"
#include "base/random.hpp"
#include "cluster/access.hpp"
#include "cluster/query.hpp"
#include "delivery/shared_view.hpp"
#include "store/cache.hpp"
#include "stream/call.hpp"
#include "stream/config.hpp"
#include "stream/last_error.hpp"
#include "stream/statistics.hpp"
#include "stream/subscribers.hpp"
#include "stream/version_fetch.hpp"
#include "sync/effects.hpp"
#include "sync/reflector.hpp"

namespace ksr::stream {

// What a session reports to the engine that owns it.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  virtual void on_session_state() = 0;
  // Only the counters, or the current error, have changed.
  virtual void on_session_counters() = 0;
  virtual void on_session_synced() = 0;
  // The stream ends.
  virtual void on_fatal() = 0;
  // See Effects: Session::on_resolved follows.
  virtual bool resolve_again() = 0;
};

// What all sessions of an engine share. Outlives them.
struct SessionParts {
  Executor& executor;
  Random& random;
  const Config& config;
  cluster::Access& access;
  const std::vector<cluster::Resource>& resources;
  delivery::SharedView& view;
  Subscribers& subscribers;
  Statistics& statistics;
};

class Session final : private sync::Effects, private CallOwner {
 public:
  Session(SessionOwner& owner, const SessionParts& parts, std::string name_space, const sync::Options& options,
          std::shared_ptr<sync::ServerState> memory);
  ~Session() override;

  void start();
  void cancel();
  void on_clock_jump();
  // See Engine.
  void on_lost(const Error& error) override;
  void rearm();
  // `changed`: SessionParts::resources has changed.
  void on_resolved(bool changed);
  sync::State state() const noexcept { return reflector_.state(); }
  bool synced() const noexcept { return synced_; }
  const sync::Counters& counters() const noexcept { return reflector_.counters(); }
  std::optional<Instant> fresh_at() const noexcept { return reflector_.fresh_at(); }
  std::optional<Instant> next_try_at() const noexcept { return reflector_.next_try_at(); }
  std::optional<bool> shard_by_server() const noexcept { return reflector_.shard_by_server(); }
  sync::WatchTransport transport() const noexcept { return reflector_.transport(); }
  // What keeps the session from being live; null: nothing does.
  const CurrentErrorRef& current_error() const noexcept { return current_error_; }

 private:
  // sync::Effects
  void start_list(sync::RequestId id, const sync::ListRequest& request) override;
  void start_watch(sync::RequestId id, const sync::WatchRequest& request) override;
  void stop(sync::RequestId id) override;
  bool is_sent(sync::RequestId id) const override;
  bool is_stalled(sync::RequestId id, Milliseconds time) const override;
  bool refresh_credentials() override { return parts_.access.reject_credentials(); }
  bool resolve_again() override { return owner_.resolve_again(); }
  void ask_newest_version(std::size_t candidate) override;
  void set_timer(std::optional<Instant> at) override;
  void begin_list() override;
  void stage(const json::Item& item) override;
  void stage_deletion(const json::Item& item) override;
  std::size_t commit_list(std::string_view resource_version, store::Precedence precedence) override;
  void abandon_list() override;
  store::Applied apply(json::EventType type, const json::Item& item, std::string_view version) override;
  void set_resource_version(std::string_view resource_version) override;
  void on_state(sync::State state) override;
  void on_error(const Error& error, std::optional<Milliseconds> next_try) override;

  // CallOwner
  Executor& executor() const override { return parts_.executor; }
  void count_bytes(std::size_t bytes) override;
  void count_wire_bytes(std::size_t bytes) override;
  void note_encoding(bool protobuf) override;
  void on_next_page(std::string_view continue_token) override;
  void expect(std::string_view uid) override { parts_.view.expect(uid); }
  void expect_soon(std::string_view uid) override { parts_.view.expect_soon(uid); }
  void flush() override;
  void retire(sync::RequestId id) override;
  Logger& logger() override { return parts_.subscribers; }

  // Runs `step`; an exception of it is this session's alone.
  template <class Step>
  void guarded(Step&& step);
  CallOwner& as_call_owner() noexcept { return *this; }
  Instant now() const { return parts_.executor.now(); }
  ErrorContext context(const char* operation) const;
  // What is asked for: protobuf only where the type may be known.
  cluster::Accepted accepted(std::size_t candidate, bool protobuf) const;
  void log_listed(std::string_view resource_version) noexcept;
  transport::Request list_request(const sync::ListRequest& request) const;
  void run(sync::RequestId id, std::unique_ptr<Call> call, transport::Request request, bool websocket);
  void renew_next_try();
  void announce();
  void fail(const Error& error);

  SessionOwner& owner_;
  const SessionParts parts_;
  const std::string name_space_;
  // What is kept of each object; null: all. Used by its calls, one at a time.
  const std::unique_ptr<json::FieldFilter> fields_;
  sync::Reflector reflector_;
  std::unordered_map<sync::RequestId, std::unique_ptr<Call>> calls_;
  // The page that was requested last, and the one after it.
  sync::ListRequest page_;
  std::unique_ptr<PageAhead> page_ahead_;
  bool page_was_ahead_ = false;
  // A page that was requested ahead broke off, as where the server does not wait until the line has taken the one
  // before.
  bool no_more_ahead_ = false;
  // Ended, but possibly still on the call stack; destroyed from the event loop.
  std::vector<std::unique_ptr<Call>> retired_;
  std::unique_ptr<Timer> sweep_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<VersionFetch> version_fetch_;
  // It may not be asked about all objects.
  bool asks_with_selectors_ = false;
  // What a list, or the initial events of a watch, has brought so far; for the log.
  struct Listing {
    Instant since{};
    std::size_t objects = 0;
    std::uint64_t received_before = 0;
  };
  Listing listing_;
  std::uint64_t received_ = 0;
  std::uint64_t unannounced_ = 0;
  // The index of the resource's name that was requested last.
  std::size_t candidate_ = 0;
  CurrentErrorRef current_error_;
  bool synced_ = false;
  // A fatal error has not been reported yet.
  bool failing_ = false;
};

}  // namespace ksr::stream
