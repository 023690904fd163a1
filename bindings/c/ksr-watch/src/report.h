/* Lines for people on standard error, and what of them the screen shows instead. */
#ifndef KSR_WATCH_REPORT_H
#define KSR_WATCH_REPORT_H

#include "watch.h"

/* "ksr-watch: LINE" */
void report_line(slice line);

/* A setting that the library refused; never tells the value, which may be secret. */
void report_setting(const struct setting* setting, const ksr_error* error);
void report_error(struct watch* watch, const ksr_error* error);
void report_log(struct watch* watch, int32_t level, slice line);

/* Adds "; retry in 3s" with what is left of the time, or nothing when there is nothing to wait for. */
void report_add_retry(const struct trouble* trouble, int64_t now, struct text* out);

#endif
