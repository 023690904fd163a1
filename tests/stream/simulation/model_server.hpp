// `ModelServer` answers what the streams ask for from models of etcd, one for each resource, and with faults; used by
// Simulation. It is called between the tasks of the executor, and does all that a stream notices in tasks of its own.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stream/simulation/sharing_world.hpp"
#include "sync/simulation/etcd.hpp"

namespace ksr::stream::testing {

using sync::testing::Etcd;
using sync::testing::Revision;

// What the server can tell apart: who asks for what.
using RequestClass = std::string;

struct FaultRates {
  // Of requests.
  double refused = 0;
  double hangs = 0;
  // Of pieces of a body, each of which may end anywhere.
  double cut = 0;
};

class ModelServer {
 public:
  static constexpr std::size_t kResources = 2;

  ModelServer(SharingWorld& world, const FaultRates& rates);
  ~ModelServer();
  ModelServer(const ModelServer&) = delete;
  ModelServer& operator=(const ModelServer&) = delete;

  static const char* resource_name(std::size_t resource);
  // Of requests with that token.
  static RequestClass class_of(const std::string& token, std::size_t resource);

  const Etcd& etcd(std::size_t resource) const { return *stores_[resource].etcd; }
  // So many changes, which watches and lists may show later.
  void write(std::size_t resource, std::size_t changes);
  // Now they do.
  void catch_up(std::size_t resource);
  // What watches can begin with is at most this old.
  void compact(std::size_t resource);
  // To a request that is under way: an end, an error, silence, an ERROR event, or only a bookmark.
  void disturb();
  // All requests of one class are refused in the same way, for some time.
  void begin_outage();
  // What is broken stays so.
  void stop_faults();

  // Requests whose exchange exists.
  std::size_t lists_under_way(const RequestClass& of) const;
  // Of the newest resourceVersion.
  std::size_t questions_under_way(const RequestClass& of) const;
  std::size_t probes_under_way(const RequestClass& of) const;
  std::size_t watches_under_way(const RequestClass& of) const;
  std::size_t under_way() const;
  // All so far: of the first kind those that bring the whole state, as lists or as the initial events of a watch.
  std::size_t initial_requests(const RequestClass& of) const;
  std::size_t requests() const { return requests_; }
  // Forgets those whose exchange is gone, with their timers.
  void remove_gone();

 private:
  enum class Kind { list, watch, watchlist, probe };
  struct Sent {
    RequestClass request_class;
    Kind kind = Kind::list;
    std::string selector;
    std::size_t resource = 0;
    std::size_t number = 0;
    transport::ExchangeObserver* observer = nullptr;
    std::shared_ptr<const bool> alive;
    Milliseconds head_limit{0};
    Milliseconds idle_limit{0};
    Milliseconds timeout{0};
    Revision version = 0;
    bool at_newest = false;
    // A list of one object, for its resourceVersion: see sync::VersionCheck.
    bool asks_version = false;
    bool opened = false;
    bool silent = false;
    bool ended = false;
    // Of a watch: all changes up to here were sent.
    Revision position = 0;
    std::unique_ptr<Timer> timer;
    bool is_active() const { return *alive && !ended; }
  };
  using SentRef = std::shared_ptr<Sent>;
  struct Store {
    std::unique_ptr<Etcd> etcd;
    // What the watch cache has.
    Revision served = 0;
  };
  struct Outage {
    Instant until{};
    int kind = 0;
  };

  void accept(const transport::Request& request, transport::ExchangeObserver& observer,
              const std::shared_ptr<const bool>& alive);
  void answer(const SentRef& sent);
  bool is_refused(const SentRef& sent);
  void refuse(const SentRef& sent, int kind);
  void hang(const SentRef& sent, Milliseconds limit);
  void send_list(const SentRef& sent);
  void send_piece(const SentRef& sent, const std::shared_ptr<const std::string>& body, std::size_t from);
  void open_watch(const SentRef& sent);
  void send_object(const SentRef& sent);
  void send_changes(const SentRef& sent);
  // What it has not been sent, which it has been from now on.
  std::string changes_for(Sent& sent) const;
  void send_events(const SentRef& sent, std::string events);
  void send_error_event(const SentRef& sent);
  void begin(const SentRef& sent, const transport::ResponseHead& head);
  void feed(const SentRef& sent, std::string_view bytes);
  void end(const SentRef& sent, const std::optional<Error>& error);
  void post(const SentRef& sent, void (ModelServer::*step)(const SentRef&));
  SentRef random_active();
  bool chance(double rate) { return !world_.quiet && world_.random.chance(rate); }
  std::string bookmark(const Sent& sent, bool initial_events_end) const;
  void trace(const Sent& sent, const std::string& what) const;

  SharingWorld& world_;
  FaultRates rates_;
  std::array<Store, kResources> stores_;
  std::list<SentRef> sent_;
  std::map<RequestClass, Outage> outages_;
  std::map<RequestClass, std::size_t> initial_requests_;
  std::size_t requests_ = 0;
};

}  // namespace ksr::stream::testing
