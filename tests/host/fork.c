/* fork() with open streams: every call in the child returns FORKED, the child ends cleanly, the parent continues. */
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

static int destroyed;
static void on_destroy(void* user_data) {
  (void)user_data;
  ++destroyed;
}

/* A client and a request of the parent. */
static ksr_client* client;
static ksr_params* params;
static ksr_request* request;
static const ksr_response* response;

static void check_client_in_child(ksr_config* config) {
  uint64_t value = 0;
  const int destroyed_before = destroyed;
  ksr_client* second = NULL;
  ksr_stream* none = NULL;
  ksr_params* other = NULL;
  ksr_request* third = NULL;
  const ksr_response* answer = NULL;
  ksr_error* err = NULL;
  CHECK(ksr_client_open(config, NULL, on_destroy, &second, NULL) == KSR_E_FORKED && second == NULL);
  CHECK(ksr_client_stream(client, config, NULL, on_destroy, &none, NULL) == KSR_E_FORKED && none == NULL);
  CHECK(ksr_params_new(&other) == KSR_E_FORKED && other == NULL);
  CHECK(ksr_params_set(params, "name", "x", NULL) == KSR_E_FORKED);
  CHECK(ksr_request_open(client, params, NULL, on_destroy, &third, NULL) == KSR_E_FORKED && third == NULL);
  CHECK(destroyed == destroyed_before + 3);
  CHECK(ksr_call(client, params, &answer, &err) == KSR_E_FORKED && answer == NULL);
  CHECK(ksr_error_code(err) == KSR_E_FORKED && ksr_error_maybe_done(err) == 0);
  ksr_error_free(err);
  CHECK(ksr_request_wait(request, 0, &answer, NULL) == KSR_E_FORKED);
  CHECK(ksr_client_fd(client) == -1);
  CHECK(ksr_client_dispatch(client) == KSR_E_FORKED);
  CHECK(ksr_client_stat(client, "requests", &value) == KSR_E_FORKED);
  ksr_request_cancel(request);
  ksr_request_close_async(request);
  CHECK(ksr_request_close(request) == KSR_E_FORKED);
  ksr_client_cancel(client);
  ksr_client_close_async(client);
  CHECK(ksr_client_close(client) == KSR_E_FORKED);
  CHECK(ksr_response_http_status(response) == 200); /* what the child inherited can still be read */
  CHECK(ksr_response_object(response) != NULL);
  ksr_response_release(response);
  destroyed = destroyed_before;
}

static int always(const ksr_snapshot* snapshot, void* user_data) {
  (void)snapshot, (void)user_data;
  return 1;
}

/* In the child a wait that was under way ends after the test that forked. */
static int forks(const ksr_snapshot* snapshot, void* is_child) {
  const pid_t child = fork();
  int status = 0;
  CHECK(snapshot != NULL && child >= 0);
  if (child == 0) {
    alarm(10);
    *(int*)is_child = 1;
    return 0;
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return 1;
}

static void check_test_that_forks(ksr_stream* stream) {
  int is_child = 0;
  const ksr_status waited = ksr_wait_until(stream, forks, &is_child, -1);
  if (is_child) _exit(waited == KSR_E_FORKED ? 0 : 1);
  CHECK(waited == KSR_OK);
}

static void check_child(ksr_config* config, ksr_stream* stream, const ksr_snapshot* kept) {
  uint64_t value = 0;
  ksr_config* other = NULL;
  ksr_stream* second = NULL;
  ksr_error* err = NULL;
  check_client_in_child(config);
  CHECK(ksr_config_new(&other) == KSR_E_FORKED && other == NULL);
  CHECK(ksr_config_set(config, "limit", "1", &err) == KSR_E_FORKED);
  CHECK(ksr_error_code(err) == KSR_E_FORKED);
  ksr_error_free(err);
  CHECK(ksr_open(config, NULL, on_destroy, &second, NULL) == KSR_E_FORKED);
  CHECK(second == NULL && destroyed == 1);
  CHECK(ksr_wait_synced(stream, 0) == KSR_E_FORKED);
  CHECK(ksr_wait_until(stream, always, NULL, -1) == KSR_E_FORKED);
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
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  kept = ksr_latest(stream);
  CHECK(ksr_client_open(config, NULL, NULL, &client, NULL) == KSR_OK);
  CHECK(ksr_params_new(&params) == KSR_OK);
  CHECK(ksr_params_set(params, "path", "/version", NULL) == KSR_OK);
  CHECK(ksr_request_open(client, params, NULL, NULL, &request, NULL) == KSR_OK);
  CHECK(ksr_request_wait(request, 30000, &response, NULL) == KSR_OK);
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
  check_test_that_forks(stream);
  ksr_snapshot_release(kept);
  ksr_config_free(config);
  ksr_params_free(params);
  ksr_response_release(response);
  CHECK(ksr_request_close(request) == KSR_OK);
  CHECK(ksr_client_close(client) == KSR_OK);
  CHECK(ksr_close(stream) == KSR_OK && destroyed == 1);
  return 0;
}
