/* Requests and channels that are opened while memory is short, or while their client is closed. What could not be
 * opened has had its `destroy` when the call returns, inside a callback too; what was opened is closed with its client.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "malloc_fault.h"
#include "open.h"

/* How long an allocation is held up for what runs meanwhile: it may wait for the very call that allocates. */
#define MOST_HELD_UP_MS 20

static ksr_client* client;
static ksr_params *request_params, *channel_params;
static atomic_int destroyed, response_done;
static pthread_t closing;
static atomic_int closed;

static void on_destroy(void* user_data) {
  (void)user_data;
  atomic_fetch_add(&destroyed, 1);
}

static ksr_client* open_client(void) {
  ksr_config* config = host_config("http");
  ksr_client* opened = NULL;
  CHECK(ksr_client_open(config, NULL, NULL, &opened, NULL) == KSR_OK);
  ksr_config_free(config);
  return opened;
}

static ksr_status open_one(int channel, ksr_request** opened_request, ksr_channel** opened_channel) {
  if (channel) return ksr_channel_open(client, channel_params, NULL, on_destroy, opened_channel, NULL);
  return ksr_request_open(client, request_params, NULL, on_destroy, opened_request, NULL);
}

/* ---- without memory, inside a callback ---- */

static int fail_each(int channel) {
  long nth;
  int failures = 0;
  for (nth = 1;; ++nth) {
    ksr_request* opened_request = NULL;
    ksr_channel* opened_channel = NULL;
    const int before = atomic_load(&destroyed);
    ksr_status status;
    long asked;
    malloc_fault_from(nth, 0);
    status = open_one(channel, &opened_request, &opened_channel);
    asked = malloc_fault_end();
    if (status == KSR_OK) {
      ksr_request_close_async(opened_request);
      ksr_channel_close_async(opened_channel);
      if (asked < nth) return failures;
    } else {
      CHECK(status == KSR_E_NOMEM);
      CHECK(atomic_load(&destroyed) == before + 1);
      ++failures;
    }
  }
}

static void on_response(ksr_request* request, const ksr_response* response, const ksr_error* error, void* user_data) {
  int channel;
  (void)request, (void)response, (void)error, (void)user_data;
  malloc_fault_for_this_thread();
  for (channel = 0; channel < 2; ++channel) {
    /* Those of channels of the calls before have their turn after this. */
    const int failures = fail_each(channel);
    printf("%s: %d allocations failed\n", channel ? "channel" : "request", failures);
    CHECK(failures > 5);
  }
  atomic_store(&response_done, 1);
}

static void open_without_memory(void) {
  ksr_request* request = NULL;
  ksr_params* params = NULL;
  int tries;
  client = open_client();
  CHECK(ksr_params_new(&params) == KSR_OK);
  CHECK(ksr_params_set(params, "path", "/version", NULL) == KSR_OK);
  ksr_params_on_response(params, on_response);
  CHECK(ksr_request_open(client, params, NULL, NULL, &request, NULL) == KSR_OK);
  for (tries = 0; tries < HOST_WAIT_MS / 10 && !atomic_load(&response_done); ++tries) host_sleep_ms(10);
  CHECK(atomic_load(&response_done));
  CHECK(ksr_client_close(client) == KSR_OK);
  ksr_params_free(params);
}

/* ---- while the client is closed ---- */

static void* close_client(void* argument) {
  (void)argument;
  CHECK(ksr_client_close(client) == KSR_OK);
  atomic_store(&closed, 1);
  return NULL;
}

static void close_meanwhile(void) {
  int waited;
  CHECK(pthread_create(&closing, NULL, close_client, NULL) == 0);
  for (waited = 0; waited < MOST_HELD_UP_MS && !atomic_load(&closed); ++waited) host_sleep_ms(1);
}

static void close_at_each_allocation(int channel) {
  long nth, asked = 1;
  int open = 0;
  for (nth = 1; nth <= asked; ++nth) {
    ksr_request* opened_request = NULL;
    ksr_channel* opened_channel = NULL;
    uint64_t value;
    ksr_status status;
    client = open_client();
    atomic_store(&closed, 0);
    malloc_fault_call_at(nth, close_meanwhile);
    status = open_one(channel, &opened_request, &opened_channel);
    asked = malloc_fault_end();
    if (asked < nth) close_meanwhile();
    CHECK(pthread_join(closing, NULL) == 0);
    CHECK(status == KSR_OK || status == KSR_E_CANCELLED || status == KSR_E_INVALID);
    if (status != KSR_OK) continue;
    ++open;
    CHECK(ksr_request_wait(opened_request, 0, NULL, NULL) == KSR_E_INVALID);
    CHECK(ksr_channel_stat(opened_channel, "state", &value) == KSR_E_INVALID);
  }
  printf("%s: closed at %ld allocations, %d of them were open\n", channel ? "channel" : "request", asked, open);
}

int main(void) {
  int channel;
  CHECK(ksr_params_new(&request_params) == KSR_OK && ksr_params_new(&channel_params) == KSR_OK);
  CHECK(ksr_params_set(request_params, "path", "/version", NULL) == KSR_OK);
  CHECK(ksr_params_set(channel_params, "path", "/version", NULL) == KSR_OK);
  CHECK(ksr_params_set(channel_params, "kind", "http", NULL) == KSR_OK);
  open_without_memory();
  malloc_fault_for_this_thread();
  for (channel = 0; channel < 2; ++channel) close_at_each_allocation(channel);
  ksr_params_free(request_params);
  ksr_params_free(channel_params);
  return 0;
}
