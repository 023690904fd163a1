/* The keys that move a table. */
#include "keys.h"

#include "check.h"

static void all_are(const char* typed, enum key expected) {
  slice rest = slice_of(typed);
  while (rest.len) CHECK(keys_next(&rest) == expected);
}

int main(void) {
  slice mixed = slice_of("j\x1b[AG\x1b[1;5Bq");
  all_are("qQ", KEY_QUIT);
  all_are("ky\x1b[A\x1bOA\x10", KEY_UP);
  all_are("je\r\n\x1b[B\x1bOB\x0e", KEY_DOWN);
  all_are("b\x02w\x1b[5~", KEY_PAGE_UP);
  all_are(" f\x06z\x1b[6~", KEY_PAGE_DOWN);
  all_are("u\x15", KEY_HALF_UP);
  all_are("d\x04", KEY_HALF_DOWN);
  all_are("g<\x1b[H\x1b[1~\x1bOH", KEY_TOP);
  all_are("G>\x1b[F\x1b[4~\x1bOF", KEY_BOTTOM);
  all_are("x\x1b", KEY_OTHER);
  all_are("\x1b[15~\x1b[Z\x1b[", KEY_OTHER);
  CHECK(keys_next(&mixed) == KEY_DOWN && keys_next(&mixed) == KEY_UP && keys_next(&mixed) == KEY_BOTTOM);
  CHECK(keys_next(&mixed) == KEY_OTHER && keys_next(&mixed) == KEY_QUIT && !mixed.len);
  return check_result();
}
