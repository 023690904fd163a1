/* The rows of a screen: marks, what was deleted, what fits. */
#include "rows.h"

#include "check.h"
#include "fake_ksr.h"
#include "object.h"

enum { POOL = 8 };

/* Objects named a, b, c... */
static ksr_object pool[POOL] = {{"{\"metadata\":{\"uid\":\"1\",\"name\":\"a\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"2\",\"name\":\"b\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"3\",\"name\":\"c\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"4\",\"name\":\"d\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"5\",\"name\":\"e\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"6\",\"name\":\"f\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"2\",\"name\":\"b\",\"resourceVersion\":\"9\"}}", 0},
                                {"{\"metadata\":{\"uid\":\"8\",\"name\":\"b\"}}", 0}};
static const char names[] = "abcdefBN"; /* B: b, changed; N: another b */

static struct rows rows;
static struct text out;
static size_t first;

static const ksr_object* named(char name) {
  return &pool[strchr(names, name) - names];
}

static ksr_snapshot snapshot_of(const char* objects, const char* changes) {
  ksr_snapshot snapshot;
  memset(&snapshot, 0, sizeof snapshot);
  for (; *objects; ++objects) snapshot.at[snapshot.count++] = named(*objects);
  for (; *changes; changes += 2) {
    static const char kinds[] = "?+*-";
    snapshot.deltas[snapshot.delta_count] = (ksr_delta)(strchr(kinds, changes[0]) - kinds);
    snapshot.changed[snapshot.delta_count++] = named(changes[1]);
  }
  return snapshot;
}

/* `changes` such as "+a*b-c". */
static void show(const char* objects, const char* changes, size_t height, int64_t now) {
  ksr_snapshot snapshot = snapshot_of(objects, changes);
  struct view view = {NULL, NULL};
  view.snapshot = &snapshot;
  rows_show(&rows, &view, first, height, *changes != '\0', now);
}

static void check_rows(int line, const char* expected) {
  size_t i;
  for (i = 0; i < rows.count; ++i) {
    if (rows.at[i].mark) text_add_char(&out, "?+*-"[rows.at[i].mark]);
    text_add(&out, object_field(rows.at[i].object, KSR_FIELD_NAME));
  }
  check_text(__FILE__, line, &out, expected);
}

#define CHECK_ROWS(expected) check_rows(__LINE__, expected)

static void marks_last_a_second(void) {
  show("abc", "", 10, 0);
  CHECK_ROWS("abc");
  show("aBcd", "*B+d", 10, 100);
  CHECK_ROWS("a*bc+d");
  show("aBcd", "", 10, 900);
  CHECK_ROWS("a*bc+d");
  CHECK(rows_expire(&rows, 1099));
  CHECK(!rows_expire(&rows, 1100));
  CHECK_ROWS("abcd");
}

static void what_is_deleted_stays_in_its_place_for_a_second(void) {
  show("abcd", "", 10, 0);
  show("acd", "-b", 10, 0);
  CHECK_ROWS("a-bcd");
  CHECK(rows.existing == 3);
  show("ac", "-d", 10, 500);
  CHECK_ROWS("a-bc-d");
  CHECK(rows_expire(&rows, 1000));
  CHECK_ROWS("ac-d");
  CHECK(!rows_expire(&rows, 1500));
  CHECK_ROWS("ac");
}

static void a_replaced_object_is_seen_to_go_and_to_come(void) {
  show("abc", "", 10, 0);
  show("aNc", "-b+N", 10, 0);
  CHECK_ROWS("a-b+bc");
}

static void a_deleted_object_that_returns_is_new(void) {
  show("ab", "", 10, 0);
  show("a", "-b", 10, 0);
  show("ab", "+b", 10, 100);
  CHECK_ROWS("a+b");
}

static void only_what_fits_is_shown(void) {
  show("abcdef", "", 3, 0);
  CHECK_ROWS("abc");
  show("bcdef", "-a", 3, 0);
  CHECK_ROWS("-abc");
  CHECK(rows.existing == 2);
  show("bcdef", "", 3, 2000);
  CHECK_ROWS("bcd");
  show("bcdef", "-a", 0, 2000);
  CHECK_ROWS("");
  show("cdef", "-b", 2, 2000);
  CHECK_ROWS("cd");
}

static void a_part_further_down(void) {
  first = 2;
  show("abcdef", "", 3, 0);
  CHECK_ROWS("cde");
  show("abcdf", "-e", 3, 0);
  CHECK_ROWS("cd-e");
  show("bcdf", "-a", 3, 2000);
  CHECK_ROWS("df");
  first = 0;
}

static void another_order(void) {
  ksr_snapshot snapshot = snapshot_of("abc", "");
  const ksr_object* sorted[3];
  struct view view = {NULL, NULL};
  sorted[0] = named('c');
  sorted[1] = named('a');
  sorted[2] = named('b');
  view.snapshot = &snapshot;
  view.sorted = sorted;
  rows_show(&rows, &view, 0, 2, 0, 0);
  CHECK_ROWS("ca");
  CHECK(!view_at(&view, 3));
}

static void no_reference_is_lost(void) {
  size_t i;
  rows_free(&rows);
  for (i = 0; i < POOL; ++i) CHECK(pool[i].references == 0);
}

int main(void) {
  static void (*const tests[])(void) = {marks_last_a_second,
                                        what_is_deleted_stays_in_its_place_for_a_second,
                                        a_replaced_object_is_seen_to_go_and_to_come,
                                        a_deleted_object_that_returns_is_new,
                                        only_what_fits_is_shown,
                                        a_part_further_down,
                                        another_order};
  size_t i;
  for (i = 0; i < sizeof tests / sizeof tests[0]; ++i) {
    tests[i]();
    no_reference_is_lost();
  }
  text_free(&out);
  return check_result();
}
