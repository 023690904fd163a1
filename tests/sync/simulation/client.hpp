// One stream under test: the reflector with a real cache and a host that takes snapshots when it likes. Holds
// everything the reflector does against the invariants.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "simulation/world.hpp"
#include "store/cache.hpp"
#include "sync/reflector.hpp"

namespace ksr::sync::testing {

class ApiServer;

class Client final : public Effects {
 public:
  Client(World& world, ApiServer& server, std::shared_ptr<ServerState> memory, std::size_t number);

  void start();
  void cancel();
  bool cancelled() const { return cancelled_; }
  // The machine sleeps: what arrives meanwhile is seen when it wakes, after the jump of its clock.
  void sleep(Instant until);
  // Something arrives.
  void input(const std::function<void(Reflector&, Instant)>& what);
  // The host takes the snapshot that is there; the view must be the server's state at its resourceVersion.
  void deliver();
  // The view has been what the server has, and the stream has said so.
  bool converged() const;
  std::string describe() const;
  std::uint64_t credentials() const { return credentials_; }
  Revision version() const { return version_; }

  // A watch opens or a list is complete: what comes after it is no try in a row any more.
  void note_answer() { tries_in_a_row_.clear(); }

  // The server said Retry-After.
  void ask_for_rest(Milliseconds time) { quiet_until_ = world_.agenda.now() + time; }

  // How many lists in a row the server has lied about; the third would be believed.
  int lies_in_a_row = 0;

  // Effects
  void start_list(RequestId id, const ListRequest& request) override;
  void start_watch(RequestId id, const WatchRequest& request) override;
  void stop(RequestId id) override;
  void refresh_credentials() override;
  void set_timer(std::optional<Instant> at) override;
  void begin_list() override;
  void stage(const json::Item& item) override;
  std::size_t commit_list(std::string_view resource_version) override;
  void abandon_list() override;
  store::Applied apply(json::EventType type, const json::Item& item) override;
  void set_resource_version(std::string_view resource_version) override;
  void on_state(State state) override;
  void on_error(const Error& error, std::optional<Milliseconds> next_try) override;
  void on_fresh() override;

 private:
  class Silence final : public Logger {
   public:
    explicit Silence(World& world) : world_(world) {}
    bool wants(LogLevel) const noexcept override { return world_.traces(); }
    void log(LogLevel, std::string line) override { world_.trace("log  " + line); }

   private:
    World& world_;
  };

  void expect(bool holds, const char* what) const;
  void effect(const char* what) const;
  void count_request(bool continues);
  void count_within(std::deque<Instant>& times, Milliseconds window, std::size_t most);
  void plan_delivery();
  void check_view(const store::View& view);
  void check_deltas(const store::Deltas& deltas, const store::View& view);
  void note_version(std::string_view version);

  World& world_;
  ApiServer& server_;
  const std::size_t number_;
  Silence logger_;
  store::Cache cache_{0};
  Reflector reflector_;

  bool inside_ = false;
  bool cancelled_ = false;
  bool delivery_planned_ = false;
  Instant awake_at_{};
  Instant quiet_until_{};
  std::uint64_t timer_ = 0;
  std::uint64_t credentials_ = 0;
  RequestId last_id_ = 0;
  State state_ = State::connecting;
  bool told_a_state_ = false;
  std::deque<Instant> recent_requests_;
  std::deque<Instant> tries_in_a_row_;

  Revision version_ = 0;
  Revision live_at_ = 0;
  // What the deltas add up to.
  std::map<std::string, std::string> host_;
  // The server's state at the last view's resourceVersion.
  Etcd::State expected_;
  std::size_t expected_next_ = 0;
  Revision expected_version_ = 0;
};

}  // namespace ksr::sync::testing
