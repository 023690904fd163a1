/* SIGPIPE at its default (which kills) while the server drops connections again and again. */
#include <signal.h>

#include "open.h"

int main(void) {
  ksr_config* websocket = host_config("websocket");
  ksr_config* http = host_config("http");
  ksr_stream* streams[2];
  uint64_t errors = 0;
  int i;
  host_set(websocket, "backoff_initial", "1ms");
  host_set(http, "backoff_initial", "1ms");
  CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  streams[0] = host_open(websocket, NULL, NULL);
  streams[1] = host_open(http, NULL, NULL);
  for (i = 0; i < 2; ++i) CHECK(ksr_wait_synced(streams[i], HOST_WAIT_MS) == KSR_OK);
  /* The script that runs this program has the server drop all connections every 200 ms. */
  for (i = 0; i < HOST_WAIT_MS / 50 && errors < 10; ++i) {
    host_sleep_ms(50);
    CHECK(ksr_stat(streams[0], "watches", &errors) == KSR_OK);
  }
  CHECK(errors >= 10);
  for (i = 0; i < 2; ++i) CHECK(ksr_close(streams[i]) == KSR_OK);
  return 0;
}
