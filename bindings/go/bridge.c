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

struct change {
  uint64_t seen;
  const ksr_snapshot* found;
};

/* The test of the program runs in Go, after the wait: it may panic or end its goroutine, which must not unwind C. */
static int is_another(const ksr_snapshot* snapshot, void* user_data) {
  struct change* change = user_data;
  if (ksr_snapshot_sequence(snapshot) == change->seen) return 0;
  change->found = ksr_snapshot_retain(snapshot);
  return 1;
}

ksr_status ksr_go_wait_change(uintptr_t stream, uint64_t seen, int64_t timeout_ms, ksr_snapshot** out) {
  struct change change = {seen, NULL};
  const ksr_status status = ksr_wait_until((ksr_stream*)stream, is_another, &change, timeout_ms);
  *out = (ksr_snapshot*)change.found;
  return status;
}

static void on_client_log(int32_t level, const char* msg, size_t len, void* user_data) {
  ksrGoClientLog((uintptr_t)user_data, level, (char*)msg, len);
}

static void on_client_destroy(void* user_data) {
  ksrGoClientDestroy((uintptr_t)user_data);
}

static void on_request_destroy(void* user_data) {
  ksrGoRequestDestroy((uintptr_t)user_data);
}

ksr_status ksr_go_client_open(ksr_config* config, int with_log, uintptr_t handle, uintptr_t* out, ksr_error** err) {
  ksr_client* client = NULL;
  ksr_config_on_log(config, with_log ? on_client_log : NULL);
  const ksr_status status = ksr_client_open(config, (void*)handle, on_client_destroy, &client, err);
  if (status == KSR_OK) *out = (uintptr_t)client;
  return status;
}

ksr_status ksr_go_client_stream(uintptr_t client, const ksr_config* query, uintptr_t handle, uintptr_t* out,
                                ksr_error** err) {
  ksr_stream* stream = NULL;
  const ksr_status status = ksr_client_stream((ksr_client*)client, query, (void*)handle, on_destroy, &stream, err);
  if (status == KSR_OK) *out = (uintptr_t)stream;
  return status;
}

ksr_status ksr_go_request_open(uintptr_t client, const ksr_params* params, uintptr_t handle, uintptr_t* out,
                               ksr_error** err) {
  ksr_request* request = NULL;
  const ksr_status status =
      ksr_request_open((ksr_client*)client, params, (void*)handle, on_request_destroy, &request, err);
  if (status == KSR_OK) *out = (uintptr_t)request;
  return status;
}

static void on_channel_event(ksr_channel* channel, int32_t event, int32_t part, const ksr_error* error,
                             void* user_data) {
  (void)part;
  ksrGoChannelEvent((uintptr_t)user_data, (uintptr_t)channel, event, (ksr_error*)error);
}

static void on_channel_destroy(void* user_data) {
  ksrGoChannelDestroy((uintptr_t)user_data);
}

ksr_status ksr_go_channel_open(uintptr_t client, ksr_params* params, uintptr_t handle, uintptr_t* out,
                               ksr_error** err) {
  ksr_channel* channel = NULL;
  ksr_params_on_event(params, on_channel_event);
  const ksr_status status =
      ksr_channel_open((ksr_client*)client, params, (void*)handle, on_channel_destroy, &channel, err);
  if (status == KSR_OK) *out = (uintptr_t)channel;
  return status;
}
