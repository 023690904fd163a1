/* Fields of an object as slices, which live as long as it. */
#ifndef KSR_WATCH_OBJECT_H
#define KSR_WATCH_OBJECT_H

#include <ksr.h>

#include "slice.h"

slice object_field(const ksr_object* object, ksr_field field);

#endif
