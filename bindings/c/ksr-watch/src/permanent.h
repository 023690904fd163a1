/* Which failures of a stream do not pass; used by ksr-watch, delete and wait. Any thread. */
#ifndef KSR_WATCH_PERMANENT_H
#define KSR_WATCH_PERMANENT_H

#include <ksr.h>

/* No retry mends it: somebody has to change the command, the credentials, the permissions, the server or the proxy. */
int is_permanent(const ksr_error* error);

#endif
