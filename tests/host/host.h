/* Shared by the host programs: the environment, waiting, and a CHECK that names where it failed. */
#ifndef KSR_TESTS_HOST_H
#define KSR_TESTS_HOST_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ksr.h"

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

static inline const char* host_env(const char* name) {
  const char* value = getenv(name);
  CHECK(value != NULL);
  return value;
}

/* For ksr_wait_synced: only a fault, never a busy machine, may reach it. */
#define HOST_WAIT_MS 150000

static inline void host_sleep_ms(long ms) {
  struct timespec pause;
  pause.tv_sec = ms / 1000;
  pause.tv_nsec = ms % 1000 * 1000000;
  nanosleep(&pause, NULL);
}

/* The number of entries of a directory of /proc/self, without ".", ".." and the descriptor of opendir itself. */
static inline int host_count(const char* directory) {
  int count = 0;
  DIR* entries = opendir(directory);
  CHECK(entries != NULL);
  while (readdir(entries) != NULL) ++count;
  closedir(entries);
  return count - 2 - (strstr(directory, "/fd") != NULL ? 1 : 0);
}

#endif
