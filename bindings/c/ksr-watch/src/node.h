/* The columns of a node. */
#ifndef KSR_WATCH_NODE_H
#define KSR_WATCH_NODE_H

#include <ksr.h>
#include <stdint.h>

#include "text.h"

void cell_node_status(const ksr_object* object, int64_t now, struct text* out);
void cell_node_roles(const ksr_object* object, int64_t now, struct text* out);
void cell_node_version(const ksr_object* object, int64_t now, struct text* out);

#endif
