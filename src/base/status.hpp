// `Status` is how a call of the library ended; used by every module. The numbers are those of ksr.h, which
// abi/constants.hpp asserts for each. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ksr {

enum class Status : std::int32_t {
  ok = 0,
  invalid = -1,
  out_of_memory = -2,
  internal = -3,
  unknown_key = -4,
  would_deadlock = -5,
  forked = -6,
  cancelled = -7,
  timeout = -8,
  unsupported = -9,
  transport = -20,
  tls = -21,
  protocol = -22,
  too_large = -23,
  lost = -24,
  auth = -40,
  forbidden = -41,
  not_found = -42,
  gone = -43,
  throttled = -44,
  server = -45,
  conflict = -46,
  rejected = -47,
};

// "KSR_E_GONE"; "KSR_E_UNKNOWN" for any other number. NUL-terminated, static.
const char* status_name(Status status) noexcept;

// The code for a refused list or watch: 401 auth, 403 forbidden, 404 not_found, 410 gone, 429 throttled, else
// server.
Status status_of_http(int http_status) noexcept;

// The same for any other call, with two more: 409 conflict; 400, 405, 406, 413, 415 and 422 rejected.
Status status_of_refused_call(int http_status) noexcept;

}  // namespace ksr
