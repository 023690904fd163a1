#include "abi/callback_mark.hpp"
#include "abi/guard.hpp"

namespace ksr::abi {

// Both are initialised before any code runs and have nothing to do at exit.
Mutex CallbackMark::marks_mutex_;
CallbackMark* CallbackMark::first_mark_ = nullptr;

// In a forked child another thread of the parent may have held the mutex, and the answer is "no" there without it.
CallbackMark::CallbackMark() {
  if (stream::in_forked_child()) return;
  const MutexLock lock(marks_mutex_);
  next_ = first_mark_;
  if (next_ != nullptr) next_->previous_ = this;
  first_mark_ = this;
  listed_ = true;
}

CallbackMark::~CallbackMark() {
  if (!listed_ || stream::in_forked_child()) return;
  const MutexLock lock(marks_mutex_);
  (previous_ != nullptr ? previous_->next_ : first_mark_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

bool CallbackMark::on_this_thread() {
  if (stream::in_forked_child()) return false;
  const std::thread::id self = std::this_thread::get_id();
  const MutexLock lock(marks_mutex_);
  for (const CallbackMark* mark = first_mark_; mark != nullptr; mark = mark->next_) {
    if (mark->thread_.load(std::memory_order_relaxed) == self) return true;
  }
  return false;
}

}  // namespace ksr::abi

extern "C" {

int ksr_in_callback(void) {
  return ksr::abi::guard_value<int>(0, 0, [] { return ksr::abi::CallbackMark::on_this_thread() ? 1 : 0; });
}

}  // extern "C"
