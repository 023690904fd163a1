/* The levels of log lines by name; used by ksr-watch and by the commands of ksr. Any thread. */
#ifndef KSR_WATCH_LOG_LEVEL_H
#define KSR_WATCH_LOG_LEVEL_H

#include <stdint.h>

const char* log_level_name(int32_t level);

#endif
