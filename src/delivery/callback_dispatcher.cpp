#include "delivery/callback_dispatcher.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "base/thread.hpp"
#include "delivery/host_call.hpp"

namespace ksr::delivery {
namespace {

constexpr Milliseconds kOutOfMemoryPause{100};

// Between two updates on the delivery thread: changes of this time are coalesced, so that they share the cost of one
// wake-up and one snapshot. Too short for a person to notice.
constexpr std::chrono::microseconds kCoalesceWindow{400};
constexpr std::chrono::microseconds kBurstCoalesceWindow{2000};
// An update with so many changes is part of a burst: more follows.
constexpr std::size_t kBurstSize = 32;

class CountedWait {
 public:
  explicit CountedWait(std::atomic<std::size_t>& waits) noexcept : waits_(waits) {
    waits_.fetch_add(1, std::memory_order_relaxed);
  }
  ~CountedWait() { waits_.fetch_sub(1, std::memory_order_relaxed); }
  CountedWait(const CountedWait&) = delete;
  CountedWait& operator=(const CountedWait&) = delete;

 private:
  std::atomic<std::size_t>& waits_;
};

}  // namespace

Expected<std::shared_ptr<CallbackDispatcher>> CallbackDispatcher::create(const Options& options,
                                                                         std::unique_ptr<Host> host,
                                                                         std::shared_ptr<Publisher> publisher,
                                                                         SharedDelivery shared) {
  std::shared_ptr<CallbackDispatcher> dispatcher(
      new CallbackDispatcher(options, std::move(host), std::move(publisher), std::move(shared)));
  if (Expected<void> started = dispatcher->start(); !started) return std::move(started).error();
  return dispatcher;
}

CallbackDispatcher::CallbackDispatcher(const Options& options, std::unique_ptr<Host> host,
                                       std::shared_ptr<Publisher> publisher, SharedDelivery shared)
    : options_(options),
      publisher_(std::move(publisher)),
      shared_(std::move(shared)),
      updates_wanted_(host->wants_updates()),
      errors_wanted_(host->wants_errors()),
      states_wanted_(host->wants_states()),
      log_wanted_(host->wants_log()),
      host_(std::move(host)) {}

CallbackDispatcher::~CallbackDispatcher() = default;

Expected<void> CallbackDispatcher::start() {
  if (shared_.runner) return {};
  const MutexLock lock(mutex_);
  if (options_.mode == Mode::manual) {
    Expected<Wakeup> wakeup = Wakeup::create(options_.min_interval.count() > 0);
    if (!wakeup) return std::move(wakeup).error();
    wakeup_ = std::move(wakeup).value();
    fd_ = wakeup_->fd();
    return {};
  }
  Expected<std::thread> thread = start_thread("ksr-deliver", [self = shared_from_this()] { self->serve(); });
  if (!thread) return std::move(thread).error();
  thread_.own(std::move(thread).value());
  return {};
}

// ---- what is to be delivered ----------------------------------------------------------------------------------------

std::uint64_t CallbackDispatcher::post_update(std::uint64_t changes) {
  // A stale 0 cannot lose a change: a wait is counted before its view is cut, and the view's mutex orders both.
  if (waits_.load(std::memory_order_relaxed) > 0) wake_waits();
  if (!updates_wanted_) return 0;
  // A stale true cannot lose an update: the mark is taken before the view is cut, and the view's mutex orders both.
  if (update_waits_.load(std::memory_order_relaxed)) return changes;
  MutexLock lock(mutex_);
  if (ending()) return 0;
  if (!queue_.add_update()) return changes;
  update_waits_.store(true, std::memory_order_relaxed);
  if (shared_.runner || wakeup_) {
    wake();
  } else if (!timed_wait_) {
    // Without the lock, for which the thread that wakes up would have to wait at once.
    lock.unlock();
    work_.notify_one();
  }
  return changes - 1;
}

void CallbackDispatcher::post_error(ErrorReport report) {
  if (!errors_wanted_) return;
  if (secrets_) report.error = secrets_->blanked(std::move(report.error));
  const MutexLock lock(mutex_);
  if (ending()) return;
  queue_.add_error(std::move(report));
  wake();
}

void CallbackDispatcher::post_state(sync::State state) {
  if (!states_wanted_) return;
  const MutexLock lock(mutex_);
  if (ending()) return;
  queue_.add_state(state);
  wake();
}

bool CallbackDispatcher::wants(LogLevel) const noexcept {
  return log_wanted_.load(std::memory_order_relaxed);
}

void CallbackDispatcher::log(LogLevel level, std::string line) {
  if (!wants(level)) return;
  if (secrets_) line = secrets_->blanked(line);
  const MutexLock lock(mutex_);
  if (ended()) return;
  queue_.add_log(level, std::move(line));
  wake();
}

void CallbackDispatcher::mark_synced() {
  const MutexLock lock(mutex_);
  // ksr_latest shows the view as it was at the cancel, when there was none.
  if (stopped_) return;
  synced_ = true;
  changed_.notify_all();
}

void CallbackDispatcher::end() {
  const MutexLock lock(mutex_);
  if (ending()) return;
  lifecycle_ = Lifecycle::draining;
  changed_.notify_all();  // wait_synced: with manual delivery nothing else may happen any more
  wake();
}

bool CallbackDispatcher::only_early_update_waits() const {
  return queue_.size() == 1 && queue_.update_waits() && !ending() && !updates_due();
}

void CallbackDispatcher::wake() {
  if (shared_.runner) {
    only_early_update_waits() ? shared_.runner->post_at(shared_from_this(), next_update_at())
                              : shared_.runner->post(shared_from_this());
  } else if (wakeup_) {
    only_early_update_waits() ? wakeup_->signal_at(next_update_at()) : wakeup_->signal();
  } else {
    work_.notify_one();
  }
}

// ---- delivery -------------------------------------------------------------------------------------------------------

void CallbackDispatcher::serve() {
  const MutexLock lock(mutex_);
  while (!ended()) {
    active_ = std::this_thread::get_id();
    const bool worked = step().has_value();
    active_ = {};
    if (!worked) wait_for_work();
  }
  run_on_ended();
}

CallbackSource::Turn CallbackDispatcher::take_turn() {
  const MutexLock lock(mutex_);
  if (callback_running() || ended()) return {};
  active_ = std::this_thread::get_id();
  const std::optional<bool> made = step();
  active_ = {};
  changed_.notify_all();
  if (ended()) {
    run_on_ended();
    return {made.value_or(false), false};
  }
  const bool more = (ending() || !queue_.empty()) && !only_early_update_waits();
  // As wait_for_work(): the next change of a burst need not wake the thread up.
  const bool rests = !more && (queue_.update_waits() || (in_burst_ && !manual() && !updates_due()));
  if (rests) shared_.runner->post_at(shared_from_this(), next_update_at());
  return {made.value_or(false), more};
}

void CallbackDispatcher::wait_for_work() {
  if (queue_.update_waits()) {
    work_.wait_until(mutex_, next_update_at());
  } else if (in_burst_ && !updates_due()) {
    // To be woken by the next change only to wait until it is due would cost the network thread a system call.
    timed_wait_ = true;
    work_.wait_until(mutex_, next_update_at());
    timed_wait_ = false;
  } else {
    work_.wait(mutex_);
  }
}

std::optional<bool> CallbackDispatcher::step() {
  if (ended()) return std::nullopt;
  if (std::optional<Notification> item = queue_.take(ending() || updates_due())) return deliver(*std::move(item));
  if (!ending()) return std::nullopt;
  return finish();
}

bool CallbackDispatcher::deliver(Notification item) {
  if (std::holds_alternative<UpdateMark>(item)) return deliver_update();
  call_host([&] {
    if (const auto* state = std::get_if<sync::State>(&item)) {
      host_->on_state(*state);
    } else if (auto* report = std::get_if<ErrorReport>(&item)) {
      host_->on_error(std::move(*report));
    } else if (const auto* line = std::get_if<LogLine>(&item)) {
      host_->on_log(line->level, line->text);
    }
  });
  return true;
}

bool CallbackDispatcher::deliver_update() {
  update_waits_.store(false, std::memory_order_relaxed);
  SnapshotRef snapshot = next_snapshot();
  // A cancel() while the view was cut promises its caller that no on_update starts.
  if (!snapshot || lifecycle_ >= Lifecycle::cancelled) return false;
  last_update_ = std::chrono::steady_clock::now();
  in_burst_ = snapshot->deltas().count() >= kBurstSize;
  deliveries_.fetch_add(1, std::memory_order_relaxed);
  call_host([&] {
    host_->on_update(*snapshot);
    snapshot = SnapshotRef();
  });
  return true;
}

SnapshotRef CallbackDispatcher::next_snapshot() {
  SnapshotRef snapshot;
  bool more = false;
  bool out_of_memory = false;
  {
    const MutexUnlock unlock(mutex_);
    try {
      snapshot = publisher_->next();
      more = publisher_->changed();
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  }
  if (out_of_memory && !ending()) {
    // The change is still in the cache: it is tried again a little later, when there may be memory.
    last_update_ = std::chrono::steady_clock::now() - (next_update_at() - last_update_) + kOutOfMemoryPause;
  }
  if ((out_of_memory && !ending()) || (more && lifecycle_ < Lifecycle::cancelled)) {
    queue_.add_update();
    update_waits_.store(true, std::memory_order_relaxed);
  }
  return snapshot;
}

template <class Call>
void CallbackDispatcher::call_host(Call&& call) {
  const char* thrown = nullptr;
  try {
    const MutexUnlock unlock(mutex_);
    if (!call_of_host(call)) thrown = "a callback of the host threw an exception, which was dropped";
  } catch (...) {
    // The thread ends in the callback: others must not wait for it.
    active_ = {};
    changed_.notify_all();
    throw;
  }
  if (thrown == nullptr || !log_wanted_) return;
  try {
    queue_.add_log(LogLevel::error, thrown);
  } catch (const std::bad_alloc&) {
    // The line is lost, the stream goes on.
  }
}

bool CallbackDispatcher::finish() {
  log_wanted_.store(false, std::memory_order_relaxed);
  // Not again after a thread that has ended in these callbacks.
  const bool tells_closed = states_wanted_ && lifecycle_ != Lifecycle::abandoned && !std::exchange(told_closed_, true);
  const bool made = tells_closed || host_->wants_destroy();
  if (tells_closed) call_host([this] { host_->on_state(sync::State::closed); });
  call_host([this] {
    host_->call_destroy();
    host_.reset();
  });
  if (shared_.ended) {
    // Before a close() that waits for the end returns.
    const MutexUnlock unlock(mutex_);
    shared_.ended();
  }
  lifecycle_ = Lifecycle::ended;
  changed_.notify_all();
  return made;
}

Instant CallbackDispatcher::next_update_at() const {
  if (manual()) return last_update_ + options_.min_interval;
  return last_update_ +
         std::max<Instant::duration>(options_.min_interval, in_burst_ ? kBurstCoalesceWindow : kCoalesceWindow);
}

bool CallbackDispatcher::updates_due() const {
  return last_update_ == Instant{} || std::chrono::steady_clock::now() >= next_update_at();
}

std::int64_t CallbackDispatcher::dispatch() {
  if (shared_.runner) return shared_.runner->dispatch();
  const MutexLock lock(mutex_);
  if (!wakeup_) return static_cast<std::int64_t>(Status::invalid);
  if (callback_running() || ended()) return 0;
  active_ = std::this_thread::get_id();
  wakeup_->clear();
  std::int64_t made = 0;
  // No more than what waits now and the end: a busy cluster must not keep the host in here.
  for (std::size_t left = queue_.size() + 1; left > 0; --left) {
    const std::optional<bool> called = step();
    if (!called) break;
    made += *called ? 1 : 0;
  }
  if (closed_async_) run_to_end();
  active_ = {};
  if (!ended() && (ending() || !queue_.empty())) wake();
  changed_.notify_all();
  run_on_ended();
  return made;
}

// ---- the end --------------------------------------------------------------------------------------------------------

void CallbackDispatcher::cancel() {
  const MutexLock lock(mutex_);
  stop_delivery(Lifecycle::cancelled);
}

void CallbackDispatcher::stop_delivery(Lifecycle next) {
  stopped_ = true;
  if (lifecycle_ >= next) return;
  lifecycle_ = next;
  queue_.keep_only_log();
  changed_.notify_all();
  wake();
}

bool CallbackDispatcher::is_ending() const {
  const MutexLock lock(mutex_);
  return ending();
}

bool CallbackDispatcher::is_inside() const {
  // A callback of the client that waited for another one of the same client would wait for itself.
  if (shared_.runner && shared_.runner->inside()) return true;
  const MutexLock lock(mutex_);
  return active_ == std::this_thread::get_id();
}

Status CallbackDispatcher::close() {
  if (is_inside()) return Status::would_deadlock;
  {
    const MutexLock lock(mutex_);
    stop_delivery(Lifecycle::cancelled);
  }
  if (shared_.runner && shared_.runner->manual()) shared_.runner->run_here(*this);
  const MutexLock lock(mutex_);
  if (wakeup_) {
    while (!ended() && callback_running()) changed_.wait(mutex_);
    run_to_end();
  } else {
    while (!ended()) changed_.wait(mutex_);
    thread_.join(mutex_, changed_);
  }
  return Status::ok;
}

void CallbackDispatcher::abandon() {
  {
    const MutexLock lock(mutex_);
    log_wanted_.store(false, std::memory_order_relaxed);
    stop_delivery(Lifecycle::abandoned);
    queue_.clear();
    if (shared_.runner) {
      // Here, since the caller may be inside a callback of the client.
      while (callback_running()) changed_.wait(mutex_);
      return run_to_end();
    }
  }
  close();
}

void CallbackDispatcher::close_async(std::function<void()> on_ended) {
  {
    const MutexLock lock(mutex_);
    if (closed_async_) return;
    closed_async_ = true;
    on_ended_ = std::move(on_ended);
    stop_delivery(Lifecycle::cancelled);
  }
  if (shared_.runner) shared_.runner->post_ending(shared_from_this());
  const MutexLock lock(mutex_);
  if (shared_.runner) {
    // Its turn comes, or has come.
  } else if (!wakeup_) {
    thread_.detach();
  } else if (!callback_running()) {
    run_to_end();
  }
  run_on_ended();
}

void CallbackDispatcher::run_to_end() {
  if (ended()) return;
  active_ = std::this_thread::get_id();
  while (!ended()) step();
  active_ = {};
  changed_.notify_all();
}

void CallbackDispatcher::run_on_ended() {
  if (!ended() || !on_ended_) return;
  const std::function<void()> on_ended = std::exchange(on_ended_, nullptr);
  const MutexUnlock unlock(mutex_);
  on_ended();
}

// ---- waiting --------------------------------------------------------------------------------------------------------

Status CallbackDispatcher::wait_synced(std::optional<Milliseconds> timeout) {
  const MutexLock lock(mutex_);
  const Instant deadline = timeout ? std::chrono::steady_clock::now() + *timeout : Instant::max();
  while (!synced_ && !ending()) {
    if (!timeout) {
      changed_.wait(mutex_);
    } else if (!changed_.wait_until(mutex_, deadline)) {
      break;
    }
  }
  if (synced_) return Status::ok;
  return ending() ? Status::cancelled : Status::timeout;
}

void CallbackDispatcher::wake_waits() {
  const MutexLock lock(mutex_);
  ++changes_;
  changed_.notify_all();
}

Status CallbackDispatcher::wait_until(const Test& test, std::optional<Milliseconds> timeout) {
  const std::optional<Instant> deadline =
      timeout ? std::optional(std::chrono::steady_clock::now() + *timeout) : std::nullopt;
  const CountedWait counted(waits_);
  std::uint64_t tested = 0;
  for (;;) {
    std::uint64_t seen = 0;
    bool is_last = false;
    {
      const MutexLock lock(mutex_);
      seen = changes_;
      is_last = ending();
    }
    if (const SnapshotRef snapshot = publisher_->latest(); snapshot && snapshot->sequence() != tested) {
      tested = snapshot->sequence();
      if (const std::optional<Status> outcome = test(*snapshot)) return *outcome;
    }
    if (is_last) return Status::cancelled;
    if (const std::optional<Status> ended = wait_for_change(seen, deadline)) return *ended;
  }
}

std::optional<Status> CallbackDispatcher::wait_for_change(std::uint64_t seen, std::optional<Instant> deadline) {
  const MutexLock lock(mutex_);
  // Before the changes: a view that never rests must not keep the wait beyond its limit.
  if (deadline && std::chrono::steady_clock::now() >= *deadline) return ending() ? Status::cancelled : Status::timeout;
  while (changes_ == seen && !ending()) {
    if (!deadline) {
      changed_.wait(mutex_);
    } else if (!changed_.wait_until(mutex_, *deadline)) {
      break;
    }
  }
  // What a stream that has failed for good has received last is tested, however far its end has come meanwhile; after
  // cancel() nothing is.
  if (stopped_) return Status::cancelled;
  return changes_ == seen && !ending() ? std::optional(Status::timeout) : std::nullopt;
}

DroppedCounts CallbackDispatcher::dropped() const {
  const MutexLock lock(mutex_);
  return queue_.dropped();
}

}  // namespace ksr::delivery
