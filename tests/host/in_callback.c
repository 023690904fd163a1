/* ksr_in_callback: 1 inside each kind of callback, on the thread that runs it and on no other, also within ksr_dispatch
 * and a failing ksr_open; 0 outside and in a forked child. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

enum { ON_UPDATE, ON_ERROR, ON_STATE, ON_LOG, ON_DESTROY, KINDS };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static int calls[KINDS];

static void record(int kind) {
  CHECK(ksr_in_callback() == 1);
  pthread_mutex_lock(&mutex);
  ++calls[kind];
  pthread_cond_broadcast(&called);
  pthread_mutex_unlock(&mutex);
}

static int calls_of(int kind) {
  int count;
  pthread_mutex_lock(&mutex);
  count = calls[kind];
  pthread_mutex_unlock(&mutex);
  return count;
}

static void await_call(int kind) {
  pthread_mutex_lock(&mutex);
  while (calls[kind] == 0) pthread_cond_wait(&called, &mutex);
  pthread_mutex_unlock(&mutex);
}

static void* ask(void* answer) {
  *(int*)answer = ksr_in_callback();
  return NULL;
}

static void check_other_thread(void) {
  pthread_t thread;
  int answer = -1;
  CHECK(pthread_create(&thread, NULL, ask, &answer) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(answer == 0);
}

static void check_forked_child(void) {
  int status = 0;
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(10);
    _exit(ksr_in_callback());
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  (void)stream, (void)snapshot, (void)user_data;
  check_other_thread();
  check_forked_child();
  record(ON_UPDATE);
}
static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  (void)stream, (void)error, (void)user_data;
  record(ON_ERROR);
}
static void on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  (void)stream, (void)state, (void)user_data;
  record(ON_STATE);
}
static void on_log(int32_t level, const char* msg, size_t len, void* user_data) {
  (void)level, (void)msg, (void)len, (void)user_data;
  record(ON_LOG);
}
static void on_destroy(void* user_data) {
  (void)user_data;
  record(ON_DESTROY);
}

static ksr_config* config_with_callbacks(void) {
  ksr_config* config = host_config("http");
  host_set(config, "resource", "example.org/v1/absent,v1/pods");
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
  ksr_config_on_log(config, on_log);
  return config;
}

int main(void) {
  ksr_config* config = config_with_callbacks();
  ksr_stream* stream;
  ksr_stream* refused = NULL;
  alarm(60);
  CHECK(ksr_in_callback() == 0);

  CHECK(ksr_open(NULL, NULL, on_destroy, &refused, NULL) == KSR_E_INVALID);
  CHECK(calls_of(ON_DESTROY) == 1 && ksr_in_callback() == 0);

  stream = host_open(config, NULL, on_destroy);
  await_call(ON_UPDATE);
  await_call(ON_STATE);
  await_call(ON_LOG); /* of the 404 for the first name */
  CHECK(ksr_in_callback() == 0);
  CHECK(ksr_close(stream) == KSR_OK);
  CHECK(calls_of(ON_DESTROY) == 2 && ksr_in_callback() == 0);

  host_set(config, "token", "wrong");
  stream = host_open(config, NULL, on_destroy);
  await_call(ON_ERROR);
  CHECK(ksr_close(stream) == KSR_OK);
  host_set(config, "token", host_env("KSR_TEST_TOKEN"));

  memset(calls, 0, sizeof calls);
  host_set(config, "delivery", "manual");
  stream = host_open(config, NULL, on_destroy);
  while (calls_of(ON_UPDATE) == 0) {
    CHECK(ksr_dispatch(stream) >= 0);
    CHECK(ksr_in_callback() == 0);
    host_sleep_ms(1);
  }
  CHECK(calls_of(ON_DESTROY) == 0);
  CHECK(ksr_close(stream) == KSR_OK); /* makes the last callbacks on this thread */
  CHECK(calls_of(ON_DESTROY) == 1 && ksr_in_callback() == 0);

  check_forked_child();
  ksr_config_free(config);
  return 0;
}
