#include "stream_run.h"

#include <stdatomic.h>
#include <unistd.h>

#include "malloc_fault.h"
#include "open.h"

/* OpenSSL does not distinguish an invalid certificate from a failed allocation while it reads one. */
#define EXPECTED_FAILURE(status) ((status) == KSR_E_NOMEM || (status) == KSR_E_INVALID)

struct host {
  atomic_int destroyed;
  atomic_int updates;
  atomic_int closed;
};

static void read_snapshot(const ksr_snapshot* snapshot) {
  size_t length = 1;
  const ksr_object* first = ksr_snapshot_at(snapshot, 0);
  const ksr_object* kept = ksr_object_retain(first);
  CHECK(ksr_snapshot_count(snapshot) > 0 && first != NULL);
  CHECK(ksr_object_field(first, KSR_FIELD_JSON, &length) != NULL && length > 2);
  ksr_object_get(first, "/status/phase", &length);
  ksr_snapshot_find_uid(snapshot, ksr_object_field(first, KSR_FIELD_UID, NULL));
  ksr_object_release(kept);
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  struct host* host = user_data;
  (void)stream;
  CHECK(!atomic_load(&host->closed));
  read_snapshot(snapshot);
  atomic_fetch_add(&host->updates, 1);
}

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  ksr_error* kept = ksr_error_copy(error);
  (void)stream;
  (void)user_data;
  CHECK(ksr_error_code(error) < 0 && ksr_error_message(error, NULL) != NULL);
  ksr_error_free(kept);
}

static void on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  struct host* host = user_data;
  (void)stream;
  CHECK(!atomic_load(&host->closed));
  if (state == KSR_STATE_CLOSED) atomic_store(&host->closed, 1);
}

static void on_destroy(void* user_data) {
  struct host* host = user_data;
  atomic_fetch_add(&host->destroyed, 1);
}

static ksr_status set_all(ksr_config* config) {
  const char* const keys[][2] = {{"server", getenv("KSR_TEST_SERVER")},
                                 {"ca_file", getenv("KSR_TEST_CA")},
                                 {"token", getenv("KSR_TEST_TOKEN")},
                                 {"resource", "v1/pods"},
                                 {"transport", "auto"},
                                 {"backoff_initial", "10ms"},
                                 {"backoff_max", "50ms"},
                                 {"connect_timeout", "2s"},
                                 {"request_timeout", "2s"}};
  size_t i;
  for (i = 0; i < sizeof keys / sizeof keys[0]; ++i) {
    ksr_error* err = NULL;
    const ksr_status status = ksr_config_set(config, keys[i][0], keys[i][1], &err);
    CHECK(err == NULL || ksr_error_code(err) == status);
    ksr_error_free(err);
    if (status != KSR_OK) return status;
  }
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
  return KSR_OK;
}

/* NULL when memory ran out; then nothing of it remains. */
static ksr_stream* open_stream(struct host* host) {
  ksr_config* config = NULL;
  ksr_stream* stream = NULL;
  ksr_error* err = NULL;
  ksr_status status = ksr_config_new(&config);
  if (status == KSR_OK) {
    status = set_all(config);
    if (status == KSR_OK) {
      status = ksr_open(config, host, on_destroy, &stream, &err);
      CHECK((status == KSR_OK) == (stream != NULL));
      if (stream == NULL) CHECK(atomic_load(&host->destroyed) == 1);
      if (stream != NULL) CHECK(err == NULL);
      if (err != NULL) CHECK(ksr_error_code(err) == status);
      ksr_error_free(err);
    }
  } else {
    CHECK(config == NULL);
  }
  ksr_config_free(config);
  CHECK(status == KSR_OK || EXPECTED_FAILURE(status));
  return stream;
}

/* Whether the view arrives, and a change of it. */
static int syncs_and_updates(ksr_stream* stream, struct host* host, long within_ms) {
  const ksr_snapshot* latest;
  uint64_t objects = 0;
  int seen = 0;
  if (ksr_wait_synced(stream, within_ms) != KSR_OK) return 0;
  latest = ksr_latest(stream);
  if (latest != NULL) read_snapshot(latest);
  ksr_snapshot_release(latest);
  ksr_stat(stream, "objects", &objects);
  for (; within_ms > 0; within_ms -= 5) {
    const int now = atomic_load(&host->updates);
    if (seen != 0 && now > seen) return 1;
    if (seen == 0) seen = now;
    host_sleep_ms(5);
  }
  return 0;
}

static void close_stream(ksr_stream* stream, struct host* host) {
  const ksr_status first = ksr_close(stream);
  host_sleep_ms(20); /* the network thread frees what the stream had */
  malloc_fault_end();
  CHECK(first == KSR_OK || EXPECTED_FAILURE(first));
  if (first != KSR_OK) CHECK(ksr_close(stream) == KSR_OK);
  CHECK(atomic_load(&host->destroyed) == 1);
  CHECK(ksr_close(stream) == KSR_E_INVALID);
}

static int use_stream(ksr_stream* stream, struct host* host, int during, long nth, long more) {
  int end = RUN_OK;
  if (during == DURING_OPEN) malloc_fault_end();
  if (!syncs_and_updates(stream, host, 1000)) {
    /* Allocations succeed again: the stream has to recover by itself, within its own timeouts. */
    malloc_fault_end();
    if (!syncs_and_updates(stream, host, 10000)) end = RUN_STALLED;
  }
  if (during == DURING_CLOSE) malloc_fault_from(nth, more);
  close_stream(stream, host);
  return end;
}

void run_stream(int during, long nth, long more, long* allocations) {
  static struct host host;
  static struct host other_host;
  int end = RUN_FAILED_TO_OPEN;
  ksr_stream* other;
  ksr_stream* stream;
  alarm(60);
  if (during == DURING_OPEN) malloc_fault_for_this_thread();
  if (during != DURING_CLOSE) malloc_fault_from(nth, more);
  stream = open_stream(&host);
  if (stream != NULL) end = use_stream(stream, &host, during, nth, more);
  *allocations = malloc_fault_end();
  other = open_stream(&other_host);
  if (other == NULL) _exit(RUN_BROKE_OTHERS);
  if (!syncs_and_updates(other, &other_host, 10000)) end = RUN_BROKE_OTHERS;
  CHECK(ksr_close(other) == KSR_OK && atomic_load(&other_host.destroyed) == 1);
  _exit(end);
}
