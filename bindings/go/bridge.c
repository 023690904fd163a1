#include "bridge.h"

#include "_cgo_export.h"

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  ksrGoUpdate((uintptr_t)user_data, (uintptr_t)stream, (ksr_snapshot*)snapshot);
}

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  ksrGoError((uintptr_t)user_data, (uintptr_t)stream, (ksr_error*)error);
}

static void on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  ksrGoState((uintptr_t)user_data, (uintptr_t)stream, state);
}

static void on_log(int32_t level, const char* msg, size_t len, void* user_data) {
  ksrGoLog((uintptr_t)user_data, level, (char*)msg, len);
}

static void on_destroy(void* user_data) {
  ksrGoDestroy((uintptr_t)user_data);
}

void ksr_go_set_callbacks(ksr_config* config, int with_log) {
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
  ksr_config_on_log(config, with_log ? on_log : NULL);
}

ksr_status ksr_go_open(const ksr_config* config, uintptr_t handle, uintptr_t* out, ksr_error** err) {
  ksr_stream* stream = NULL;
  const ksr_status status = ksr_open(config, (void*)handle, on_destroy, &stream, err);
  if (status == KSR_OK) *out = (uintptr_t)stream;
  return status;
}
