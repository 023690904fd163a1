#include "abi/guard.hpp"

using ksr::abi::text_out;

extern "C" {

ksr_status ksr_error_code(const ksr_error* error) {
  return error == nullptr ? KSR_OK : ksr::abi::code(error->report.error.status);
}

const char* ksr_error_message(const ksr_error* error, size_t* len) {
  return error == nullptr ? text_out("", len) : text_out(error->message, len);
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

const char* ksr_error_details(const ksr_error* error, size_t* len) {
  return error == nullptr ? text_out("", len) : text_out(error->report.error.details, len);
}

int ksr_error_maybe_done(const ksr_error* error) {
  return error != nullptr && error->report.error.maybe_done ? 1 : 0;
}

ksr_error* ksr_error_copy(const ksr_error* error) {
  if (error == nullptr) return nullptr;
  return ksr::abi::guard_value_also_forked<ksr_error*>(nullptr, [&] { return new ksr_error(*error); });
}

void ksr_error_free(ksr_error* error) {
  delete error;
}

}  // extern "C"
