/* The library leaves the host's process as it is: signal dispositions and masks, the environment, the locale, standard
 * output and error, what malloc maps and gives back. */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "open.h"

extern char** environ;

static struct sigaction before[65];
static char* environment[1024];

static void remember(void) {
  int i;
  for (i = 1; i < 65; ++i) {
    memset(&before[i], 0, sizeof before[i]);
    sigaction(i, NULL, &before[i]);
  }
  for (i = 0; environ[i] != NULL && i < 1023; ++i) environment[i] = environ[i];
}

/* glibc maps large blocks, until an even larger one is freed: from then on it keeps such blocks, and twice as much
 * freed memory, in the heap (mallopt(3), M_MMAP_THRESHOLD). */
static int maps_blocks_of(size_t size) {
  const size_t mapped = mallinfo2().hblks;
  void* volatile block = malloc(size);
  const int maps = mallinfo2().hblks > mapped;
  free(block);
  return maps;
}

static void check_unchanged(void) {
  int i;
  for (i = 1; i < 65; ++i) {
    struct sigaction now;
    memset(&now, 0, sizeof now);
    sigaction(i, NULL, &now);
    CHECK(now.sa_handler == before[i].sa_handler);
    CHECK(now.sa_flags == before[i].sa_flags);
  }
  for (i = 0; environ[i] != NULL && i < 1023; ++i) CHECK(environ[i] == environment[i]);
  CHECK(environment[i] == NULL);
  CHECK(strcmp(setlocale(LC_ALL, NULL), "C") == 0);
}

/* Every thread but the host's own blocks asynchronous signals. */
static int check_masks(void) {
  int library_threads = 0;
  struct dirent* task;
  DIR* tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  while ((task = readdir(tasks)) != NULL) {
    char path[300];
    char line[256];
    unsigned long long blocked = 0;
    FILE* status;
    if (task->d_name[0] == '.' || atoi(task->d_name) == getpid()) continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
    status = fopen(path, "r");
    if (status == NULL) continue;
    while (fgets(line, sizeof line, status) != NULL) {
      if (sscanf(line, "SigBlk: %llx", &blocked) == 1) break;
    }
    fclose(status);
    ++library_threads;
#define BLOCKS(signal) ((blocked >> ((signal)-1)) & 1)
    CHECK(BLOCKS(SIGINT) && BLOCKS(SIGTERM) && BLOCKS(SIGHUP) && BLOCKS(SIGUSR1) && BLOCKS(SIGUSR2));
    CHECK(BLOCKS(SIGALRM) && BLOCKS(SIGCHLD) && BLOCKS(SIGWINCH) && BLOCKS(SIGPIPE));
    CHECK(!BLOCKS(SIGSEGV) && !BLOCKS(SIGBUS) && !BLOCKS(SIGFPE) && !BLOCKS(SIGPROF));
  }
  closedir(tasks);
  return library_threads;
}

static void on_log(int32_t level, const char* msg, size_t len, void* user_data) {
  (void)level;
  (void)user_data;
  CHECK(strlen(msg) == len);
}

int main(void) {
  ksr_config* config;
  ksr_stream* streams[2];
  int outputs[2];
  char byte;
  int kept_error = dup(2);
  int mapped;
  CHECK(kept_error >= 0 && pipe(outputs) == 0);
  dup2(outputs[1], 1);
  dup2(outputs[1], 2);
  close(outputs[1]);
  remember();
  mapped = maps_blocks_of(512 * 1024);
  config = host_config("websocket");
  ksr_config_on_log(config, on_log);
  streams[0] = host_open(config, NULL, NULL);
  host_set(config, "transport", "http");
  host_set(config, "token", "wrong");
  streams[1] = host_open(config, NULL, NULL);
  CHECK(ksr_wait_synced(streams[0], HOST_WAIT_MS) == KSR_OK);
  CHECK(ksr_wait_synced(streams[1], 300) == KSR_E_TIMEOUT);
  CHECK(check_masks() >= 3);
  check_unchanged();
  CHECK(ksr_close(streams[0]) == KSR_OK);
  CHECK(ksr_close(streams[1]) == KSR_OK);
  ksr_config_free(config);
  check_unchanged();
  CHECK(maps_blocks_of(1024 * 1024) == mapped);
  dup2(kept_error, 1);
  dup2(kept_error, 2);
  CHECK(read(outputs[0], &byte, 1) == 0); /* nothing was written */
  return 0;
}
