#include "cell.h"

#include "clock.h"
#include "json.h"

slice object_value(const ksr_object* object, const char* json_pointer) {
  slice value;
  value.at = ksr_object_get(object, json_pointer, &value.len);
  return value;
}

slice object_field(const ksr_object* object, ksr_field field) {
  slice value;
  value.at = ksr_object_field(object, field, &value.len);
  return value;
}

int has_string(slice string) {
  return json_word(string).len > 0;
}

slice first_string(slice first, slice second, slice third) {
  slice none = {NULL, 0};
  if (has_string(first)) return first;
  if (has_string(second)) return second;
  return has_string(third) ? third : none;
}

void add_string_or(struct text* out, slice string, const char* fallback) {
  if (has_string(string)) {
    json_add_string(out, string);
  } else {
    text_add(out, slice_of(fallback));
  }
}

void add_joined(struct text* out, size_t start, slice string) {
  if (!has_string(string)) return;
  if (out->len > start) text_add_char(out, ',');
  json_add_string(out, string);
}

static void add_age_of(struct text* out, slice timestamp, int64_t now) {
  int64_t then;
  if (timestamp_read(timestamp, &then)) {
    age_add(out, now - then);
  } else {
    text_add(out, slice_of("<unknown>"));
  }
}

void add_since(struct text* out, slice timestamp, int64_t now) {
  add_age_of(out, json_word(timestamp), now);
}

void cell_namespace(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  text_add(out, object_field(object, KSR_FIELD_NAMESPACE));
}

void cell_name(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  text_add(out, object_field(object, KSR_FIELD_NAME));
}

void cell_age(const ksr_object* object, int64_t now, struct text* out) {
  add_age_of(out, object_field(object, KSR_FIELD_CREATION_TIMESTAMP), now);
}
