#include "stream/config.hpp"
#include "abi/guard.hpp"

using ksr::Expected;
using ksr::abi::guard;
using ksr::abi::invalid;

extern "C" {

ksr_status ksr_config_new(ksr_config** out) {
  return guard(nullptr, [&]() -> Expected<void> {
    if (out == nullptr) return invalid("ksr_config_new: out is NULL");
    *out = new ksr_config();
    return {};
  });
}

void ksr_config_free(ksr_config* config) {
  delete config;
}

ksr_status ksr_config_set(ksr_config* config, const char* key, const char* value, ksr_error** err) {
  return guard(err, [&]() -> Expected<void> {
    if (config == nullptr) return invalid("ksr_config_set: config is NULL");
    if (key == nullptr) return invalid("ksr_config_set: key is NULL");
    if (value == nullptr) return invalid("ksr_config_set: value is NULL");
    return ksr::stream::set_key(config->config, key, value);
  });
}

void ksr_config_on_update(ksr_config* config, ksr_update_fn callback) {
  if (config != nullptr) config->callbacks.on_update = callback;
}

void ksr_config_on_error(ksr_config* config, ksr_error_fn callback) {
  if (config != nullptr) config->callbacks.on_error = callback;
}

void ksr_config_on_state(ksr_config* config, ksr_state_fn callback) {
  if (config != nullptr) config->callbacks.on_state = callback;
}

void ksr_config_on_log(ksr_config* config, ksr_log_fn callback) {
  if (config != nullptr) config->callbacks.on_log = callback;
}

}  // extern "C"
