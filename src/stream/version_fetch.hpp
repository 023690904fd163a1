// `VersionFetch` asks a server for one small document that says a version: which Kubernetes it is, once, before the
// first list of its first stream; how new its state is, where a watch is silent. Used by Engine and Session. Lives on
// the network thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.hpp"
#include "cluster/access.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::stream {

// Destroying it cancels.
class VersionFetch {
 public:
  // `done` gets the answer, of any status but 401; nothing where the server was not reached or did not answer in time,
  // so that it can be asked again. It may destroy the fetch.
  using Done = std::function<void(std::optional<cluster::FetchedAnswer>)>;
  // `request` has its target and what it accepts. An answer above `max_size` is none.
  VersionFetch(Executor& executor, cluster::Access& access, transport::Request request, std::size_t max_size,
               Milliseconds request_timeout, Done done);

 private:
  void send(Expected<cluster::RequestAuth> auth);
  void on_answer(Expected<cluster::FetchedAnswer> answer);
  // Runs `step`; an exception of it is no answer.
  template <class Step>
  void guarded(Step&& step);
  void finish(std::optional<cluster::FetchedAnswer> answer);

  cluster::Access& access_;
  transport::Request request_;
  const std::size_t max_size_;
  Done done_;
  PendingCall pending_;
  std::unique_ptr<cluster::HttpFetch> fetch_;
  std::unique_ptr<Timer> timer_;
};

// What GET /version is asked with.
transport::Request server_version_request();
constexpr std::size_t kMaxServerVersion = std::size_t{64} << 10;

// As the server says it: "1" and "36", or "33+".
struct ServerVersion {
  std::string major;
  std::string minor;
};
// Without numbers, where the server answered something else.
ServerVersion server_version_in(const cluster::FetchedAnswer& answer);

// Of a list; empty: the answer is none, or has no version.
std::string listed_version_in(const cluster::FetchedAnswer& answer);

}  // namespace ksr::stream
