/* A peer announces WebSocket messages for which the process has no memory, and sends them until the process has none
 * left. The stream that watches it reports each as an error and retries after its backoff; another stream of the same
 * process continues. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

#define ERRORS_WANTED 5
#define LEFT_MIB 160
/* Less than is announced, more than there is memory for. */
#define SENT_MIB 240

static atomic_int* watches_begun;

struct host {
  atomic_int errors;
  atomic_int unexpected;
};

/* ---- the peer ---- */

static size_t receive_head(int fd, char* head, size_t most) {
  size_t size = 0;
  while (size + 1 < most) {
    const ssize_t more = recv(fd, head + size, most - size - 1, 0);
    if (more <= 0) return 0;
    size += (size_t)more;
    head[size] = '\0';
    if (strstr(head, "\r\n\r\n") != NULL) return size;
  }
  return 0;
}

static int send_all(int fd, const void* bytes, size_t size) {
  const char* rest = bytes;
  while (size > 0) {
    const ssize_t sent = send(fd, rest, size, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    rest += sent;
    size -= (size_t)sent;
  }
  return 1;
}

static void answer_list(int fd) {
  static const char body[] =
      "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[]}";
  char answer[512];
  snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
           sizeof body - 1, body);
  send_all(fd, answer, strlen(answer));
}

static void accept_watch(int fd, const char* key) {
  static const unsigned char frame[] = {0x81, 127, 0, 0, 0, 0, 0x0f, 0xf0, 0, 0};
  static const char event[] =
      "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"";
  static char name[1 << 20];
  int sent;
  char text[256], answer[512];
  unsigned char digest[SHA_DIGEST_LENGTH], encoded[64];
  snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)strcspn(key, "\r"), key);
  SHA1((const unsigned char*)text, strlen(text), digest);
  EVP_EncodeBlock(encoded, digest, sizeof digest);
  snprintf(answer, sizeof answer,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: %s\r\n\r\n",
           encoded);
  atomic_fetch_add(watches_begun, 1);
  send_all(fd, answer, strlen(answer));
  send_all(fd, frame, sizeof frame);
  send_all(fd, event, sizeof event - 1);
  memset(name, 'a', sizeof name);
  for (sent = 0; sent < SENT_MIB && send_all(fd, name, sizeof name);) ++sent;
}

static void* serve(void* argument) {
  static const char name[] = "Sec-WebSocket-Key: ";
  const int fd = (int)(intptr_t)argument;
  char head[8192];
  while (receive_head(fd, head, sizeof head) > 0) {
    const char* key = strstr(head, name);
    if (key == NULL)
      answer_list(fd);
    else
      accept_watch(fd, key + sizeof name - 1);
  }
  close(fd);
  return NULL;
}

static void serve_all(int listener) {
  for (;;) {
    pthread_t thread;
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    if (pthread_create(&thread, NULL, serve, (void*)(intptr_t)fd) == 0) pthread_detach(thread);
  }
}

static pid_t start_peer(int* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  pid_t pid;
  CHECK(listener >= 0 && bind(listener, (struct sockaddr*)&address, size) == 0 && listen(listener, 64) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)&address, &size) == 0);
  *port = ntohs(address.sin_port);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    /* Not left over when a check fails. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve_all(listener);
  }
  close(listener);
  return pid;
}

/* ---- the host ---- */

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  struct host* host = user_data;
  const ksr_status code = ksr_error_code(error);
  const char* message = ksr_error_message(error, NULL);
  (void)stream;
  if (code != KSR_E_NOMEM && code != KSR_E_TOO_LARGE) {
    fprintf(stderr, "unexpected error %d: %s\n", (int)code, message);
    atomic_fetch_add(&host->unexpected, 1);
  }
  if (strchr(message, '\n') != NULL || ksr_error_retry_ms(error) <= 0) atomic_fetch_add(&host->unexpected, 1);
  atomic_fetch_add(&host->errors, 1);
}

static uint64_t stat_of(ksr_stream* stream, const char* name) {
  uint64_t value = 0;
  CHECK(ksr_stat(stream, name, &value) == KSR_OK);
  return value;
}

static void leave_memory_for(rlim_t bytes) {
  unsigned long pages = 0;
  struct rlimit limit;
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%lu", &pages) == 1);
  fclose(file);
  limit.rlim_cur = limit.rlim_max = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static ksr_stream* open_bad(struct host* host, int port) {
  char url[64];
  ksr_config* config = NULL;
  ksr_stream* stream;
  snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
  CHECK(ksr_config_new(&config) == KSR_OK);
  host_set(config, "server", url);
  host_set(config, "resource", "v1/pods");
  host_set(config, "transport", "websocket");
  host_set(config, "initial", "list");
  host_set(config, "backoff_initial", "20ms");
  host_set(config, "backoff_max", "200ms");
  host_set(config, "max_object_size", "512Mi");
  ksr_config_on_error(config, on_error);
  stream = host_open(config, host, NULL);
  ksr_config_free(config);
  return stream;
}

int main(void) {
  static struct host good_host, bad_host;
  ksr_config* config;
  ksr_stream *good, *bad;
  uint64_t watches;
  pid_t peer;
  int port = 0;
  int tries;
  watches_begun = mmap(NULL, sizeof *watches_begun, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(watches_begun != MAP_FAILED);
  peer = start_peer(&port);

  config = host_config("http");
  ksr_config_on_error(config, on_error);
  good = host_open(config, &good_host, NULL);
  ksr_config_free(config);
  CHECK(ksr_wait_synced(good, 20000) == KSR_OK);
  for (tries = 0; tries < 2000 && stat_of(good, "watches") == 0; ++tries) host_sleep_ms(10);
  watches = stat_of(good, "watches");
  CHECK(watches == 1);

  leave_memory_for((rlim_t)LEFT_MIB << 20);
  bad = open_bad(&bad_host, port);
  for (tries = 0; tries < 2000 && atomic_load(&bad_host.errors) < ERRORS_WANTED; ++tries) host_sleep_ms(10);
  printf("%d errors, %d watches; the other stream: %d watches, %d reconnects\n", atomic_load(&bad_host.errors),
         atomic_load(watches_begun), (int)stat_of(good, "watches"), (int)stat_of(good, "reconnects"));
  CHECK(atomic_load(&bad_host.errors) >= ERRORS_WANTED);
  CHECK(atomic_load(&bad_host.unexpected) == 0);
  /* Each has an error, except those whose error is still pending. */
  CHECK(atomic_load(watches_begun) <= atomic_load(&bad_host.errors) + 2);
  CHECK(stat_of(good, "watches") == watches && stat_of(good, "reconnects") == 0);
  CHECK(atomic_load(&good_host.errors) == 0);
  CHECK(ksr_close(bad) == KSR_OK && ksr_close(good) == KSR_OK);

  kill(peer, SIGKILL);
  CHECK(waitpid(peer, NULL, 0) == peer);
  return 0;
}
