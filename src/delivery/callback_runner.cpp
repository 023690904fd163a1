#include "delivery/callback_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/status.hpp"
#include "base/thread.hpp"

namespace ksr::delivery {

Expected<std::shared_ptr<CallbackRunner>> CallbackRunner::create(const Options& options) {
  auto runner = std::make_shared<CallbackRunner>(options);
  if (Expected<void> started = runner->start(); !started) return std::move(started).error();
  return runner;
}

Expected<void> CallbackRunner::start() {
  const MutexLock lock(mutex_);
  if (manual()) {
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

// ---- turns ----------------------------------------------------------------------------------------------------------

void CallbackRunner::post(const std::shared_ptr<CallbackSource>& source) {
  MutexLock lock(mutex_);
  if (!enqueue(source, false)) return;
  if (wakeup_) return wakeup_->signal();
  // The thread would wait for the lock as soon as it is awake.
  lock.unlock();
  work_.notify_one();
}

void CallbackRunner::post_at(const std::shared_ptr<CallbackSource>& source, Instant at) {
  using Queue = CallbackSource::Queue;
  const MutexLock lock(mutex_);
  const bool waits = source->queue_ == Queue::waiting || source->queue_ == Queue::ending;
  const bool sooner = source->queue_ == Queue::delayed && source->due_ <= at;
  if (stopping_ || waits || sooner) return;
  if (source->queue_ == Queue::delayed) source->place_.splice(source->place_.end(), delayed_, source->node_);
  *source->node_ = source;
  source->queue_ = Queue::delayed;
  source->due_ = at;
  // Sources wait about equally long: the place is near the end.
  auto after = delayed_.end();
  while (after != delayed_.begin() && (*std::prev(after))->due_ > at) --after;
  delayed_.splice(after, source->place_);
  if (delayed_.front() != source || any_waits()) return;
  wakeup_ ? wakeup_->signal_at(at) : work_.notify_one();
}

CallbackRunner::Sources& CallbackRunner::list_of(CallbackSource& source) {
  switch (source.queue_) {
    case CallbackSource::Queue::waiting:
      return waiting_;
    case CallbackSource::Queue::ending:
      return ending_;
    case CallbackSource::Queue::delayed:
      return delayed_;
    case CallbackSource::Queue::none:
      break;
  }
  return source.place_;
}

void CallbackRunner::post_ending(const std::shared_ptr<CallbackSource>& source) {
  const MutexLock lock(mutex_);
  if (enqueue(source, true)) wake();
  if (!manual() || turn_running()) return;
  active_ = std::this_thread::get_id();
  run_ending();
  leave();
}

bool CallbackRunner::enqueue(const std::shared_ptr<CallbackSource>& source, bool ending) {
  using Queue = CallbackSource::Queue;
  source->ending_ = source->ending_ || ending;
  const Queue wanted = source->ending_ ? Queue::ending : Queue::waiting;
  if (stopping_ || source->queue_ == Queue::ending || source->queue_ == wanted) return false;
  Sources& held_in = list_of(*source);
  *source->node_ = source;
  source->queue_ = wanted;
  Sources& queue = source->ending_ ? ending_ : waiting_;
  queue.splice(queue.end(), held_in, source->node_);
  return true;
}

void CallbackRunner::take_due() {
  if (delayed_.empty()) return;
  const Instant now = std::chrono::steady_clock::now();
  while (!delayed_.empty() && delayed_.front()->due_ <= now) {
    delayed_.front()->queue_ = CallbackSource::Queue::waiting;
    waiting_.splice(waiting_.end(), delayed_, delayed_.begin());
  }
}

void CallbackRunner::wake() {
  if (wakeup_) {
    wakeup_->signal();
  } else {
    work_.notify_one();
  }
}

bool CallbackRunner::run(Place waiting) {
  std::shared_ptr<CallbackSource> source = std::move(*waiting);
  source->place_.splice(source->place_.end(), list_of(*source), waiting);
  source->queue_ = CallbackSource::Queue::none;
  CallbackSource::Turn turn;
  try {
    const MutexUnlock unlock(mutex_);
    turn = source->take_turn();
    if (!turn.more) source.reset();
  } catch (...) {
    // The thread ends in a callback: others must not wait for it.
    leave();
    throw;
  }
  if (source && enqueue(source, false)) wake();
  return turn.made;
}

std::int64_t CallbackRunner::run_ending() {
  std::int64_t made = 0;
  while (!ending_.empty()) {
    if (run(ending_.begin())) ++made;
  }
  return made;
}

// This thread runs no turns any more.
void CallbackRunner::leave() {
  active_ = {};
  if (any_waits()) {
    wake();
  } else if (!delayed_.empty() && wakeup_) {
    wakeup_->signal_at(delayed_.front()->due_);
  }
  changed_.notify_all();
}

void CallbackRunner::serve() {
  const MutexLock lock(mutex_);
  for (;;) {
    take_due();
    while (any_waits()) {
      active_ = std::this_thread::get_id();
      run(first_waiting());
      active_ = {};
      changed_.notify_all();
      take_due();
    }
    if (stopping_) return;
    if (delayed_.empty()) {
      work_.wait(mutex_);
    } else {
      work_.wait_until(mutex_, delayed_.front()->due_);
    }
  }
}

std::int64_t CallbackRunner::dispatch() {
  const MutexLock lock(mutex_);
  if (!wakeup_) return static_cast<std::int64_t>(Status::invalid);
  if (turn_running()) return 0;
  active_ = std::this_thread::get_id();
  wakeup_->clear();
  take_due();
  std::int64_t made = 0;
  // No more than what waits now: a busy cluster must not keep the host in here.
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    if (run(waiting_.begin())) ++made;
  }
  made += run_ending();
  leave();
  return made;
}

void CallbackRunner::run_here(CallbackSource& source) {
  const MutexLock lock(mutex_);
  while (turn_running()) changed_.wait(mutex_);
  active_ = std::this_thread::get_id();
  try {
    const MutexUnlock unlock(mutex_);
    while (source.take_turn().more) {
    }
  } catch (...) {
    leave();
    throw;
  }
  run_ending();
  leave();
}

bool CallbackRunner::inside() const {
  const MutexLock lock(mutex_);
  return active_ == std::this_thread::get_id();
}

// ---- the end --------------------------------------------------------------------------------------------------------

void CallbackRunner::stop() {
  Sources dropped;  // after the lock
  const MutexLock lock(mutex_);
  stopping_ = true;
  dropped.swap(waiting_);
  dropped.splice(dropped.end(), ending_);
  dropped.splice(dropped.end(), delayed_);
  work_.notify_one();
}

void CallbackRunner::join() {
  const MutexLock lock(mutex_);
  thread_.join(mutex_, changed_);
}

void CallbackRunner::detach() {
  const MutexLock lock(mutex_);
  thread_.detach();
}

}  // namespace ksr::delivery
