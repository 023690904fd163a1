// `error_of_exception` turns the exception being handled into an Error; used where exceptions end, which are the entry
// points of the network thread and the threads beside it. Any thread.
#pragma once

#include <string>

#include "base/error.hpp"

namespace ksr {

// Within a catch block only. std::bad_alloc is Status::out_of_memory; all else is Status::internal, with what() as one
// line of printable ASCII. Without memory for the text, the text is left out.
Error error_of_exception() noexcept;
// The same as an error of `step`.
Error error_of_exception(const std::string& step) noexcept;

}  // namespace ksr
