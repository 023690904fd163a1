/* Which context of the kubeconfig a server that is given as an option is merged over: the current one, as for kubectl,
 * whereas the library's key `server` stands without a kubeconfig. Used by ksr-watch and by the commands of ksr. At the
 * start, while there is one thread. */
#ifndef KSR_WATCH_SERVER_CONTEXT_H
#define KSR_WATCH_SERVER_CONTEXT_H

#include "options.h"
#include "text.h"

/* Adds its name, or nothing where there is none or what is meant is given. 0: `problem` says what is wrong with the
 * kubeconfig. */
int server_context_find(const struct setting* settings, size_t count, struct text* context, struct text* problem);

#endif
