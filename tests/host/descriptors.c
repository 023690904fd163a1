/* What the library does with descriptors where there are none, or where the host has closed its standard streams.
 *   descriptors closed    0, 1 and 2 are closed: nothing of the library's lands there but, while it opens files of its
 *                         own, the empty pipe that keeps these off them
 *   descriptors few       0, 1, 2… can be opened from the start: on_error is told until the stream syncs, which it does
 * when there are more */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

static int report_to;

/* CHECK writes to a standard stream. */
#define REQUIRE(condition)                                                       \
  do {                                                                           \
    if (!(condition)) {                                                          \
      dprintf(report_to, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                  \
    }                                                                            \
  } while (0)

static int is_open(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

/* A pipe without a writer: reading from it is told the end. */
static int is_empty_pipe(int descriptor) {
  char byte;
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode) && read(descriptor, &byte, 1) == 0;
}

/* At any time. */
static void require_nothing_there(void) {
  int i;
  for (i = 0; i < 3; ++i) {
    int tries = 0;
    while (is_open(i) && !is_empty_pipe(i)) {
      /* Twice: it may have been closed between the two looks. */
      REQUIRE(++tries < 2);
    }
  }
}

/* The library's threads may be opening a connection. */
static void require_closed_soon(void) {
  int waited;
  for (waited = 0; is_open(0) || is_open(1) || is_open(2); waited += 5) {
    require_nothing_there();
    REQUIRE(waited < HOST_WAIT_MS);
    host_sleep_ms(5);
  }
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  (void)stream;
  (void)snapshot;
  (void)user_data;
  require_nothing_there();
}

static int with_standard_streams_closed(void) {
  const char* const deliveries[] = {"thread", "manual"};
  const char* const transports[] = {"websocket", "http"};
  int i;
  ksr_config* configs[2];
  report_to = fcntl(2, F_DUPFD_CLOEXEC, 10);
  for (i = 0; i < 2; ++i) {
    configs[i] = host_config(transports[i]);
    host_set(configs[i], "delivery", deliveries[i]);
    ksr_config_on_update(configs[i], on_update);
  }
  for (i = 0; i < 3; ++i) close(i);
  for (i = 0; i < 2; ++i) {
    ksr_stream* stream = NULL;
    REQUIRE(ksr_open(configs[i], NULL, NULL, &stream, NULL) == KSR_OK);
    REQUIRE(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
    require_nothing_there();
    if (i == 1) {
      struct pollfd ready = {0, POLLIN, 0};
      ready.fd = ksr_fd(stream);
      REQUIRE(ready.fd > 2 && poll(&ready, 1, HOST_WAIT_MS) == 1);
      REQUIRE(ksr_dispatch(stream) > 0);
    }
    REQUIRE(ksr_close(stream) == KSR_OK);
    require_closed_soon();
    ksr_config_free(configs[i]);
  }
  return 0;
}

static int lowest_free(void) {
  const int lowest = dup(0);
  CHECK(lowest >= 0);
  close(lowest);
  return lowest;
}

static volatile int errors;

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  (void)stream;
  (void)user_data;
  if (ksr_error_retry_ms(error) >= 0) ++errors;
}

/* `left` can be opened. */
static int with_few_descriptors(int left) {
  struct rlimit before;
  struct rlimit none;
  ksr_stream* stream;
  int tries;
  ksr_config* config = host_config("auto");
  static char ca[65536];
  FILE* file = fopen(host_env("KSR_TEST_CA"), "r");
  CHECK(file != NULL && fread(ca, 1, sizeof ca - 1, file) > 0);
  fclose(file);
  host_set(config, "ca_file", "");
  host_set(config, "ca_data", ca);
  host_set(config, "backoff_initial", "50ms");
  host_set(config, "backoff_max", "200ms");
  ksr_config_on_error(config, on_error);
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  none.rlim_cur = (rlim_t)(lowest_free() + left);
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  {
    ksr_error* err = NULL;
    CHECK(ksr_open(config, NULL, NULL, &stream, &err) == KSR_OK);
  }
  for (tries = 0; tries < 600 && errors < 2 && ksr_wait_synced(stream, 0) != KSR_OK; ++tries) host_sleep_ms(50);
  CHECK(errors >= 2 || ksr_wait_synced(stream, 0) == KSR_OK);
  CHECK(left != 0 || errors >= 2);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  CHECK(ksr_close(stream) == KSR_OK);
  ksr_config_free(config);
  return 0;
}

/* Each in a process of its own, before which the library has not been used. */
static int with_few_descriptors_each(void) {
  int left;
  for (left = 0; left < 8; ++left) {
    int status = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) exit(with_few_descriptors(left));
    CHECK(waitpid(child, &status, 0) == child);
    if (status != 0) fprintf(stderr, "with %d descriptors left: status %d\n", left, status);
    CHECK(status == 0);
  }
  return 0;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  return strcmp(argv[1], "closed") == 0 ? with_standard_streams_closed() : with_few_descriptors_each();
}
