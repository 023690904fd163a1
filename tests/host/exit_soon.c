/* exit() in the first milliseconds of an https stream, while OpenSSL initializes itself: no crash, no hang. Argument:
 * how many rounds. Each round runs this program again for every way to exit, with the system's CA certificates and with
 * a ca_file, and waits a little longer than the previous round. */
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#ifdef HOST_LOADS_LIBRARY
/* Not linked to the library: dlopen loads it, and OpenSSL with it. */
static struct {
  ksr_status (*config_new)(ksr_config**);
  ksr_status (*config_set)(ksr_config*, const char*, const char*, ksr_error**);
  const char* (*error_message)(const ksr_error*, size_t*);
  void (*error_free)(ksr_error*);
  ksr_status (*open)(const ksr_config*, void*, ksr_destroy_fn, ksr_stream**, ksr_error**);
  ksr_status (*close)(ksr_stream*);
  ksr_status (*wait_synced)(ksr_stream*, int64_t);
} loaded;
/* ISO C has no cast from an object pointer to a function; POSIX asks for this one. */
#define RESOLVE(name) CHECK((*(void**)(&loaded.name) = dlsym(library, "ksr_" #name)) != NULL)
static void load(void) {
  void* library = dlopen(host_env("KSR_TEST_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL);
  RESOLVE(config_new);
  RESOLVE(config_set);
  RESOLVE(error_message);
  RESOLVE(error_free);
  RESOLVE(open);
  RESOLVE(close);
  RESOLVE(wait_synced);
  CHECK(dlclose(library) == 0); /* it stays loaded, with what it registered for exit() */
}
#define ksr_config_new loaded.config_new
#define ksr_config_set loaded.config_set
#define ksr_error_message loaded.error_message
#define ksr_error_free loaded.error_free
#define ksr_open loaded.open
#define ksr_close loaded.close
#define ksr_wait_synced loaded.wait_synced
#else
static void load(void) {}
#endif

#include "open.h"

extern char** environ;

static ksr_config* config;
static long pause_us;

static void pause_a_little(void) {
  struct timespec pause = {0, 0};
  pause.tv_nsec = pause_us * 1000;
  nanosleep(&pause, NULL);
}

/* An error is permitted: the process is exiting. */
static void open_and_close(void) {
  ksr_stream* stream = NULL;
  ksr_error* err = NULL;
  if (ksr_open(config, NULL, NULL, &stream, &err) != KSR_OK) {
    CHECK(err != NULL);
    ksr_error_free(err);
    return;
  }
  ksr_wait_synced(stream, 5);
  CHECK(ksr_close(stream) == KSR_OK);
}

static void exit_open(void) {
  host_open(config, NULL, NULL);
  pause_a_little();
}

static void exit_closed(void) {
  ksr_stream* stream = host_open(config, NULL, NULL);
  pause_a_little();
  CHECK(ksr_close(stream) == KSR_OK);
}

static void exit_some_time_after_close(void) {
  CHECK(ksr_close(host_open(config, NULL, NULL)) == KSR_OK);
  pause_a_little();
}

static void* open_for_ever(void* unused) {
  (void)unused;
  for (;;) open_and_close();
  return NULL;
}

static void exit_during_open(void) {
  pthread_t opener;
  CHECK(pthread_create(&opener, NULL, open_for_ever, NULL) == 0);
  pause_a_little();
}

/* Runs after all that the library and OpenSSL have registered. */
static void exit_with_use_at_the_end(void) {
  CHECK(atexit(open_and_close) == 0);
  exit_open();
}

/* Runs before it. */
static void exit_with_use_at_the_beginning(void) {
  host_open(config, NULL, NULL);
  CHECK(atexit(open_and_close) == 0);
  pause_a_little();
}

/* OpenSSL's first use is in exit(). */
static void exit_with_first_use(void) {
  CHECK(atexit(open_and_close) == 0);
}

#ifndef HOST_LOADS_LIBRARY
static void exit_of_openssl_host(void) {
  CHECK(OPENSSL_init_ssl(0, NULL) == 1);
  exit_open();
}

static void exit_of_openssl_host_with_use_at_the_end(void) {
  CHECK(atexit(open_and_close) == 0);
  exit_of_openssl_host();
}

/* OpenSSL has cleaned up when the library is first used. */
static void exit_of_openssl_host_with_first_use(void) {
  CHECK(atexit(open_and_close) == 0);
  CHECK(OPENSSL_init_ssl(0, NULL) == 1);
}

static void exit_after_cleanup(void) {
  ksr_stream* stream = host_open(config, NULL, NULL);
  pause_a_little();
  OPENSSL_cleanup();
  pause_a_little();
  CHECK(ksr_close(stream) == KSR_OK);
  open_and_close();
}
#endif

static const struct {
  const char* name;
  void (*run)(void);
} ways[] = {
    {"with an open stream", exit_open},
    {"after ksr_close", exit_closed},
    {"some time after ksr_close", exit_some_time_after_close},
    {"while a thread is in ksr_open", exit_during_open},
    {"with use in a handler registered before", exit_with_use_at_the_end},
    {"with use in a handler registered after", exit_with_use_at_the_beginning},
    {"with the first use in a handler", exit_with_first_use},
#ifndef HOST_LOADS_LIBRARY
    {"of a host that uses OpenSSL", exit_of_openssl_host},
    {"of a host that uses OpenSSL, with use in a handler", exit_of_openssl_host_with_use_at_the_end},
    {"of a host that uses OpenSSL, with the first use in a handler", exit_of_openssl_host_with_first_use},
    {"after the host's OPENSSL_cleanup", exit_after_cleanup},
#endif
};
enum { way_count = sizeof ways / sizeof ways[0], max_pause_us = 5000 };

static int run_once(int way, int round, int rounds, int with_ca_file) {
  char numbers[4][16];
  char* arguments[6];
  int status = -1;
  pid_t child;
  int i;
  sprintf(numbers[0], "%d", way);
  sprintf(numbers[1], "%d", max_pause_us * round / rounds);
  sprintf(numbers[2], "%d", with_ca_file);
  sprintf(numbers[3], "%d", round % 2);
  arguments[0] = (char*)"exit_soon";
  for (i = 0; i < 4; ++i) arguments[i + 1] = numbers[i];
  arguments[5] = NULL;
  CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

static int run_all(int rounds) {
  int failures = 0;
  int way;
  int with_ca_file;
  for (way = 0; way < way_count; ++way) {
    for (with_ca_file = 0; with_ca_file < 2; ++with_ca_file) {
      int failed = 0;
      int last = 0;
      int round;
      for (round = 0; round < rounds; ++round) {
        const int status = run_once(way, round, rounds, with_ca_file);
        if (status == 0) continue;
        ++failed;
        last = status;
      }
      printf("exit %s, %s: %d of %d runs failed", ways[way].name, with_ca_file ? "ca_file" : "system CAs", failed,
             rounds);
      printf(failed ? ", the last with wait status %#x\n" : "\n", (unsigned)last);
      fflush(stdout);
      failures += failed;
    }
  }
  return failures == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  int way;
  if (argc == 2) return run_all(atoi(argv[1]));
  CHECK(argc == 5);
  way = atoi(argv[1]);
  CHECK(way >= 0 && way < way_count);
  pause_us = atol(argv[2]);
  alarm(60);
  load();
  CHECK(ksr_config_new(&config) == KSR_OK);
  host_set(config, "server", host_env("KSR_TEST_SERVER"));
  if (atoi(argv[3])) host_set(config, "ca_file", host_env("KSR_TEST_CA"));
  host_set(config, "token", host_env("KSR_TEST_TOKEN"));
  host_set(config, "resource", "v1/pods");
  host_set(config, "transport", atoi(argv[4]) ? "http" : "websocket");
  ways[way].run();
  exit(0);
}
