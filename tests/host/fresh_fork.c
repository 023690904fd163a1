/* A child of a process that has only loaded the library, or only made a config, may open its own streams: this is
 * how pre-forking servers and Python's multiprocessing work. */
#include <sys/wait.h>
#include <unistd.h>

#include "open.h"

int main(void) {
  ksr_config* config = host_config("http");
  int status = 0;
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    ksr_stream* stream;
    alarm(60);
    stream = host_open(config, NULL, NULL);
    CHECK(ksr_wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
    CHECK(ksr_close(stream) == KSR_OK);
    exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ksr_config_free(config);
  return 0;
}
