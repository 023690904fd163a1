#include "request/response.hpp"

#include <string>

#include "abi/guard.hpp"

// All but ksr_response_object reads immutable data and is noexcept by what it does.

using ksr::abi::handle;
using ksr::abi::nothing;
using ksr::abi::response_of;
using ksr::abi::text_out;

extern "C" {

const ksr_response* ksr_response_retain(const ksr_response* response) {
  if (response != nullptr) response_of(response)->retain();
  return response;
}

void ksr_response_release(const ksr_response* response) {
  if (response != nullptr) response_of(response)->release();
}

int ksr_response_http_status(const ksr_response* response) {
  return response == nullptr ? 0 : response_of(response)->http_status();
}

const char* ksr_response_header(const ksr_response* response, const char* name, size_t* len) {
  if (response == nullptr || name == nullptr) return nothing(len);
  const std::string* value = response_of(response)->header(name);
  return value == nullptr ? nothing(len) : text_out(*value, len);
}

size_t ksr_response_warning_count(const ksr_response* response) {
  return response == nullptr ? 0 : response_of(response)->warnings().size();
}

const char* ksr_response_warning(const ksr_response* response, size_t i, size_t* len) {
  if (response == nullptr || i >= response_of(response)->warnings().size()) return nothing(len);
  return text_out(response_of(response)->warnings()[i], len);
}

const void* ksr_response_body(const ksr_response* response, size_t* len) {
  return text_out(response == nullptr ? std::string_view("") : response_of(response)->body(), len);
}

const ksr_object* ksr_response_object(const ksr_response* response) {
  if (response == nullptr) return nullptr;
  return ksr::abi::guard_value_also_forked<const ksr_object*>(nullptr,
                                                              [&] { return handle(response_of(response)->object()); });
}

}  // extern "C"
