/* fork() with open streams: every call in the child returns FORKED, the child ends cleanly, the parent continues. */
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

static int destroyed;
static void on_destroy(void* user_data) {
  (void)user_data;
  ++destroyed;
}

static void check_child(ksr_config* config, ksr_stream* stream, const ksr_snapshot* kept) {
  uint64_t value = 0;
  ksr_config* other = NULL;
  ksr_stream* second = NULL;
  ksr_error* err = NULL;
  CHECK(ksr_config_new(&other) == KSR_E_FORKED && other == NULL);
  CHECK(ksr_config_set(config, "limit", "1", &err) == KSR_E_FORKED);
  CHECK(ksr_error_code(err) == KSR_E_FORKED);
  ksr_error_free(err);
  CHECK(ksr_open(config, NULL, on_destroy, &second, NULL) == KSR_E_FORKED);
  CHECK(second == NULL && destroyed == 1);
  CHECK(ksr_wait_synced(stream, 0) == KSR_E_FORKED);
  CHECK(ksr_latest(stream) == NULL);
  CHECK(ksr_last_error(stream) == NULL);
  CHECK(ksr_fd(stream) == -1);
  CHECK(ksr_dispatch(stream) == KSR_E_FORKED);
  CHECK(ksr_stat(stream, "objects", &value) == KSR_E_FORKED);
  ksr_cancel(stream);
  ksr_close_async(stream);
  CHECK(ksr_close(stream) == KSR_E_FORKED);
  CHECK(ksr_snapshot_count(kept) > 0); /* what the child inherited can still be read */
  CHECK(ksr_object_field(ksr_snapshot_at(kept, 0), KSR_FIELD_NAME, NULL)[0] != '\0');
  ksr_snapshot_release(kept);
  ksr_config_free(config);
  exit(0);
}

int main(void) {
  ksr_config* config = host_config("websocket");
  ksr_stream* stream = host_open(config, NULL, on_destroy);
  const ksr_snapshot* kept;
  int i;
  CHECK(ksr_wait_synced(stream, 30000) == KSR_OK);
  kept = ksr_latest(stream);
  for (i = 0; i < 5; ++i) {
    int status = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(10);
      check_child(config, stream, kept);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  ksr_snapshot_release(kept);
  ksr_config_free(config);
  CHECK(ksr_close(stream) == KSR_OK && destroyed == 1);
  return 0;
}
