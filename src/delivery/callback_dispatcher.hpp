// Calls the host: when, on which thread, never twice at once, and never again after the end.
//
// Any thread may post news and use the stream's side; `mutex_` guards all state but the host, which belongs to the
// thread that has set `active_`. No lock is held while the host runs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "delivery/callback_queue.hpp"
#include "delivery/delivery_options.hpp"
#include "delivery/host.hpp"
#include "delivery/publisher.hpp"
#include "delivery/wakeup.hpp"

namespace ksr::delivery {

class CallbackDispatcher : public Logger, public std::enable_shared_from_this<CallbackDispatcher> {
 public:
  // On failure `host` is gone when this returns.
  static Expected<std::shared_ptr<CallbackDispatcher>> create(const Options& options, std::unique_ptr<Host> host,
                                                              std::shared_ptr<Publisher> publisher);
  ~CallbackDispatcher() override;

  // --- news for the host; ignored once the stream has ended ---------------------------------------------------------
  // False when an update waits already, so that this change is merged into it.
  bool post_update();
  void post_error(ErrorReport report);
  void post_state(sync::State state);
  bool wants(LogLevel level) const noexcept override;
  void log(LogLevel level, std::string line) override;
  // The first list is complete: ends ksr_wait_synced.
  void mark_synced();
  // There is nothing more to come: what waits is delivered, then CLOSED.
  void end();

  // --- the host's side
  // ------------------------------------------------------------------------------------------------
  void cancel();
  Status close();
  // Ends what never began: the host is gone without a callback, as if it had not been there.
  void abandon();
  // `gone` runs after the host is.
  void close_async(std::function<void()> gone);
  Status wait_synced(std::optional<Milliseconds> timeout);
  std::int64_t dispatch();
  int fd() const noexcept;
  DroppedCounts dropped() const;
  std::uint64_t deliveries() const noexcept { return deliveries_.load(std::memory_order_relaxed); }

 private:
  using Lock = std::unique_lock<std::mutex>;

  CallbackDispatcher(const Options& options, std::unique_ptr<Host> host, std::shared_ptr<Publisher> publisher);
  Expected<void> start();
  void serve();
  void wait_for_work(Lock& lock);
  // Delivers one thing that waits, or the end; empty when there is nothing to do. The value: a callback was made.
  std::optional<bool> step(Lock& lock);
  bool deliver(Lock& lock, Notification item);
  bool deliver_update(Lock& lock);
  // Calls the host without the lock. What a host throws ends here, in a log line: nothing of it may cross the ABI.
  template <class Call>
  void call_host(Lock& lock, Call&& call);
  SnapshotRef next_snapshot(Lock& lock);
  void finish(Lock& lock);
  void run_to_end(Lock& lock);
  void join(Lock& lock);
  void cancel_locked();
  void wake_locked();
  bool updates_due() const;
  Instant next_update_at() const;
  bool called_from_callback() const { return active_ == std::this_thread::get_id(); }
  void tell_gone(Lock& lock);

  const Options options_;
  const std::shared_ptr<Publisher> publisher_;
  std::optional<Wakeup> wakeup_;  // delivery=manual
  std::atomic<bool> log_wanted_;
  std::atomic<bool> update_waits_{false};
  std::atomic<std::uint64_t> deliveries_{0};

  mutable std::mutex mutex_;
  std::condition_variable work_;   // for the delivery thread
  std::condition_variable quiet_;  // for those who wait for a callback to return, for the end, or for the first list
  std::unique_ptr<Host> host_;
  CallbackQueue queue_;
  std::thread thread_;
  std::thread::id active_;  // who runs callbacks now
  Instant last_update_{};
  bool in_burst_ = false;    // the last update had many changes
  bool timed_wait_ = false;  // the delivery thread looks for an update by itself when the next one is due
  std::function<void()> gone_;
  bool synced_ = false;
  bool cancelled_ = false;
  bool ending_ = false;    // CLOSED follows what waits
  bool ended_ = false;     // the host is gone
  bool silent_ = false;    // it is told nothing, not even CLOSED
  bool released_ = false;  // by close_async
  bool joining_ = false;
  bool joined_ = false;
};

}  // namespace ksr::delivery
