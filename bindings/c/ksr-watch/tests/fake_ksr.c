#include "fake_ksr.h"

#include <string.h>

#include "slice.h"

/* The first member of that name: objects here are flat enough. */
const char* ksr_object_field(const ksr_object* object, ksr_field field, size_t* len) {
  static const char* const names[] = {"",
                                      "",
                                      "\"uid\":\"",
                                      "\"namespace\":\"",
                                      "\"name\":\"",
                                      "\"resourceVersion\":\"",
                                      "\"kind\":\"",
                                      "\"apiVersion\":\"",
                                      "\"creationTimestamp\":\""};
  const char* value = strstr(object->json, names[field]);
  if (field == KSR_FIELD_JSON) {
    *len = slice_of(object->json).len;
    return object->json;
  }
  *len = value ? strcspn(value + strlen(names[field]), "\"") : 0;
  return value ? value + strlen(names[field]) : "";
}

const ksr_object* ksr_object_retain(const ksr_object* object) {
  ++((ksr_object*)object)->references;
  return object;
}

void ksr_object_release(const ksr_object* object) {
  --((ksr_object*)object)->references;
}

const ksr_object* ksr_snapshot_at(const ksr_snapshot* snapshot, size_t i) {
  return i < snapshot->count ? snapshot->at[i] : NULL;
}

size_t ksr_snapshot_delta_count(const ksr_snapshot* snapshot) {
  return snapshot->delta_count;
}

ksr_delta ksr_snapshot_delta_at(const ksr_snapshot* snapshot, size_t i, const ksr_object** object) {
  if (i >= snapshot->delta_count) return 0;
  if (object) *object = snapshot->changed[i];
  return snapshot->deltas[i];
}

size_t ksr_snapshot_count(const ksr_snapshot* snapshot) {
  return snapshot->count;
}
