#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "text.h"

static int is_fresh(const struct row* row, int64_t now) {
  return row->mark && now - row->marked_ms < MARK_MS;
}

static struct row* find(const struct rows* rows, const ksr_object* object) {
  slice uid = object_field(object, KSR_FIELD_UID);
  size_t i;
  for (i = 0; i < rows->count; ++i) {
    if (rows->at[i].object == object || slice_same(object_field(rows->at[i].object, KSR_FIELD_UID), uid)) {
      return &rows->at[i];
    }
  }
  return NULL;
}

static void set(struct row* row, const ksr_object* object, ksr_delta mark, int64_t marked_ms) {
  row->object = ksr_object_retain(object);
  row->mark = mark;
  row->marked_ms = marked_ms;
}

static void drop_from(struct rows* rows, size_t first) {
  while (rows->count > first) ksr_object_release(rows->at[--rows->count].object);
}

const ksr_object* view_at(const struct view* view, size_t i) {
  if (!view->sorted) return ksr_snapshot_at(view->snapshot, i);
  return i < ksr_snapshot_count(view->snapshot) ? view->sorted[i] : NULL;
}

static void take_part(struct rows* next, const struct rows* before, const struct view* view, size_t first,
                      size_t height, int64_t now) {
  const ksr_object* object;
  while (next->count < height && (object = view_at(view, first + next->count))) {
    const struct row* old = find(before, object);
    int keeps = old && is_fresh(old, now) && old->mark != KSR_DELTA_DELETED;
    set(&next->at[next->count++], object, keeps ? old->mark : 0, keeps ? old->marked_ms : 0);
  }
}

/* Marks what is new or changed in `next`, and what was deleted in `before`. */
static void mark_changes(struct rows* next, struct rows* before, const ksr_snapshot* snapshot, int64_t now) {
  size_t i, count = ksr_snapshot_delta_count(snapshot);
  for (i = 0; i < count; ++i) {
    const ksr_object* object = NULL;
    ksr_delta delta = ksr_snapshot_delta_at(snapshot, i, &object);
    struct row* row = object ? find(delta == KSR_DELTA_DELETED ? before : next, object) : NULL;
    if (!row) continue;
    row->mark = delta;
    row->marked_ms = now;
  }
}

static void insert(struct rows* rows, size_t place, size_t height, const struct row* row) {
  if (place > rows->count) place = rows->count;
  if (place >= height) return;
  if (rows->count == height) drop_from(rows, height - 1);
  memmove(rows->at + place + 1, rows->at + place, (rows->count - place) * sizeof *rows->at);
  set(&rows->at[place], row->object, row->mark, row->marked_ms);
  ++rows->count;
}

/* A deleted row stays where it was shown last. */
static void keep_deleted(struct rows* next, const struct rows* before, size_t height, int64_t now) {
  size_t i;
  for (i = 0; i < before->count; ++i) {
    const struct row* row = &before->at[i];
    if (row->mark != KSR_DELTA_DELETED || !is_fresh(row, now) || find(next, row->object)) continue;
    insert(next, i, height, row);
  }
}

static void count_existing(struct rows* rows) {
  size_t i;
  rows->existing = 0;
  for (i = 0; i < rows->count; ++i) rows->existing += rows->at[i].mark != KSR_DELTA_DELETED;
}

void rows_show(struct rows* rows, const struct view* view, size_t first, size_t height, int deltas, int64_t now) {
  struct rows next = {NULL, 0, 0};
  next.at = resize(NULL, height + 1, sizeof *next.at);
  take_part(&next, rows, view, first, height, now);
  if (deltas) mark_changes(&next, rows, view->snapshot, now);
  keep_deleted(&next, rows, height, now);
  count_existing(&next);
  rows_free(rows);
  *rows = next;
}

int rows_expire(struct rows* rows, int64_t now) {
  size_t i, kept = 0;
  int waiting = 0;
  for (i = 0; i < rows->count; ++i) {
    struct row row = rows->at[i];
    if (is_fresh(&row, now)) {
      waiting = 1;
    } else if (row.mark == KSR_DELTA_DELETED) {
      ksr_object_release(row.object);
      continue;
    } else {
      row.mark = 0;
    }
    rows->at[kept++] = row;
  }
  rows->count = kept;
  return waiting;
}

void rows_free(struct rows* rows) {
  drop_from(rows, 0);
  free(rows->at);
  memset(rows, 0, sizeof *rows);
}
