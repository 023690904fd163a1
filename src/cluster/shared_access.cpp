#include "cluster/shared_access.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/exception_error.hpp"
#include "cluster/credential_sources.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::cluster {
namespace {

// How long a request waits for a file to be read again while its last content is at hand.
constexpr Milliseconds kMaxFileWait{5'000};
constexpr Milliseconds retry_after_exception{10'000};
constexpr std::size_t kMaxReminderSize = std::size_t{1} << 20;

bool same(const transport::TlsSettings& a, const transport::TlsSettings& b) {
  return a.ca_pem == b.ca_pem && a.client_certificate_pem == b.client_certificate_pem &&
         a.client_key_pem == b.client_key_pem;
}

bool may_rotate(const ResolvedConnection& settings) {
  return settings.client_certificate.from_file() || settings.client_key.from_file() || settings.authentication.exec;
}

void add(Credentials& whole, const Credentials& part) {
  if (!part.authorization.empty()) whole.authorization = part.authorization;
  if (!part.ca_pem.empty()) whole.ca_pem = part.ca_pem;
  if (!part.certificate_pem.empty()) whole.certificate_pem = part.certificate_pem;
  if (!part.key_pem.empty()) whole.key_pem = part.key_pem;
}

void destroy_on(Executor& executor, std::unique_ptr<SharedAccess> access) {
  if (executor.on_this_thread()) return;
  // Carried as it is: a destructor posts this, and has nobody to tell that there was no memory for more.
  executor.post([last = access.release()] { delete last; });
}

}  // namespace

// One authenticate() that was not answered yet.
struct SharedAccess::Waiter {
  Purpose purpose;
  std::function<void(Expected<RequestAuth>)> ready;
  std::unique_ptr<HttpFetch> reminder;

  void answer(Expected<RequestAuth> auth) {
    if (const auto wanted = std::exchange(ready, nullptr)) wanted(std::move(auth));
  }
};

class SharedAccess::Wait final : public Pending {
 public:
  explicit Wait(std::shared_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}
  ~Wait() override {
    waiter_->ready = nullptr;
    waiter_->reminder.reset();
  }

 private:
  std::shared_ptr<Waiter> waiter_;
};

template <class Step>
void SharedAccess::guarded(Step&& step) {
  try {
    step();
  } catch (...) {
    fail_all(error_of_exception());
  }
}

std::shared_ptr<SharedAccess> SharedAccess::make(ResolvedConnection settings, const AccessEnvironment& environment,
                                                 const ProcessEnvironment& process_env) {
  auto owned = std::unique_ptr<SharedAccess>(new SharedAccess(std::move(settings), environment, process_env));
  std::shared_ptr<SharedAccess> access(owned.release(), [&executor = environment.executor](SharedAccess* last) {
    destroy_on(executor, std::unique_ptr<SharedAccess>(last));
  });
  access->start_renewals();
  return access;
}

SharedAccess::SharedAccess(ResolvedConnection settings, const AccessEnvironment& environment,
                           const ProcessEnvironment& process_env)
    : settings_(std::move(settings)),
      server_(settings_.server.address()),
      executor_(environment.executor),
      transport_(environment.transport),
      process_env_(process_env),
      discovery_(std::make_unique<Discovery>(
          executor_, DiscoveryRun::Environment{*this, listeners_, settings_.request_timeout})) {}

SharedAccess::~SharedAccess() {
  stop_->store(true, std::memory_order_relaxed);
}

void SharedAccess::start_renewals() {
  for (PlannedCredentialSource& renewal : credential_sources_of(settings_, process_env_, stop_)) {
    sources_.push_back(std::make_shared<CredentialSource>(
        std::move(renewal.plan), std::move(renewal.initial),
        CredentialSource::Environment{executor_, process_env_, listeners_}, [self = weak_from_this()] {
          const auto access = self.lock();
          if (access) access->guarded([&] { access->on_settled(); });
        }));
  }
  executor_.post([self = weak_from_this()] {
    const auto access = self.lock();
    if (access) access->guarded([&] { access->look_again_later(); });
  });
}

// A certificate must not wait for the next request: its watches go on with the old one until then
// (client-go, transport/cert_rotation.go).
void SharedAccess::look_again_later() {
  std::optional<Instant> next;
  for (const auto& source : sources_) {
    const auto at = source->renews_proactively_at();
    if (at && (!next || *at < *next)) next = at;
  }
  next_look_.reset();
  if (next) next_look_ = executor_.schedule(*next, [this] { look_at_files(); });
}

void SharedAccess::look_at_files() {
  try {
    for (const auto& source : sources_) {
      if (source->renews_proactively_at()) source->renew_if_due();
    }
  } catch (...) {
    const Error error = error_of_exception();
    next_look_ = executor_.schedule(executor_.now() + retry_after_exception, [this] { look_at_files(); });
    fail_all(error);
  }
}

void SharedAccess::fail_all(const Error& error) {
  const auto self = shared_from_this();
  patience_.reset();
  for (const auto& waiter : std::exchange(waiters_, {})) hand_out(waiter, error);
}

std::unique_ptr<Pending> SharedAccess::authenticate(Purpose purpose, std::function<void(Expected<RequestAuth>)> ready) {
  auto waiter = std::make_shared<Waiter>(Waiter{purpose, std::move(ready), nullptr});
  // Made first: should anything throw from here on, no one answers the caller any more.
  auto wait = std::make_unique<Wait>(waiter);
  waiters_.push_back(std::move(waiter));
  executor_.post([self = weak_from_this()] {
    const auto access = self.lock();
    if (access) access->guarded([&] { access->serve(); });
  });
  return wait;
}

void SharedAccess::serve() {
  for (const auto& source : sources_) source->renew_if_due();
  answer_when_settled();
}

void SharedAccess::on_settled() {
  look_again_later();
  answer_when_settled();
}

void SharedAccess::answer_when_settled() {
  const auto renewing = [](const auto& source) { return source->renewing(); };
  if (std::none_of(sources_.begin(), sources_.end(), renewing)) return answer_all();
  const auto must_be_awaited = [](const auto& r) { return r->renewing() && !r->usable_meanwhile(); };
  if (std::any_of(sources_.begin(), sources_.end(), must_be_awaited)) return patience_.reset();
  if (patience_) return;
  patience_ = executor_.schedule(executor_.now() + kMaxFileWait, [this] { guarded([this] { answer_all(); }); });
}

void SharedAccess::answer_all() {
  const auto self = shared_from_this();
  patience_.reset();
  const auto answered = std::exchange(waiters_, {});
  // Without anybody who waits it is still the moment to leave an old certificate behind.
  if (answered.empty() && !connection_) return;
  const Expected<RequestAuth> outcome = grant_or_error();
  for (const auto& waiter : answered) hand_out(waiter, outcome);
}

// All of them wait for the same.
Expected<RequestAuth> SharedAccess::grant_or_error() {
  try {
    return auth();
  } catch (...) {
    const Error error = error_of_exception();
    return error.status == Status::out_of_memory ? error : error.within("connection to " + server_);
  }
}

// Each of them deals with exceptions of its own, once it is called.
void SharedAccess::hand_out(const std::shared_ptr<Waiter>& waiter, const Expected<RequestAuth>& auth) {
  try {
    hand_over(waiter, auth);
  } catch (...) {
    if (!waiter->ready) throw;
    waiter->answer(error_of_exception());
  }
}

void SharedAccess::hand_over(const std::shared_ptr<Waiter>& waiter, Expected<RequestAuth> auth) {
  if (!waiter->ready) return;
  if (!auth) return waiter->answer(std::move(auth));
  if (waiter->purpose == Purpose::request) return waiter->answer(for_request(*std::move(auth)));
  if (settings_.headlamp && settings_.headlamp->stateless) return remind(waiter, *auth);
  waiter->answer(for_websocket(*std::move(auth)));
}

RequestAuth SharedAccess::for_request(RequestAuth auth) const {
  if (!settings_.headlamp) return auth;
  const auto& headers = settings_.headlamp->http_headers;
  auth.headers.insert(auth.headers.end(), headers.begin(), headers.end());
  return auth;
}

RequestAuth SharedAccess::for_websocket(RequestAuth auth) const {
  if (settings_.headlamp) auth.subprotocols = settings_.headlamp->subprotocols;
  return auth;
}

// A WebSocket carries no kubeconfig, and the server forgets the cluster 20 seconds after the last request that did
// (stateless.go, ContextUpdateCacheTTL). What the cluster itself answers to /version does not matter.
void SharedAccess::remind(const std::shared_ptr<Waiter>& waiter, const RequestAuth& auth) {
  transport::Request request;
  request.target = "/version";
  request.headers = for_request(auth).headers;
  request.response_timeout = settings_.request_timeout;
  request.idle_timeout = settings_.request_timeout;
  auto answered = [this, waiting = std::weak_ptr<Waiter>(waiter), auth](Expected<FetchedAnswer> answer) {
    const auto asker = waiting.lock();
    if (!asker) return;
    try {
      if (!answer) return asker->answer(answer.error().within("request before the WebSocket"));
      note_answer(answer->head);
      asker->answer(for_websocket(auth));
    } catch (...) {
      if (!asker->ready) throw;
      asker->answer(error_of_exception());
    }
  };
  waiter->reminder =
      std::make_unique<HttpFetch>(auth.connection, std::move(request), kMaxReminderSize, std::move(answered));
}

void SharedAccess::note_answer(const transport::ResponseHead& head) {
  if (!settings_.headlamp) return;
  for (const auto& header : head.headers) {
    if (header.name != "x-reload" || header.value.find("reload") == std::string::npos) continue;
    reloads_.fetch_add(1, std::memory_order_relaxed);
    listeners_.log(LogLevel::notice, "Headlamp " + server_ + " asks its clients to reload: its plugins have changed");
  }
}

Expected<RequestAuth> SharedAccess::auth() {
  Credentials credentials = credentials_of(settings_);
  for (const auto& source : sources_) {
    auto part = source->current();
    if (!part) return part.error();
    add(credentials, *part);
  }
  auto connection = connection_for(credentials);
  if (!connection) return connection.error();
  RequestAuth auth{*std::move(connection), settings_.headers, {}, settings_.compression};
  if (!credentials.authorization.empty()) auth.headers.push_back({"Authorization", credentials.authorization});
  return auth;
}

// Other certificates are another connection. Exchanges that run on the old one keep it, but for watches that were
// opened with another client certificate: whom it names may not be allowed to see them any more.
Expected<std::shared_ptr<transport::Connection>> SharedAccess::connection_for(const Credentials& credentials) {
  transport::TlsSettings tls;
  tls.ca_pem = credentials.ca_pem;
  tls.client_certificate_pem = credentials.certificate_pem;
  tls.client_key_pem = credentials.key_pem;
  tls.server_name = settings_.tls_server_name;
  tls.skip_verify = settings_.skip_verify;
  if (connection_ && same(tls, connection_tls_)) return connection_;

  auto connection = transport_.connect({settings_.server, tls, settings_.proxy, settings_.connect_timeout});
  if (!connection) return connection.error().within("connection to " + server_);
  if (connection_ && tls.client_certificate_pem != connection_tls_.client_certificate_pem) leave_old_certificate();
  connection_ = *std::move(connection);
  if (may_rotate(settings_)) connection_ = std::make_shared<ClosableConnection>(connection_, watches_);
  connection_tls_ = std::move(tls);
  return connection_;
}

void SharedAccess::leave_old_certificate() {
  listeners_.log(LogLevel::info,
                 "the client certificate for " + server_ + " has changed: its watches are opened again");
  executor_.post([old = std::exchange(watches_, std::make_shared<OpenWatches>())] { old->end(); });
}

void SharedAccess::reject_credentials() {
  for (const auto& source : sources_) source->reject();
}

std::unique_ptr<Pending> SharedAccess::resolve(const QueryOptions& query,
                                               std::function<void(Expected<std::vector<Resource>>)> ready) {
  return discovery_->resolve(query, std::move(ready));
}

}  // namespace ksr::cluster
