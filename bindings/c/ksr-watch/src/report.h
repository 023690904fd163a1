/* Lines for people: on standard error, or on the screen instead. */
#ifndef KSR_WATCH_REPORT_H
#define KSR_WATCH_REPORT_H

#include "watch.h"

/* From now on lines are those of `ksr get`. */
void report_as_get(void);
/* "ksr-watch: LINE" */
void report_line(slice line);
/* The same of what has ended the program: "error: LINE" of `ksr get`. */
void report_failure(slice line);
/* The same without the name of the program. */
void report_plain(slice line);

/* Of the server: a line on standard error, at the end where that is the terminal of the table, which shows it until
 * then. */
void report_warning(struct watch* watch, slice line);
void report_kept_warnings(struct watch* watch);

/* Reports a setting that the library refused; never with the value, which may be secret. */
void report_setting(const struct setting* setting, const ksr_error* error);
/* An error that no retry mends ends --once, --seconds and `ksr get -w` while there is no view yet. */
void report_error(struct watch* watch, const ksr_error* error);
/* For the last line of a run that was in vain: what keeps the stream from being live now. */
void report_note_last_error(struct watch* watch);
void report_log(struct watch* watch, int32_t level, slice line);

/* Adds "; retry in 3s" with the remaining time, or nothing when no try is scheduled. */
void report_add_retry(const struct trouble* trouble, int64_t now, struct text* out);

#endif
