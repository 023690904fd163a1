/* Sets values of a config map by server-side apply, and shows what it was before and is then: requests in one file.
 *
 *   cc -std=c99 apply.c $(pkg-config --cflags --libs ksr) -o apply
 *   ./apply [-f] NAMESPACE NAME KEY=VALUE...     -f takes over what another manager owns
 *
 * The cluster is that of the kubeconfig, as for kubectl; KSR_SERVER, KSR_TOKEN and KSR_CA_FILE name another one.
 * Exits with 0; 1: it failed, and nothing was changed; 2: a wrong call; 3: another manager owns one of the keys;
 * 4: it failed, and may have been carried out all the same. */
#include <ksr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, WRONG_CALL = 2, OWNED_BY_ANOTHER = 3, MAYBE_DONE = 4 };

/* Frees the error, and says with which status to exit. */
static int failed(ksr_error* error) {
  int status = ksr_error_maybe_done(error) ? MAYBE_DONE : FAILED;
  if (ksr_error_code(error) == KSR_E_CONFLICT) {
    status = OWNED_BY_ANOTHER;
    /* The Status object: its details.causes name each field and its manager. */
    fprintf(stderr, "%s\n", ksr_error_details(error, NULL));
  }
  fprintf(stderr, "apply: %s\n", ksr_error_message(error, NULL));
  if (status == MAYBE_DONE) fprintf(stderr, "apply: it may have been carried out all the same\n");
  ksr_error_free(error);
  return status;
}

/* The client copies the config, which is freed in any case. */
static ksr_client* open_client(void) {
  static const char* const keys[][2] = {{"server", "KSR_SERVER"}, {"token", "KSR_TOKEN"}, {"ca_file", "KSR_CA_FILE"}};
  ksr_config* config = NULL;
  ksr_client* client = NULL;
  ksr_error* error = NULL;
  size_t i;
  ksr_status status = ksr_config_new(&config);
  for (i = 0; i < sizeof keys / sizeof keys[0] && status == KSR_OK; ++i) {
    const char* value = getenv(keys[i][1]);
    if (value) status = ksr_config_set(config, keys[i][0], value, &error);
  }
  if (status == KSR_OK) status = ksr_client_open(config, NULL, NULL, &client, &error);
  ksr_config_free(config);
  if (status != KSR_OK) failed(error);
  return client;
}

/* A JSON string. Control characters are not expected in the arguments of a program. */
static void write_string(FILE* out, const char* text, size_t size) {
  size_t i;
  fputc('"', out);
  for (i = 0; i < size; ++i) {
    if (text[i] == '"' || text[i] == '\\') fputc('\\', out);
    fputc(text[i], out);
  }
  fputc('"', out);
}

/* What is applied: all fields that this manager wants to own. free() gives it back. */
static char* body_of(const char* name, char** values, int count) {
  FILE* out = tmpfile();
  char* body;
  long size;
  int i;
  if (!out) return NULL;
  fputs("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":", out);
  write_string(out, name, strlen(name));
  fputs("},\"data\":{", out);
  for (i = 0; i < count; ++i) {
    const char* equal = strchr(values[i], '=');
    if (i) fputc(',', out);
    write_string(out, values[i], (size_t)(equal - values[i]));
    fputc(':', out);
    write_string(out, equal + 1, strlen(equal + 1));
  }
  fputs("}}", out);
  size = ftell(out);
  body = size < 0 ? NULL : malloc((size_t)size + 1);
  rewind(out);
  if (body && fread(body, 1, (size_t)size, out) == (size_t)size) {
    body[size] = '\0';
  } else {
    free(body);
    body = NULL;
  }
  fclose(out);
  return body;
}

static void show(const char* when, const ksr_response* response) {
  size_t len = 0;
  size_t i;
  /* Borrowed from the response, and no copy: not NUL-terminated. */
  const char* data = ksr_object_get(ksr_response_object(response), "/data", &len);
  printf("%s: %.*s\n", when, data ? (int)len : 2, data ? data : "{}");
  for (i = 0; i < ksr_response_warning_count(response); ++i)
    fprintf(stderr, "apply: warning: %s\n", ksr_response_warning(response, i, NULL));
}

/* ksr_params_set copies key and value; so does each request the whole of the parameters. */
static ksr_status set_object(ksr_params* params, const char* verb, char** place, ksr_error** error) {
  ksr_status status = ksr_params_set(params, "verb", verb, error);
  if (status == KSR_OK) status = ksr_params_set(params, "resource", "v1/configmaps", error);
  if (status == KSR_OK) status = ksr_params_set(params, "namespace", place[0], error);
  if (status == KSR_OK) status = ksr_params_set(params, "name", place[1], error);
  return status;
}

static int show_before(ksr_client* client, char** place) {
  const ksr_response* response = NULL;
  ksr_params* params = NULL;
  ksr_error* error = NULL;
  ksr_status status = ksr_params_new(&params);
  if (status == KSR_OK) status = set_object(params, "get", place, &error);
  if (status == KSR_OK) status = ksr_call(client, params, &response, &error);
  ksr_params_free(params);
  if (status == KSR_E_NOT_FOUND) {
    ksr_error_free(error);
    puts("before: there is none");
    return 0;
  }
  if (status != KSR_OK) return failed(error);
  show("before", response);
  ksr_response_release(response);
  return 0;
}

static int apply(ksr_client* client, char** place, char** values, int count, int force) {
  const ksr_response* response = NULL;
  ksr_params* params = NULL;
  ksr_error* error = NULL;
  char* body = body_of(place[1], values, count);
  ksr_status status = body ? ksr_params_new(&params) : KSR_E_NOMEM;
  if (status == KSR_OK) status = set_object(params, "apply", place, &error);
  if (status == KSR_OK) status = ksr_params_set(params, "field_manager", "ksr-apply-example", &error);
  if (status == KSR_OK) status = ksr_params_set(params, "force", force ? "true" : "false", &error);
  if (status == KSR_OK) status = ksr_params_body(params, body, strlen(body), &error);
  if (status == KSR_OK) status = ksr_call(client, params, &response, &error);
  ksr_params_free(params);
  free(body);
  if (status != KSR_OK) return failed(error);
  show(ksr_response_http_status(response) == 201 ? "created" : "after", response);
  ksr_response_release(response);
  return 0;
}

int main(int argc, char** argv) {
  const int force = argc > 1 && strcmp(argv[1], "-f") == 0;
  char** const place = argv + 1 + force;
  char** const values = place + 2;
  const int count = argc - 3 - force;
  ksr_client* client;
  int i;
  int status = count > 0 ? 0 : WRONG_CALL;
  for (i = 0; i < count; ++i)
    if (!strchr(values[i], '=')) status = WRONG_CALL;
  if (status == WRONG_CALL) {
    fprintf(stderr, "usage: apply [-f] NAMESPACE NAME KEY=VALUE...\n");
    return status;
  }
  client = open_client();
  if (!client) return FAILED;
  status = show_before(client, place);
  if (status == 0) status = apply(client, place, values, count, force);
  /* Never waits for the network. */
  if (ksr_client_close(client) != KSR_OK && status == 0) status = FAILED;
  return status;
}
