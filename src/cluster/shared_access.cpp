#include "cluster/shared_access.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/exception_error.hpp"
#include "cluster/blocking_fetch.hpp"

namespace ksr::cluster {
namespace {

// How long a request waits for a file to be read again when its last content may be used.
constexpr Milliseconds kMaxStaleWait{5'000};
constexpr Milliseconds kRetryAfterException{10'000};
constexpr std::size_t kMaxVersionSize = std::size_t{1} << 20;

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
  // A raw pointer fits into the task without an allocation: this runs in a destructor, which cannot report a failure.
  executor.post([last = access.release()] { delete last; });
}

}  // namespace

bool FanOutLogger::wants(LogLevel level) const noexcept {
  const auto loggers = existing();
  return std::any_of(loggers.begin(), loggers.end(), [level](const auto& logger) { return logger->wants(level); });
}

void FanOutLogger::log(LogLevel level, std::string line) {
  for (const auto& logger : existing()) {
    if (logger->wants(level)) logger->log(level, line);
  }
}

void FanOutLogger::add(std::weak_ptr<Logger> logger) {
  const MutexLock lock(loggers_mutex_);
  const auto gone = [](const std::weak_ptr<Logger>& one) { return one.expired(); };
  loggers_.erase(std::remove_if(loggers_.begin(), loggers_.end(), gone), loggers_.end());
  loggers_.push_back(std::move(logger));
}

std::vector<std::shared_ptr<Logger>> FanOutLogger::existing() const {
  std::vector<std::shared_ptr<Logger>> loggers;
  const MutexLock lock(loggers_mutex_);
  for (const auto& logger : loggers_) {
    if (auto one = logger.lock()) loggers.push_back(std::move(one));
  }
  return loggers;
}

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
  access->start_sources();
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
          executor_, DiscoveryRun::Environment{*this, *logger_, settings_.server.text(), settings_.request_timeout})) {
  for (const std::string& secret : secrets_of(settings_)) secrets_->add(secret);
}

SharedAccess::~SharedAccess() {
  stop_->store(true, std::memory_order_relaxed);
}

void SharedAccess::start_sources() {
  const IssuerCall issuer = [&executor = executor_, &transport = transport_, stop = stop_](
                                const transport::ConnectionSettings& settings, transport::Request request,
                                const std::string& url) {
    return fetch_and_wait(executor, transport, settings, std::move(request), url, *stop);
  };
  for (CredentialSourcePlan& plan : credential_sources_of(settings_, process_env_, stop_, logger_, issuer)) {
    sources_.push_back(std::make_shared<CredentialSource>(
        std::move(plan), CredentialSource::Environment{executor_, process_env_, *logger_}, [self = weak_from_this()] {
          const auto access = self.lock();
          if (access) access->guarded([&] { access->on_fetched(); });
        }));
  }
  executor_.post([self = weak_from_this()] {
    const auto access = self.lock();
    if (access) access->guarded([&] { access->schedule_proactive_renewal(); });
  });
}

// A client certificate is not left until the next request: watches would go on with the old one until then
// (client-go, transport/cert_rotation.go).
void SharedAccess::schedule_proactive_renewal() {
  std::optional<Instant> next;
  for (const auto& source : sources_) {
    const auto at = source->renews_proactively_at();
    if (at && (!next || *at < *next)) next = at;
  }
  renewal_timer_.reset();
  if (next) renewal_timer_ = executor_.schedule(*next, [this] { renew_proactively(); });
}

void SharedAccess::renew_proactively() {
  try {
    for (const auto& source : sources_) {
      if (source->renews_proactively_at()) source->renew_if_due();
    }
  } catch (...) {
    Error error = error_of_exception();
    renewal_timer_ = executor_.schedule(executor_.now() + kRetryAfterException, [this] { renew_proactively(); });
    fail_all(std::move(error));
  }
}

void SharedAccess::fail_all(Error error) {
  const auto self = shared_from_this();
  stale_wait_timer_.reset();
  const auto failed = std::exchange(pending_auths_, {});
  const Expected<RequestAuth> outcome = std::move(error);
  for_each_despite_exceptions(failed, [&](const PendingAuth& pending) { answer(pending, outcome); });
}

PendingCall SharedAccess::authenticate(Purpose purpose, AuthReady ready) {
  const auto fetch = std::make_shared<std::unique_ptr<HttpFetch>>();
  const CancellableCallback<void(Expected<RequestAuth>)> callback(
      [fetch, ready = std::move(ready)](Expected<RequestAuth> auth) { ready(std::move(auth)); });
  // Made first: when an exception leaves this function, the callback is cancelled.
  PendingCall handle = callback.handle();
  pending_auths_.push_back({purpose, callback, fetch});
  executor_.post([self = weak_from_this()] {
    const auto access = self.lock();
    if (access) access->guarded([&] { access->renew_and_answer(); });
  });
  return handle;
}

void SharedAccess::renew_and_answer() {
  for (const auto& source : sources_) source->renew_if_due();
  answer_when_renewed();
}

void SharedAccess::on_fetched() {
  schedule_proactive_renewal();
  answer_when_renewed();
}

void SharedAccess::answer_when_renewed() {
  const auto renewing = [](const auto& source) { return source->renewing(); };
  if (std::none_of(sources_.begin(), sources_.end(), renewing)) return answer_all();
  const auto must_be_awaited = [](const auto& r) { return r->renewing() && !r->usable_meanwhile(); };
  if (std::any_of(sources_.begin(), sources_.end(), must_be_awaited)) return stale_wait_timer_.reset();
  if (stale_wait_timer_) return;
  stale_wait_timer_ =
      executor_.schedule(executor_.now() + kMaxStaleWait, [this] { guarded([this] { answer_all(); }); });
}

void SharedAccess::answer_all() {
  const auto self = shared_from_this();
  stale_wait_timer_.reset();
  // Without a pending request too, watches of an old client certificate are ended now.
  if (pending_auths_.empty() && !connection_) return;
  const Expected<RequestAuth> outcome = auth_or_error();
  const auto answered = std::exchange(pending_auths_, {});
  for_each_despite_exceptions(answered, [&](const PendingAuth& pending) { answer(pending, outcome); });
}

// One answer for all.
Expected<RequestAuth> SharedAccess::auth_or_error() {
  try {
    return auth();
  } catch (...) {
    const Error error = error_of_exception();
    return error.status == Status::out_of_memory ? error : error.within("connection to " + server_);
  }
}

// The callback handles exceptions of its own once it is called.
void SharedAccess::answer(const PendingAuth& pending, const Expected<RequestAuth>& auth) {
  answering_exceptions(pending.ready, [&] { answer_for_purpose(pending, auth); });
}

void SharedAccess::answer_for_purpose(const PendingAuth& pending, Expected<RequestAuth> auth) {
  if (!pending.ready.pending()) return;
  if (!auth) return pending.ready(std::move(auth));
  if (pending.purpose == Purpose::request) return pending.ready(for_request(*std::move(auth)));
  if (settings_.headlamp && settings_.headlamp->stateless) return register_at_headlamp(pending, *auth);
  pending.ready(for_websocket(*std::move(auth)));
}

std::string SharedAccess::headlamp_prefix() const {
  const std::string& prefix = settings_.server.prefix;
  return prefix.substr(0, prefix.size() - settings_.headlamp->path.size());
}

RequestAuth SharedAccess::for_request(RequestAuth auth) const {
  if (!settings_.headlamp) return auth;
  const auto& headers = settings_.headlamp->http_headers;
  auth.headers.insert(auth.headers.end(), headers.begin(), headers.end());
  auth.headlamp_prefix = headlamp_prefix();
  return auth;
}

RequestAuth SharedAccess::for_websocket(RequestAuth auth) const {
  if (!settings_.headlamp) return auth;
  auth.subprotocols = settings_.headlamp->subprotocols;
  auth.headlamp_prefix = headlamp_prefix();
  return auth;
}

// A WebSocket handshake carries no kubeconfig, and the server forgets the cluster 20 seconds after the last request
// that did (stateless.go, ContextUpdateCacheTTL). What the cluster itself answers to /version does not matter.
void SharedAccess::register_at_headlamp(const PendingAuth& pending, const RequestAuth& auth) {
  transport::Request request;
  request.target = "/version";
  request.headers = for_request(auth).headers;
  request.response_timeout = settings_.request_timeout;
  request.idle_timeout = settings_.request_timeout;
  request.whole_timeout = kWholeDocument * settings_.request_timeout;
  auto answered = [this, pending, auth](Expected<FetchedAnswer> answer) {
    answering_exceptions(pending.ready, [&] {
      if (!answer) return pending.ready(answer.error().within("request before the WebSocket"));
      on_response_head(answer->head);
      pending.ready(for_websocket(auth));
    });
  };
  // Owned by the callback, and released with it.
  const auto fetch = pending.fetch.lock();
  *fetch = std::make_unique<HttpFetch>(auth.connection, std::move(request), settings_.server.text() + "/version",
                                       kMaxVersionSize, std::move(answered));
}

void SharedAccess::on_response_head(const transport::ResponseHead& head) {
  if (!settings_.headlamp) return;
  for (const auto& header : head.headers) {
    if (header.name != "x-reload" || header.value.find("reload") == std::string::npos) continue;
    reloads_.fetch_add(1, std::memory_order_relaxed);
    logger_->log(LogLevel::notice, "Headlamp " + server_ + " asks its clients to reload: its plugins have changed");
  }
}

Expected<RequestAuth> SharedAccess::auth() {
  Credentials credentials = credentials_of(settings_);
  for (const auto& source : sources_) {
    auto part = source->current();
    if (!part) return part.error();
    add(credentials, *part);
  }
  remember(credentials);
  auto connection = connection_for(credentials);
  if (!connection) return connection.error();
  RequestAuth auth{*std::move(connection), settings_.headers, {}, settings_.compression};
  if (!credentials.authorization.empty()) auth.headers.push_back({"Authorization", credentials.authorization});
  return auth;
}

// Other certificates make another connection. Exchanges on the old one continue, except watches that were opened with
// another client certificate: its user may have lost the permission.
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
  if (connection_ && tls.client_certificate_pem != connection_tls_.client_certificate_pem)
    end_watches_of_old_certificate();
  connection_ = *std::move(connection);
  if (may_rotate(settings_)) connection_ = std::make_shared<ClosableConnection>(connection_, watches_);
  connection_tls_ = std::move(tls);
  return connection_;
}

// What is fetched is a secret as well, and stays one after it was replaced.
void SharedAccess::remember(const Credentials& credentials) {
  const auto changed = [](std::string& before, const std::string& now) {
    return before != now && !(before = now).empty();
  };
  if (changed(remembered_.authorization, credentials.authorization)) {
    const std::size_t blank = credentials.authorization.find(' ');
    secrets_->add_fetched(std::string_view(credentials.authorization).substr(blank + 1));
  }
  if (changed(remembered_.key_pem, credentials.key_pem)) secrets_->add_fetched(credentials.key_pem);
}

void SharedAccess::end_watches_of_old_certificate() {
  logger_->log(LogLevel::info, "the client certificate for " + server_ + " has changed: its watches are opened again");
  executor_.post([old = std::exchange(watches_, std::make_shared<OpenWatches>())] { old->end(); });
}

bool SharedAccess::reject_credentials() {
  bool any = false;
  for (const auto& source : sources_) any = source->reject() || any;
  return any;
}

PendingCall SharedAccess::resolve(const QueryOptions& query, ResourcesReady ready) {
  return discovery_->resolve(query, Discovery::Known::counts, std::move(ready));
}

PendingCall SharedAccess::resolve_again(const QueryOptions& query, ResourcesReady ready) {
  return discovery_->resolve(query, Discovery::Known::is_out_of_date, std::move(ready));
}

}  // namespace ksr::cluster
