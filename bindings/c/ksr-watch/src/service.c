#include "service.h"

#include "cell.h"
#include "json.h"

void cell_service_type(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  add_string_or(out, object_value(object, "/spec/type"), "ClusterIP");
}

void cell_service_cluster_ip(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  add_string_or(out, object_value(object, "/spec/clusterIP"), "<none>");
}

static void add_ingress(const ksr_object* object, size_t start, struct text* out) {
  struct json_walk walk = json_walk_into(object_value(object, "/status/loadBalancer/ingress"));
  slice ingress;
  while (json_next_element(&walk, &ingress)) {
    add_joined(out, start, first_string(json_member(ingress, "ip"), json_member(ingress, "hostname"), slice_of("")));
  }
}

void cell_service_external_ip(const ksr_object* object, int64_t now, struct text* out) {
  slice type = json_word(object_value(object, "/spec/type"));
  struct json_walk walk = json_walk_into(object_value(object, "/spec/externalIPs"));
  size_t start = out->len;
  int balanced = slice_is(type, "LoadBalancer");
  slice address;
  (void)now;
  if (slice_is(type, "ExternalName")) {
    add_string_or(out, object_value(object, "/spec/externalName"), "<none>");
    return;
  }
  if (balanced) add_ingress(object, start, out);
  while (json_next_element(&walk, &address)) add_joined(out, start, address);
  if (out->len == start) text_add(out, slice_of(balanced ? "<pending>" : "<none>"));
}

void cell_service_ports(const ksr_object* object, int64_t now, struct text* out) {
  struct json_walk walk = json_walk_into(object_value(object, "/spec/ports"));
  size_t start = out->len;
  slice port;
  (void)now;
  while (json_next_element(&walk, &port)) {
    slice node_port = json_member(port, "nodePort");
    if (out->len > start) text_add_char(out, ',');
    text_addf(out, "%ld", json_integer(json_member(port, "port")));
    if (json_integer(node_port)) text_addf(out, ":%ld", json_integer(node_port));
    text_add_char(out, '/');
    add_string_or(out, json_member(port, "protocol"), "TCP");
  }
  if (out->len == start) text_add(out, slice_of("<none>"));
}
