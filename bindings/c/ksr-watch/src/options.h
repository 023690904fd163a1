/* The command line, read but not yet acted upon. */
#ifndef KSR_WATCH_OPTIONS_H
#define KSR_WATCH_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_EVENTS, OUTPUT_NAMES, OUTPUT_JSON_EVENTS, OUTPUT_YAML, OUTPUT_NAME };

/* One key for the library, and the option it came from, for the line that reports an error. */
struct setting {
  const char* option;
  const char* key;
  char* value;
};

struct options {
  char* resource;
  char* name;           /* NULL: all that are selected */
  struct text selector; /* of the name */
  struct setting* settings;
  size_t setting_count;
  struct text groups;  /* every --as-group, separated by commas */
  struct text context; /* that a --server is merged over */
  enum output output;
  int wide;
  int by_change; /* a line for each change, as kubectl */
  int no_headers;
  int show_labels;
  int show_managed_fields;
  struct text label_columns;   /* separated by commas */
  const char* columns;         /* NULL: the server's */
  const char* sort_by;         /* NULL: by namespace and name */
  struct text request_timeout; /* empty: the library's */
  int64_t run_ms;              /* -1: until a signal or a key */
  int all_namespaces;
  int one_namespace; /* exactly one was asked for: its name need not be shown */
  int once;
  int log;
  int help;
  int version;
};

/* 1, or 0 with a line in `problem` that names the option. Values stay in `argv`, which is written to (the "=" of
 * --set KEY=VALUE). */
int options_read(struct options* options, int argc, char** argv, struct text* problem);
/* To options that have been read. */
void options_add_context(struct options* options);
void options_free(struct options* options);

/* Overwrites the values of secret settings in argv, where other users of the machine could read them. */
void options_hide_secrets(struct options* options);

const char* options_help(void);

#endif
