#include "cluster/scope_cache.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/text.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxResourceListSize = std::size_t{8} << 20;

// "/api/v1", "/apis/apps/v1"
GroupVersion group_version_of(const std::string& root) {
  const auto parts = split(root, '/');
  if (parts.size() == 4) return {std::string(parts[2]), std::string(parts[3])};
  return {"", std::string(parts.back())};
}

}  // namespace

class ScopeCache::Fetch {
 public:
  using Done = std::function<void(Entry)>;
  Fetch(const DiscoveryRun::Environment& environment, std::string root, Done done)
      : environment_(environment), root_(std::move(root)), done_(std::make_shared<Done>(std::move(done))) {
    pending_ = environment_.access.authenticate(
        Purpose::request, [this](Expected<RequestAuth> auth) { guarded([&] { send(std::move(auth)); }); });
  }

 private:
  // Runs `step`. After an exception there is no document, as after a refusal.
  template <class Step>
  void guarded(Step&& step) {
    // A copy: `done` destroys this.
    const std::shared_ptr<Done> done = done_;
    try {
      step();
    } catch (...) {
      if (!*done) throw;
      std::exchange(*done, nullptr)({});
    }
  }

  void send(Expected<RequestAuth> auth) {
    // The request that follows meets the same failure and reports it.
    if (!auth) return finish({});
    transport::Request request;
    request.target = root_;
    request.headers = std::move(auth->headers);
    request.headers.push_back({"Accept", "application/json"});
    request.response_timeout = environment_.request_timeout;
    request.idle_timeout = environment_.request_timeout;
    request.whole_timeout = kWholeDocument * environment_.request_timeout;
    request.accept_gzip = auth->compression;
    fetch_ = std::make_unique<HttpFetch>(
        auth->connection, std::move(request), environment_.server_url + root_, kMaxResourceListSize,
        [this](Expected<FetchedAnswer> answer) { guarded([&] { take(std::move(answer)); }); });
  }

  void take(Expected<FetchedAnswer> answer) {
    Entry entry;
    if (answer) environment_.access.on_response_head(answer->head);
    if (answer && answer->head.status == 401) environment_.access.reject_credentials();
    if (answer && answer->head.status == 404) entry.readable = true;
    if (answer && transport::is_success(answer->head.status)) {
      auto resources = parse_resource_list(answer->body, group_version_of(root_));
      entry.readable = resources.has_value();
      if (resources) entry.resources = *std::move(resources);
    }
    finish(std::move(entry));
  }

  void finish(Entry entry) { std::exchange(*done_, nullptr)(std::move(entry)); }

  DiscoveryRun::Environment environment_;
  std::string root_;
  const std::shared_ptr<Done> done_;
  PendingCall pending_;
  std::unique_ptr<HttpFetch> fetch_;
};

const ApiResource* ScopeCache::Entry::find(const std::string& plural) const {
  const auto found = std::find_if(resources.begin(), resources.end(),
                                  [&](const ApiResource& resource) { return resource.plural == plural; });
  return found == resources.end() ? nullptr : &*found;
}

ScopeCache::ScopeCache(Executor& executor, const DiscoveryRun::Environment& environment, std::function<void()> learned)
    : executor_(executor), environment_(environment), learned_(std::move(learned)) {}

ScopeCache::~ScopeCache() = default;

const ScopeCache::Entry* ScopeCache::entry(const std::string& root) const {
  const auto found = entries_.find(root);
  return found == entries_.end() ? nullptr : &found->second;
}

void ScopeCache::fetch(const std::string& root) {
  std::unique_ptr<Fetch>& running = fetches_[root];
  if (running) return;
  running =
      std::make_unique<Fetch>(environment_, root, [this, root](Entry entry) { on_entry(root, std::move(entry)); });
}

void ScopeCache::on_entry(const std::string& root, Entry entry) {
  fetches_.erase(root);
  entry.learned_at = executor_.now();
  try {
    entries_.insert_or_assign(root, std::move(entry));
  } catch (const std::bad_alloc&) {
    // Those that wait for it ask for it again.
  }
  learned_();
}

void ScopeCache::forget_older_than(Instant then) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.learned_at < then ? entries_.erase(entry) : std::next(entry);
  }
}

}  // namespace ksr::cluster
