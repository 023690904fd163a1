/* The columns of each kind. */
#ifndef KSR_WATCH_KINDS_H
#define KSR_WATCH_KINDS_H

#include <ksr.h>
#include <stddef.h>

#include "cell.h"

#define MAX_COLUMNS 8

struct column {
  const char* title;
  cell_fn write;
};

struct columns {
  struct column at[MAX_COLUMNS];
  size_t count;
};

/* The columns for objects such as `sample`. A NAMESPACE column leads where objects have a namespace and
 * `with_namespace` asks for it. */
struct columns columns_for(const ksr_object* sample, int with_namespace);

#endif
