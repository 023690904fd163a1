// `StreamHost` is one stream with its host: it opens and ends it, and checks each callback and what the stream says of
// itself; used by Simulation. Outlives the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "delivery/host.hpp"
#include "stream/simulation/sharing_world.hpp"
#include "stream/stream.hpp"
#include "sync/simulation/told_view.hpp"

namespace ksr::stream::testing {

class StreamHost {
 public:
  // In this order; `created` and `open` may be left for each of those after them.
  enum class Phase { created, open, cancelled, closed };

  StreamHost(SharingWorld& world, std::string name, const sync::testing::Etcd& etcd, std::size_t limit);
  ~StreamHost();
  StreamHost(const StreamHost&) = delete;
  StreamHost& operator=(const StreamHost&) = delete;

  // What the program calls. False: there was no memory for it.
  bool create(const Config& config, Runtime& runtime, const std::shared_ptr<cluster::Access>& access);
  bool start();
  void abandon();
  void cancel();
  void close();
  void close_async();
  void dispatch();
  void dispatch_all();
  void show_latest();
  void wait_synced();
  std::uint64_t stat(const char* name) const { return stream_->statistic(name).value(); }
  std::string last_error() const;

  const std::string& name() const { return name_; }
  Phase phase() const { return phase_; }
  bool is_open() const { return phase_ == Phase::open; }
  // It has its place among those that share: created or open.
  bool is_member() const { return phase_ <= Phase::open; }
  // It was cancelled and not closed, so that its handle is there still.
  bool has_handle() const { return phase_ != Phase::closed; }
  // A callback of this one runs.
  bool is_inside() const { return inside_ > 0; }
  // A fatal error has ended it.
  bool has_failed() const { return has_handle() && is_open() && state() == sync::State::closed; }
  sync::State state() const { return static_cast<sync::State>(stat("state")); }
  bool is_synced() const { return stream_->wait_synced(Milliseconds(0)) == Status::ok; }
  // Open, live, and all that the server has was delivered.
  bool has_converged();

  // It has been idle since the start, so that the engine knows of this stream.
  bool known_to_engine = false;
  // How often it dispatches: always, sometimes, or never until the end.
  double pace = 1;
  bool wants_log = false;
  // Within a callback.
  std::function<void(StreamHost&)> in_callback;

  // All of it was delivered, and nothing is under way.
  void check_told();
  // Nothing is under way: of one that was cancelled the last error stays as it is.
  void check_cancelled();
  // Everything is over.
  void check_gone() const;

 private:
  class Callbacks;
  void on_update(const delivery::Snapshot& snapshot);
  void on_error(const delivery::ErrorReport& report);
  void on_state(sync::State state);
  void on_destroy();
  void say(const std::string& what) const;
  void note(const std::string& callback);
  void called_back();
  std::int64_t dispatch_some();
  void expect(bool holds, const char* what) const { world_.expect(holds, name_ + ": " + what); }
  template <class Call>
  bool with_luck(Call&& call);
  template <class Call>
  void without_fail(Call&& call);
  template <class Check>
  void checked(Check&& check) const;

  SharingWorld& world_;
  const std::string name_;
  Phase phase_ = Phase::created;
  std::shared_ptr<Stream> stream_;
  std::weak_ptr<Stream> watched_;
  sync::testing::ToldView told_;
  // As of cancel().
  std::optional<sync::testing::ToldView::Shown> last_shown_;
  // Once the engine knew of that.
  std::optional<std::string> last_error_;

  int inside_ = 0;
  bool destroyed_ = false;
  bool abandoned_ = false;
  bool ended_ = false;  // the callback of close_async
  std::uint64_t updates_ = 0;
  std::uint64_t callbacks_ = 0;
  std::optional<sync::State> told_state_;
  std::string told_error_;
  bool told_fatal_ = false;
};

}  // namespace ksr::stream::testing
