#include "fake_ksr.h"

#include <stdlib.h>

#include "json.h"
#include "slice.h"

static slice element(slice array, long place) {
  struct json_walk walk = json_walk_into(array);
  slice value, none = {NULL, 0};
  while (json_next_element(&walk, &value)) {
    if (place-- == 0) return value;
  }
  return none;
}

static slice step(slice value, const char* name) {
  return value.len && *value.at == '[' ? element(value, strtol(name, NULL, 10)) : json_member(value, name);
}

const char* ksr_object_get(const ksr_object* object, const char* json_pointer, size_t* len) {
  slice value = slice_of(object->json);
  char name[128];
  while (value.at && *json_pointer == '/') {
    size_t i = 0;
    for (++json_pointer; *json_pointer && *json_pointer != '/'; ++json_pointer) name[i++] = *json_pointer;
    name[i] = '\0';
    value = step(value, name);
  }
  *len = value.len;
  return value.at;
}

const char* ksr_object_field(const ksr_object* object, ksr_field field, size_t* len) {
  static const char* const pointers[] = {"",
                                         "",
                                         "/metadata/uid",
                                         "/metadata/namespace",
                                         "/metadata/name",
                                         "/metadata/resourceVersion",
                                         "/kind",
                                         "/apiVersion",
                                         "/metadata/creationTimestamp"};
  slice value, word;
  if (field == KSR_FIELD_JSON) {
    *len = slice_of(object->json).len;
    return object->json;
  }
  value.at = ksr_object_get(object, pointers[field], &value.len);
  word = json_word(value);
  *len = word.len;
  return word.at ? word.at : "";
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
