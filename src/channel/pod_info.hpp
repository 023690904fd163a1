// `read_pod_info` takes out of a Pod what channels need to know of its containers; used by ExecCall and
// LogCall. Pure. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::channel {

enum class ContainerState : std::uint8_t { waiting, running, terminated };

struct ContainerInfo {
  std::string name;
  // "containerd://…"; empty while it has not run.
  std::string id;
  std::uint64_t restarts = 0;
  ContainerState state = ContainerState::waiting;
};

struct PodInfo {
  std::string uid;
  // Succeeded or Failed: no container of it runs again.
  bool over = false;
  // Of all kinds of containers, as spec names them; the state of those without a status is waiting.
  std::vector<ContainerInfo> containers;
  // The annotation kubectl.kubernetes.io/default-container, else the first one; empty without any.
  std::string default_container;

  const ContainerInfo* find(std::string_view name) const;
};

PodInfo read_pod_info(std::string_view pod);

}  // namespace ksr::channel
