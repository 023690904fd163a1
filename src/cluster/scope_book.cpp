#include "cluster/scope_book.hpp"

#include <algorithm>
#include <utility>

#include "cluster/http_fetch.hpp"
#include "cluster/text.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t largest_page = std::size_t{8} << 20;

// "/api/v1", "/apis/apps/v1"
GroupVersion group_version_of(const std::string& root) {
  const auto parts = split(root, '/');
  if (parts.size() == 4) return {std::string(parts[2]), std::string(parts[3])};
  return {"", std::string(parts.back())};
}

}  // namespace

class ScopeBook::Asking {
 public:
  using Done = std::function<void(Page)>;
  Asking(const DiscoveryRun::Environment& environment, std::string root, Done done)
      : environment_(environment), root_(std::move(root)), done_(std::make_shared<Done>(std::move(done))) {
    pending_ =
        environment_.access.authorize([this](Expected<Grant> grant) { guarded([&] { send(std::move(grant)); }); });
  }

 private:
  // Runs `step`. After an exception there is no page, as after a refusal.
  template <class Step>
  void guarded(Step&& step) {
    // Kept here: `done` destroys this.
    const std::shared_ptr<Done> done = done_;
    try {
      step();
    } catch (...) {
      if (!*done) throw;
      std::exchange(*done, nullptr)({});
    }
  }

  void send(Expected<Grant> grant) {
    // Whoever wants to go on meets the same failure, and tells it.
    if (!grant) return finish({});
    transport::Request request;
    request.target = root_;
    request.headers = std::move(grant->headers);
    request.headers.push_back({"Accept", "application/json"});
    request.response_timeout = environment_.request_timeout;
    request.idle_timeout = environment_.request_timeout;
    request.accept_gzip = grant->compression;
    fetch_ = std::make_unique<HttpFetch>(
        grant->connection, std::move(request), largest_page,
        [this](Expected<FetchedAnswer> answer) { guarded([&] { take(std::move(answer)); }); });
  }

  void take(Expected<FetchedAnswer> answer) {
    Page page;
    if (answer) environment_.access.note_answer(answer->head);
    if (answer && answer->head.status == 401) environment_.access.reject_credentials();
    if (answer && answer->head.status == 404) page.readable = true;
    if (answer && answer->head.status == 200) {
      auto resources = parse_resource_list(answer->body, group_version_of(root_));
      page.readable = resources.has_value();
      if (resources) page.resources = *std::move(resources);
    }
    finish(std::move(page));
  }

  void finish(Page page) { std::exchange(*done_, nullptr)(std::move(page)); }

  DiscoveryRun::Environment environment_;
  std::string root_;
  const std::shared_ptr<Done> done_;
  std::unique_ptr<Pending> pending_;
  std::unique_ptr<HttpFetch> fetch_;
};

const ApiResource* ScopeBook::Page::find(const std::string& plural) const {
  const auto found = std::find_if(resources.begin(), resources.end(),
                                  [&](const ApiResource& resource) { return resource.plural == plural; });
  return found == resources.end() ? nullptr : &*found;
}

ScopeBook::ScopeBook(Executor& executor, const DiscoveryRun::Environment& environment, std::function<void()> learned)
    : executor_(executor), environment_(environment), learned_(std::move(learned)) {}

ScopeBook::~ScopeBook() = default;

const ScopeBook::Page* ScopeBook::page(const std::string& root) const {
  const auto found = pages_.find(root);
  return found == pages_.end() ? nullptr : &found->second;
}

void ScopeBook::ask(const std::string& root) {
  std::unique_ptr<Asking>& asking = asking_[root];
  if (asking) return;
  asking = std::make_unique<Asking>(environment_, root, [this, root](Page page) { on_page(root, std::move(page)); });
}

void ScopeBook::on_page(const std::string& root, Page page) {
  asking_.erase(root);
  page.learned_at = executor_.now();
  pages_.insert_or_assign(root, std::move(page));
  learned_();
}

void ScopeBook::forget_older_than(Instant then) {
  for (auto entry = pages_.begin(); entry != pages_.end();) {
    entry = entry->second.learned_at < then ? pages_.erase(entry) : std::next(entry);
  }
}

}  // namespace ksr::cluster
