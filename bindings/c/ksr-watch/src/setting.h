/* What the values of configuration keys are made of, and which of them are secret; used by ksr-watch and by the
 * commands of ksr. Any thread. */
#ifndef KSR_WATCH_SETTING_H
#define KSR_WATCH_SETTING_H

#include "text.h"

/* Other users of the machine must not see the value on the command line. */
int setting_is_secret(slice key);

/* One more value of a list with escapes, impersonate_groups or impersonate_extra: a comma in it does not end it. */
void setting_add_escaped(struct text* list, slice value);

#endif
