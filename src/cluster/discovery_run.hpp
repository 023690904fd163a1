// `DiscoveryRun` reads the discovery documents of a cluster once: aggregated ones, or each single one from servers
// without (k8s.io/client-go/discovery/discovery_client.go); used by Discovery. Lives on the network thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/access.hpp"
#include "cluster/discovery_documents.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::cluster {

// Destroying it cancels.
class DiscoveryRun {
 public:
  struct Environment {
    Access& access;
    Logger& logger;
    // Of the API server, for messages.
    std::string server_url;
    Milliseconds request_timeout;
  };
  using Done = std::function<void(Expected<RestMapper>)>;
  // `done` is never called before start() returned; it may destroy the run.
  DiscoveryRun(const Environment& environment, Done done);
  ~DiscoveryRun();
  void start();

 private:
  void fetch_roots(Expected<RequestAuth> auth);
  void on_root(std::size_t place, Expected<FetchedAnswer> answer);
  void read_roots();
  void fetch_more();
  void on_resource_list(std::size_t place, const Expected<FetchedAnswer>& answer);
  Expected<std::vector<ApiResource>> resources_in(const Expected<FetchedAnswer>& answer, const GroupVersion& of);
  void finish_if_done();
  std::unique_ptr<HttpFetch> fetch(const std::string& target, HttpFetch::Done done);

  // A group version with its resources, or without them until its document was read.
  struct Document {
    DiscoveredVersion version;
    std::unique_ptr<HttpFetch> fetch = nullptr;
    std::optional<UnreadDocument> unread = std::nullopt;
  };

  Access& access_;
  Logger& logger_;
  const std::string server_url_;
  Milliseconds request_timeout_;
  const CancellableCallback<void(Expected<RestMapper>)> done_;
  PendingCall pending_;
  RequestAuth auth_;
  // /api and /apis, in this order: the core group comes first.
  std::unique_ptr<HttpFetch> root_fetches_[2];
  std::optional<Expected<DiscoveryRoot>> roots_[2];
  // In the order of preference.
  std::vector<Document> documents_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
};

}  // namespace ksr::cluster
