/* The keys of less(1) that move a table, as a terminal sends them. */
#ifndef KSR_WATCH_KEYS_H
#define KSR_WATCH_KEYS_H

#include "slice.h"

enum key {
  KEY_OTHER,
  KEY_QUIT,
  KEY_UP,
  KEY_DOWN,
  KEY_PAGE_UP,
  KEY_PAGE_DOWN,
  KEY_HALF_UP,
  KEY_HALF_DOWN,
  KEY_TOP,
  KEY_BOTTOM
};

/* Takes one key off the front of `bytes`, which must not be empty. */
enum key keys_next(slice* bytes);

#endif
