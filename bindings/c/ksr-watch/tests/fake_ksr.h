/* Objects and snapshots as libksr would hand them out, made of JSON text on the spot. */
#ifndef KSR_WATCH_FAKE_KSR_H
#define KSR_WATCH_FAKE_KSR_H

#include <ksr.h>
#include <stddef.h>

enum { FAKE_MAX = 64 };

struct ksr_object {
  const char* json;
  int references;
};

/* Borrows its objects. */
struct ksr_snapshot {
  const ksr_object* at[FAKE_MAX];
  size_t count;
  const ksr_object* changed[FAKE_MAX];
  ksr_delta deltas[FAKE_MAX];
  size_t delta_count;
};

#endif
