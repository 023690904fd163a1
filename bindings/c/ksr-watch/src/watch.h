/* One run of ksr-watch: its options, what the stream has delivered so far, and the output. All of it is used on the
 * main thread only: with delivery=manual the library calls back inside ksr_dispatch only. */
#ifndef KSR_WATCH_WATCH_H
#define KSR_WATCH_WATCH_H

#include <ksr.h>
#include <stdint.h>

#include "options.h"
#include "printer.h"
#include "rows.h"
#include "sink.h"
#include "table.h"
#include "text.h"

struct trouble {
  struct text message; /* shown text; empty: none */
  int64_t at_ms;       /* monotonic */
  int64_t retry_ms;    /* -1: fatal */
};

/* One for each line that is still to be printed. */
struct change {
  ksr_delta delta;
  const ksr_object* object; /* a reference of its own */
};

struct watch {
  struct options options;
  int of_get; /* run as `ksr get -w`, which ends as that command does */
  struct sink out;
  ksr_stream* stream;

  ksr_state state;
  const ksr_snapshot* latest; /* NULL until the first complete view */
  struct trouble trouble;     /* the last error */
  struct text last_log;       /* shown text */
  struct text warnings;       /* shown text, a line each, for the end of a table on the same terminal */
  int is_failed;
  int is_over;
  struct printer* printer;

  /* Not on a terminal: what is to be printed. */
  struct change* changes;
  size_t change_count;
  int has_news;             /* there is more than the batch */
  int has_batch;            /* what is printed as soon as its rows are there: it does not grow meanwhile */
  size_t batch_count;       /* so many of `changes`, or */
  const ksr_snapshot* view; /* a whole view */
  int has_printed;
  int has_told_slow_reader;
  int ends_when_printed; /* nothing more is taken up */

  int goes_live; /* a table redrawn in place, once there is something to show */
  int is_live;   /* it is on the screen */
  int is_hidden; /* but not now: a shell has the terminal */
  int has_color;
  int is_dirty;              /* the screen is out of date */
  const ksr_object** sorted; /* what `latest` has in the order that is shown; NULL: in its own */
  size_t first;              /* the row at the top */
  size_t page;               /* how many rows the screen has */
  struct rows rows;
  struct table table;
  int has_placeholders; /* the table has, and is wider for them */
  struct text frame;    /* what the screen shows now */
};

#endif
