/* Opens and closes streams with delivery=thread and delivery=manual and frees everything: run as it is, under valgrind,
 * and built with AddressSanitizer. */
#include <poll.h>

#include "open.h"

static int destroyed;
static void on_destroy(void* user_data) {
  ++*(int*)user_data;
}

static void read_all(const ksr_snapshot* snapshot) {
  size_t total = 0;
  size_t length;
  size_t i;
  for (i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    const ksr_object* object = ksr_snapshot_at(snapshot, i);
    const char* text = ksr_object_field(object, KSR_FIELD_JSON, &length);
    CHECK(strlen(text) == length);
    text = ksr_object_get(object, "/metadata/name", &length);
    CHECK(text != NULL && text[0] == '"' && text[length - 1] == '"');
    total += length;
  }
  CHECK(total > 0);
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  (void)stream;
  (void)user_data;
  read_all(snapshot);
}

static void on_log(int32_t level, const char* msg, size_t len, void* user_data) {
  (void)level;
  (void)user_data;
  CHECK(strlen(msg) == len);
}

static void deliver_manually(ksr_config* config) {
  const ksr_snapshot* kept;
  ksr_stream* stream;
  int tries;
  host_set(config, "delivery", "manual");
  stream = host_open(config, &destroyed, on_destroy);
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  for (tries = 0; tries < 20; ++tries) {
    struct pollfd ready = {0, POLLIN, 0};
    ready.fd = ksr_fd(stream);
    poll(&ready, 1, 50);
    CHECK(ksr_dispatch(stream) >= 0);
  }
  kept = ksr_latest(stream);
  CHECK(ksr_close(stream) == KSR_OK);
  read_all(kept); /* outlives its stream */
  ksr_snapshot_release(kept);
}

static void deliver_on_thread(ksr_config* config) {
  ksr_stream* stream;
  uint64_t deliveries = 0;
  int tries;
  host_set(config, "delivery", "thread");
  stream = host_open(config, &destroyed, on_destroy);
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  for (tries = 0; tries < 600 && deliveries < 3; ++tries) {
    host_sleep_ms(50);
    CHECK(ksr_stat(stream, "deliveries", &deliveries) == KSR_OK);
  }
  CHECK(deliveries >= 3);
  CHECK(ksr_close(stream) == KSR_OK);
}

static void refused(ksr_config* config) {
  ksr_error* err = NULL;
  ksr_stream* stream = NULL;
  CHECK(ksr_config_set(config, "limit", "many", &err) == KSR_E_INVALID);
  ksr_error_free(err);
  err = NULL;
  host_set(config, "ca_file", "/nowhere/ca.pem");
  CHECK(ksr_open(config, &destroyed, on_destroy, &stream, &err) == KSR_E_INVALID);
  ksr_error_free(err);
  host_set(config, "ca_file", host_env("KSR_TEST_CA"));
}

int main(void) {
  const char* const transports[] = {"websocket", "http"};
  int i;
  for (i = 0; i < 2; ++i) {
    ksr_config* config = host_config(transports[i]);
    ksr_config_on_update(config, on_update);
    ksr_config_on_log(config, on_log);
    refused(config);
    deliver_on_thread(config);
    deliver_manually(config);
    ksr_config_free(config);
  }
  CHECK(destroyed == 6);
  host_sleep_ms(500); /* the network thread frees what the streams had */
  return 0;
}
