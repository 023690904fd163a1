// `code()` maps the library's enumerations to the numbers of ksr.h and asserts that they are the same; used by abi/
// only. A value without a number does not compile. Any thread.
#pragma once

#include <syslog.h>

#include <cstdint>

#include "base/log.hpp"
#include "base/status.hpp"
#include "ksr.h"
#include "store/changes.hpp"
#include "sync/sync_options.hpp"

namespace ksr::abi {

// Elsewhere values of these enumerations are cast to the numbers that hosts see: statistics, ksr_dispatch.
template <auto value, std::int32_t number>
constexpr std::int32_t same_number() noexcept {
  static_assert(static_cast<std::int32_t>(value) == number, "the numbers of ksr.h and of the library differ");
  return number;
}

constexpr ksr_status code(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return same_number<Status::ok, KSR_OK>();
    case Status::invalid:
      return same_number<Status::invalid, KSR_E_INVALID>();
    case Status::out_of_memory:
      return same_number<Status::out_of_memory, KSR_E_NOMEM>();
    case Status::internal:
      return same_number<Status::internal, KSR_E_INTERNAL>();
    case Status::unknown_key:
      return same_number<Status::unknown_key, KSR_E_UNKNOWN_KEY>();
    case Status::would_deadlock:
      return same_number<Status::would_deadlock, KSR_E_WOULD_DEADLOCK>();
    case Status::forked:
      return same_number<Status::forked, KSR_E_FORKED>();
    case Status::cancelled:
      return same_number<Status::cancelled, KSR_E_CANCELLED>();
    case Status::timeout:
      return same_number<Status::timeout, KSR_E_TIMEOUT>();
    case Status::unsupported:
      return same_number<Status::unsupported, KSR_E_UNSUPPORTED>();
    case Status::transport:
      return same_number<Status::transport, KSR_E_TRANSPORT>();
    case Status::tls:
      return same_number<Status::tls, KSR_E_TLS>();
    case Status::protocol:
      return same_number<Status::protocol, KSR_E_PROTOCOL>();
    case Status::too_large:
      return same_number<Status::too_large, KSR_E_TOO_LARGE>();
    case Status::lost:
      return same_number<Status::lost, KSR_E_LOST>();
    case Status::auth:
      return same_number<Status::auth, KSR_E_AUTH>();
    case Status::forbidden:
      return same_number<Status::forbidden, KSR_E_FORBIDDEN>();
    case Status::not_found:
      return same_number<Status::not_found, KSR_E_NOT_FOUND>();
    case Status::gone:
      return same_number<Status::gone, KSR_E_GONE>();
    case Status::throttled:
      return same_number<Status::throttled, KSR_E_THROTTLED>();
    case Status::server:
      return same_number<Status::server, KSR_E_SERVER>();
    case Status::conflict:
      return same_number<Status::conflict, KSR_E_CONFLICT>();
    case Status::rejected:
      return same_number<Status::rejected, KSR_E_REJECTED>();
  }
  return KSR_E_INTERNAL;
}

constexpr ksr_state code(sync::State state) noexcept {
  switch (state) {
    case sync::State::connecting:
      return same_number<sync::State::connecting, KSR_STATE_CONNECTING>();
    case sync::State::listing:
      return same_number<sync::State::listing, KSR_STATE_LISTING>();
    case sync::State::live:
      return same_number<sync::State::live, KSR_STATE_LIVE>();
    case sync::State::waiting:
      return same_number<sync::State::waiting, KSR_STATE_WAITING>();
    case sync::State::closed:
      return same_number<sync::State::closed, KSR_STATE_CLOSED>();
  }
  return KSR_STATE_CLOSED;
}

constexpr ksr_delta code(store::DeltaKind kind) noexcept {
  switch (kind) {
    case store::DeltaKind::added:
      return same_number<store::DeltaKind::added, KSR_DELTA_ADDED>();
    case store::DeltaKind::modified:
      return same_number<store::DeltaKind::modified, KSR_DELTA_MODIFIED>();
    case store::DeltaKind::deleted:
      return same_number<store::DeltaKind::deleted, KSR_DELTA_DELETED>();
  }
  return 0;
}

// The levels of syslog(3).
constexpr std::int32_t code(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::error:
      return same_number<LogLevel::error, LOG_ERR>();
    case LogLevel::warning:
      return same_number<LogLevel::warning, LOG_WARNING>();
    case LogLevel::notice:
      return same_number<LogLevel::notice, LOG_NOTICE>();
    case LogLevel::info:
      return same_number<LogLevel::info, LOG_INFO>();
    case LogLevel::debug:
      return same_number<LogLevel::debug, LOG_DEBUG>();
  }
  return LOG_DEBUG;
}

}  // namespace ksr::abi
