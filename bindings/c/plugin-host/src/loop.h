/* An event loop such as many hosts have: it waits for one descriptor, one timer, and a signal to stop. */
#ifndef LOOP_H
#define LOOP_H

#include "host.h"

/* Runs until the stream has ended, `seconds` ticks have passed (0: no end), or SIGINT or SIGTERM has come. 0, or -1
 * when the descriptor cannot be waited for. */
int loop_run(host* self, long seconds);

#endif
