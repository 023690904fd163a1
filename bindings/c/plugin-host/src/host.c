#include "host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void count(host* self) {
  ++self->callbacks;
  if (!pthread_equal(self->thread, pthread_self())) ++self->foreign_callbacks;
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  static const char* const names[] = {"CHANGED", "ADDED", "MODIFIED", "DELETED"};
  host* self = user_data;
  const plugin* ksr = self->ksr;
  const size_t deltas = ksr->snapshot_delta_count(snapshot);
  (void)stream;
  count(self);
  for (size_t i = 0; i < deltas; ++i) {
    const ksr_object* object = NULL;
    const ksr_delta kind = ksr->snapshot_delta_at(snapshot, i, &object);
    /* A number that this header does not name comes from a newer library. */
    printf("%s %s/%s\n", names[kind >= KSR_DELTA_ADDED && kind <= KSR_DELTA_DELETED ? kind : 0],
           ksr->object_field(object, KSR_FIELD_NAMESPACE, NULL), ksr->object_field(object, KSR_FIELD_NAME, NULL));
  }
  printf("view %zu\n", ksr->snapshot_count(snapshot));
  fflush(stdout);
}

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  host* self = user_data;
  const int64_t retry_ms = self->ksr->error_retry_ms(error);
  (void)stream;
  count(self);
  if (retry_ms < 0) self->failed = 1;
  fprintf(stderr, "plugin-host: %s (next try: %" PRId64 " ms)\n", self->ksr->error_message(error, NULL), retry_ms);
}

static void on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  host* self = user_data;
  (void)stream;
  count(self);
  if (state == KSR_STATE_CLOSED) self->closed = 1;
}

static void on_destroy(void* user_data) {
  host* self = user_data;
  count(self);
  self->destroyed = 1;
}

static int refused(const plugin* ksr, const char* what, ksr_status status, ksr_error* err) {
  fprintf(stderr, "plugin-host: %s: %s\n", what,
          err != NULL ? ksr->error_message(err, NULL) : ksr->status_name(status));
  ksr->error_free(err);
  return -1;
}

static int set(const plugin* ksr, ksr_config* config, const char* key, const char* value) {
  ksr_error* err = NULL;
  const ksr_status status = ksr->config_set(config, key, value, &err);
  return status == KSR_OK ? 0 : refused(ksr, key, status, err);
}

static int set_keys(const plugin* ksr, ksr_config* config, char** keys) {
  for (; *keys != NULL; ++keys) {
    char* equals = strchr(*keys, '=');
    if (equals == NULL) {
      fprintf(stderr, "plugin-host: expected KEY=VALUE, not %s\n", *keys);
      return -1;
    }
    *equals = '\0';
    if (set(ksr, config, *keys, equals + 1) != 0) return -1;
  }
  /* Last, so that it takes effect: no thread of the library may enter this host. */
  return set(ksr, config, "delivery", "manual");
}

int host_open(host* self, const plugin* ksr, char** keys) {
  ksr_config* config = NULL;
  ksr_error* err = NULL;
  int result = -1;
  ksr_status status = ksr->config_new(&config);
  if (status != KSR_OK) return refused(ksr, "config_new", status, NULL);
  memset(self, 0, sizeof *self);
  self->ksr = ksr;
  self->thread = pthread_self();
  ksr->config_on_update(config, on_update);
  ksr->config_on_error(config, on_error);
  ksr->config_on_state(config, on_state);
  if (set_keys(ksr, config, keys) == 0) {
    status = ksr->open(config, self, on_destroy, &self->stream, &err);
    result = status == KSR_OK ? 0 : refused(ksr, "open", status, err);
  }
  ksr->config_free(config);
  return result;
}

void host_report(const host* self) {
  uint64_t objects = 0;
  uint64_t events = 0;
  if (self->ksr->stat(self->stream, "objects", &objects) != KSR_OK) return;
  if (self->ksr->stat(self->stream, "events", &events) != KSR_OK) return;
  printf("tick %" PRIu64 " objects, %" PRIu64 " events\n", objects, events);
  fflush(stdout);
}

int host_close(host* self) {
  const ksr_status status = self->ksr->close(self->stream);
  if (status != KSR_OK) return refused(self->ksr, "close", status, NULL);
  if (!self->closed || !self->destroyed) return -1;
  printf("closed after %ld callbacks, %ld of them on foreign threads\n", self->callbacks, self->foreign_callbacks);
  return self->foreign_callbacks == 0 ? 0 : -1;
}
