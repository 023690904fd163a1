/* The columns of a service. */
#ifndef KSR_WATCH_SERVICE_H
#define KSR_WATCH_SERVICE_H

#include <ksr.h>
#include <stdint.h>

#include "text.h"

void cell_service_type(const ksr_object* object, int64_t now, struct text* out);
void cell_service_cluster_ip(const ksr_object* object, int64_t now, struct text* out);
void cell_service_external_ip(const ksr_object* object, int64_t now, struct text* out);
void cell_service_ports(const ksr_object* object, int64_t now, struct text* out);

#endif
