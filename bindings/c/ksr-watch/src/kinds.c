#include "kinds.h"

#include "clock.h"
#include "event.h"
#include "json.h"
#include "node.h"
#include "pod.h"
#include "service.h"

static void add_number_or_zero(struct text* out, slice number) {
  text_addf(out, "%ld", json_integer(number));
}

static void cell_deployment_ready(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  add_number_or_zero(out, object_value(object, "/status/readyReplicas"));
  text_add_char(out, '/');
  add_number_or_zero(out, object_value(object, "/spec/replicas"));
}

static void cell_deployment_updated(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  add_number_or_zero(out, object_value(object, "/status/updatedReplicas"));
}

static void cell_deployment_available(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  add_number_or_zero(out, object_value(object, "/status/availableReplicas"));
}

static void cell_data_count(const ksr_object* object, int64_t now, struct text* out) {
  size_t count = json_count(object_value(object, "/data")) + json_count(object_value(object, "/binaryData"));
  (void)now;
  text_addf(out, "%lu", (unsigned long)count);
}

static void cell_phase(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  json_add_string(out, object_value(object, "/status/phase"));
}

struct kind {
  const char* group; /* without the version; "" for the core group */
  const char* name;
  struct column columns[MAX_COLUMNS]; /* what comes after NAMESPACE; ends at a column without a title */
};

static const struct kind kinds[] = {
    {"",
     "Pod",
     {{"NAME", cell_name},
      {"READY", cell_pod_ready},
      {"STATUS", cell_pod_status},
      {"RESTARTS", cell_pod_restarts},
      {"AGE", cell_age},
      {"NODE", cell_pod_node}}},
    {"apps",
     "Deployment",
     {{"NAME", cell_name},
      {"READY", cell_deployment_ready},
      {"UP-TO-DATE", cell_deployment_updated},
      {"AVAILABLE", cell_deployment_available},
      {"AGE", cell_age}}},
    {"",
     "Service",
     {{"NAME", cell_name},
      {"TYPE", cell_service_type},
      {"CLUSTER-IP", cell_service_cluster_ip},
      {"EXTERNAL-IP", cell_service_external_ip},
      {"PORT(S)", cell_service_ports},
      {"AGE", cell_age}}},
    {"",
     "Node",
     {{"NAME", cell_name},
      {"STATUS", cell_node_status},
      {"ROLES", cell_node_roles},
      {"AGE", cell_age},
      {"VERSION", cell_node_version}}},
    {"",
     "Event",
     {{"LAST SEEN", cell_event_last_seen},
      {"TYPE", cell_event_type},
      {"REASON", cell_event_reason},
      {"OBJECT", cell_event_object},
      {"MESSAGE", cell_event_message}}},
    {"events.k8s.io",
     "Event",
     {{"LAST SEEN", cell_event_last_seen},
      {"TYPE", cell_event_type},
      {"REASON", cell_event_reason},
      {"OBJECT", cell_event_object},
      {"MESSAGE", cell_event_message}}},
    {"", "ConfigMap", {{"NAME", cell_name}, {"DATA", cell_data_count}, {"AGE", cell_age}}},
    {"", "Namespace", {{"NAME", cell_name}, {"STATUS", cell_phase}, {"AGE", cell_age}}},
};

static const struct kind any_kind = {"", "", {{"NAME", cell_name}, {"AGE", cell_age}}};

static int is_of_group(slice api_version, slice group) {
  size_t i = 0;
  while (i < api_version.len && api_version.at[i] != '/') ++i;
  if (i == api_version.len) return group.len == 0;
  api_version.len = i;
  return slice_same(api_version, group);
}

static const struct kind* kind_of(const ksr_object* sample) {
  slice name = object_field(sample, KSR_FIELD_KIND);
  slice api_version = object_field(sample, KSR_FIELD_API_VERSION);
  size_t i;
  for (i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (slice_is(name, kinds[i].name) && is_of_group(api_version, slice_of(kinds[i].group))) return &kinds[i];
  }
  return &any_kind;
}

struct columns columns_for(const ksr_object* sample, int with_namespace) {
  static const struct column namespace_column = {"NAMESPACE", cell_namespace};
  const struct kind* kind = kind_of(sample);
  struct columns columns;
  size_t i;
  columns.count = 0;
  if (with_namespace && object_field(sample, KSR_FIELD_NAMESPACE).len) columns.at[columns.count++] = namespace_column;
  for (i = 0; i < MAX_COLUMNS && kind->columns[i].title; ++i) columns.at[columns.count++] = kind->columns[i];
  return columns;
}
