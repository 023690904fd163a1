/* The rows on a screen: a part of the newest view, with what changed in the last second marked, and what was deleted
 * still in its place. */
#ifndef KSR_WATCH_ROWS_H
#define KSR_WATCH_ROWS_H

#include <ksr.h>
#include <stddef.h>
#include <stdint.h>

enum { MARK_MS = 1000 };

struct row {
  const ksr_object* object; /* a reference of its own */
  ksr_delta mark;           /* 0: none */
  int64_t marked_ms;        /* monotonic */
};

struct rows {
  struct row* at;
  size_t count;
  size_t existing; /* without the deleted ones */
};

/* A view in its order. */
struct view {
  const ksr_snapshot* snapshot;
  const ksr_object** sorted; /* its objects in another order; NULL: in its own */
};

/* NULL past the end. */
const ksr_object* view_at(const struct view* view, size_t i);

/* Shows the view from `first` on in at most `height` rows. `deltas`: whether what changed in it is to be marked. */
void rows_show(struct rows* rows, const struct view* view, size_t first, size_t height, int deltas, int64_t now);

/* Ends the marks that are a second old. 1 when any are left. */
int rows_expire(struct rows* rows, int64_t now);
void rows_free(struct rows* rows);

#endif
