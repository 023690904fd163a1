/* From the command line to an open stream. */
#ifndef KSR_WATCH_CONNECT_H
#define KSR_WATCH_CONNECT_H

#include "watch.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* 0, or the exit status after a line on standard error. */
int connect_stream(struct watch* watch);

#endif
