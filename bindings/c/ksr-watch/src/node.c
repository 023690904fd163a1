#include "node.h"

#include <string.h>

#include "cell.h"
#include "json.h"

static const char* readiness(slice conditions) {
  struct json_walk walk = json_walk_into(conditions);
  slice condition;
  while (json_next_element(&walk, &condition)) {
    if (!slice_is(json_word(json_member(condition, "type")), "Ready")) continue;
    return slice_is(json_word(json_member(condition, "status")), "True") ? "Ready" : "NotReady";
  }
  return "Unknown";
}

void cell_node_status(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  text_add(out, slice_of(readiness(object_value(object, "/status/conditions"))));
  if (json_is_true(object_value(object, "/spec/unschedulable"))) text_add(out, slice_of(",SchedulingDisabled"));
}

void cell_node_roles(const ksr_object* object, int64_t now, struct text* out) {
  static const char prefix[] = "node-role.kubernetes.io/";
  struct json_walk walk = json_walk_into(object_value(object, "/metadata/labels"));
  size_t start = out->len;
  slice label, value;
  (void)now;
  while (json_next_member(&walk, &label, &value)) {
    slice word = json_word(label);
    if (slice_is(word, "kubernetes.io/role")) add_joined(out, start, value);
    if (!slice_starts(word, prefix) || word.len == strlen(prefix)) continue;
    if (out->len > start) text_add_char(out, ',');
    text_add(out, slice_after(word, strlen(prefix)));
  }
  if (out->len == start) text_add(out, slice_of("<none>"));
}

void cell_node_version(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  json_add_string(out, object_value(object, "/status/nodeInfo/kubeletVersion"));
}
