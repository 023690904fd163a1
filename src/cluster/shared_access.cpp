#include "cluster/shared_access.hpp"

#include <algorithm>
#include <utility>

#include "cluster/query.hpp"
#include "cluster/renewal_plans.hpp"

namespace ksr::cluster {
namespace {

// How long a request waits for a file to be read again while its last content is at hand.
constexpr Milliseconds patience_with_files{5'000};

bool same(const transport::TlsSettings& a, const transport::TlsSettings& b) {
  return a.ca_pem == b.ca_pem && a.client_certificate_pem == b.client_certificate_pem &&
         a.client_key_pem == b.client_key_pem;
}

void add(Contribution& whole, const Contribution& part) {
  if (!part.authorization.empty()) whole.authorization = part.authorization;
  if (!part.ca_pem.empty()) whole.ca_pem = part.ca_pem;
  if (!part.certificate_pem.empty()) whole.certificate_pem = part.certificate_pem;
  if (!part.key_pem.empty()) whole.key_pem = part.key_pem;
}

void destroy_on(Executor& executor, std::unique_ptr<SharedAccess> access) {
  if (executor.on_this_thread()) return;
  executor.post([last = std::shared_ptr<SharedAccess>(std::move(access))] {});
}

}  // namespace

// One authorize() that was not answered yet.
struct SharedAccess::Waiter {
  std::function<void(Expected<Grant>)> ready;
};

class SharedAccess::Wait final : public Pending {
 public:
  explicit Wait(std::shared_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}
  ~Wait() override { waiter_->ready = nullptr; }

 private:
  std::shared_ptr<Waiter> waiter_;
};

std::shared_ptr<SharedAccess> SharedAccess::make(Settings settings, const AccessEnvironment& environment,
                                                 const Surroundings& surroundings) {
  auto owned = std::unique_ptr<SharedAccess>(new SharedAccess(std::move(settings), environment, surroundings));
  std::shared_ptr<SharedAccess> access(owned.release(), [&executor = environment.executor](SharedAccess* last) {
    destroy_on(executor, std::unique_ptr<SharedAccess>(last));
  });
  access->start_renewals();
  return access;
}

SharedAccess::SharedAccess(Settings settings, const AccessEnvironment& environment, const Surroundings& surroundings)
    : settings_(std::move(settings)),
      server_(settings_.server.origin()),
      executor_(environment.executor),
      transport_(environment.transport),
      surroundings_(surroundings) {}

SharedAccess::~SharedAccess() = default;

void SharedAccess::start_renewals() {
  for (PlannedRenewal& renewal : renewals_of(settings_)) {
    renewables_.push_back(std::make_shared<Renewable>(std::move(renewal.plan), std::move(renewal.initial),
                                                      Renewable::Environment{executor_, surroundings_, listeners_},
                                                      [self = weak_from_this()] {
                                                        if (const auto access = self.lock())
                                                          access->answer_when_settled();
                                                      }));
  }
}

std::unique_ptr<Pending> SharedAccess::authorize(std::function<void(Expected<Grant>)> ready) {
  auto waiter = std::make_shared<Waiter>(Waiter{std::move(ready)});
  waiters_.push_back(waiter);
  executor_.post([self = weak_from_this()] {
    if (const auto access = self.lock()) access->serve();
  });
  return std::make_unique<Wait>(std::move(waiter));
}

void SharedAccess::serve() {
  for (const auto& renewable : renewables_) renewable->renew_if_due();
  answer_when_settled();
}

void SharedAccess::answer_when_settled() {
  const auto renewing = [](const auto& renewable) { return renewable->renewing(); };
  if (std::none_of(renewables_.begin(), renewables_.end(), renewing)) return answer_all();
  const auto must_be_awaited = [](const auto& r) { return r->renewing() && !r->usable_meanwhile(); };
  if (std::any_of(renewables_.begin(), renewables_.end(), must_be_awaited)) return patience_.reset();
  if (patience_) return;
  patience_ = executor_.schedule(executor_.now() + patience_with_files, [this] { answer_all(); });
}

void SharedAccess::answer_all() {
  const auto self = shared_from_this();
  patience_.reset();
  const auto answered = std::exchange(waiters_, {});
  if (answered.empty()) return;
  const Expected<Grant> outcome = grant();
  for (const auto& waiter : answered) {
    if (const auto ready = std::exchange(waiter->ready, nullptr)) ready(outcome);
  }
}

Expected<Grant> SharedAccess::grant() {
  Contribution credentials = contribution_of(settings_);
  for (const auto& renewable : renewables_) {
    auto part = renewable->current();
    if (!part) return part.error();
    add(credentials, *part);
  }
  auto connection = connection_for(credentials);
  if (!connection) return connection.error();
  Grant grant{*std::move(connection), settings_.headers};
  if (!credentials.authorization.empty()) grant.headers.push_back({"Authorization", credentials.authorization});
  return grant;
}

// Other certificates are another connection; exchanges that run on the old one keep it.
Expected<std::shared_ptr<transport::Connection>> SharedAccess::connection_for(const Contribution& credentials) {
  transport::TlsSettings tls;
  tls.ca_pem = credentials.ca_pem;
  tls.client_certificate_pem = credentials.certificate_pem;
  tls.client_key_pem = credentials.key_pem;
  tls.server_name = settings_.tls_server_name;
  tls.skip_verify = settings_.skip_verify;
  if (connection_ && same(tls, connection_tls_)) return connection_;

  auto connection = transport_.connect({settings_.server.text(), tls, settings_.proxy_url, settings_.connect_timeout});
  if (!connection) return connection.error().within("connection to " + server_);
  connection_ = *std::move(connection);
  connection_tls_ = std::move(tls);
  return connection_;
}

void SharedAccess::reject_credentials() {
  for (const auto& renewable : renewables_) renewable->reject();
}

}  // namespace ksr::cluster
