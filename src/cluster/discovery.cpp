#include "cluster/discovery.hpp"

#include <utility>

#include "base/exception_error.hpp"
#include "cluster/query.hpp"
#include "cluster/resolution.hpp"

namespace ksr::cluster {
namespace {

constexpr Milliseconds kDiscoveryLifetime{10 * 60'000};
constexpr Milliseconds kMaxRunTime{2 * 60'000};
// Between two reads of the same for lookups that ask to read again: what is younger counts as read again.
constexpr Milliseconds kMinDiscoveryAge{1'000};

}  // namespace

struct Discovery::Lookup {
  QueryOptions query;
  Known known;
  CancellableCallback<void(Result)> ready;
  Instant asked_at;
  bool needs_mapper = false;
  std::optional<Result> result = std::nullopt;
};

Discovery::Discovery(Executor& executor, const DiscoveryRun::Environment& environment)
    : executor_(executor), environment_(environment), scopes_(executor, environment, [this] { answer_lookups(); }) {}

Discovery::~Discovery() = default;

PendingCall Discovery::resolve(const QueryOptions& query, Known known, ResourcesReady ready) {
  CancellableCallback<void(Result)> callback(std::move(ready));
  // Made first: when an exception leaves this function, the callback is cancelled.
  PendingCall pending = callback.handle();
  lookups_.push_back({query, known, std::move(callback), executor_.now()});
  const CancellableCallback<void()> task([this] { answer_lookups(); });
  executor_.post([task] { task(); });
  posted_ = task.handle();
  return pending;
}

// Without an allocation: nobody else would answer.
template <class Find>
void Discovery::answer_each(Find answer) {
  std::list<Lookup> answered;
  for (auto next = lookups_.begin(); next != lookups_.end();) {
    const auto lookup = next++;
    try {
      if (lookup->ready.pending()) lookup->result = answer(*lookup);
    } catch (...) {
      lookup->result = error_of_exception();
    }
    if (lookup->result || !lookup->ready.pending()) answered.splice(answered.end(), lookups_, lookup);
  }
  for_each_despite_exceptions(answered, [](Lookup& lookup) {
    if (lookup.result) lookup.ready(*std::move(lookup.result));
  });
}

void Discovery::answer_lookups() {
  if (mapper_ && executor_.now() - learned_at_ > kDiscoveryLifetime) mapper_.reset();
  scopes_.forget_older_than(executor_.now() - kDiscoveryLifetime);
  answer_each([this](Lookup& lookup) { return answer_to(lookup); });
}

std::optional<Discovery::Result> Discovery::answer_to(Lookup& lookup) {
  if (auto valid = validate_query(lookup.query); !valid) return Result(valid.error());
  const bool outdated = lookup.known == Known::is_out_of_date && lookup.asked_at - asked_at_ >= kMinDiscoveryAge;
  const DiscoveryCache known{mapper_ && !outdated ? &*mapper_ : nullptr, learned_at_, scopes_};
  Resolution resolution(known, lookup.query, lookup.asked_at);
  auto answer = resolution.answer();
  if (answer) return answer;
  lookup.needs_mapper = resolution.mapper_lacks();
  if (lookup.needs_mapper && !run_) start_run();
  for (const std::string& root : resolution.roots_lacking()) scopes_.fetch(root);
  return std::nullopt;
}

void Discovery::start_run() {
  run_began_at_ = executor_.now();
  run_ = std::make_unique<DiscoveryRun>(environment_,
                                        [this](Expected<RestMapper> mapper) { on_mapper(std::move(mapper)); });
  try {
    run_deadline_ = executor_.schedule(executor_.now() + kMaxRunTime, [this] { on_run_deadline(); });
    run_->start();
  } catch (...) {
    // The next lookup would wait for it.
    run_.reset();
    throw;
  }
}

// Each response is bounded by silence alone, and so by nothing where it comes byte by byte.
void Discovery::on_run_deadline() {
  on_mapper(made_error([this] {
    Error error{Status::timeout, "discovery at " + environment_.server_url + " did not end within " +
                                     std::to_string(kMaxRunTime.count()) + " ms"};
    error.http_status = 408;
    return error;
  }));
}

void Discovery::on_mapper(Expected<RestMapper> mapper) {
  run_.reset();
  // It may be what calls this.
  const std::unique_ptr<Timer> deadline = std::move(run_deadline_);
  if (mapper) {
    mapper_ = *std::move(mapper);
    learned_at_ = executor_.now();
    asked_at_ = run_began_at_;
    return answer_lookups();
  }
  answer_each(
      [&](const Lookup& lookup) { return lookup.needs_mapper ? std::optional<Result>(mapper.error()) : std::nullopt; });
}

}  // namespace ksr::cluster
