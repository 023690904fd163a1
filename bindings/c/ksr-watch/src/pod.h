/* A pod summed up in one line, by the rules of kubectl's own printer (k8s.io/kubernetes/pkg/printers). */
#ifndef KSR_WATCH_POD_H
#define KSR_WATCH_POD_H

#include <ksr.h>
#include <stdint.h>

#include "text.h"

void cell_pod_ready(const ksr_object* object, int64_t now, struct text* out);
void cell_pod_status(const ksr_object* object, int64_t now, struct text* out);
void cell_pod_restarts(const ksr_object* object, int64_t now, struct text* out);
void cell_pod_node(const ksr_object* object, int64_t now, struct text* out);

#endif
