#include "pod.h"

#include <stddef.h>

#include "cell.h"
#include "clock.h"
#include "json.h"

struct restarts {
  long count;
  int64_t last_ms; /* 0: never */
};

struct pod {
  slice spec;
  slice status;
  struct text reason;
  long ready;
  long total;
  struct restarts restarts;
};

static void count_restarts(struct restarts* restarts, slice container) {
  slice last = json_member(json_member(container, "lastState"), "terminated");
  int64_t finished;
  restarts->count += json_integer(json_member(container, "restartCount"));
  if (timestamp_read(json_word(json_member(last, "finishedAt")), &finished) && finished > restarts->last_ms) {
    restarts->last_ms = finished;
  }
}

static int condition_is_true(slice status, const char* type) {
  struct json_walk walk = json_walk_into(json_member(status, "conditions"));
  slice condition;
  while (json_next_element(&walk, &condition)) {
    if (!slice_is(json_word(json_member(condition, "type")), type)) continue;
    return slice_is(json_word(json_member(condition, "status")), "True");
  }
  return 0;
}

static int is_scheduling_gated(slice status) {
  struct json_walk walk = json_walk_into(json_member(status, "conditions"));
  slice condition;
  while (json_next_element(&walk, &condition)) {
    if (slice_is(json_word(json_member(condition, "type")), "PodScheduled") &&
        slice_is(json_word(json_member(condition, "reason")), "SchedulingGated")) {
      return 1;
    }
  }
  return 0;
}

static int is_sidecar_spec(slice container) {
  return slice_is(json_word(json_member(container, "restartPolicy")), "Always");
}

static int is_sidecar(const struct pod* pod, slice container_status) {
  struct json_walk walk = json_walk_into(json_member(pod->spec, "initContainers"));
  slice container, name = json_member(container_status, "name");
  while (json_next_element(&walk, &container)) {
    if (slice_same(json_member(container, "name"), name)) return is_sidecar_spec(container);
  }
  return 0;
}

static void count_containers(struct pod* pod) {
  struct json_walk walk = json_walk_into(json_member(pod->spec, "initContainers"));
  slice container;
  pod->total = (long)json_count(json_member(pod->spec, "containers"));
  while (json_next_element(&walk, &container)) pod->total += is_sidecar_spec(container);
}

static void set_reason(struct pod* pod, const char* prefix, slice string) {
  text_clear(&pod->reason);
  text_add(&pod->reason, slice_of(prefix));
  json_add_string(&pod->reason, string);
}

static void set_exit_reason(struct pod* pod, const char* prefix, slice terminated) {
  long sig = json_integer(json_member(terminated, "signal"));
  slice reason = json_member(terminated, "reason");
  if (has_string(reason)) {
    set_reason(pod, prefix, reason);
    return;
  }
  text_clear(&pod->reason);
  text_addf(&pod->reason, "%s%s:%ld", prefix, sig ? "Signal" : "ExitCode",
            sig ? sig : json_integer(json_member(terminated, "exitCode")));
}

/* 1 when the container has completed, else the reason says why not. */
static int is_initialized(struct pod* pod, slice container, int sidecar, long place) {
  slice state = json_member(container, "state");
  slice terminated = json_member(state, "terminated");
  slice waiting = json_member(json_member(state, "waiting"), "reason");
  if (terminated.len && json_integer(json_member(terminated, "exitCode")) == 0) return 1;
  if (sidecar && json_is_true(json_member(container, "started"))) {
    pod->ready += json_is_true(json_member(container, "ready"));
    return 1;
  }
  if (terminated.len) {
    set_exit_reason(pod, "Init:", terminated);
  } else if (has_string(waiting) && !slice_is(json_word(waiting), "PodInitializing")) {
    set_reason(pod, "Init:", waiting);
  } else {
    text_clear(&pod->reason);
    text_addf(&pod->reason, "Init:%ld/%ld", place, (long)json_count(json_member(pod->spec, "initContainers")));
  }
  return 0;
}

/* 1 when every init container has completed. `sidecars` counts the restarts of those that go on running. */
static int read_init_containers(struct pod* pod, struct restarts* sidecars) {
  struct json_walk walk = json_walk_into(json_member(pod->status, "initContainerStatuses"));
  slice container;
  long place = 0;
  while (json_next_element(&walk, &container)) {
    int sidecar = is_sidecar(pod, container);
    count_restarts(&pod->restarts, container);
    if (sidecar) count_restarts(sidecars, container);
    if (!is_initialized(pod, container, sidecar, place++)) return 0;
  }
  return 1;
}

static void read_containers(struct pod* pod) {
  struct json_walk walk = json_walk_into(json_member(pod->status, "containerStatuses"));
  slice container;
  int running = 0, reason_found = 0;
  while (json_next_element(&walk, &container)) {
    slice state = json_member(container, "state");
    slice terminated = json_member(state, "terminated");
    slice waiting = json_member(json_member(state, "waiting"), "reason");
    count_restarts(&pod->restarts, container);
    if (has_string(waiting) || terminated.len) {
      if (!reason_found && has_string(waiting)) set_reason(pod, "", waiting);
      if (!reason_found && !has_string(waiting)) set_exit_reason(pod, "", terminated);
      reason_found = 1;
    } else if (json_member(state, "running").len && json_is_true(json_member(container, "ready"))) {
      running = 1;
      ++pod->ready;
    }
  }
  if (running && slice_is(text_slice(&pod->reason), "Completed")) {
    set_reason(pod, condition_is_true(pod->status, "Ready") ? "Running" : "NotReady", slice_of(""));
  }
}

static int is_over(slice status) {
  slice phase = json_word(json_member(status, "phase"));
  return slice_is(phase, "Succeeded") || slice_is(phase, "Failed");
}

static void read_pod(struct pod* pod, const ksr_object* object) {
  static const struct pod nothing;
  struct restarts sidecars = {0, 0};
  slice reason;
  *pod = nothing;
  pod->spec = object_value(object, "/spec");
  pod->status = object_value(object, "/status");
  reason = json_member(pod->status, "reason");
  count_containers(pod);
  set_reason(pod, "", first_string(reason, json_member(pod->status, "phase"), slice_of("")));
  if (is_scheduling_gated(pod->status)) set_reason(pod, "SchedulingGated", slice_of(""));
  if (read_init_containers(pod, &sidecars) || condition_is_true(pod->status, "Initialized")) {
    pod->restarts = sidecars;
    read_containers(pod);
  }
  if (!has_string(object_value(object, "/metadata/deletionTimestamp"))) return;
  if (slice_is(json_word(reason), "NodeLost")) {
    set_reason(pod, "Unknown", slice_of(""));
  } else if (!is_over(pod->status)) {
    set_reason(pod, "Terminating", slice_of(""));
  }
}

void cell_pod_ready(const ksr_object* object, int64_t now, struct text* out) {
  struct pod pod;
  (void)now;
  read_pod(&pod, object);
  text_addf(out, "%ld/%ld", pod.ready, pod.total);
  text_free(&pod.reason);
}

void cell_pod_status(const ksr_object* object, int64_t now, struct text* out) {
  struct pod pod;
  (void)now;
  read_pod(&pod, object);
  text_add(out, text_slice(&pod.reason));
  text_free(&pod.reason);
}

void cell_pod_restarts(const ksr_object* object, int64_t now, struct text* out) {
  struct pod pod;
  read_pod(&pod, object);
  text_addf(out, "%ld", pod.restarts.count);
  if (pod.restarts.count && pod.restarts.last_ms) {
    text_add(out, slice_of(" ("));
    age_add(out, now - pod.restarts.last_ms);
    text_add(out, slice_of(" ago)"));
  }
  text_free(&pod.reason);
}

void cell_pod_node(const ksr_object* object, int64_t now, struct text* out) {
  (void)now;
  add_string_or(out, object_value(object, "/spec/nodeName"), "<none>");
}
