// `Client` is what is under test: a reflector with a real cache, and the streams that share it, one or several that
// come and go. Checks each effect against the invariants. Used by Simulation.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "delivery/shared_view.hpp"
#include "simulation/shared_stream.hpp"
#include "simulation/world.hpp"
#include "sync/reflector.hpp"

namespace ksr::sync::testing {

class ApiServer;

class Client final : public Effects {
 public:
  Client(World& world, ApiServer& server, std::shared_ptr<ServerState> server_state, std::size_t number);

  void start();
  void cancel();
  bool cancelled() const { return cancelled_; }
  // The machine sleeps: what arrives meanwhile is delivered when it wakes, after the clock jump.
  void sleep(Instant until);
  Instant awake_at() const { return awake_at_; }
  // An input of the reflector.
  void input(const std::function<void(Reflector&, Instant)>& what);
  // The hosts take what there is; they must know the server's state then.
  void deliver_all();
  // The view has been the state of the server while the stream was live.
  bool converged() const;
  std::string describe() const;
  std::uint64_t credentials() const { return credentials_; }
  Revision version() const { return version_; }

  // A watch is open or a list complete: the next request begins a new row of tries.
  void note_success() { tries_in_a_row_.clear(); }

  // No request is allowed before it is over.
  void note_retry_after(Milliseconds time) { quiet_until_ = world_.agenda.now() + time; }

  // How many lists in a row went back; the third would be accepted.
  int faults_in_a_row = 0;

  // Effects
  void start_list(RequestId id, const ListRequest& request) override;
  void start_watch(RequestId id, const WatchRequest& request) override;
  void stop(RequestId id) override;
  bool is_sent(RequestId id) const override;
  bool is_stalled(RequestId, Milliseconds) const override { return false; }
  bool refresh_credentials() override;
  bool resolve_again() override;
  void ask_newest_version(std::size_t) override;
  void set_timer(std::optional<Instant> at) override;
  void begin_list() override;
  void stage(const json::Item& item) override;
  void stage_deletion(const json::Item& item) override;
  std::size_t commit_list(std::string_view resource_version, store::Precedence precedence) override;
  void abandon_list() override;
  store::Applied apply(json::EventType type, const json::Item& item, std::string_view version) override;
  void set_resource_version(std::string_view resource_version) override;
  void on_state(State state) override;
  void on_error(const Error& error, std::optional<Milliseconds> next_try) override;

 private:
  class TraceLogger final : public Logger {
   public:
    explicit TraceLogger(World& world) : world_(world) {}
    bool wants(LogLevel) const noexcept override { return world_.traces(); }
    void log(LogLevel, std::string line) override { world_.trace("log  " + line); }

   private:
    World& world_;
  };

  void check_fresh();
  void check_limits() const;
  void expect(bool holds, const char* what) const;
  void effect(const char* what) const;
  void count_request(bool continues);
  void check_rate(std::deque<Instant>& times, Milliseconds window, std::size_t most);
  bool synced();
  // Another stream comes, one goes, or one asks for the newest snapshot.
  void change_streams();
  void add_stream();
  void end_stream(std::size_t i);
  void plan_deliveries();
  void note_version(std::string_view version);

  World& world_;
  ApiServer& server_;
  const std::size_t number_;
  TraceLogger logger_;
  const std::shared_ptr<delivery::SharedView> view_ = std::make_shared<delivery::SharedView>(0);
  Reflector reflector_;
  SeededRandom sharing_random_;
  std::vector<std::shared_ptr<SharedStream>> streams_;
  std::vector<std::shared_ptr<SharedStream>> ended_;
  std::size_t streams_made_ = 0;

  bool inside_ = false;
  bool listing_ = false;
  Instant list_by_{};
  // When the view was current last, or an error told, or a try waited for.
  Instant told_at_{};
  std::optional<Instant> fresh_at_;
  bool cancelled_ = false;
  Instant awake_at_{};
  Instant quiet_until_{};
  std::uint64_t timer_ = 0;
  std::uint64_t credentials_ = 0;
  std::optional<Instant> resolved_again_at_;
  RequestId last_id_ = 0;
  bool last_was_trial_ = false;
  State state_ = State::connecting;
  bool has_state_ = false;
  std::deque<Instant> recent_requests_;
  std::deque<Instant> tries_in_a_row_;

  Revision version_ = 0;
  Revision live_at_ = 0;
};

}  // namespace ksr::sync::testing
