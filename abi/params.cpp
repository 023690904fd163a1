#include "request/params.hpp"

#include <string_view>

#include "abi/guard.hpp"

using ksr::Expected;
using ksr::abi::guard;
using ksr::abi::invalid;

extern "C" {

ksr_status ksr_params_new(ksr_params** out) {
  return guard(nullptr, [&]() -> Expected<void> {
    if (out == nullptr) return invalid("ksr_params_new: out is NULL");
    *out = new ksr_params();
    return {};
  });
}

void ksr_params_free(ksr_params* params) {
  delete params;
}

ksr_status ksr_params_set(ksr_params* params, const char* key, const char* value, ksr_error** err) {
  return guard(err, [&]() -> Expected<void> {
    if (params == nullptr) return invalid("ksr_params_set: params is NULL");
    if (key == nullptr) return invalid("ksr_params_set: key is NULL");
    if (value == nullptr) return invalid("ksr_params_set: value is NULL");
    return ksr::request::set_param(params->params, key, value);
  });
}

ksr_status ksr_params_add(ksr_params* params, const char* key, const char* value, ksr_error** err) {
  return guard(err, [&]() -> Expected<void> {
    if (params == nullptr) return invalid("ksr_params_add: params is NULL");
    if (key == nullptr) return invalid("ksr_params_add: key is NULL");
    if (value == nullptr) return invalid("ksr_params_add: value is NULL");
    return ksr::request::add_param(params->params, key, value);
  });
}

ksr_status ksr_params_body(ksr_params* params, const void* bytes, size_t len, ksr_error** err) {
  return guard(err, [&]() -> Expected<void> {
    if (params == nullptr) return invalid("ksr_params_body: params is NULL");
    if (bytes == nullptr && len > 0) return invalid("ksr_params_body: bytes is NULL");
    ksr::request::set_body(params->params, len == 0 ? "" : std::string_view(static_cast<const char*>(bytes), len));
    return {};
  });
}

void ksr_params_on_response(ksr_params* params, ksr_response_fn callback) {
  if (params != nullptr) params->on_response = callback;
}

void ksr_params_on_data(ksr_params* params, ksr_data_fn callback) {
  if (params != nullptr) params->on_data = callback;
}

void ksr_params_on_event(ksr_params* params, ksr_event_fn callback) {
  if (params != nullptr) params->on_event = callback;
}

}  // extern "C"
