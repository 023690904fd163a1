#include "cluster/credential_source.hpp"

#include <algorithm>
#include <utility>

#include "base/exception_error.hpp"

namespace ksr::cluster {
namespace {

// A file that cannot be read is not asked for with every request.
constexpr Milliseconds kRetryAfterFailure{10'000};
// Just obtained and refused: another run would bring the same, and each refusal would cost a run.
constexpr Milliseconds kTooYoungToReject{1'000};

}  // namespace

CredentialSource::CredentialSource(CredentialSourcePlan plan, std::optional<Credentials> initial,
                                   const Environment& environment, std::function<void()> settled)
    : plan_(std::move(plan)),
      executor_(environment.executor),
      process_env_(environment.process_env),
      logger_(environment.logger),
      settled_(std::move(settled)),
      value_(std::move(initial)),
      fetched_at_(environment.executor.now()) {}

bool CredentialSource::due() const {
  if (rejected_) return true;
  const Instant now = executor_.now();
  if (plan_.keep_stale_on_error && failed_at_ && now - *failed_at_ < kRetryAfterFailure) return false;
  if (!value_) return true;
  if (value_->expires && process_env_.wall_clock() >= *value_->expires) return true;
  return plan_.period && now - fetched_at_ >= *plan_.period;
}

std::optional<Instant> CredentialSource::renews_proactively_at() const {
  if (!plan_.proactive || !plan_.period) return std::nullopt;
  return std::max(fetched_at_ + *plan_.period, failed_at_ ? *failed_at_ + kRetryAfterFailure : fetched_at_);
}

void CredentialSource::renew_if_due() {
  if (!renewing_ && due()) start();
}

bool CredentialSource::usable_meanwhile() const noexcept {
  return value_ && plan_.keep_stale_on_error;
}

void CredentialSource::reject() {
  if (!plan_.credentials) return;
  // What is on its way is newer than what was refused, unless it is a file that was read a little too early.
  if (renewing_ && (!plan_.period || replaces_refused_)) return;
  if (value_ && executor_.now() - fetched_at_ < kTooYoungToReject) return;
  rejected_ = true;
}

Expected<Credentials> CredentialSource::current() const {
  if (value_) return *value_;
  if (failure_) return *failure_;
  return Error{Status::internal, plan_.name + ": was never fetched"};
}

void CredentialSource::start() {
  const bool was_rejected = rejected_;
  renewing_ = true;
  replaces_refused_ = std::exchange(rejected_, false);
  try {
    fetch();
  } catch (...) {
    renewing_ = false;
    rejected_ = was_rejected;
    throw;
  }
}

void CredentialSource::fetch() {
  // Made now: on a thread of its own, no one could be told that there is no memory for it.
  auto outcome = std::make_shared<Expected<Credentials>>(Error{Status::internal, plan_.name + ": was never fetched"});
  std::function<void()> deliver = [self = weak_from_this(), outcome] {
    if (const auto source = self.lock()) source->finish(std::move(*outcome));
  };
  auto aside = [fetch = plan_.fetch, outcome, deliver = std::move(deliver), &executor = executor_]() mutable {
    try {
      *outcome = fetch();
    } catch (...) {
      *outcome = error_of_exception();
    }
    outcome.reset();
    executor.post(std::move(deliver));
  };
  if (process_env_.spawn_blocking(std::move(aside))) return;
  executor_.post([self = weak_from_this(), name = plan_.name] {
    if (const auto source = self.lock()) source->finish(Error{Status::internal, name + ": no thread to fetch it on"});
  });
}

void CredentialSource::finish(Expected<Credentials> outcome) {
  renewing_ = false;
  try {
    if (outcome) {
      value_ = *std::move(outcome);
      failure_.reset();
      failed_at_.reset();
      fetched_at_ = executor_.now();
    } else {
      keep_or_lose(std::move(outcome).error());
    }
  } catch (...) {
    // There was no memory for the log line.
    failure_ = error_of_exception();
  }
  // Refused while it was on its way: it may be what was refused.
  if (rejected_) return start();
  settled_();
}

void CredentialSource::keep_or_lose(Error error) {
  failed_at_ = executor_.now();
  const bool kept = usable_meanwhile();
  if (!kept) value_.reset();
  failure_ = std::move(error);
  if (logger_.wants(LogLevel::warning)) {
    logger_.log(LogLevel::warning, failure_->message + (kept ? " (what was read before stays in use)" : ""));
  }
}

}  // namespace ksr::cluster
