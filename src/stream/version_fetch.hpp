// `VersionFetch` asks a server which version of Kubernetes it is, once, before the first list of its first stream; used
// by Engine. Lives on the network thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.hpp"
#include "cluster/access.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::stream {

// As the server says it: "1" and "36", or "33+".
struct ServerVersion {
  std::string major;
  std::string minor;
};

// Destroying it cancels.
class VersionFetch {
 public:
  // `done` gets: a version; one without numbers, where the server answered something else; nothing, where it was not
  // reached or did not answer in time, so that it can be asked again. It may destroy the fetch.
  using Done = std::function<void(std::optional<ServerVersion>)>;
  VersionFetch(Executor& executor, cluster::Access& access, Milliseconds request_timeout, Done done);

 private:
  void send(Expected<cluster::RequestAuth> auth);
  void on_answer(const Expected<cluster::FetchedAnswer>& answer);
  // Runs `step`; an exception of it is no answer.
  template <class Step>
  void guarded(Step&& step);
  void finish(std::optional<ServerVersion> version);

  cluster::Access& access_;
  const Milliseconds limit_;
  Done done_;
  PendingCall pending_;
  std::unique_ptr<cluster::HttpFetch> fetch_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace ksr::stream
