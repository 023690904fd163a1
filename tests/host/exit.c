/* exit() with open streams, as a host may at any moment: no crash, no hang. Argument: from where to exit. */
#include <unistd.h>

#include "open.h"

static int way;

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  (void)stream;
  (void)snapshot;
  (void)user_data;
  if (way == 2) exit(0); /* from a thread of the library */
}

int main(int argc, char** argv) {
  ksr_config* websocket = host_config("websocket");
  ksr_config* http = host_config("http");
  ksr_stream* streams[4];
  int i;
  CHECK(argc == 2);
  way = atoi(argv[1]);
  alarm(60);
  ksr_config_on_update(websocket, on_update);
  for (i = 0; i < 4; ++i) {
    if (ksr_open(i % 2 ? http : websocket, NULL, NULL, &streams[i], NULL) == KSR_OK) continue;
    CHECK(way == 2); /* exit() is under way on the first stream's thread: what needs OpenSSL is refused from then on */
    host_sleep_ms(30000);
  }
  if (way == 0) return 0; /* while they connect */
  if (way == 2) host_sleep_ms(30000);
  for (i = 0; i < 4; ++i) CHECK(ksr_wait_synced(streams[i], HOST_WAIT_MS) == KSR_OK);
  exit(0);
}
