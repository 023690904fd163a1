/* A stream of the scenario, which reports on standard output what it does. */
#ifndef KSR_SCENARIO_WATCHED_H
#define KSR_SCENARIO_WATCHED_H

#include <ksr.h>
#include <stdatomic.h>
#include <stdint.h>

struct watched {
  char name[32];
  ksr_stream* stream;
  int pours;
  uint64_t last; /* only callbacks touch it, and they never overlap */
  atomic_int armed;
  atomic_int closed;
  atomic_int destroyed;
};

/* Sets the callbacks, whose user_data is a struct watched. */
void watched_configure(ksr_config* config);
void watched_destroy(void* user_data);

/* Writes one line, whole. */
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

/* The keys of all objects, with commas between them; free() gives it back. */
char* keys_of(const ksr_snapshot* snapshot);

#endif
