// `CallbackDispatcher` calls the host: on one thread at a time, in order, and never after the end; used by
// stream::Stream and, for what is to be delivered, by stream::Engine and stream::Session. It has a thread or descriptor
// of its own, or its turns in the CallbackRunner of a client.
// Any thread; `mutex_` guards its state. No lock is held while a callback of the host runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/secrets.hpp"
#include "delivery/callback_queue.hpp"
#include "delivery/callback_runner.hpp"
#include "delivery/delivery_options.hpp"
#include "delivery/delivery_thread.hpp"
#include "delivery/host.hpp"
#include "delivery/publisher.hpp"
#include "delivery/wakeup.hpp"

namespace ksr::delivery {

class CallbackDispatcher : public Logger,
                           public CallbackSource,
                           public std::enable_shared_from_this<CallbackDispatcher> {
 public:
  // On failure `host` is destroyed when this returns. `shared`: its runner has the same options.
  static Expected<std::shared_ptr<CallbackDispatcher>> create(const Options& options, std::unique_ptr<Host> host,
                                                              std::shared_ptr<Publisher> publisher,
                                                              SharedDelivery shared = {});
  ~CallbackDispatcher() override;

  // From now on errors and log lines are delivered without them. Before anything is to be delivered.
  void blank(std::shared_ptr<const Secrets> secrets) { secrets_ = std::move(secrets); }

  // --- what is to be delivered; ignored once the stream has ended ---------------------------------------------------
  // How many of so many changes are merged with others: all when an update waits already, none where none is wanted.
  std::uint64_t post_update(std::uint64_t changes = 1) KSR_EXCLUDES(mutex_);
  void post_error(ErrorReport report) KSR_EXCLUDES(mutex_);
  void post_state(sync::State state) KSR_EXCLUDES(mutex_);
  bool wants(LogLevel level) const noexcept override;
  void log(LogLevel level, std::string line) override KSR_EXCLUDES(mutex_);
  // The first list is complete: ends wait_synced.
  void mark_synced() KSR_EXCLUDES(mutex_);
  // The stream ends by itself: what waits is delivered, then CLOSED.
  void end() KSR_EXCLUDES(mutex_);

  // --- what the host calls ------------------------------------------------------------------------------------------
  void cancel() KSR_EXCLUDES(mutex_);
  Status close() KSR_EXCLUDES(mutex_);
  // For a stream that could not be opened: destroys the host without any other callback.
  void abandon() KSR_EXCLUDES(mutex_);
  // `on_ended` runs after the host is destroyed.
  void close_async(std::function<void()> on_ended) KSR_EXCLUDES(mutex_);
  Status wait_synced(std::optional<Milliseconds> timeout) KSR_EXCLUDES(mutex_);
  // What it returns ends the wait; empty: the wait goes on.
  using Test = std::function<std::optional<Status>(const Snapshot&)>;
  // Calls `test` on this thread, without the lock: with the view as it is, then whenever it has changed.
  Status wait_until(const Test& test, std::optional<Milliseconds> timeout) KSR_EXCLUDES(mutex_);
  std::int64_t dispatch() KSR_EXCLUDES(mutex_);
  int fd() const noexcept { return shared_.runner ? shared_.runner->fd() : fd_; }
  DroppedCounts dropped() const KSR_EXCLUDES(mutex_);
  // Whether nothing but CLOSED is still to come: it was cancelled or closed, or has ended by itself.
  bool is_ending() const KSR_EXCLUDES(mutex_);
  // Whether this thread runs a callback which close() would wait for.
  bool is_inside() const KSR_EXCLUDES(mutex_);
  std::uint64_t deliveries() const noexcept { return deliveries_.load(std::memory_order_relaxed); }

  Turn take_turn() override KSR_EXCLUDES(mutex_);

 private:
  // In this order, and never back.
  enum class Lifecycle : std::uint8_t {
    running,
    draining,   // what waits is delivered, then CLOSED
    cancelled,  // log lines that wait are delivered, then CLOSED
    abandoned,  // nothing is delivered, not even CLOSED
    ended,      // the host is destroyed
  };

  CallbackDispatcher(const Options& options, std::unique_ptr<Host> host, std::shared_ptr<Publisher> publisher,
                     SharedDelivery shared);
  Expected<void> start() KSR_EXCLUDES(mutex_);
  void serve() KSR_EXCLUDES(mutex_);
  void wait_for_work() KSR_REQUIRES(mutex_);
  // Delivers one thing that waits, or the end; empty when there is nothing to do. The value: a callback was made.
  std::optional<bool> step() KSR_REQUIRES(mutex_);
  bool deliver(Notification item) KSR_REQUIRES(mutex_);
  bool deliver_update() KSR_REQUIRES(mutex_);
  // Calls the host without the lock. What the host throws ends here, in a log line: an exception must not cross the
  // ABI.
  template <class Call>
  void call_host(Call&& call) KSR_REQUIRES(mutex_);
  SnapshotRef next_snapshot() KSR_REQUIRES(mutex_);
  // The value: a callback was made.
  bool finish() KSR_REQUIRES(mutex_);
  void run_to_end() KSR_REQUIRES(mutex_);
  void stop_delivery(Lifecycle next) KSR_REQUIRES(mutex_);
  void wake() KSR_REQUIRES(mutex_);
  void wake_waits() KSR_EXCLUDES(mutex_);
  // Until changes_ is not `seen` any more. Empty: the next test is to be made; else how the wait has ended.
  std::optional<Status> wait_for_change(std::uint64_t seen, std::optional<Instant> deadline) KSR_EXCLUDES(mutex_);
  // All that waits is an update that is not due yet.
  bool only_early_update_waits() const KSR_REQUIRES(mutex_);
  bool updates_due() const KSR_REQUIRES(mutex_);
  Instant next_update_at() const KSR_REQUIRES(mutex_);
  bool manual() const noexcept { return options_.mode == Mode::manual; }
  bool ending() const KSR_REQUIRES(mutex_) { return lifecycle_ >= Lifecycle::draining; }
  bool ended() const KSR_REQUIRES(mutex_) { return lifecycle_ == Lifecycle::ended; }
  bool callback_running() const KSR_REQUIRES(mutex_) { return active_ != std::thread::id(); }
  void run_on_ended() KSR_REQUIRES(mutex_);

  const Options options_;
  const std::shared_ptr<Publisher> publisher_;
  const SharedDelivery shared_;
  const bool updates_wanted_;
  const bool errors_wanted_;
  const bool states_wanted_;
  std::shared_ptr<const Secrets> secrets_;
  std::atomic<bool> log_wanted_;
  std::atomic<bool> update_waits_{false};
  std::atomic<std::size_t> waits_{0};  // calls of wait_until() under way
  std::atomic<std::uint64_t> deliveries_{0};
  int fd_ = -1;  // of wakeup_; set by start(), before any other thread has the dispatcher
  // Used by the thread that is `active_`, without the lock.
  std::unique_ptr<Host> host_;

  mutable Mutex mutex_;
  ConditionVariable work_;  // for the delivery thread
  // For callers that wait for the end of a callback or the stream, for the first list, or for a change of the view.
  ConditionVariable changed_;
  std::optional<Wakeup> wakeup_ KSR_GUARDED_BY(mutex_);  // delivery=manual
  CallbackQueue queue_ KSR_GUARDED_BY(mutex_);
  DeliveryThread thread_ KSR_GUARDED_BY(mutex_);   // delivery=thread
  std::thread::id active_ KSR_GUARDED_BY(mutex_);  // the thread that runs callbacks now
  bool told_closed_ KSR_GUARDED_BY(mutex_) = false;
  Instant last_update_ KSR_GUARDED_BY(mutex_){};
  Lifecycle lifecycle_ KSR_GUARDED_BY(mutex_) = Lifecycle::running;
  std::function<void()> on_ended_ KSR_GUARDED_BY(mutex_);
  bool in_burst_ KSR_GUARDED_BY(mutex_) = false;    // the last update had many changes
  bool timed_wait_ KSR_GUARDED_BY(mutex_) = false;  // the delivery thread wakes up by itself when an update is due
  bool synced_ KSR_GUARDED_BY(mutex_) = false;
  std::uint64_t changes_ KSR_GUARDED_BY(mutex_) = 0;  // of the view, counted while wait_until() runs
  bool closed_async_ KSR_GUARDED_BY(mutex_) = false;
  bool stopped_ KSR_GUARDED_BY(mutex_) = false;  // cancel() or a call that implies it
};

}  // namespace ksr::delivery
