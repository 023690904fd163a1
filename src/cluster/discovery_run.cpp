#include "cluster/discovery_run.hpp"

#include <utility>

#include "base/exception_error.hpp"

namespace ksr::cluster {
namespace {

constexpr const char* kRootTargets[2] = {"/api", "/apis"};
constexpr std::size_t kMaxDocumentSize = std::size_t{32} << 20;
constexpr std::size_t kMaxParallel = 6;

// A server may have no core group or no other groups, and a user may be denied one of them.
bool may_be_missing(const Error& error) {
  return error.http_status == 404 || error.http_status == 403;
}

Expected<DiscoveryRoot> root_of(const FetchedAnswer& answer, const std::string& url) {
  if (!transport::is_success(answer.head.status)) return refusal_of(answer, url);
  return parse_discovery_root(answer.body);
}

}  // namespace

DiscoveryRun::DiscoveryRun(const Environment& environment, Done done)
    : access_(environment.access),
      logger_(environment.logger),
      server_url_(environment.server_url),
      request_timeout_(environment.request_timeout),
      done_(std::make_shared<Done>(std::move(done))) {}

DiscoveryRun::~DiscoveryRun() = default;

template <class Step>
void DiscoveryRun::guarded(Step&& step) {
  // A copy: `done` may destroy the run.
  const std::shared_ptr<Done> done = done_;
  try {
    step();
  } catch (...) {
    if (!*done) throw;
    std::exchange(*done, nullptr)(error_of_exception());
  }
}

void DiscoveryRun::start() {
  pending_ = access_.authenticate(
      Purpose::request, [this](Expected<RequestAuth> auth) { guarded([&] { fetch_roots(std::move(auth)); }); });
}

std::unique_ptr<HttpFetch> DiscoveryRun::fetch(const std::string& target, HttpFetch::Done done) {
  transport::Request request;
  request.target = target;
  request.headers = auth_.headers;
  request.headers.push_back({"Accept", kDiscoveryAccept});
  request.response_timeout = request_timeout_;
  request.idle_timeout = request_timeout_;
  request.whole_timeout = kWholeDocument * request_timeout_;
  request.accept_gzip = auth_.compression;
  return std::make_unique<HttpFetch>(auth_.connection, std::move(request), server_url_ + target, kMaxDocumentSize,
                                     std::move(done));
}

void DiscoveryRun::fetch_roots(Expected<RequestAuth> auth) {
  pending_.cancel();
  if (!auth) return std::exchange(*done_, nullptr)(std::move(auth).error());
  auth_ = *std::move(auth);
  for (std::size_t place : {0u, 1u}) {
    root_fetches_[place] = fetch(kRootTargets[place], [this, place](Expected<FetchedAnswer> answer) {
      guarded([&] { on_root(place, std::move(answer)); });
    });
  }
}

void DiscoveryRun::on_root(std::size_t place, Expected<FetchedAnswer> answer) {
  if (answer) access_.on_response_head(answer->head);
  if (answer && answer->head.status == 401) access_.reject_credentials();
  roots_[place] =
      answer ? root_of(*answer, server_url_ + kRootTargets[place]) : Expected<DiscoveryRoot>(answer.error());
  if (roots_[0] && roots_[1]) read_roots();
}

void DiscoveryRun::read_roots() {
  const bool none = !*roots_[0] && !*roots_[1];
  for (auto& root : roots_) {
    if (const Error* error = root->if_error()) {
      if (none || !may_be_missing(*error)) return std::exchange(*done_, nullptr)(Error(*error));
      continue;
    }
    if ((*root)->aggregated) documents_.push_back({{}, std::move((*root)->resources), nullptr});
    for (GroupVersion& version : (*root)->group_versions) documents_.push_back({std::move(version), {}, nullptr});
  }
  fetch_more();
}

void DiscoveryRun::fetch_more() {
  while (next_ < documents_.size() && running_ < kMaxParallel) {
    const std::size_t place = next_++;
    Document& document = documents_[place];
    if (document.of.version.empty()) continue;
    ++running_;
    document.fetch = fetch(document.of.path(), [this, place](Expected<FetchedAnswer> answer) {
      guarded([&] { on_resource_list(place, std::move(answer)); });
    });
  }
  finish_if_done();
}

// One group whose server is down does not hide the others.
void DiscoveryRun::on_resource_list(std::size_t place, Expected<FetchedAnswer> answer) {
  --running_;
  Document& document = documents_[place];
  if (answer) access_.on_response_head(answer->head);
  const std::string path = document.of.path();
  if (!answer) {
    logger_.log(LogLevel::warning, "discovery: " + answer.error().message);
  } else if (!transport::is_success(answer->head.status)) {
    logger_.log(LogLevel::warning, "discovery: " + refusal_of(*answer, server_url_ + path).message);
  } else if (auto resources = parse_resource_list(answer->body, document.of); !resources) {
    logger_.log(LogLevel::warning, resources.error().message);
  } else {
    document.resources = *std::move(resources);
  }
  fetch_more();
}

void DiscoveryRun::finish_if_done() {
  if (running_ > 0 || next_ < documents_.size()) return;
  RestMapper mapper;
  for (Document& document : documents_) {
    for (ApiResource& resource : document.resources) mapper.add(std::move(resource));
  }
  std::exchange(*done_, nullptr)(std::move(mapper));
}

}  // namespace ksr::cluster
