#include "delivery/callback_dispatcher.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "base/thread.hpp"

namespace ksr::delivery {
namespace {

constexpr Milliseconds kOutOfMemoryPause{100};

// Of the delivery thread, between two updates: a burst is gathered in this time, so that the cost of waking up and of a
// snapshot is shared by all its changes. Shorter than anybody sees.
constexpr std::chrono::microseconds kCoalesceWindow{400};
constexpr std::chrono::microseconds kBurstCoalesceWindow{2000};
// An update with so many changes is part of a burst: more follows.
constexpr std::size_t burst = 32;

}  // namespace

Expected<std::shared_ptr<CallbackDispatcher>> CallbackDispatcher::create(const Options& options,
                                                                         std::unique_ptr<Host> host,
                                                                         std::shared_ptr<Publisher> publisher) {
  std::shared_ptr<CallbackDispatcher> dispatcher(
      new CallbackDispatcher(options, std::move(host), std::move(publisher)));
  if (Expected<void> started = dispatcher->start(); !started) return std::move(started).error();
  return dispatcher;
}

CallbackDispatcher::CallbackDispatcher(const Options& options, std::unique_ptr<Host> host,
                                       std::shared_ptr<Publisher> publisher)
    : options_(options), publisher_(std::move(publisher)), log_wanted_(host->wants_log()), host_(std::move(host)) {}

CallbackDispatcher::~CallbackDispatcher() = default;

Expected<void> CallbackDispatcher::start() {
  if (options_.mode == Mode::manual) {
    Expected<Wakeup> wakeup = Wakeup::create(options_.min_interval.count() > 0);
    if (!wakeup) return std::move(wakeup).error();
    wakeup_ = std::move(wakeup).value();
    return {};
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  Expected<std::thread> thread = start_thread("ksr-deliver", [self = shared_from_this()] { self->serve(); });
  if (!thread) return std::move(thread).error();
  thread_ = std::move(thread).value();
  return {};
}

// ---- news
// ------------------------------------------------------------------------------------------------------------

bool CallbackDispatcher::post_update() {
  // A stale true cannot lose an update: the mark is taken before the view is cut, and the view's mutex orders both.
  if (update_waits_.load(std::memory_order_relaxed)) return false;
  Lock lock(mutex_);
  if (ending_ || !host_ || !host_->wants_updates() || !queue_.add_update()) return false;
  update_waits_.store(true, std::memory_order_relaxed);
  if (wakeup_) {
    wake_locked();
  } else if (!timed_wait_) {
    // Without the lock, or whoever wakes up has to wait for it at once.
    lock.unlock();
    work_.notify_one();
  }
  return true;
}

void CallbackDispatcher::post_error(ErrorReport report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ending_) return;
  queue_.add_error(std::move(report));
  wake_locked();
}

void CallbackDispatcher::post_state(sync::State state) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ending_) return;
  queue_.add_state(state);
  wake_locked();
}

bool CallbackDispatcher::wants(LogLevel) const noexcept {
  return log_wanted_.load(std::memory_order_relaxed);
}

void CallbackDispatcher::log(LogLevel level, std::string line) {
  if (!wants(level)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return;
  queue_.add_log(level, std::move(line));
  wake_locked();
}

void CallbackDispatcher::mark_synced() {
  const std::lock_guard<std::mutex> lock(mutex_);
  synced_ = true;
  quiet_.notify_all();
}

void CallbackDispatcher::end() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ending_) return;
  ending_ = true;
  wake_locked();
}

void CallbackDispatcher::wake_locked() {
  if (wakeup_) {
    const bool only_an_early_update = queue_.size() == 1 && queue_.update_waits() && !ending_ && !updates_due();
    only_an_early_update ? wakeup_->signal_at(next_update_at()) : wakeup_->signal();
  } else {
    work_.notify_one();
  }
}

// ---- delivery
// --------------------------------------------------------------------------------------------------------

void CallbackDispatcher::serve() {
  Lock lock(mutex_);
  while (!ended_) {
    active_ = std::this_thread::get_id();
    const bool worked = step(lock).has_value();
    active_ = {};
    if (!worked) wait_for_work(lock);
  }
  tell_gone(lock);
}

void CallbackDispatcher::wait_for_work(Lock& lock) {
  if (queue_.update_waits()) {
    work_.wait_until(lock, next_update_at());
  } else if (in_burst_ && !updates_due()) {
    // To be woken by the next change only to wait until it is due would cost the network thread a system call.
    timed_wait_ = true;
    work_.wait_until(lock, next_update_at());
    timed_wait_ = false;
  } else {
    work_.wait(lock);
  }
}

std::optional<bool> CallbackDispatcher::step(Lock& lock) {
  if (ended_) return std::nullopt;
  if (std::optional<Notification> item = queue_.take(ending_ || updates_due())) return deliver(lock, *std::move(item));
  if (!ending_) return std::nullopt;
  finish(lock);
  return true;
}

bool CallbackDispatcher::deliver(Lock& lock, Notification item) {
  if (std::holds_alternative<UpdateMark>(item)) return deliver_update(lock);
  call_host(lock, [&] {
    if (const auto* state = std::get_if<sync::State>(&item)) {
      host_->on_state(*state);
    } else if (const auto* report = std::get_if<ErrorReport>(&item)) {
      host_->on_error(*report);
    } else if (const auto* line = std::get_if<LogLine>(&item)) {
      host_->on_log(line->level, line->text);
    }
  });
  return true;
}

bool CallbackDispatcher::deliver_update(Lock& lock) {
  update_waits_.store(false, std::memory_order_relaxed);
  SnapshotRef snapshot = next_snapshot(lock);
  // Whoever cancelled while the view was cut has been promised that no on_update starts.
  if (!snapshot || cancelled_) return false;
  last_update_ = std::chrono::steady_clock::now();
  in_burst_ = snapshot->deltas().count() >= burst;
  deliveries_.fetch_add(1, std::memory_order_relaxed);
  call_host(lock, [&] {
    host_->on_update(*snapshot);
    snapshot = SnapshotRef();
  });
  return true;
}

SnapshotRef CallbackDispatcher::next_snapshot(Lock& lock) {
  lock.unlock();
  SnapshotRef snapshot;
  bool more = false;
  bool out_of_memory = false;
  try {
    snapshot = publisher_->next();
    more = publisher_->changed();
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
  }
  lock.lock();
  if (out_of_memory && !ending_) {
    // The change is still in the cache: it is tried again a little later, when there may be memory.
    last_update_ = std::chrono::steady_clock::now() - (next_update_at() - last_update_) + kOutOfMemoryPause;
  }
  if ((out_of_memory && !ending_) || (more && !cancelled_)) {
    queue_.add_update();
    update_waits_.store(true, std::memory_order_relaxed);
  }
  return snapshot;
}

template <class Call>
void CallbackDispatcher::call_host(Lock& lock, Call&& call) {
  lock.unlock();
  const char* thrown = nullptr;
  try {
    call();
  } catch (const ::abi::__forced_unwind&) {
    throw;  // pthread_exit and pthread_cancel must go on
  } catch (...) {
    thrown = "a callback of the host threw an exception, which was dropped";
  }
  lock.lock();
  if (thrown == nullptr || !log_wanted_) return;
  try {
    queue_.add_log(LogLevel::error, thrown);
  } catch (const std::bad_alloc&) {
    // A line less.
  }
}

void CallbackDispatcher::finish(Lock& lock) {
  log_wanted_.store(false, std::memory_order_relaxed);
  if (!silent_) call_host(lock, [this] { host_->on_state(sync::State::closed); });
  call_host(lock, [this] { host_.reset(); });
  ended_ = true;
  quiet_.notify_all();
}

Instant CallbackDispatcher::next_update_at() const {
  if (options_.mode == Mode::manual) return last_update_ + options_.min_interval;
  return last_update_ +
         std::max<Instant::duration>(options_.min_interval, in_burst_ ? kBurstCoalesceWindow : kCoalesceWindow);
}

bool CallbackDispatcher::updates_due() const {
  return last_update_ == Instant{} || std::chrono::steady_clock::now() >= next_update_at();
}

std::int64_t CallbackDispatcher::dispatch() {
  Lock lock(mutex_);
  if (!wakeup_) return static_cast<std::int64_t>(Status::invalid);
  if (active_ != std::thread::id() || ended_) return 0;
  active_ = std::this_thread::get_id();
  wakeup_->clear();
  std::int64_t made = 0;
  // No more than what waits now and the end: a busy cluster must not keep the host in here.
  for (std::size_t left = queue_.size() + 1; left > 0; --left) {
    const std::optional<bool> called = step(lock);
    if (!called) break;
    made += *called ? 1 : 0;
  }
  if (released_) run_to_end(lock);
  active_ = {};
  if (!ended_ && (ending_ || !queue_.empty())) wake_locked();
  quiet_.notify_all();
  tell_gone(lock);
  return made;
}

// ---- the end
// ---------------------------------------------------------------------------------------------------------

void CallbackDispatcher::cancel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cancel_locked();
}

void CallbackDispatcher::cancel_locked() {
  if (cancelled_) return;
  cancelled_ = true;
  ending_ = true;
  queue_.keep_only_log();
  quiet_.notify_all();
  if (!ended_) wake_locked();
}

Status CallbackDispatcher::close() {
  Lock lock(mutex_);
  if (called_from_callback()) return Status::would_deadlock;
  cancel_locked();
  if (wakeup_) {
    quiet_.wait(lock, [this] { return ended_ || active_ == std::thread::id(); });
    run_to_end(lock);
  } else {
    quiet_.wait(lock, [this] { return ended_; });
    join(lock);
  }
  return Status::ok;
}

void CallbackDispatcher::abandon() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    silent_ = true;
    queue_.clear();
    log_wanted_.store(false, std::memory_order_relaxed);
  }
  close();
}

void CallbackDispatcher::close_async(std::function<void()> gone) {
  Lock lock(mutex_);
  if (released_) return;
  released_ = true;
  gone_ = std::move(gone);
  cancel_locked();
  if (!wakeup_) {
    if (!std::exchange(joining_, true)) {
      thread_.detach();
      joined_ = true;
    }
  } else if (active_ == std::thread::id()) {
    run_to_end(lock);
  }
  tell_gone(lock);
}

void CallbackDispatcher::run_to_end(Lock& lock) {
  if (ended_) return;
  active_ = std::this_thread::get_id();
  while (!ended_) step(lock);
  active_ = {};
  quiet_.notify_all();
}

void CallbackDispatcher::join(Lock& lock) {
  if (std::exchange(joining_, true)) {
    quiet_.wait(lock, [this] { return joined_; });
    return;
  }
  std::thread ended = std::move(thread_);
  lock.unlock();
  ended.join();
  lock.lock();
  joined_ = true;
  quiet_.notify_all();
}

void CallbackDispatcher::tell_gone(Lock& lock) {
  if (!ended_ || !gone_) return;
  const std::function<void()> gone = std::exchange(gone_, nullptr);
  lock.unlock();
  gone();
  lock.lock();
}

// ---- waiting
// ---------------------------------------------------------------------------------------------------------

Status CallbackDispatcher::wait_synced(std::optional<Milliseconds> timeout) {
  Lock lock(mutex_);
  const auto settled = [this] { return synced_ || ending_; };
  if (!timeout) {
    quiet_.wait(lock, settled);
  } else if (!quiet_.wait_for(lock, *timeout, settled)) {
    return Status::timeout;
  }
  return synced_ ? Status::ok : Status::cancelled;
}

DroppedCounts CallbackDispatcher::dropped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return queue_.dropped();
}

int CallbackDispatcher::fd() const noexcept {
  return wakeup_ ? wakeup_->fd() : -1;
}

}  // namespace ksr::delivery
