#include <mutex>

#include "abi/callback_mark.hpp"
#include "abi/guard.hpp"

namespace ksr::abi {
namespace {

// Both are initialised before any code runs and have nothing to do at exit.
std::mutex marks_mutex;
CallbackMark* first_mark = nullptr;

}  // namespace

// In a forked child another thread of the parent may have held the mutex, and the answer is "no" there without it.
CallbackMark::CallbackMark() {
  if (stream::in_forked_child()) return;
  const std::lock_guard<std::mutex> lock(marks_mutex);
  next_ = first_mark;
  if (next_ != nullptr) next_->previous_ = this;
  first_mark = this;
  listed_ = true;
}

CallbackMark::~CallbackMark() {
  if (!listed_ || stream::in_forked_child()) return;
  const std::lock_guard<std::mutex> lock(marks_mutex);
  (previous_ != nullptr ? previous_->next_ : first_mark) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

bool CallbackMark::on_this_thread() {
  if (stream::in_forked_child()) return false;
  const std::thread::id self = std::this_thread::get_id();
  const std::lock_guard<std::mutex> lock(marks_mutex);
  for (const CallbackMark* mark = first_mark; mark != nullptr; mark = mark->next_) {
    if (mark->thread_.load(std::memory_order_relaxed) == self) return true;
  }
  return false;
}

}  // namespace ksr::abi

extern "C" {

int ksr_in_callback(void) {
  return ksr::abi::guard_value<int>(0, [] { return ksr::abi::CallbackMark::on_this_thread() ? 1 : 0; });
}

}  // extern "C"
