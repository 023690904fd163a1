#include "delivery/callback_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/status.hpp"
#include "base/thread.hpp"

namespace ksr::delivery {

Expected<std::shared_ptr<CallbackRunner>> CallbackRunner::create(Mode mode) {
  auto runner = std::make_shared<CallbackRunner>(mode);
  if (Expected<void> started = runner->start(); !started) return std::move(started).error();
  return runner;
}

Expected<void> CallbackRunner::start() {
  const MutexLock lock(mutex_);
  if (manual()) {
    Expected<Wakeup> wakeup = Wakeup::create(false);
    if (!wakeup) return std::move(wakeup).error();
    wakeup_ = std::move(wakeup).value();
    fd_ = wakeup_->fd();
    return {};
  }
  Expected<std::thread> thread = start_thread("ksr-deliver", [self = shared_from_this()] { self->serve(); });
  if (!thread) return std::move(thread).error();
  thread_ = std::move(thread).value();
  return {};
}

// ---- turns ----------------------------------------------------------------------------------------------------------

void CallbackRunner::post(const std::shared_ptr<CallbackSource>& source) {
  const MutexLock lock(mutex_);
  enqueue(source, false);
}

void CallbackRunner::post_ending(const std::shared_ptr<CallbackSource>& source) {
  const MutexLock lock(mutex_);
  enqueue(source, true);
  if (!manual() || turn_running()) return;
  active_ = std::this_thread::get_id();
  run_ending();
  leave();
}

void CallbackRunner::enqueue(const std::shared_ptr<CallbackSource>& source, bool ending) {
  source->ending_ = source->ending_ || ending;
  if (stopping_ || source->place_.empty()) return;
  source->place_.front() = source;
  waiting_.splice(waiting_.end(), source->place_);
  wake();
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
  source->place_.splice(source->place_.end(), waiting_, waiting);
  CallbackSource::Turn turn;
  {
    const MutexUnlock unlock(mutex_);
    turn = source->take_turn();
    if (!turn.more) source.reset();
  }
  if (source) enqueue(source, false);
  return turn.made;
}

std::int64_t CallbackRunner::run_ending() {
  std::int64_t made = 0;
  for (;;) {
    const auto first =
        std::find_if(waiting_.begin(), waiting_.end(), [](const auto& source) { return source->ending_; });
    if (first == waiting_.end()) return made;
    if (run(first)) ++made;
  }
}

// This thread runs no turns any more.
void CallbackRunner::leave() {
  active_ = {};
  if (!waiting_.empty()) wake();
  changed_.notify_all();
}

void CallbackRunner::serve() {
  const MutexLock lock(mutex_);
  for (;;) {
    while (!waiting_.empty()) {
      active_ = std::this_thread::get_id();
      run(waiting_.begin());
      active_ = {};
      changed_.notify_all();
    }
    if (stopping_) return;
    work_.wait(mutex_);
  }
}

std::int64_t CallbackRunner::dispatch() {
  const MutexLock lock(mutex_);
  if (!wakeup_) return static_cast<std::int64_t>(Status::invalid);
  if (turn_running()) return 0;
  active_ = std::this_thread::get_id();
  wakeup_->clear();
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
  {
    const MutexUnlock unlock(mutex_);
    while (source.take_turn().more) {
    }
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
  std::list<std::shared_ptr<CallbackSource>> dropped;  // after the lock
  const MutexLock lock(mutex_);
  stopping_ = true;
  dropped.swap(waiting_);
  work_.notify_one();
}

void CallbackRunner::join() {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    while (!manual() && !joined_) changed_.wait(mutex_);
    return;
  }
  std::thread ended_thread = std::move(thread_);
  {
    const MutexUnlock unlock(mutex_);
    ended_thread.join();
  }
  joined_ = true;
  changed_.notify_all();
}

void CallbackRunner::detach() {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) return;
  thread_.detach();
  joined_ = true;
}

}  // namespace ksr::delivery
