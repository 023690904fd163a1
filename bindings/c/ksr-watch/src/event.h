/* The columns of an event, of v1 and of events.k8s.io alike. */
#ifndef KSR_WATCH_EVENT_H
#define KSR_WATCH_EVENT_H

#include <ksr.h>
#include <stdint.h>

#include "text.h"

void cell_event_last_seen(const ksr_object* object, int64_t now, struct text* out);
void cell_event_type(const ksr_object* object, int64_t now, struct text* out);
void cell_event_reason(const ksr_object* object, int64_t now, struct text* out);
void cell_event_object(const ksr_object* object, int64_t now, struct text* out);
void cell_event_message(const ksr_object* object, int64_t now, struct text* out);

#endif
