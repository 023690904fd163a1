/* pthread_cancel of a thread inside the library takes effect after the call, callbacks included; pthread_exit in a
 * callback that runs on the host's thread ends that thread. The process and its streams go on. */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "open.h"

static ksr_config* config;
static ksr_stream* stream;
static ksr_client* client;
static ksr_params* params;
static sem_t inside;
static sem_t callback_runs;
static sem_t is_cancelled;
static int returned;
static int destroyed;

static void on_destroy(void* user_data) {
  (void)user_data;
  ++destroyed;
}

/* Cancellation points, of which the first would end a thread that can be cancelled. */
static void slow(void) {
  CHECK(sem_post(&callback_runs) == 0);
  CHECK(sem_post(&inside) == 0);
  host_sleep_ms(200);
  ++returned;
}

static int never(const ksr_snapshot* snapshot, void* user_data) {
  (void)snapshot, (void)user_data;
  if (returned == 0) slow();
  return 0;
}

static void slow_update(ksr_stream* of, const ksr_snapshot* snapshot, void* user_data) {
  (void)of, (void)snapshot, (void)user_data;
  if (returned == 0) slow();
}

static void slow_destroy(void* user_data) {
  (void)user_data;
  slow();
}

/* ---- what the thread does that is cancelled ---- */

static void wait_synced(void) {
  CHECK(sem_post(&inside) == 0);
  CHECK(ksr_wait_synced(stream, -1) == KSR_E_CANCELLED);
}

static void wait_until(void) {
  CHECK(ksr_wait_until(stream, never, NULL, -1) == KSR_E_CANCELLED);
}

/* Waits for the callback that sleeps on the delivery thread. */
static void close_stream(void) {
  CHECK(sem_wait(&callback_runs) == 0);
  CHECK(ksr_close(stream) == KSR_OK);
}

static void dispatch(void) {
  while (returned == 0) CHECK(ksr_dispatch(stream) >= 0);
}

static void fail_to_open(void) {
  ksr_stream* none = NULL;
  CHECK(ksr_open(NULL, NULL, slow_destroy, &none, NULL) == KSR_E_INVALID);
}

static void open_and_close(void) {
  CHECK(sem_post(&inside) == 0);
  while (sem_trywait(&is_cancelled) != 0) CHECK(ksr_close(host_open(config, NULL, NULL)) == KSR_OK);
}

static void call(void) {
  CHECK(sem_post(&inside) == 0);
  while (sem_trywait(&is_cancelled) != 0) {
    const ksr_response* response = NULL;
    CHECK(ksr_call(client, params, &response, NULL) == KSR_OK);
    ksr_response_release(response);
  }
}

static void* run(void* body) {
  int before = -1;
  (*(void (**)(void))body)();
  CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before) == 0 && before == PTHREAD_CANCEL_ENABLE);
  pthread_testcancel();
  return NULL;
}

/* Ends by being cancelled alone. */
static void* run_asynchronously(void* body) {
  CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
  (*(void (**)(void))body)();
  for (;;) pause();
  return NULL;
}

static void cancel_in(void (*body)(void), void* (*start)(void*)) {
  pthread_t thread;
  void* result = NULL;
  returned = 0;
  CHECK(sem_init(&inside, 0, 0) == 0);
  CHECK(sem_init(&callback_runs, 0, 0) == 0);
  CHECK(sem_init(&is_cancelled, 0, 0) == 0);
  CHECK(pthread_create(&thread, NULL, start, &body) == 0);
  CHECK(sem_wait(&inside) == 0);
  host_sleep_ms(20);
  CHECK(pthread_cancel(thread) == 0);
  host_sleep_ms(300);
  CHECK(sem_post(&is_cancelled) == 0);
  if (stream != NULL) ksr_cancel(stream);
  CHECK(pthread_join(thread, &result) == 0);
  /* glibc 2.36 sets none where pthread_setcancelstate ends the thread. */
  CHECK(result == PTHREAD_CANCELED || start == run_asynchronously);
}

static void check_cancelled_waits(void* (*start)(void*)) {
  ksr_config* nowhere = host_config("http");
  host_set(nowhere, "server", "http://127.0.0.1:1");
  stream = host_open(nowhere, NULL, on_destroy);
  cancel_in(wait_synced, start);
  CHECK(ksr_close(stream) == KSR_OK);
  ksr_config_free(nowhere);

  stream = host_open(config, NULL, on_destroy);
  cancel_in(wait_until, start);
  CHECK(returned == 1);
  CHECK(ksr_close(stream) == KSR_OK);
}

static void check_cancelled_callbacks(void* (*start)(void*)) {
  ksr_config* slowly = host_config("http");
  ksr_config_on_update(slowly, slow_update);
  stream = host_open(slowly, NULL, on_destroy);
  cancel_in(close_stream, start);
  CHECK(returned == 1);

  host_set(slowly, "delivery", "manual");
  stream = host_open(slowly, NULL, on_destroy);
  cancel_in(dispatch, start);
  CHECK(returned == 1);
  CHECK(ksr_close(stream) == KSR_OK);
  ksr_config_free(slowly);

  stream = NULL;
  cancel_in(fail_to_open, start);
  CHECK(returned == 1);
}

static void check_cancelled_calls(void* (*start)(void*)) {
  stream = NULL;
  cancel_in(open_and_close, start);
  cancel_in(call, start);
}

/* ---- pthread_exit inside callbacks ---- */

static int exit_in_test(const ksr_snapshot* snapshot, void* user_data) {
  (void)snapshot;
  pthread_exit(user_data);
}

static void exit_in_update(ksr_stream* of, const ksr_snapshot* snapshot, void* user_data) {
  (void)of, (void)snapshot, (void)user_data;
  if (returned++ == 0) pthread_exit(&returned);
}

static void exit_in_closed(ksr_stream* of, ksr_state state, void* user_data) {
  (void)of;
  if (state != KSR_STATE_CLOSED) return;
  CHECK(returned++ == 0);
  pthread_exit(user_data);
}

static void exit_in_destroy(void* user_data) {
  ++destroyed;
  pthread_exit(user_data);
}

static void* wait_and_exit(void* unused) {
  (void)unused;
  ksr_wait_until(stream, exit_in_test, &returned, -1);
  return NULL;
}

static void* dispatch_and_exit(void* unused) {
  (void)unused;
  for (;;) CHECK(ksr_dispatch(stream) >= 0);
  return NULL;
}

static void* dispatch_client_and_exit(void* unused) {
  (void)unused;
  for (;;) CHECK(ksr_client_dispatch(client) >= 0);
  return NULL;
}

static void* close_and_exit(void* of) {
  ksr_close((ksr_stream*)of);
  return NULL;
}

static void* fail_and_exit(void* unused) {
  ksr_stream* none = NULL;
  (void)unused;
  ksr_open(NULL, &returned, exit_in_destroy, &none, NULL);
  return NULL;
}

static void exits_in(void* (*start)(void*), void* argument) {
  pthread_t thread;
  void* result = NULL;
  returned = 0;
  CHECK(pthread_create(&thread, NULL, start, argument) == 0);
  CHECK(pthread_join(thread, &result) == 0);
  CHECK(result == &returned);
}

static void dispatch_until_called_twice(int64_t (*once)(void)) {
  while (returned < 2) {
    CHECK(once() >= 0);
    host_sleep_ms(1);
  }
}

static int64_t dispatch_stream(void) {
  return ksr_dispatch(stream);
}

static int64_t dispatch_client(void) {
  return ksr_client_dispatch(client);
}

static void check_exits(void) {
  ksr_config* manual = host_config("http");
  ksr_config* query = NULL;
  ksr_client* other = client;
  ksr_request* request = NULL;
  host_set(manual, "delivery", "manual");
  ksr_config_on_update(manual, exit_in_update);

  stream = host_open(manual, NULL, on_destroy);
  exits_in(wait_and_exit, NULL);
  exits_in(dispatch_and_exit, NULL);
  CHECK(ksr_wait_synced(stream, 0) == KSR_OK);
  dispatch_until_called_twice(dispatch_stream); /* pods change all the time */
  CHECK(ksr_close(stream) == KSR_OK);

  exits_in(fail_and_exit, NULL);
  stream = host_open(manual, &returned, exit_in_destroy);
  exits_in(close_and_exit, stream);
  CHECK(ksr_close(stream) == KSR_OK);
  ksr_config_on_state(manual, exit_in_closed);
  stream = host_open(manual, &returned, on_destroy);
  exits_in(close_and_exit, stream);
  CHECK(ksr_close(stream) == KSR_OK && returned == 1);

  CHECK(ksr_client_open(manual, NULL, on_destroy, &client, NULL) == KSR_OK);
  CHECK(ksr_config_new(&query) == KSR_OK);
  host_set(query, "resource", "v1/pods");
  ksr_config_on_update(query, exit_in_update);
  CHECK(ksr_client_stream(client, query, NULL, on_destroy, &stream, NULL) == KSR_OK);
  exits_in(dispatch_client_and_exit, NULL);
  dispatch_until_called_twice(dispatch_client);
  CHECK(ksr_close(stream) == KSR_OK);
  CHECK(ksr_request_open(client, params, &returned, exit_in_destroy, &request, NULL) == KSR_OK);
  exits_in(dispatch_client_and_exit, NULL);
  CHECK(ksr_request_wait(request, 0, NULL, NULL) == KSR_OK);
  CHECK(ksr_client_close(client) == KSR_OK);
  client = other;
  ksr_config_free(query);
  ksr_config_free(manual);
}

int main(void) {
  alarm(200);
  config = host_config("http");
  CHECK(ksr_client_open(config, NULL, on_destroy, &client, NULL) == KSR_OK);
  CHECK(ksr_params_new(&params) == KSR_OK);
  CHECK(ksr_params_set(params, "path", "/version", NULL) == KSR_OK);
  check_cancelled_waits(run);
  check_cancelled_callbacks(run);
  check_cancelled_calls(run);
  check_cancelled_waits(run_asynchronously);
  check_cancelled_callbacks(run_asynchronously);
  destroyed = 0;
  check_exits();
  CHECK(destroyed == 7);
  CHECK(ksr_client_close(client) == KSR_OK);
  ksr_params_free(params);
  ksr_config_free(config);
  return 0;
}
