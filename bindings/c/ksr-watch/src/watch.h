/* One run of ksr-watch: its options, what the stream has delivered so far, and the output. All of it is used on the
 * main thread only: with delivery=manual the library calls back inside ksr_dispatch only. */
#ifndef KSR_WATCH_WATCH_H
#define KSR_WATCH_WATCH_H

#include <ksr.h>
#include <stdint.h>

#include "options.h"
#include "rows.h"
#include "sink.h"
#include "table.h"
#include "text.h"

struct trouble {
  struct text message; /* shown text; empty: none */
  int64_t at_ms;       /* monotonic */
  int64_t retry_ms;    /* -1: fatal */
};

struct watch {
  struct options options;
  struct sink out;
  ksr_stream* stream;

  ksr_state state;
  const ksr_snapshot* latest; /* NULL until the first complete view */
  struct trouble trouble;     /* the last error */
  struct text last_log;       /* shown text */
  int is_failed;
  int is_over;

  int is_live; /* a table redrawn in place */
  int has_color;
  int is_dirty; /* the screen is out of date */
  struct rows rows;
  struct table table;
  struct text frame; /* what the screen shows now */
};

#endif
