/* A child of a process that has only loaded the library, or only made a config, may open its own streams: this is
 * how pre-forking servers and Python's multiprocessing work. After a call that opens a client, or fails to open a
 * stream, it may not. */
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

static void in_child(void (*body)(ksr_config*), ksr_config* config) {
  int status = 0;
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(60);
    body(config);
    exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void open_stream(ksr_config* config) {
  ksr_stream* stream = host_open(config, NULL, NULL);
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  CHECK(ksr_close(stream) == KSR_OK);
}

static void find_forked(ksr_config* config) {
  ksr_stream* stream = NULL;
  CHECK(ksr_open(config, NULL, NULL, &stream, NULL) == KSR_E_FORKED && stream == NULL);
}

static void open_client_and_fork(ksr_config* config) {
  ksr_client* client = NULL;
  CHECK(ksr_client_open(config, NULL, NULL, &client, NULL) == KSR_OK);
  in_child(find_forked, config);
  CHECK(ksr_client_close(client) == KSR_OK);
}

static void fail_and_fork(ksr_config* config) {
  ksr_config* without_resource = NULL;
  ksr_stream* stream = NULL;
  CHECK(ksr_config_new(&without_resource) == KSR_OK);
  CHECK(ksr_open(without_resource, NULL, NULL, &stream, NULL) == KSR_E_INVALID);
  ksr_config_free(without_resource);
  in_child(find_forked, config);
  open_stream(config);
}

int main(void) {
  ksr_config* config = host_config("http");
  in_child(open_stream, config);
  in_child(open_client_and_fork, config);
  in_child(fail_and_fork, config);
  ksr_config_free(config);
  return 0;
}
