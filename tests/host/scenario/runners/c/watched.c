#include "watched.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLOWING = 3 };

void say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  flockfile(stdout);
  vprintf(format, arguments);
  putchar('\n');
  fflush(stdout);
  funlockfile(stdout);
  va_end(arguments);
}

static void write_key(FILE* out, const ksr_object* object) {
  fprintf(out, "%s/%s", ksr_object_field(object, KSR_FIELD_NAMESPACE, NULL),
          ksr_object_field(object, KSR_FIELD_NAME, NULL));
}

char* keys_of(const ksr_snapshot* snapshot) {
  char* text = NULL;
  size_t size = 0;
  FILE* out = open_memstream(&text, &size);
  if (!out) abort();
  for (size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    if (i) fputc(',', out);
    write_key(out, ksr_snapshot_at(snapshot, i));
  }
  fclose(out);
  return text;
}

static char* deltas_of(const ksr_snapshot* snapshot) {
  char* text = NULL;
  size_t size = 0;
  FILE* out = open_memstream(&text, &size);
  if (!out) abort();
  for (size_t i = 0; i < ksr_snapshot_delta_count(snapshot); ++i) {
    const ksr_object* object = NULL;
    const ksr_delta kind = ksr_snapshot_delta_at(snapshot, i, &object);
    if (i) fputc(',', out);
    fputc(kind >= KSR_DELTA_ADDED && kind <= KSR_DELTA_DELETED ? "?+~-"[kind] : '?', out);
    write_key(out, object);
    size_t len = 0;
    const char* labels = ksr_object_get(object, "/metadata/labels", &len);
    if (labels) fwrite(labels, 1, len, out);
  }
  fclose(out);
  return text;
}

static struct watched* alive(void* user_data, const char* what) {
  struct watched* watched = user_data;
  if (watched->closed) say("broken %s %s after close", watched->name, what);
  if (watched->destroyed) say("broken %s %s after destroy", watched->name, what);
  return watched;
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  struct watched* watched = alive(user_data, "update");
  const int armed = watched->armed; /* before the report, which may be answered with the next step */
  const uint64_t sequence = ksr_snapshot_sequence(snapshot);
  if (sequence != watched->last + 1)
    say("broken %s sequence %" PRIu64 " after %" PRIu64, watched->name, sequence, watched->last);
  watched->last = sequence;
  if (watched->pours) {
    if (sequence == FLOWING) say("flowing %s", watched->name);
    return;
  }
  char* keys = keys_of(snapshot);
  char* deltas = deltas_of(snapshot);
  say("update %s %" PRIu64 " count=%zu keys=%s deltas=%s", watched->name, sequence, ksr_snapshot_count(snapshot), keys,
      deltas);
  free(keys);
  free(deltas);
  if (armed) ksr_cancel(stream);
}

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  const struct watched* watched = alive(user_data, "error");
  (void)stream;
  say("error %s %s http=%d reason=%s %s", watched->name, ksr_status_name(ksr_error_code(error)),
      ksr_error_http_status(error), ksr_error_reason(error, NULL), ksr_error_retry_ms(error) < 0 ? "fatal" : "retry");
}

static void on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  static const char* const names[] = {"?", "CONNECTING", "LISTING", "LIVE", "WAITING", "CLOSED"};
  const struct watched* watched = alive(user_data, "state");
  (void)stream;
  say("state %s %s", watched->name, names[state]);
}

void watched_configure(ksr_config* config) {
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
}

void watched_destroy(void* user_data) {
  struct watched* watched = user_data;
  if (watched->destroyed++) say("broken %s destroyed twice", watched->name);
}
