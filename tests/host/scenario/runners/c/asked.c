#include "asked.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watched.h"

enum { MOST_CLIENTS = 4, MOST_REQUESTS = 16 };

struct asking {
  char name[32];
  ksr_client* client;
};

struct asked {
  char name[32];
  _Atomic(ksr_request*) request;
  atomic_int answered;
  atomic_int given_up;
  atomic_int destroyed;
};

static struct asking clients[MOST_CLIENTS];
static size_t client_count;
static struct asked requests[MOST_REQUESTS];
static size_t request_count;

/* "= " or "answer NAME ", and what came. */
static void report(const char* who, const ksr_response* response, const ksr_error* error) {
  if (!response) {
    say("%s %s http=%d reason=%s maybe_done=%d details=%s", who, ksr_status_name(ksr_error_code(error)),
        ksr_error_http_status(error), ksr_error_reason(error, NULL), ksr_error_maybe_done(error),
        ksr_error_details(error, NULL));
    return;
  }
  const ksr_object* object = ksr_response_object(response);
  size_t len = 0;
  const char* data = ksr_object_get(object, "/data", &len);
  const char* const kind = ksr_object_field(object, KSR_FIELD_KIND, NULL);
  const char* const name = ksr_object_field(object, KSR_FIELD_NAME, NULL);
  const char* const type = ksr_response_header(response, "CONTENT-type", NULL);
  const char* const warning = ksr_response_warning(response, 0, NULL);
  say("%s %d %s %s data=%.*s type=%s warnings=%zu %s", who, ksr_response_http_status(response), kind ? kind : "-",
      name ? name : "-", (int)len, data ? data : "", type ? type : "-", ksr_response_warning_count(response),
      warning ? warning : "-");
}

static ksr_status params_of(char** rest, ksr_params** params, ksr_error** error) {
  ksr_status status = ksr_params_new(params);
  for (char* key = strtok_r(NULL, " ", rest); key && status == KSR_OK; key = strtok_r(NULL, " ", rest)) {
    char* value = strchr(key, '=');
    if (!value) abort();
    *value++ = '\0';
    status = strcmp(key, "body") == 0 ? ksr_params_body(*params, value, strlen(value), error)
                                      : ksr_params_set(*params, key, value, error);
  }
  return status;
}

static void on_response(ksr_request* request, const ksr_response* response, const ksr_error* error, void* user_data) {
  struct asked* asked = user_data;
  char who[64];
  (void)request;
  if (asked->answered++ || asked->given_up || asked->destroyed) say("broken %s answered", asked->name);
  snprintf(who, sizeof who, "answer %s", asked->name);
  report(who, response, error);
}

/* Comes also where on_response does not: the request was cancelled. */
static void on_destroy(void* user_data) {
  struct asked* asked = user_data;
  if (!asked->answered && !asked->given_up && asked->request) {
    const ksr_response* response = NULL;
    ksr_error* error = NULL;
    ksr_request_wait(asked->request, 0, &response, &error);
    on_response(asked->request, response, error, asked);
    ksr_response_release(response);
    ksr_error_free(error);
  }
  if (asked->destroyed++) say("broken %s destroyed twice", asked->name);
}

void client_open(const char* name, int manual, char** rest) {
  struct asking* asking = &clients[client_count];
  ksr_config* config = NULL;
  if (client_count == MOST_CLIENTS) abort();
  ksr_status status = ksr_config_new(&config);
  if (status == KSR_OK && manual) status = ksr_config_set(config, "delivery", "manual", NULL);
  for (char* key = strtok_r(NULL, " ", rest); key && status == KSR_OK; key = strtok_r(NULL, " ", rest)) {
    char* value = strchr(key, '=');
    if (!value) abort();
    *value++ = '\0';
    status = ksr_config_set(config, key, value, NULL);
  }
  if (status == KSR_OK) status = ksr_client_open(config, NULL, NULL, &asking->client, NULL);
  ksr_config_free(config);
  if (status == KSR_OK) {
    snprintf(asking->name, sizeof asking->name, "%s", name);
    ++client_count;
  }
  say("= %s", status == KSR_OK ? "ok" : ksr_status_name(status));
}

ksr_client* client_find(const char* name) {
  for (size_t i = 0; i < client_count; ++i)
    if (strcmp(clients[i].name, name) == 0) return clients[i].client;
  return NULL;
}

void client_ask(ksr_client* client, char** rest) {
  ksr_params* params = NULL;
  const ksr_response* response = NULL;
  ksr_error* error = NULL;
  if (params_of(rest, &params, &error) == KSR_OK) ksr_call(client, params, &response, &error);
  report("=", response, error);
  ksr_params_free(params);
  ksr_response_release(response);
  ksr_error_free(error);
}

/* All there is of a part, as one word; the status with which it ended. */
static ksr_status read_all(ksr_channel* channel, int32_t part, char* word, size_t size) {
  size_t length = 0, got = 0;
  ksr_status status;
  while ((status = ksr_channel_read(channel, part, word + length, size - 1 - length, -1, &got)) == KSR_OK && got > 0) {
    length += got;
    if (length + 1 >= size) abort();
  }
  word[length] = '\0';
  for (char* c = word; (c = strchr(c, '\n')) != NULL;) *c = '|';
  return status;
}

void client_run(ksr_client* client, char** rest) {
  char out[4096] = "", err[4096] = "", code[16] = "-", kind[16] = "", written[64] = "";
  int has_err = 0;
  ksr_params* params = NULL;
  ksr_channel* channel = NULL;
  ksr_error* error = NULL;
  int32_t exit_code = INT32_MIN;
  ksr_status status = ksr_params_new(&params);
  for (char* key = strtok_r(NULL, " ", rest); key && status == KSR_OK; key = strtok_r(NULL, " ", rest)) {
    char* value = strchr(key, '=');
    if (!value) abort();
    *value++ = '\0';
    if (strcmp(key, "kind") == 0) {
      snprintf(kind, sizeof kind, "%s", value);
      has_err = strcmp(kind, "exec") == 0;
    }
    if (strcmp(key, "stderr") == 0) has_err = strcmp(value, "true") == 0;
    if (strcmp(key, "in") == 0)
      snprintf(written, sizeof written, "%s", value);
    else
      status = ksr_params_set(params, key, value, &error);
  }
  if (status == KSR_OK) status = ksr_channel_open(client, params, NULL, NULL, &channel, &error);
  ksr_params_free(params);
  if (status == KSR_OK) {
    size_t taken = 0;
    if (written[0]) ksr_channel_write(channel, KSR_PART_DATA, written, strlen(written), -1, &taken);
    if (written[0] && strcmp(kind, "exec") == 0) ksr_channel_finish(channel, KSR_PART_STDIN);
    const ksr_status ended =
        read_all(channel, strcmp(kind, "portforward") == 0 ? KSR_PART_DATA : KSR_PART_STDOUT, out, sizeof out);
    if (has_err) read_all(channel, KSR_PART_STDERR, err, sizeof err);
    status = ksr_channel_wait(channel, -1, &exit_code, &error);
    if ((ended == KSR_OK) != (status == KSR_OK)) say("broken %s ended in two ways", kind);
    ksr_channel_close(channel);
  }
  if (exit_code != INT32_MIN) snprintf(code, sizeof code, "%d", (int)exit_code);
  if (status == KSR_OK)
    say("= code=%s out=%s err=%s", code, out, err);
  else
    say("= %s http=%d reason=%s maybe_done=%d details=%s out=%s err=%s", ksr_status_name(ksr_error_code(error)),
        ksr_error_http_status(error), ksr_error_reason(error, NULL), ksr_error_maybe_done(error),
        ksr_error_details(error, NULL), out, err);
  ksr_error_free(error);
}

void client_begin(ksr_client* client, const char* request, char** rest) {
  struct asked* asked = &requests[request_count++];
  ksr_params* params = NULL;
  ksr_request* opened = NULL;
  if (request_count > MOST_REQUESTS) abort();
  snprintf(asked->name, sizeof asked->name, "%s", request);
  ksr_status status = params_of(rest, &params, NULL);
  ksr_params_on_response(params, on_response);
  if (status == KSR_OK) status = ksr_request_open(client, params, asked, on_destroy, &opened, NULL);
  if (status == KSR_OK) asked->request = opened;
  ksr_params_free(params);
  say("= %s", status == KSR_OK ? "ok" : ksr_status_name(status));
}

void request_give_up(const char* request) {
  for (size_t i = 0; i < request_count; ++i) {
    if (strcmp(requests[i].name, request) != 0) continue;
    requests[i].given_up = 1;
    const ksr_status status = ksr_request_close(requests[i].request);
    if (!requests[i].destroyed) say("broken %s not destroyed by close", request);
    say("= %s", status == KSR_OK ? "ok" : ksr_status_name(status));
  }
}

void client_drained(ksr_client* client) {
  const struct timespec pause = {0, 5 * 1000 * 1000};
  uint64_t value = 0;
  do {
    /* A handle is there until it is closed. The answer is reported before its callback has returned, which close waits
     * for. */
    for (size_t i = 0; i < request_count; ++i) {
      if (requests[i].answered) ksr_request_close(requests[i].request);
    }
    nanosleep(&pause, NULL);
  } while (ksr_client_stat(client, "open_requests", &value) == KSR_OK && value > 0);
  say("= ok");
}

size_t client_descriptors(int* descriptors, size_t size) {
  for (size_t i = 0; i < client_count && i < size; ++i) descriptors[i] = ksr_client_fd(clients[i].client);
  return client_count < size ? client_count : size;
}

void client_dispatch_all(void) {
  for (size_t i = 0; i < client_count; ++i) ksr_client_dispatch(clients[i].client);
}

void client_free_all(void) {
  for (size_t i = 0; i < client_count; ++i) ksr_client_close(clients[i].client);
}
