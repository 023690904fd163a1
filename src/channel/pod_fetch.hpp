// `PodFetch` reads the pod of a channel; used by ExecCall and LogCall. Lives on the network thread.
#pragma once

#include <functional>
#include <memory>

#include "base/expected.hpp"
#include "channel/pod_info.hpp"
#include "cluster/access.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::channel {

// Destroying it cancels.
class PodFetch {
 public:
  using Done = std::function<void(Expected<PodInfo>)>;

  // `done` may destroy the fetch. `target`: the path of the pod.
  PodFetch(std::shared_ptr<cluster::Access> access, std::string target, Done done);

 private:
  void authenticate();
  void send(Expected<cluster::RequestAuth> auth);
  void answered(Expected<cluster::FetchedAnswer> answer);

  const std::shared_ptr<cluster::Access> access_;
  const std::string target_;
  const Done done_;
  PendingCall pending_;
  std::unique_ptr<cluster::HttpFetch> fetch_;
  bool renewed_ = false;
};

}  // namespace ksr::channel
