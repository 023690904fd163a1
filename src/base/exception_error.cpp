#include "base/exception_error.hpp"

#include <exception>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/resource_exhaustion.hpp"
#include "base/text.hpp"

namespace ksr {
namespace {

constexpr std::size_t kMaxReason = 200;

// Short enough for std::string to hold it in place, without an allocation.
Error no_memory() noexcept {
  return Error{Status::out_of_memory, "out of memory"};
}

Error internal(std::string_view reason) noexcept {
  try {
    return Error{Status::internal, "unexpected exception: " + one_line(reason, kMaxReason)};
  } catch (...) {
    return Error{Status::internal, "exception"};
  }
}

Error of_system(const std::system_error& failure) noexcept {
  const std::error_code& code = failure.code();
  if (code == std::errc::not_enough_memory) return no_memory();
  const bool of_system = code.category() == std::generic_category() || code.category() == std::system_category();
  if (!of_system || !is_resource_exhaustion(code.value())) return internal(failure.what());
  try {
    return Error{Status::out_of_memory, one_line(failure.what(), kMaxReason)};
  } catch (...) {
    return no_memory();
  }
}

}  // namespace

Error error_of_exception() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return no_memory();
  } catch (const std::system_error& failure) {
    return of_system(failure);
  } catch (const std::exception& failure) {
    return internal(failure.what());
  } catch (...) {
    return internal("of a type that is not std::exception");
  }
}

Error error_of_exception(const std::string& step) noexcept {
  Error error = error_of_exception();
  try {
    return error.within(step);
  } catch (...) {
    return error;
  }
}

}  // namespace ksr
