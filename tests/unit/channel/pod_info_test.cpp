#include "channel/pod_info.hpp"

#include <doctest/doctest.h>

using namespace ksr::channel;

namespace {

const char* const kPod = R"({"metadata":{"uid":"u-1","annotations":{"kubectl.kubernetes.io/default-container":"side"}},
"spec":{"containers":[{"name":"main","image":"i"},{"name":"side"}],"initContainers":[{"name":"init"}],
"ephemeralContainers":[{"name":"debug"}]},
"status":{"phase":"Running",
"containerStatuses":[{"name":"side","containerID":"containerd://2","restartCount":3,"state":{"running":{"startedAt":"x"}}},
{"name":"main","restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff"}},
"lastState":{"terminated":{"containerID":"containerd://1","exitCode":1}}}],
"initContainerStatuses":[{"name":"init","containerID":"containerd://0","restartCount":0,
"state":{"terminated":{"exitCode":0}}}]}})";

}  // namespace

TEST_CASE("what a pod says of its containers") {
  const PodInfo pod = read_pod_info(kPod);
  CHECK(pod.uid == "u-1");
  CHECK_FALSE(pod.over);
  CHECK(pod.default_container == "side");
  REQUIRE(pod.containers.size() == 4);
  const ContainerInfo* side = pod.find("side");
  REQUIRE(side != nullptr);
  CHECK(side->id == "containerd://2");
  CHECK(side->restarts == 3);
  CHECK(side->state == ContainerState::running);
  // Between two instances: the one before.
  const ContainerInfo* main = pod.find("main");
  REQUIRE(main != nullptr);
  CHECK(main->id == "containerd://1");
  CHECK(main->restarts == 4);
  CHECK(main->state == ContainerState::waiting);
  CHECK(pod.find("init")->state == ContainerState::terminated);
  CHECK(pod.find("debug")->state == ContainerState::waiting);
  CHECK(pod.find("debug")->id.empty());
  CHECK(pod.find("none") == nullptr);
}

TEST_CASE("the first container where no annotation names one that there is") {
  CHECK(read_pod_info(R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})").default_container == "a");
  CHECK(read_pod_info(R"({"metadata":{"annotations":{"kubectl.kubernetes.io/default-container":"gone"}},
    "spec":{"containers":[{"name":"a"}]}})")
            .default_container == "a");
  CHECK(read_pod_info(R"({"status":{"phase":"Failed"}})").over);
  CHECK(read_pod_info(R"({"status":{"phase":"Succeeded"}})").over);
}

TEST_CASE("what is no pod says nothing") {
  for (const char* text : {"", "null", "[]", "{", R"({"metadata":[],"spec":{"containers":{}},"status":"x"})",
                           R"({"spec":{"containers":[1,null,{"name":7}]}})"}) {
    const PodInfo pod = read_pod_info(text);
    CHECK(pod.uid.empty());
    CHECK(pod.default_container.empty());
  }
}
