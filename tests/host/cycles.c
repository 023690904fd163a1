/* A plugin host: 50 times dlopen, open, sync, close, dlclose, with constant threads, descriptors and memory. */
#include <dlfcn.h>

#include "host.h"

/* ISO C has no cast from an object pointer to a function; POSIX asks for this one. */
#define RESOLVE(name) *(void**)(&name##_) = dlsym(library, #name)

static int destroyed;
static void on_destroy(void* user_data) {
  (void)user_data;
  ++destroyed;
}

static long resident_kb(void) {
  long kb = 0;
  char line[256];
  FILE* status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status) != NULL) {
    if (sscanf(line, "VmRSS: %ld", &kb) == 1) break;
  }
  fclose(status);
  return kb;
}

static void cycle(int round) {
  ksr_status (*ksr_config_new_)(ksr_config**);
  void (*ksr_config_free_)(ksr_config*);
  ksr_status (*ksr_config_set_)(ksr_config*, const char*, const char*, ksr_error**);
  ksr_status (*ksr_open_)(const ksr_config*, void*, ksr_destroy_fn, ksr_stream**, ksr_error**);
  ksr_status (*ksr_close_)(ksr_stream*);
  ksr_status (*ksr_wait_synced_)(ksr_stream*, int64_t);
  void* library = dlopen(host_env("KSR_TEST_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  ksr_config* config = NULL;
  ksr_stream* stream = NULL;
  CHECK(library != NULL);
  RESOLVE(ksr_config_new);
  RESOLVE(ksr_config_free);
  RESOLVE(ksr_config_set);
  RESOLVE(ksr_open);
  RESOLVE(ksr_close);
  RESOLVE(ksr_wait_synced);
  CHECK(ksr_config_new_(&config) == KSR_OK);
  CHECK(ksr_config_set_(config, "server", host_env("KSR_TEST_SERVER"), NULL) == KSR_OK);
  CHECK(ksr_config_set_(config, "ca_file", host_env("KSR_TEST_CA"), NULL) == KSR_OK);
  CHECK(ksr_config_set_(config, "token", host_env("KSR_TEST_TOKEN"), NULL) == KSR_OK);
  CHECK(ksr_config_set_(config, "resource", "v1/pods", NULL) == KSR_OK);
  CHECK(ksr_config_set_(config, "transport", round % 2 ? "http" : "websocket", NULL) == KSR_OK);
  CHECK(ksr_open_(config, NULL, on_destroy, &stream, NULL) == KSR_OK);
  ksr_config_free_(config);
  CHECK(ksr_wait_synced_(stream, HOST_WAIT_MS) == KSR_OK);
  CHECK(ksr_close_(stream) == KSR_OK);
  CHECK(destroyed == round + 1);
  CHECK(dlclose(library) == 0);
}

/* A cancelled connection is closed on the network thread shortly after ksr_close. */
static int settled(const char* directory, int at_most) {
  int tries;
  int count = host_count(directory);
  for (tries = 0; tries < 500 && count > at_most; ++tries) {
    host_sleep_ms(10);
    count = host_count(directory);
  }
  return count;
}

int main(void) {
  int round;
  int threads = 0;
  int descriptors = 0;
  long resident = 0;
  for (round = 0; round < 50; ++round) {
    cycle(round);
    if (round == 9) {
      host_sleep_ms(200);
      threads = host_count("/proc/self/task");
      descriptors = host_count("/proc/self/fd");
      resident = resident_kb();
    }
  }
  CHECK(settled("/proc/self/task", threads) <= threads);
  CHECK(settled("/proc/self/fd", descriptors) <= descriptors);
  CHECK(resident_kb() - resident < 4096);
  return 0;
}
