#include "cluster/discovery_run.hpp"

#include <utility>

namespace ksr::cluster {
namespace {

constexpr const char* kRootTargets[2] = {"/api", "/apis"};
constexpr std::size_t kMaxDocumentSize = std::size_t{32} << 20;
constexpr std::size_t kMaxParallel = 6;

bool is_missing(const Error& error) {
  return error.http_status == 404;
}

// A server may have no core group or no other groups, and a user may be denied one of them.
bool may_be_missing(const Error& error) {
  return is_missing(error) || error.http_status == 403;
}

// With the server's own words: it may be a page of a gateway.
Error unreadable(const Error& problem, const FetchedAnswer& answer, const std::string& url) {
  Error error = problem;
  error.message = refusal_of(answer, url).message + " (" + problem.message + ")";
  return error;
}

Expected<DiscoveryRoot> root_of(const FetchedAnswer& answer, const std::string& url) {
  if (!transport::is_success(answer.head.status)) return refusal_of(answer, url);
  auto root = parse_discovery_root(answer.body);
  if (!root) return unreadable(root.error(), answer, url);
  return root;
}

}  // namespace

DiscoveryRun::DiscoveryRun(const Environment& environment, Done done)
    : access_(environment.access),
      logger_(environment.logger),
      server_url_(environment.server_url),
      request_timeout_(environment.request_timeout),
      done_(std::move(done)) {}

DiscoveryRun::~DiscoveryRun() = default;

void DiscoveryRun::start() {
  pending_ = access_.authenticate(Purpose::request, [this](Expected<RequestAuth> auth) {
    answering_exceptions(done_, [&] { fetch_roots(std::move(auth)); });
  });
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
  if (!auth) return done_(std::move(auth).error());
  auth_ = *std::move(auth);
  for (std::size_t place : {0u, 1u}) {
    root_fetches_[place] = fetch(kRootTargets[place], [this, place](Expected<FetchedAnswer> answer) {
      answering_exceptions(done_, [&] { on_root(place, std::move(answer)); });
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
  const Error* const errors[2] = {roots_[0]->if_error(), roots_[1]->if_error()};
  for (const Error* error : errors) {
    if (error != nullptr && !may_be_missing(*error)) return done_(Error(*error));
  }
  if (errors[0] != nullptr && errors[1] != nullptr) {
    // What is denied may be there.
    return done_(Error(is_missing(*errors[0]) ? *errors[1] : *errors[0]));
  }
  for (auto& root : roots_) {
    if (const Error* error = root->if_error()) {
      if (is_missing(*error)) continue;
      Document denied;
      denied.version.resources.emplace();
      denied.unread.emplace();
      if (&root == &roots_[0]) denied.unread->group = "";
      denied.unread->error = *error;
      documents_.push_back(std::move(denied));
      continue;
    }
    for (DiscoveredVersion& version : (*root)->versions) documents_.push_back({std::move(version)});
  }
  fetch_more();
}

void DiscoveryRun::fetch_more() {
  while (next_ < documents_.size() && running_ < kMaxParallel) {
    const std::size_t place = next_++;
    Document& document = documents_[place];
    if (document.version.resources) continue;
    ++running_;
    document.fetch = fetch(document.version.of.path(), [this, place](Expected<FetchedAnswer> answer) {
      answering_exceptions(done_, [&] { on_resource_list(place, answer); });
    });
  }
  finish_if_done();
}

Expected<std::vector<ApiResource>> DiscoveryRun::resources_in(const Expected<FetchedAnswer>& answer,
                                                              const GroupVersion& of) {
  if (!answer) return answer.error();
  access_.on_response_head(answer->head);
  if (answer->head.status == 401) access_.reject_credentials();
  const std::string url = server_url_ + of.path();
  if (!transport::is_success(answer->head.status)) return refusal_of(*answer, url);
  auto resources = parse_resource_list(answer->body, of);
  if (!resources) return unreadable(resources.error(), *answer, url);
  return resources;
}

// One group whose server is down does not hide the others.
void DiscoveryRun::on_resource_list(std::size_t place, const Expected<FetchedAnswer>& answer) {
  --running_;
  Document& document = documents_[place];
  auto resources = resources_in(answer, document.version.of);
  if (const Error* error = resources.if_error()) {
    logger_.log(LogLevel::warning, "discovery: " + error->message);
    // A group that has been removed meanwhile has no resources.
    if (!is_missing(*error))
      document.unread = UnreadDocument{document.version.of.group, document.version.of.version, *error};
  } else {
    document.version.resources = *std::move(resources);
  }
  fetch_more();
}

void DiscoveryRun::finish_if_done() {
  if (running_ > 0 || next_ < documents_.size()) return;
  RestMapper mapper;
  for (Document& document : documents_) {
    if (document.unread) mapper.add_unread(*std::move(document.unread));
    if (!document.version.resources) continue;
    for (ApiResource& resource : *document.version.resources) mapper.add(std::move(resource));
  }
  done_(std::move(mapper));
}

}  // namespace ksr::cluster
