#include "abi/guard.hpp"

using ksr::abi::text_out;

namespace {

using ksr::Status;

static_assert(
    static_cast<int>(Status::invalid) == KSR_E_INVALID && static_cast<int>(Status::out_of_memory) == KSR_E_NOMEM &&
    static_cast<int>(Status::internal) == KSR_E_INTERNAL &&
    static_cast<int>(Status::unknown_key) == KSR_E_UNKNOWN_KEY &&
    static_cast<int>(Status::would_deadlock) == KSR_E_WOULD_DEADLOCK &&
    static_cast<int>(Status::forked) == KSR_E_FORKED && static_cast<int>(Status::cancelled) == KSR_E_CANCELLED &&
    static_cast<int>(Status::timeout) == KSR_E_TIMEOUT && static_cast<int>(Status::transport) == KSR_E_TRANSPORT &&
    static_cast<int>(Status::tls) == KSR_E_TLS && static_cast<int>(Status::protocol) == KSR_E_PROTOCOL &&
    static_cast<int>(Status::too_large) == KSR_E_TOO_LARGE && static_cast<int>(Status::auth) == KSR_E_AUTH &&
    static_cast<int>(Status::forbidden) == KSR_E_FORBIDDEN && static_cast<int>(Status::not_found) == KSR_E_NOT_FOUND &&
    static_cast<int>(Status::gone) == KSR_E_GONE && static_cast<int>(Status::throttled) == KSR_E_THROTTLED &&
    static_cast<int>(Status::server) == KSR_E_SERVER);

}  // namespace

extern "C" {

ksr_status ksr_error_code(const ksr_error* error) {
  return error == nullptr ? KSR_OK : ksr::abi::code(error->report.error.status);
}

const char* ksr_error_message(const ksr_error* error, size_t* len) {
  return error == nullptr ? text_out("", len) : text_out(error->report.error.message, len);
}

const char* ksr_error_reason(const ksr_error* error, size_t* len) {
  return error == nullptr ? text_out("", len) : text_out(error->report.error.reason, len);
}

int ksr_error_http_status(const ksr_error* error) {
  return error == nullptr ? 0 : error->report.error.http_status;
}

int64_t ksr_error_retry_ms(const ksr_error* error) {
  if (error == nullptr || !error->report.next_try) return -1;
  return error->report.next_try->count();
}

ksr_error* ksr_error_copy(const ksr_error* error) {
  if (error == nullptr) return nullptr;
  return ksr::abi::guard_value<ksr_error*>(nullptr, [&] { return new ksr_error(*error); });
}

void ksr_error_free(ksr_error* error) {
  delete error;
}

}  // extern "C"
