// `ApiServer` simulates several API servers with one address, over one Etcd and an unreliable network; used by
// Simulation and Client.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "simulation/world.hpp"
#include "sync/effects.hpp"
#include "sync/reflector.hpp"

namespace ksr::sync::testing {

class Client;

// The wait of a request in which the other side makes progress and never ends it.
enum class Drip {
  none,
  connecting,  // a name, a connection, a proxy or a TLS handshake: the request is not sent
  head,
  body,
};

// One request, from the client's call to its end, with the connection it runs on. Connections are independent, each has
// its own delay.
struct Call {
  Client* client = nullptr;
  RequestId id = 0;
  bool is_watch = false;
  ListRequest list;
  WatchRequest watch;
  std::uint64_t credentials = 0;

  Milliseconds delay{0};
  Instant last_arrival{};
  bool gone = false;        // over for the client
  bool answered = false;    // a watch: open for the client; a list that drips: its body has begun
  bool blackholed = false;  // nothing arrives any more, without an error
  bool closed = false;      // the server sends no more
  Instant begun{};
  bool reached = false;    // the request is with the gateway
  bool muted = false;      // the gateway passes on nothing more
  bool head_held = false;  // the gateway passes on the head with the first message
  bool withheld = false;   // the gateway passes on everything with the end
  std::vector<std::function<void(Reflector&, Instant)>> held;

  bool corrupt_next = false;  // the next change is sent as invalid data
  Drip drip = Drip::none;

  std::size_t replica = 0;
  bool attached = false;
  bool after_trial = false;     // a watch: so was the client's last one
  Revision cursor = 0;          // sent up to here
  Revision initial_target = 0;  // WatchList: the revision at which the initial events end; 0: they have ended
};

enum class ListFault { none, goes_back, other_kind, empty_pages, no_version, circle };

class ApiServer {
 public:
  explicit ApiServer(World& world);

  // --- the client's side
  void begin_list(Client& client, RequestId id, const ListRequest& request);
  void begin_watch(Client& client, RequestId id, const WatchRequest& request, bool after_trial);
  // A watch of one object. Without a draw, so that scenarios stay what they are.
  void begin_probe(Client& client, RequestId id, const WatchRequest& request);
  void stop(const Client& client, RequestId id);
  std::size_t count_running(const Client& client) const;
  // Open, or sent over HTTP and without an answer for some time, or for a second one that follows a trial.
  bool has_watch(const Client& client) const;
  bool is_sent(const Client& client, RequestId id) const;
  std::uint64_t newest_credentials() const { return credentials_; }

  // --- writes
  void put(std::size_t name);
  void remove(std::size_t name);
  void bump(Revision by);
  void compact();

  // --- faults
  void cut(Call& call);
  void end(Call& call);
  void error_event(Call& call, int code, const char* reason);
  void send_bad_event(Call& call);
  void send_garbage(Call& call);
  void send_other_type(Call& call);
  void send_old_event(Call& call);
  void send_old_bookmark(Call& call);
  void send_empty_bookmark(Call& call);
  void repeat_last_event(Call& call);
  void send_after_end();
  void restart_replica();
  void change_lag();
  void refuse_all(Milliseconds time) { out_until_ = world_.agenda.now() + time; }
  void blackhole_all(Milliseconds time);
  void overload(Milliseconds time) { overloaded_until_ = world_.agenda.now() + time; }
  void forbid(Milliseconds time) { forbidden_until_ = world_.agenda.now() + time; }
  void forget_resource(Milliseconds time) { unknown_until_ = world_.agenda.now() + time; }
  void renew_credentials() { ++credentials_; }
  void close_next_watches_at_once(int count) { watches_to_close_ = count; }
  void falsify_next_list(ListFault fault) { list_fault_ = fault; }
  void stop_faults();
  void change_gateway() { gateway_ = world_.scenario.next_gateway; }

  Call* random_call(bool open_watch);
  void blackhole_requests_of(const Client& client, double chance);

 private:
  struct Replica {
    Revision revision = 0;
    Revision window_start = 0;
    Instant next_apply{};
    Milliseconds lag{0};
    bool up = true;
  };
  using Input = std::function<void(Reflector&, Instant)>;

  Call& begin(Client& client, RequestId id, Milliseconds delay);
  void give_up_unless_answered(Call& call);
  Drip draw_drip();
  Milliseconds limit_of(const Call& call) const;
  void expect_end(Call& call, Instant by);
  void drip_list(Call& call);
  void drip_items(Call& call);
  void drip_initial_events(Call& call);
  TestObject next_drip();
  void serve(Call& call);
  bool rejects(Call& call);
  void serve_list(Call& call);
  void serve_fault(Call& call, ListFault fault);
  void serve_page(Call& call, Revision revision, std::size_t offset);
  void serve_watch(Call& call);
  bool waits_for_head(const Call& call) const;
  bool follows_trial(const Call& call) const;
  bool stops_at_gateway(Call& call);
  void pass_head(Call& call);
  void serve_watchlist(Call& call);
  void serve_plain_watch(Call& call);
  void serve_probe(Call& call);
  void attach(Call& call, Revision from);
  void open(Call& call);
  void schedule_bookmark(Call& call);
  void schedule_ping(Call& call);

  void replicate();
  void reach(std::size_t replica, Revision revision);
  void send_changes(Call& call, Revision up_to);
  bool sends_unknown_protobuf(const Call& call);
  void send_change(Call& call, std::size_t change);
  void send_bookmark(Call& call);

  void arrive(Call& call, Input what);
  void arrive_last(Call& call, Input what);
  void refuse(Call& call, int code, const char* reason, std::optional<Milliseconds> retry_after = std::nullopt);
  void fail(Call& call, const Error& error);
  void fail_now(Call& call, const Error& error);
  std::size_t in_flight() const;

  World& world_;
  SeededRandom drip_random_;
  Gateway gateway_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::size_t first_alive_ = 0;
  std::vector<Replica> replicas_;
  std::size_t right_candidate_ = 0;
  std::uint64_t credentials_ = 0;
  Instant out_until_{};
  Instant blackholed_until_{};
  Instant overloaded_until_{};
  Instant forbidden_until_{};
  Instant unknown_until_{};
  int watches_to_close_ = 0;
  ListFault list_fault_ = ListFault::none;
  int faults_served_ = 0;
  int dripped_ = 0;
};

}  // namespace ksr::sync::testing
