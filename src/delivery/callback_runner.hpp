// `CallbackRunner` runs the callbacks of several sources one at a time: on one thread of its own, or where the host
// dispatches; used by client::Client for itself, its requests, channels and streams. Any thread; `mutex_` guards its
// state. No lock is held while a source has its turn.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "base/expected.hpp"
#include "base/instant.hpp"
#include "base/mutex.hpp"
#include "delivery/delivery_options.hpp"
#include "delivery/delivery_thread.hpp"
#include "delivery/wakeup.hpp"

namespace ksr::delivery {

// What has callbacks to make. Its turns never overlap with those of any other source of the runner.
class CallbackSource {
 public:
  struct Turn {
    // A callback was made.
    bool made = false;
    // There is more to do: another turn follows, after those of the sources that wait.
    bool more = false;
  };

  virtual ~CallbackSource() = default;
  // Makes one callback, or ends. Does nothing where there is nothing to do.
  virtual Turn take_turn() = 0;

 private:
  friend class CallbackRunner;
  enum class Queue : std::uint8_t { none, waiting, ending, delayed };

  // Guarded by the runner's mutex. The place in a queue, made with the source: waiting for a turn cannot fail. Its node
  // is the same in every queue.
  std::list<std::shared_ptr<CallbackSource>> place_{nullptr};
  const std::list<std::shared_ptr<CallbackSource>>::iterator node_ = place_.begin();
  Queue queue_ = Queue::none;
  Instant due_{};  // of the turn, in the queue `delayed`
  bool ending_ = false;
};

class CallbackRunner;

// Where a source that belongs to a client has its turns.
struct SharedDelivery {
  // NULL: it has a thread or descriptor of its own.
  std::shared_ptr<CallbackRunner> runner;
  // Called once, after the last callback of the source, with no lock held.
  std::function<void()> ended;
};

class CallbackRunner : public std::enable_shared_from_this<CallbackRunner> {
 public:
  // Mode::thread: starts the thread, which keeps the runner until stop().
  static Expected<std::shared_ptr<CallbackRunner>> create(const Options& options);
  explicit CallbackRunner(const Options& options) : options_(options) {}

  // `source` gets a turn, one for all calls before it.
  void post(const std::shared_ptr<CallbackSource>& source) KSR_EXCLUDES(mutex_);
  // The same, but not before `at`, unless another post asks for it.
  void post_at(const std::shared_ptr<CallbackSource>& source, Instant at) KSR_EXCLUDES(mutex_);
  // The same for a source that ends. With Mode::manual its turn comes before this returns, or, where another turn is
  // running, right after that.
  void post_ending(const std::shared_ptr<CallbackSource>& source) KSR_EXCLUDES(mutex_);
  // Mode::manual: gives `source` its turns on this thread, once no other turn is running. Not inside a turn.
  void run_here(CallbackSource& source) KSR_EXCLUDES(mutex_);

  // Whether the calling thread is inside a turn.
  bool inside() const KSR_EXCLUDES(mutex_);
  bool manual() const noexcept { return options_.mode == Mode::manual; }
  // As ksr_fd and ksr_dispatch.
  int fd() const noexcept { return fd_; }
  std::int64_t dispatch() KSR_EXCLUDES(mutex_);

  // All sources have ended: what waits is dropped, and the thread ends. Nothing is posted afterwards.
  void stop() KSR_EXCLUDES(mutex_);
  // Waits for the end of the thread; not inside a turn.
  void join() KSR_EXCLUDES(mutex_);
  // The thread ends by itself.
  void detach() KSR_EXCLUDES(mutex_);

 private:
  Expected<void> start() KSR_EXCLUDES(mutex_);
  void serve() KSR_EXCLUDES(mutex_);
  using Sources = std::list<std::shared_ptr<CallbackSource>>;
  using Place = Sources::iterator;
  // True: wake() has to follow.
  bool enqueue(const std::shared_ptr<CallbackSource>& source, bool ending) KSR_REQUIRES(mutex_);
  Sources& list_of(CallbackSource& source) KSR_REQUIRES(mutex_);
  bool any_waits() const KSR_REQUIRES(mutex_) { return !waiting_.empty() || !ending_.empty(); }
  // Those that end come first.
  Place first_waiting() KSR_REQUIRES(mutex_) { return ending_.empty() ? waiting_.begin() : ending_.begin(); }
  // Those whose time has come wait from now on.
  void take_due() KSR_REQUIRES(mutex_);
  // One that waits has its turn. True: it has made a callback.
  bool run(Place waiting) KSR_REQUIRES(mutex_);
  // Mode::manual: those that end have their turns. How many callbacks were made.
  std::int64_t run_ending() KSR_REQUIRES(mutex_);
  void leave() KSR_REQUIRES(mutex_);
  bool turn_running() const KSR_REQUIRES(mutex_) { return active_ != std::thread::id(); }
  void wake() KSR_REQUIRES(mutex_);

  const Options options_;
  int fd_ = -1;  // of wakeup_; set by start(), before any other thread has the runner
  mutable Mutex mutex_;
  ConditionVariable work_;     // for the thread
  ConditionVariable changed_;  // for callers that wait for the end of a turn, or of the thread
  std::optional<Wakeup> wakeup_ KSR_GUARDED_BY(mutex_);  // Mode::manual
  DeliveryThread thread_ KSR_GUARDED_BY(mutex_);         // Mode::thread
  std::thread::id active_ KSR_GUARDED_BY(mutex_);        // the thread that runs a turn now
  Sources waiting_ KSR_GUARDED_BY(mutex_);
  Sources ending_ KSR_GUARDED_BY(mutex_);
  Sources delayed_ KSR_GUARDED_BY(mutex_);  // by the time of their turns
  bool stopping_ KSR_GUARDED_BY(mutex_) = false;
};

}  // namespace ksr::delivery
