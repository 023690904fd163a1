/* libksr as a plugin: loaded by name, its functions in a table of the host. Nothing of it is linked. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <ksr.h>

/* What this host uses. A function that a later library adds is looked up the same way and may be missing. */
#define PLUGIN_FUNCTIONS(X) \
  X(version)                \
  X(version_string)         \
  X(status_name)            \
  X(error_message)          \
  X(error_retry_ms)         \
  X(error_free)             \
  X(config_new)             \
  X(config_free)            \
  X(config_set)             \
  X(config_on_update)       \
  X(config_on_error)        \
  X(config_on_state)        \
  X(open)                   \
  X(cancel)                 \
  X(close)                  \
  X(fd)                     \
  X(dispatch)               \
  X(stat)                   \
  X(snapshot_count)         \
  X(snapshot_delta_count)   \
  X(snapshot_delta_at)      \
  X(object_field)

/* The types come from the header, so that the table cannot drift from it. */
#define PLUGIN_MEMBER(name) __typeof__(ksr_##name)* name;

typedef struct plugin {
  void* library;
  PLUGIN_FUNCTIONS(PLUGIN_MEMBER)
} plugin;

/* 0, or -1 when the library or one of its functions is not there or it is of another kind; stderr has why. */
int plugin_load(plugin* ksr, const char* file);

/* No stream may be open. */
int plugin_unload(plugin* ksr);

#endif
