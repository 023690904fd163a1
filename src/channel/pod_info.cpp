#include "channel/pod_info.hpp"

#include <algorithm>
#include <optional>

#include "base/whole_number.hpp"
#include "json/json_pointer.hpp"
#include "json/values.hpp"

namespace ksr::channel {
namespace {

using json::find_pointer;
using json::text_at;

// A pod has a few; the kubelet's limit is that of its spec's size.
constexpr int kMaxContainers = 1'000;

std::uint64_t number_at(std::string_view document, std::string_view pointer) {
  const auto text = find_pointer(document, pointer);
  return text ? whole_number<std::uint64_t>(*text).value_or(0) : 0;
}

// The elements of an array, each as its own document.
std::vector<std::string_view> elements_of(std::string_view pod, const char* pointer) {
  std::vector<std::string_view> elements;
  const auto array = find_pointer(pod, pointer);
  for (int i = 0; array && i < kMaxContainers; ++i) {
    const auto element = find_pointer(*array, "/" + std::to_string(i));
    if (!element) break;
    elements.push_back(*element);
  }
  return elements;
}

void read_status(std::string_view status, ContainerInfo& container) {
  container.id = text_at(status, "/containerID");
  container.restarts = number_at(status, "/restartCount");
  if (find_pointer(status, "/state/running")) {
    container.state = ContainerState::running;
  } else if (find_pointer(status, "/state/terminated")) {
    container.state = ContainerState::terminated;
  } else if (container.id.empty()) {
    // Between two instances the id is still that of the one before.
    container.id = text_at(status, "/lastState/terminated/containerID");
  }
}

}  // namespace

const ContainerInfo* PodInfo::find(std::string_view name) const {
  const auto found = std::find_if(containers.begin(), containers.end(),
                                  [name](const ContainerInfo& container) { return container.name == name; });
  return found == containers.end() ? nullptr : &*found;
}

PodInfo read_pod_info(std::string_view pod) {
  PodInfo info;
  info.uid = text_at(pod, "/metadata/uid");
  const std::string phase = text_at(pod, "/status/phase");
  info.over = phase == "Succeeded" || phase == "Failed";
  for (const char* pointer : {"/spec/containers", "/spec/initContainers", "/spec/ephemeralContainers"}) {
    for (const std::string_view element : elements_of(pod, pointer)) {
      ContainerInfo container;
      container.name = text_at(element, "/name");
      info.containers.push_back(std::move(container));
    }
  }
  // k8s.io/kubectl pkg/cmd/util/podcmd: the annotation, else the first container.
  info.default_container = text_at(pod, "/metadata/annotations/kubectl.kubernetes.io~1default-container");
  if (info.find(info.default_container) == nullptr) {
    info.default_container = info.containers.empty() ? "" : info.containers.front().name;
  }
  for (const char* pointer :
       {"/status/containerStatuses", "/status/initContainerStatuses", "/status/ephemeralContainerStatuses"}) {
    for (const std::string_view status : elements_of(pod, pointer)) {
      const std::string name = text_at(status, "/name");
      for (ContainerInfo& container : info.containers) {
        if (container.name == name) read_status(status, container);
      }
    }
  }
  return info;
}

}  // namespace ksr::channel
