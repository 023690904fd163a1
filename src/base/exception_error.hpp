// `error_of_exception` turns the exception being handled into an Error; used where exceptions are caught, which is at
// the entry points of the network thread and of other threads. Any thread.
#pragma once

#include <string>

#include "base/error.hpp"

namespace ksr {

// Within a catch block only. std::bad_alloc is Status::out_of_memory; all else is Status::internal, with what() as one
// line. Without memory for the message, the message is shorter.
Error error_of_exception() noexcept;
// The same as an error of `step`.
Error error_of_exception(const std::string& step) noexcept;

}  // namespace ksr
