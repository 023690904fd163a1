/* The host's side of a stream: its configuration and its callbacks. All of it runs on the host's thread. */
#ifndef HOST_H
#define HOST_H

#include <pthread.h>

#include "plugin.h"

typedef struct host {
  const plugin* ksr;
  pthread_t thread;
  ksr_stream* stream;
  long callbacks;
  long foreign_callbacks; /* on another thread than the host's; stays 0 */
  int closed;             /* the last callback has come */
  int destroyed;          /* the library no longer refers to this host */
  int failed;             /* the stream ended by itself, for good */
} host;

/* Opens a stream with keys written as KEY=VALUE. 0, or -1; stderr has why. */
int host_open(host* self, const plugin* ksr, char** keys);

/* Prints how the stream is doing. */
void host_report(const host* self);

/* Closes the stream; afterwards the library refers to nothing of the host. 0, or -1. */
int host_close(host* self);

#endif
