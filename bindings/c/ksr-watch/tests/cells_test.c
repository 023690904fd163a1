/* What each kind shows of an object. */
#include "cell.h"

#include "check.h"
#include "clock.h"
#include "fake_ksr.h"
#include "kinds.h"

#define POD(METADATA, SPEC, STATUS)                                                                   \
  "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"namespace\":\"default\",\"name\":\"web\"," \
  "\"creationTimestamp\":\"2026-11-24T08:00:00Z\"" METADATA "},\"spec\":{" SPEC "},\"status\":{" STATUS "}}"

#define ONE "\"nodeName\":\"node-1\",\"containers\":[{\"name\":\"a\"}]"
#define TWO "\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]"
#define RUNNING_READY "{\"ready\":true,\"restartCount\":0,\"state\":{\"running\":{}}}"

static struct text out;

static int64_t now(void) {
  int64_t ms = 0;
  CHECK(timestamp_read(slice_of("2026-11-24T08:05:00Z"), &ms));
  return ms;
}

/* The row of an object, its cells parted by bars. */
static void write_row(const char* json) {
  ksr_object object = {NULL, 0};
  struct columns columns;
  size_t i;
  object.json = json;
  columns = columns_for(&object, 1);
  for (i = 0; i < columns.count; ++i) {
    if (i) text_add_char(&out, '|');
    columns.at[i].write(&object, now(), &out);
  }
}

#define CHECK_ROW(json, expected) \
  do {                            \
    write_row(json);              \
    CHECK_TEXT(&out, expected);   \
  } while (0)

static void pods_that_run(void) {
  CHECK_ROW(POD("", ONE, "\"phase\":\"Running\",\"containerStatuses\":[" RUNNING_READY "]"),
            "default|web|1/1|Running|0|5m|node-1");
  CHECK_ROW(POD("", TWO,
                "\"phase\":\"Running\",\"containerStatuses\":[" RUNNING_READY
                ",{\"ready\":false,\"restartCount\":3,\"state\":{\"running\":{}},\"lastState\":{\"terminated\":"
                "{\"finishedAt\":\"2026-11-24T08:04:00Z\"}}}]"),
            "default|web|1/2|Running|3 (60s ago)|5m|<none>");
  CHECK_ROW(POD("", ONE, "\"phase\":\"Pending\""), "default|web|0/1|Pending|0|5m|node-1");
  CHECK_ROW(POD("", "", ""), "default|web|0/0||0|5m|<none>");
}

static void pods_that_wait_or_fail(void) {
  CHECK_ROW(POD("", ONE,
                "\"phase\":\"Running\",\"containerStatuses\":[{\"restartCount\":7,\"state\":{\"waiting\":{"
                "\"reason\":\"CrashLoopBackOff\"}}}]"),
            "default|web|0/1|CrashLoopBackOff|7|5m|node-1");
  CHECK_ROW(POD("", ONE,
                "\"phase\":\"Pending\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
                "\"ContainerCreating\"}}}]"),
            "default|web|0/1|ContainerCreating|0|5m|node-1");
  CHECK_ROW(POD("", ONE, "\"phase\":\"Failed\",\"reason\":\"Evicted\""), "default|web|0/1|Evicted|0|5m|node-1");
  CHECK_ROW(POD("", ONE, "\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":3}}}]"),
            "default|web|0/1|ExitCode:3|0|5m|node-1");
  CHECK_ROW(POD("", ONE,
                "\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":137,"
                "\"signal\":9}}}]"),
            "default|web|0/1|Signal:9|0|5m|node-1");
  CHECK_ROW(POD("", TWO,
                "\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"First\"}}},"
                "{\"state\":{\"waiting\":{\"reason\":\"Second\"}}}]"),
            "default|web|0/2|First|0|5m|<none>");
  CHECK_ROW(POD("", ONE,
                "\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
                "\"reason\":\"SchedulingGated\"}]"),
            "default|web|0/1|SchedulingGated|0|5m|node-1");
}

static void pods_that_end(void) {
  static const char completed[] =
      "{\"ready\":false,\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}}";
  struct text json = {NULL, 0, 0};
  CHECK_ROW(POD(",\"deletionTimestamp\":\"2026-11-24T08:04:30Z\"", ONE,
                "\"phase\":\"Running\",\"containerStatuses\":[" RUNNING_READY "]"),
            "default|web|1/1|Terminating|0|5m|node-1");
  CHECK_ROW(
      POD(",\"deletionTimestamp\":\"2026-11-24T08:04:30Z\"", ONE, "\"phase\":\"Running\",\"reason\":\"NodeLost\""),
      "default|web|0/1|Unknown|0|5m|node-1");
  CHECK_ROW(POD(",\"deletionTimestamp\":\"2026-11-24T08:04:30Z\"", ONE, "\"phase\":\"Succeeded\""),
            "default|web|0/1|Succeeded|0|5m|node-1");
  text_addf(&json, POD("", ONE, "\"phase\":\"Succeeded\",\"containerStatuses\":[%s]"), completed);
  CHECK_ROW(text_cstr(&json), "default|web|0/1|Completed|0|5m|node-1");
  text_clear(&json);
  text_addf(&json, POD("", TWO, "\"phase\":\"Running\",\"containerStatuses\":[%s," RUNNING_READY "]"), completed);
  CHECK_ROW(text_cstr(&json), "default|web|1/2|NotReady|0|5m|<none>");
  text_free(&json);
}

#define INIT(POLICY) ONE ",\"initContainers\":[{\"name\":\"first\"" POLICY "},{\"name\":\"second\"}]"
#define DONE "{\"name\":\"first\",\"restartCount\":1,\"state\":{\"terminated\":{\"exitCode\":0}}}"

static void pods_with_init_containers(void) {
  CHECK_ROW(POD("", INIT(""),
                "\"phase\":\"Pending\",\"initContainerStatuses\":[" DONE
                ",{\"name\":\"second\",\"state\":{\"running\":{}}}]"),
            "default|web|0/1|Init:1/2|1|5m|node-1");
  CHECK_ROW(POD("", INIT(""),
                "\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"first\",\"restartCount\":2,"
                "\"state\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\"}}}]"),
            "default|web|0/1|Init:Error|2|5m|node-1");
  CHECK_ROW(POD("", INIT(""),
                "\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"first\",\"state\":{"
                "\"terminated\":{\"exitCode\":4}}}]"),
            "default|web|0/1|Init:ExitCode:4|0|5m|node-1");
  CHECK_ROW(POD("", INIT(""),
                "\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"first\",\"state\":{"
                "\"waiting\":{\"reason\":\"ImagePullBackOff\"}}}]"),
            "default|web|0/1|Init:ImagePullBackOff|0|5m|node-1");
  CHECK_ROW(POD("", INIT(""),
                "\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"first\",\"state\":{"
                "\"waiting\":{\"reason\":\"PodInitializing\"}}}]"),
            "default|web|0/1|Init:0/2|0|5m|node-1");
  CHECK_ROW(POD("", INIT(",\"restartPolicy\":\"Always\""),
                "\"phase\":\"Running\",\"containerStatuses\":[" RUNNING_READY "],\"initContainerStatuses\":[{\"name\":"
                "\"first\",\"started\":true,\"ready\":true,\"restartCount\":4,\"state\":{\"running\":{}}},{\"name\":"
                "\"second\",\"restartCount\":9,\"state\":{\"terminated\":{\"exitCode\":0}}}]"),
            "default|web|2/2|Running|4|5m|node-1");
}

static void other_kinds(void) {
  CHECK_ROW(
      "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"d\"},"
      "\"spec\":{\"replicas\":3},\"status\":{\"readyReplicas\":2,\"updatedReplicas\":3}}",
      "a|d|2/3|3|0|<unknown>");
  CHECK_ROW(
      "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"c\"},"
      "\"data\":{\"x\":\"1\",\"y\":\"{,}\"},\"binaryData\":{\"z\":\"AA==\"}}",
      "a|c|3|<unknown>");
  CHECK_ROW(
      "{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"},\"status\":{\"phase\":"
      "\"Active\"}}",
      "n|Active|<unknown>");
  CHECK_ROW(
      "{\"kind\":\"Widget\",\"apiVersion\":\"example.com/v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"w\","
      "\"creationTimestamp\":\"2026-11-22T08:05:00Z\"}}",
      "a|w|2d");
  CHECK_ROW(
      "{\"kind\":\"Service\",\"apiVersion\":\"serving.knative.dev/v1\",\"metadata\":{\"namespace\":\"a\",\"name\":"
      "\"s\"}}",
      "a|s|<unknown>");
}

static void nodes(void) {
  CHECK_ROW(
      "{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\",\"labels\":{\"node-role.kubernetes."
      "io/control-plane\":\"\",\"kubernetes.io/role\":\"worker\",\"os\":\"linux\"}},\"spec\":{\"unschedulable\":true},"
      "\"status\":{\"conditions\":[{\"type\":\"DiskPressure\",\"status\":\"False\"},{\"type\":\"Ready\",\"status\":"
      "\"True\"}],\"nodeInfo\":{\"kubeletVersion\":\"v1.35.0\"}}}",
      "n1|Ready,SchedulingDisabled|control-plane,worker|<unknown>|v1.35.0");
  CHECK_ROW("{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n2\"},\"status\":{}}",
            "n2|Unknown|<none>|<unknown>|");
}

#define SERVICE(SPEC, STATUS)                                                                                     \
  "{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"s\"},\"spec\":{" SPEC \
  "},\"status\":{" STATUS "}}"

static void services(void) {
  CHECK_ROW(SERVICE("\"type\":\"ClusterIP\",\"clusterIP\":\"10.0.0.1\",\"ports\":[{\"port\":80,\"protocol\":\"TCP\"},"
                    "{\"port\":53,\"protocol\":\"UDP\"}]",
                    ""),
            "a|s|ClusterIP|10.0.0.1|<none>|80/TCP,53/UDP|<unknown>");
  CHECK_ROW(SERVICE("\"type\":\"LoadBalancer\",\"ports\":[{\"port\":443,\"nodePort\":30443}]", ""),
            "a|s|LoadBalancer|<none>|<pending>|443:30443/TCP|<unknown>");
  CHECK_ROW(SERVICE("\"type\":\"LoadBalancer\",\"externalIPs\":[\"192.0.2.7\"]",
                    "\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\"},{\"hostname\":\"lb.example.com\"}]}"),
            "a|s|LoadBalancer|<none>|192.0.2.1,lb.example.com,192.0.2.7|<none>|<unknown>");
  CHECK_ROW(SERVICE("\"type\":\"ExternalName\",\"externalName\":\"db.example.com\"", ""),
            "a|s|ExternalName|<none>|db.example.com|<none>|<unknown>");
}

static void events(void) {
  CHECK_ROW(
      "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"e\"},"
      "\"lastTimestamp\":\"2026-11-24T08:04:50Z\",\"type\":\"Warning\",\"reason\":\"BackOff\",\"involvedObject\":{"
      "\"kind\":\"Pod\",\"name\":\"web\"},\"message\":\"restarting\\n\"}",
      "a|10s|Warning|BackOff|pod/web|restarting");
  CHECK_ROW(
      "{\"kind\":\"Event\",\"apiVersion\":\"events.k8s.io/v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"e\"},"
      "\"eventTime\":\"2026-11-24T08:04:58.5Z\",\"type\":\"Normal\",\"reason\":\"Up\",\"regarding\":{\"kind\":"
      "\"Node\",\"name\":\"n1\"},\"note\":\"ready\",\"deprecatedLastTimestamp\":null}",
      "a|1s|Normal|Up|node/n1|ready");
  CHECK_ROW(
      "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"namespace\":\"a\",\"name\":\"e\"},\"series\":{"
      "\"lastObservedTime\":\"2026-11-24T08:04:59Z\"},\"eventTime\":\"2026-11-24T08:00:00Z\"}",
      "a|1s||||");
}

static void a_single_namespace_needs_no_column(void) {
  ksr_object object = {POD("", ONE, ""), 0};
  CHECK(strcmp(columns_for(&object, 0).at[0].title, "NAME") == 0);
  CHECK(strcmp(columns_for(&object, 1).at[0].title, "NAMESPACE") == 0);
}

int main(void) {
  pods_that_run();
  pods_that_wait_or_fail();
  pods_that_end();
  pods_with_init_containers();
  other_kinds();
  nodes();
  services();
  events();
  a_single_namespace_needs_no_column();
  text_free(&out);
  return check_result();
}
