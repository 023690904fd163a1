/* What cgo cannot express: handles as integers, strings as values. */
#ifndef KSR_GO_BRIDGE_H
#define KSR_GO_BRIDGE_H

#include <ksr.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char* data;
  size_t size;
} ksr_go_text;

void ksr_go_set_callbacks(ksr_config* config, int with_log);

/* A ksr_stream * is a number, no address, and the Go runtime rejects small numbers in pointers: it is passed as an
 * integer. */
ksr_status ksr_go_open(const ksr_config* config, uintptr_t handle, uintptr_t* out, ksr_error** err);

static inline uintptr_t ksr_go_thread(void) {
  return (uintptr_t)pthread_self();
}

static inline void ksr_go_cancel(uintptr_t stream) {
  ksr_cancel((ksr_stream*)stream);
}

static inline ksr_status ksr_go_close(uintptr_t stream) {
  return ksr_close((ksr_stream*)stream);
}

static inline ksr_status ksr_go_wait_synced(uintptr_t stream, int64_t timeout_ms) {
  return ksr_wait_synced((ksr_stream*)stream, timeout_ms);
}

/* Waits for a snapshot whose sequence is another one than `seen`, and stores a reference to it in *out. */
ksr_status ksr_go_wait_change(uintptr_t stream, uint64_t seen, int64_t timeout_ms, ksr_snapshot** out);

static inline ksr_error* ksr_go_last_error(uintptr_t stream) {
  return ksr_last_error((ksr_stream*)stream);
}

static inline const ksr_snapshot* ksr_go_latest(uintptr_t stream) {
  return ksr_latest((ksr_stream*)stream);
}

static inline ksr_status ksr_go_stat(uintptr_t stream, const char* name, uint64_t* value) {
  return ksr_stat((ksr_stream*)stream, name, value);
}

static inline ksr_go_text ksr_go_error_message(const ksr_error* error) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_error_message(error, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_error_reason(const ksr_error* error) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_error_reason(error, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_resource_version(const ksr_snapshot* snapshot) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_snapshot_resource_version(snapshot, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_field(const ksr_object* object, ksr_field field) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_object_field(object, field, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_get(const ksr_object* object, const char* json_pointer) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_object_get(object, json_pointer, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_column(const ksr_object* object, size_t column) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_object_column(object, column, &text.size);
  return text;
}

/* A ksr_client * and a ksr_request * are numbers as well. */
ksr_status ksr_go_client_open(ksr_config* config, int with_log, uintptr_t handle, uintptr_t* out, ksr_error** err);
ksr_status ksr_go_client_stream(uintptr_t client, const ksr_config* query, uintptr_t handle, uintptr_t* out,
                                ksr_error** err);
ksr_status ksr_go_request_open(uintptr_t client, const ksr_params* params, uintptr_t handle, uintptr_t* out,
                               ksr_error** err);

static inline void ksr_go_client_cancel(uintptr_t client) {
  ksr_client_cancel((ksr_client*)client);
}

static inline ksr_status ksr_go_client_close(uintptr_t client) {
  return ksr_client_close((ksr_client*)client);
}

static inline void ksr_go_client_close_async(uintptr_t client) {
  ksr_client_close_async((ksr_client*)client);
}

static inline ksr_status ksr_go_client_stat(uintptr_t client, const char* name, uint64_t* value) {
  return ksr_client_stat((ksr_client*)client, name, value);
}

static inline void ksr_go_request_cancel(uintptr_t request) {
  ksr_request_cancel((ksr_request*)request);
}

static inline void ksr_go_request_close_async(uintptr_t request) {
  ksr_request_close_async((ksr_request*)request);
}

/* What the request has ended with. */
static inline ksr_status ksr_go_request_outcome(uintptr_t request, ksr_response** out, ksr_error** err) {
  return ksr_request_wait((ksr_request*)request, 0, (const ksr_response**)out, err);
}

static inline ksr_go_text ksr_go_error_details(const ksr_error* error) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_error_details(error, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_response_header(const ksr_response* response, const char* name) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_response_header(response, name, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_response_warning(const ksr_response* response, size_t i) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_response_warning(response, i, &text.size);
  return text;
}

static inline ksr_go_text ksr_go_response_body(const ksr_response* response) {
  ksr_go_text text = {NULL, 0};
  text.data = ksr_response_body(response, &text.size);
  return text;
}

/* And a ksr_channel *. */
ksr_status ksr_go_channel_open(uintptr_t client, ksr_params* params, uintptr_t handle, uintptr_t* out, ksr_error** err);

static inline ksr_status ksr_go_channel_read(uintptr_t channel, int32_t part, void* to, size_t size, size_t* got) {
  return ksr_channel_read((ksr_channel*)channel, part, to, size, 0, got);
}

static inline ksr_status ksr_go_channel_write(uintptr_t channel, int32_t part, const void* bytes, size_t len,
                                              size_t* taken) {
  return ksr_channel_write((ksr_channel*)channel, part, bytes, len, 0, taken);
}

static inline ksr_status ksr_go_channel_finish(uintptr_t channel, int32_t part) {
  return ksr_channel_finish((ksr_channel*)channel, part);
}

static inline ksr_status ksr_go_channel_resize(uintptr_t channel, uint32_t columns, uint32_t rows) {
  return ksr_channel_resize((ksr_channel*)channel, columns, rows);
}

/* How the channel has ended. */
static inline ksr_status ksr_go_channel_outcome(uintptr_t channel, int32_t* exit_code, ksr_error** err) {
  return ksr_channel_wait((ksr_channel*)channel, 0, exit_code, err);
}

static inline size_t ksr_go_channel_info(uintptr_t channel, const char* name, char* to, size_t size) {
  return ksr_channel_info((ksr_channel*)channel, name, to, size);
}

static inline ksr_status ksr_go_channel_stat(uintptr_t channel, const char* name, uint64_t* value) {
  return ksr_channel_stat((ksr_channel*)channel, name, value);
}

static inline void ksr_go_channel_cancel(uintptr_t channel) {
  ksr_channel_cancel((ksr_channel*)channel);
}

static inline ksr_status ksr_go_channel_close(uintptr_t channel) {
  return ksr_channel_close((ksr_channel*)channel);
}

static inline void ksr_go_channel_close_async(uintptr_t channel) {
  ksr_channel_close_async((ksr_channel*)channel);
}

typedef struct {
  ksr_delta kind;
  const ksr_object* object;
  const ksr_object* before;
  int left;
} ksr_go_delta;

static inline ksr_go_delta ksr_go_delta_at(const ksr_snapshot* snapshot, size_t i) {
  ksr_go_delta delta = {0, NULL, NULL, 0};
  delta.kind = ksr_snapshot_delta_at(snapshot, i, &delta.object);
  delta.before = ksr_snapshot_delta_before(snapshot, i);
  delta.left = ksr_snapshot_delta_left(snapshot, i);
  return delta;
}

#endif
