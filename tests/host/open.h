/* `host_open` opens a stream on the test server that the environment names; used by the host programs. */
#ifndef KSR_TESTS_HOST_OPEN_H
#define KSR_TESTS_HOST_OPEN_H

#include "host.h"

static inline void host_set(ksr_config* config, const char* key, const char* value) {
  ksr_error* err = NULL;
  if (ksr_config_set(config, key, value, &err) != KSR_OK) {
    fprintf(stderr, "%s\n", ksr_error_message(err, NULL));
    exit(1);
  }
}

static inline ksr_config* host_config(const char* transport) {
  ksr_config* config = NULL;
  CHECK(ksr_config_new(&config) == KSR_OK);
  host_set(config, "server", host_env("KSR_TEST_SERVER"));
  host_set(config, "ca_file", host_env("KSR_TEST_CA"));
  host_set(config, "token", host_env("KSR_TEST_TOKEN"));
  host_set(config, "resource", "v1/pods");
  host_set(config, "transport", transport);
  return config;
}

static inline ksr_stream* host_open(ksr_config* config, void* user_data, ksr_destroy_fn destroy) {
  ksr_stream* stream = NULL;
  ksr_error* err = NULL;
  if (ksr_open(config, user_data, destroy, &stream, &err) != KSR_OK) {
    fprintf(stderr, "%s\n", ksr_error_message(err, NULL));
    exit(1);
  }
  return stream;
}

#endif
