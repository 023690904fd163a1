#include "event.h"

#include <string.h>

#include "cell.h"
#include "json.h"

void cell_event_last_seen(const ksr_object* object, int64_t now, struct text* out) {
  slice last = first_string(object_value(object, "/series/lastObservedTime"), object_value(object, "/lastTimestamp"),
                            object_value(object, "/deprecatedLastTimestamp"));
  slice first = first_string(object_value(object, "/eventTime"), object_value(object, "/firstTimestamp"),
                             object_value(object, "/deprecatedFirstTimestamp"));
  add_since(out, first_string(last, first, slice_of("")), now);
}

void cell_event_type(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  json_add_string(out, object_value(object, "/type"));
}

void cell_event_reason(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  json_add_string(out, object_value(object, "/reason"));
}

void cell_event_object(const ksr_object* object, int64_t now, struct text* out) {
  slice core = object_value(object, "/involvedObject");
  slice subject = core.len ? core : object_value(object, "/regarding");
  size_t i, start = out->len;
  (void)now;
  json_add_string(out, json_member(subject, "kind"));
  for (i = start; i < out->len; ++i) {
    if (out->at[i] >= 'A' && out->at[i] <= 'Z') out->at[i] = (char)(out->at[i] | 0x20);
  }
  if (has_string(json_member(subject, "name"))) text_add_char(out, '/');
  json_add_string(out, json_member(subject, "name"));
}

void cell_event_message(const ksr_object* object, int64_t now, struct text* out) {
  size_t start = out->len;
  (void)now;
  json_add_string(out, first_string(object_value(object, "/message"), object_value(object, "/note"), slice_of("")));
  while (out->len > start && strchr(" \t\r\n", out->at[out->len - 1])) --out->len;
}
