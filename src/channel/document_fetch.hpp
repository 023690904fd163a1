// `DocumentFetch` is one GET below the pod of a channel, whose body is small: the pod, or the last line of a log; used
// by ExecCall and LogCall. Lives on the network thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancellable_callback.hpp"
#include "base/expected.hpp"
#include "cluster/access.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::channel {

// Destroying it cancels.
class DocumentFetch {
 public:
  using Done = std::function<void(Expected<std::string>)>;

  // `done` may destroy the fetch.
  DocumentFetch(std::shared_ptr<cluster::Access> access, std::string target, std::vector<transport::Header> headers,
                const char* accept, Done done);

 private:
  void authenticate();
  void send(Expected<cluster::RequestAuth> auth);
  void answered(Expected<cluster::FetchedAnswer> answer);

  const std::shared_ptr<cluster::Access> access_;
  const std::string target_;
  const std::vector<transport::Header> headers_;
  const char* const accept_;
  const CancellableCallback<void(Expected<std::string>)> done_;
  PendingCall pending_;
  std::unique_ptr<cluster::HttpFetch> fetch_;
  bool renewed_ = false;
};

}  // namespace ksr::channel
