// `error_of_exception` turns the exception being handled into an Error; used where exceptions are caught, which is at
// the entry points of the network thread and of other threads. `made_error` is for the last step of an
// operation, after which nobody would report another error; `for_each_despite_exceptions` for callbacks of several
// owners, none of which may keep the others from theirs. Any thread.
#pragma once

#include <exception>
#include <string>

#include "base/error.hpp"

namespace ksr {

// Within a catch block only. std::bad_alloc is Status::out_of_memory; all else is Status::internal, with what() as one
// line. Without memory for the message, the message is shorter.
Error error_of_exception() noexcept;
// The same as an error of `step`.
Error error_of_exception(const std::string& step) noexcept;

// The error that `make` makes; without memory for it, that.
template <class Make>
Error made_error(Make&& make) noexcept {
  try {
    return make();
  } catch (...) {
    return error_of_exception();
  }
}

// Runs `step` for each of `items`. The last exception is thrown when all have had their turn.
template <class Items, class Step>
void for_each_despite_exceptions(Items& items, Step step) {
  std::exception_ptr thrown;
  for (auto& item : items) {
    try {
      step(item);
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace ksr
