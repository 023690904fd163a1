/* What the library does with descriptors where there are none, or where the host has closed its standard streams.
 *   descriptors closed    0, 1 and 2 are closed: nothing of the library's lands there but, while it opens files of its
 *                         own, the empty pipe that keeps these off them
 *   descriptors few       0, 1, 2… can be opened from the start: on_error says so until the stream syncs, which it does
 * when there are more, over the same transport and with no descriptor lost
 *   descriptors names     the same for a server that is known by its name and trusted by the system's CAs
 *   descriptors later     none can be opened when a connection has ended
 *   descriptors files     none can be opened for the kubeconfig */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
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
static volatile int dropped;

/* Each says what there is too little of, and is tried again. */
static void require_lack_of_descriptors(const ksr_error* error) {
  const int said = ksr_error_code(error) == KSR_E_NOMEM && ksr_error_http_status(error) == 0 &&
                   strstr(ksr_error_message(error, NULL), strerror(EMFILE)) != NULL;
  if (!said) fprintf(stderr, "%d: %s\n", (int)ksr_error_code(error), ksr_error_message(error, NULL));
  CHECK(said);
}

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  (void)stream;
  (void)user_data;
  if (dropped && ksr_error_code(error) == KSR_E_TRANSPORT) return;
  require_lack_of_descriptors(error);
  CHECK(ksr_error_retry_ms(error) >= 0);
  ++errors;
}

static ksr_config* impatient_config(void) {
  ksr_config* config = host_config("auto");
  host_set(config, "backoff_initial", "50ms");
  host_set(config, "backoff_max", "200ms");
  ksr_config_on_error(config, on_error);
  return config;
}

static struct rlimit limit_descriptors(int limit) {
  struct rlimit before;
  struct rlimit less;
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  less = before;
  less.rlim_cur = (rlim_t)limit;
  CHECK(setrlimit(RLIMIT_NOFILE, &less) == 0);
  return before;
}

static void require_websocket(ksr_stream* stream) {
  uint64_t transport = 0;
  int waited;
  for (waited = 0; transport == 0 && waited < HOST_WAIT_MS; waited += 5) {
    CHECK(ksr_stat(stream, "transport", &transport) == KSR_OK);
    host_sleep_ms(5);
  }
  CHECK(transport == 1);
}

/* What the network thread has for itself: epoll, an eventfd, a timerfd. */
static void require_no_more_than(int descriptors) {
  int waited;
  for (waited = 0; host_count("/proc/self/fd") > descriptors; waited += 5) {
    CHECK(waited < HOST_WAIT_MS);
    host_sleep_ms(5);
  }
}

/* `left` can be opened. */
static int with_few_descriptors(int left, int by_name) {
  struct rlimit before;
  ksr_stream* stream;
  int tries;
  const int open_before = host_count("/proc/self/fd");
  ksr_config* config = impatient_config();
  host_set(config, "ca_file", "");
  if (by_name) {
    char url[64];
    CHECK(setenv("SSL_CERT_FILE", host_env("KSR_TEST_CA"), 1) == 0);
    snprintf(url, sizeof url, "https://localhost%s", strrchr(host_env("KSR_TEST_SERVER"), ':'));
    host_set(config, "server", url);
  } else {
    static char ca[65536];
    FILE* file = fopen(host_env("KSR_TEST_CA"), "r");
    CHECK(file != NULL && fread(ca, 1, sizeof ca - 1, file) > 0);
    fclose(file);
    host_set(config, "ca_data", ca);
  }
  before = limit_descriptors(lowest_free() + left);
  {
    ksr_error* err = NULL;
    CHECK(ksr_open(config, NULL, NULL, &stream, &err) == KSR_OK);
  }
  for (tries = 0; tries < 600 && errors < 4 && ksr_wait_synced(stream, 0) != KSR_OK; ++tries) host_sleep_ms(50);
  CHECK(errors >= 4 || ksr_wait_synced(stream, 0) == KSR_OK);
  CHECK(left != 0 || errors >= 4);
  if (left == 0) {
    ksr_error* now = ksr_last_error(stream);
    CHECK(now != NULL);
    require_lack_of_descriptors(now);
    ksr_error_free(now);
  }
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  require_websocket(stream);
  CHECK(ksr_close(stream) == KSR_OK);
  ksr_config_free(config);
  require_no_more_than(open_before + 3);
  return 0;
}

/* Each in a process of its own, before which the library has not been used. */
static int with_few_descriptors_each(int by_name) {
  int left;
  for (left = 0; left < 8; ++left) {
    int status = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) exit(with_few_descriptors(left, by_name));
    CHECK(waitpid(child, &status, 0) == child);
    if (status != 0) fprintf(stderr, "with %d descriptors left: status %d\n", left, status);
    CHECK(status == 0);
  }
  return 0;
}

static void end_connections(void) {
  int i;
  for (i = 3; i < 256; ++i) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(i, (struct sockaddr*)&peer, &size) == 0) shutdown(i, SHUT_RDWR);
  }
}

/* Watches that end without one are a reason for another transport. */
static void wait_for_events(ksr_stream* stream) {
  uint64_t before = 0;
  uint64_t now = 0;
  int waited;
  CHECK(ksr_stat(stream, "events", &before) == KSR_OK);
  for (waited = 0; now <= before; waited += 5) {
    CHECK(ksr_stat(stream, "events", &now) == KSR_OK && waited < HOST_WAIT_MS);
    host_sleep_ms(5);
  }
}

static int with_no_descriptors_later(void) {
  int round;
  ksr_stream* stream;
  ksr_config* config = impatient_config();
  stream = host_open(config, NULL, NULL);
  CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  require_websocket(stream);
  for (round = 0; round < 3; ++round) {
    struct rlimit before;
    int waited;
    uint64_t state = 0;
    wait_for_events(stream);
    errors = 0;
    dropped = 1;
    /* What is open stays open, and is not opened again. */
    before = limit_descriptors(3);
    end_connections();
    for (waited = 0; errors < 4; waited += 5) {
      CHECK(waited < HOST_WAIT_MS);
      host_sleep_ms(5);
    }
    {
      ksr_error* now = ksr_last_error(stream);
      CHECK(now != NULL);
      require_lack_of_descriptors(now);
      ksr_error_free(now);
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (waited = 0; state != KSR_STATE_LIVE; waited += 5) {
      CHECK(ksr_stat(stream, "state", &state) == KSR_OK && waited < HOST_WAIT_MS);
      host_sleep_ms(5);
    }
    require_websocket(stream);
  }
  CHECK(ksr_close(stream) == KSR_OK);
  ksr_config_free(config);
  return 0;
}

static int with_no_descriptors_for_files(void) {
  static const char* const keys[] = {"kubeconfig", "ca_file", "token_file"};
  size_t i;
  char path[] = "/tmp/ksr-descriptors-XXXXXX";
  const int file = mkstemp(path);
  CHECK(file >= 0 && dprintf(file,
                             "current-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"
                             "clusters: [{name: c, cluster: {server: '%s', certificate-authority: '%s'}}]\n",
                             host_env("KSR_TEST_SERVER"), host_env("KSR_TEST_CA")) > 0);
  close(file);
  for (i = 0; i < sizeof keys / sizeof *keys; ++i) {
    struct rlimit before;
    ksr_stream* stream = NULL;
    ksr_error* err = NULL;
    ksr_config* config = impatient_config();
    if (i == 0) host_set(config, "server", "");
    if (i != 1) host_set(config, "ca_file", "");
    if (i == 2) host_set(config, "token", "");
    host_set(config, keys[i], i == 1 ? host_env("KSR_TEST_CA") : path);
    before = limit_descriptors(3);
    CHECK(ksr_open(config, NULL, NULL, &stream, &err) == KSR_E_NOMEM);
    require_lack_of_descriptors(err);
    if (strstr(ksr_error_message(err, NULL), i == 1 ? host_env("KSR_TEST_CA") : path) == NULL) {
      fprintf(stderr, "%s: %s\n", keys[i], ksr_error_message(err, NULL));
      exit(1);
    }
    ksr_error_free(err);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(i == 2 || ksr_open(config, NULL, NULL, &stream, NULL) == KSR_OK);
    CHECK(i == 2 || ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
    CHECK(stream == NULL || ksr_close(stream) == KSR_OK);
    ksr_config_free(config);
  }
  unlink(path);
  return 0;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  if (strcmp(argv[1], "closed") == 0) return with_standard_streams_closed();
  if (strcmp(argv[1], "later") == 0) return with_no_descriptors_later();
  if (strcmp(argv[1], "files") == 0) return with_no_descriptors_for_files();
  return with_few_descriptors_each(strcmp(argv[1], "names") == 0);
}
