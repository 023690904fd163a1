#include "cluster/credential_source.hpp"

#include <algorithm>
#include <utility>

#include "base/base64.hpp"
#include "base/exception_error.hpp"
#include "cluster/pem.hpp"

namespace ksr::cluster {
namespace {

// A file that cannot be read is not read again for every request.
constexpr Milliseconds kRetryAfterFailure{10'000};
// Of a plugin. Fetched less than that ago in place of a rejected one, and rejected: another fetch would most likely
// return the same, and each 401 would cost one. Or it is the late refusal of the one that was replaced.
constexpr Milliseconds kTooYoungToReject{1'000};
constexpr Milliseconds kMinBackoff{1'000};
constexpr Milliseconds kMaxBackoff{60'000};
// A value that was good for that long does not count as refused again.
constexpr Milliseconds kGoodLife{120'000};
// For what run_program() needs to end a plugin.
constexpr Milliseconds kExecGrace{5'000};
// client-go: transport/token_source.go, transport/cert_rotation.go and transport/ca_rotation.go.
constexpr Milliseconds kTokenFilePeriod{60'000};
constexpr Milliseconds kCertificateFilePeriod{300'000};
constexpr Milliseconds kExpiryLeeway{10'000};

Expected<std::string> read_again(const Pem& pem) {
  if (!pem.from_file()) return pem.text;
  return read_file(pem.file, kMaxCredentialFileSize);
}

Expected<Credentials> read_ca(const Pem& ca) {
  auto text = read_again(ca);
  if (!text) return text.error();
  if (auto fine = check_certificates(ca.file.text(), *text); !fine) return fine.error();
  Credentials read;
  read.ca_pem = *std::move(text);
  return read;
}

// Files that are read in the middle of their rotation do not match; that is an error.
Expected<Credentials> read_client_certificate(const Pem& certificate, const Pem& key) {
  auto certificate_text = read_again(certificate);
  if (!certificate_text) return certificate_text.error();
  auto key_text = read_again(key);
  if (!key_text) return key_text.error();
  if (auto fine = check_certificates(certificate.file.text(), *certificate_text); !fine) {
    return fine.error();
  }
  if (auto fine = check_key(key.file.text(), *key_text, *certificate_text); !fine) return fine.error();
  Credentials read;
  read.certificate_pem = *std::move(certificate_text);
  read.key_pem = *std::move(key_text);
  return read;
}

Expected<Credentials> read_token(const NamedFile& file) {
  auto token = read_token_file(file);
  if (!token) return token.error();
  Credentials read;
  read.authorization = bearer(*token);
  return read;
}

CredentialSourcePlan file_plan(const NamedFile& file, Milliseconds period) {
  CredentialSourcePlan plan;
  plan.name = file.text();
  plan.period = period;
  plan.keep_stale_on_error = true;
  return plan;
}

// Fetched again a little before it expires, so that none expires while a request is on its way.
void apply_leeway(Credentials& credentials, WallTime now) {
  if (!credentials.expires) return;
  const auto lifetime = *credentials.expires - now;
  if (lifetime > lifetime.zero()) *credentials.expires -= std::min<WallTime::duration>(kExpiryLeeway, lifetime / 5);
}

CredentialSourcePlan exec_plan(const ExecPlan& exec, const ProcessEnvironment& process_env,
                               const std::shared_ptr<const std::atomic<bool>>& stop,
                               const std::shared_ptr<Logger>& logger) {
  CredentialSourcePlan plan;
  plan.name = exec.role;
  plan.credentials = true;
  plan.has_backoff = true;
  plan.max_time = exec.timeout + kExecGrace;
  plan.fetch = [exec, stop, logger, wall_clock = process_env.wall_clock]() -> Expected<Credentials> {
    auto credentials = run_exec_plugin(exec, *stop, *logger);
    if (credentials) apply_leeway(*credentials, wall_clock());
    return credentials;
  };
  return plan;
}

}  // namespace

Credentials credentials_of(const ResolvedConnection& connection) {
  const Authentication& authentication = connection.authentication;
  Credentials credentials;
  if (!authentication.token.empty()) {
    credentials.authorization = bearer(authentication.token);
  } else if (!authentication.username.empty() || !authentication.password.empty()) {
    credentials.authorization = "Basic " + base64_encode(authentication.username + ":" + authentication.password);
  }
  credentials.ca_pem = connection.ca.text;
  credentials.certificate_pem = connection.client_certificate.text;
  credentials.key_pem = connection.client_key.text;
  return credentials;
}

std::vector<CredentialSourcePlan> credential_sources_of(const ResolvedConnection& connection,
                                                        const ProcessEnvironment& process_env,
                                                        const std::shared_ptr<const std::atomic<bool>>& stop,
                                                        const std::shared_ptr<Logger>& logger,
                                                        const IssuerCall& issuer) {
  std::vector<CredentialSourcePlan> plans;
  if (const NamedFile& file = connection.authentication.token_file; !file.path.empty()) {
    CredentialSourcePlan plan = file_plan(file, kTokenFilePeriod);
    plan.credentials = true;
    plan.fetch = [file] { return read_token(file); };
    Credentials& initial = plan.initial.emplace();
    initial.authorization = bearer(connection.authentication.token);
    plans.push_back(std::move(plan));
  }
  if (connection.ca.from_file()) {
    CredentialSourcePlan plan = file_plan(connection.ca.file, kCertificateFilePeriod);
    plan.fetch = [ca = connection.ca] { return read_ca(ca); };
    Credentials& initial = plan.initial.emplace();
    initial.ca_pem = connection.ca.text;
    plans.push_back(std::move(plan));
  }
  if (connection.client_certificate.from_file() || connection.client_key.from_file()) {
    CredentialSourcePlan plan = file_plan(connection.client_certificate.file, kCertificateFilePeriod);
    plan.proactive = true;
    plan.fetch = [certificate = connection.client_certificate, key = connection.client_key] {
      return read_client_certificate(certificate, key);
    };
    Credentials& initial = plan.initial.emplace();
    initial.certificate_pem = connection.client_certificate.text;
    initial.key_pem = connection.client_key.text;
    plans.push_back(std::move(plan));
  }
  if (const auto& oidc = connection.authentication.oidc) {
    CredentialSourcePlan plan;
    plan.name = oidc->role;
    plan.credentials = true;
    plan.has_backoff = true;
    plan.fetch = [oidc = *oidc, wall_clock = process_env.wall_clock, issuer, logger] {
      return fetch_id_token(oidc, wall_clock, issuer, *logger);
    };
    if (!connection.authentication.token.empty()) {
      Credentials& initial = plan.initial.emplace();
      initial.authorization = bearer(connection.authentication.token);
      initial.expires = connection.authentication.token_expires;
    }
    plans.push_back(std::move(plan));
  }
  if (connection.authentication.exec) {
    plans.push_back(exec_plan(*connection.authentication.exec, process_env, stop, logger));
  }
  return plans;
}

CredentialSource::CredentialSource(CredentialSourcePlan plan, const Environment& environment,
                                   std::function<void()> on_fetched)
    : plan_(std::move(plan)),
      executor_(environment.executor),
      process_env_(environment.process_env),
      logger_(environment.logger),
      on_fetched_(std::move(on_fetched)),
      value_(std::exchange(plan_.initial, std::nullopt)),
      fetched_at_(environment.executor.now()),
      failure_backoff_(kMinBackoff),
      min_age_to_reject_(kTooYoungToReject) {}

bool CredentialSource::due() const {
  const Instant now = executor_.now();
  if (plan_.has_backoff && failure_ && now < retry_at_) return false;
  if (rejected_) return true;
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

bool CredentialSource::reject() {
  if (!plan_.credentials) return false;
  // A fetch on its way is newer than what was rejected, unless it is a file that was read a little too early.
  if (renewing_ && (!plan_.period || replaces_rejected_)) return true;
  // Reading a file costs less than the request that was refused.
  const bool is_file = plan_.period.has_value();
  if (value_ && replaces_rejected_ && !is_file && executor_.now() - fetched_at_ < min_age_to_reject_) return false;
  rejected_ = true;
  return true;
}

Expected<Credentials> CredentialSource::current() const {
  if (value_) return *value_;
  if (failure_) {
    Error failure = *failure_;
    const auto left = std::chrono::ceil<Milliseconds>(retry_at_ - executor_.now());
    if (plan_.has_backoff && left > left.zero()) failure.retry_after = left;
    return failure;
  }
  return Error{Status::internal, plan_.name + ": was not fetched yet"};
}

void CredentialSource::start() {
  const bool was_rejected = rejected_;
  renewing_ = true;
  replaces_rejected_ = std::exchange(rejected_, false);
  try {
    fetch();
  } catch (...) {
    renewing_ = false;
    rejected_ = was_rejected;
    throw;
  }
}

void CredentialSource::fetch() {
  // Allocated now: on the other thread there would be no way to report that there is no memory for it.
  auto outcome = std::make_shared<Expected<Credentials>>(Error{Status::internal, plan_.name + ": was not fetched yet"});
  const std::uint64_t fetch = ++fetch_;
  std::function<void()> deliver = [self = weak_from_this(), fetch, outcome] {
    if (const auto source = self.lock()) source->finish(fetch, std::move(*outcome));
  };
  timer_.reset();
  if (plan_.max_time) {
    timer_ = executor_.schedule(executor_.now() + *plan_.max_time, [this, fetch] {
      finish(fetch, made_error([this] {
               return Error{Status::auth,
                            plan_.name + ": did not end within " + std::to_string(plan_.max_time->count()) + " ms"};
             }));
    });
  }
  auto task = [call = plan_.fetch, outcome, deliver = std::move(deliver), &executor = executor_]() mutable {
    try {
      *outcome = call();
    } catch (...) {
      *outcome = error_of_exception();
    }
    outcome.reset();
    executor.post(std::move(deliver));
  };
  if (process_env_.spawn_blocking(std::move(task))) return;
  executor_.post([self = weak_from_this(), fetch, name = plan_.name] {
    if (const auto source = self.lock())
      source->finish(fetch, Error{Status::out_of_memory, name + ": cannot start a thread to fetch it"});
  });
}

void CredentialSource::finish(std::uint64_t fetch, Expected<Credentials> outcome) {
  if (fetch != fetch_ || !renewing_) return;
  // It may be what calls this.
  const std::unique_ptr<Timer> timer = std::move(timer_);
  const auto self = shared_from_this();
  renewing_ = false;
  try {
    if (outcome) {
      note_success(*std::move(outcome));
    } else {
      on_failure(std::move(outcome).error());
    }
  } catch (...) {
    // No memory for the log line.
    failure_ = error_of_exception();
  }
  try {
    // Rejected while it was on its way: it may be what was rejected.
    if (rejected_ && due()) return start();
  } catch (...) {
    // Those that wait have an answer all the same; the next request starts it again.
  }
  on_fetched_();
}

void CredentialSource::note_success(Credentials credentials) {
  const Instant now = executor_.now();
  if (plan_.has_backoff) {
    const bool refused_again = replaces_rejected_ && now - fetched_at_ < kGoodLife;
    min_age_to_reject_ = refused_again ? std::min(min_age_to_reject_ * 2, kMaxBackoff) : kTooYoungToReject;
    failure_backoff_ = kMinBackoff;
  }
  value_ = std::move(credentials);
  failure_.reset();
  failed_at_.reset();
  fetched_at_ = now;
}

void CredentialSource::on_failure(Error error) {
  failed_at_ = executor_.now();
  retry_at_ = *failed_at_ + failure_backoff_;
  failure_backoff_ = std::min(failure_backoff_ * 2, kMaxBackoff);
  const bool kept = usable_meanwhile();
  if (!kept) value_.reset();
  failure_ = std::move(error);
  if (logger_.wants(LogLevel::warning)) {
    logger_.log(LogLevel::warning, failure_->message + (kept ? " (the value read before stays in use)" : ""));
  }
}

}  // namespace ksr::cluster
