#include "request/api_call.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/exception_error.hpp"
#include "base/secrets.hpp"
#include "base/thread_check.hpp"
#include "cluster/header_secrets.hpp"
#include "cluster/refusal.hpp"

namespace ksr::request {

using sync::CallFailure;
using sync::RetryDecision;

namespace {

// The server has answered: that discovery does not must not hide it for long.
constexpr Milliseconds kResolveAgainLimit{10'000};

CallFailure refusal_of(const transport::ResponseHead& head, const std::string& body) {
  cluster::Refusal refusal = cluster::read_call_refusal(head, body, std::chrono::system_clock::now());
  CallFailure failure;
  failure.error = std::move(refusal.error);
  failure.status = std::move(refusal.status);
  failure.answered = true;
  return failure;
}

}  // namespace

ApiCall::ApiCall(Environment environment, Params params, std::string name_space, Done done)
    : environment_(std::move(environment)),
      params_(std::move(params)),
      name_space_(std::move(name_space)),
      done_(std::move(done)),
      policy_(params_.retries.value_or(sync::Retries::safe), is_safe(params_)),
      maybe_done_(is_safe(params_)) {}

ApiCall::~ApiCall() = default;

template <class Step>
void ApiCall::guarded(Step&& step) {
  KSR_ASSERT_ON_THREAD(environment_.executor);
  // The callback at the end may drop the last reference.
  const auto self = shared_from_this();
  if (ended_) return;
  try {
    step();
  } catch (...) {
    if (ended_) throw;
    Error error = error_of_exception();
    maybe_done_.break_off(is_sent());
    error.maybe_done = maybe_done_.before();
    finish(std::move(error));
  }
}

void ApiCall::start() {
  guarded([this] {
    environment_.counts->requests.fetch_add(1, std::memory_order_relaxed);
    if (params_.timeout.count() > 0) {
      deadline_ = environment_.executor.now() + params_.timeout;
      deadline_timer_ = environment_.executor.schedule(*deadline_, [this] { guarded([this] { on_deadline(); }); });
    }
    find_resources();
  });
}

void ApiCall::cancel() {
  KSR_ASSERT_ON_THREAD(environment_.executor);
  ended_ = true;
  pending_.cancel();
  end_try();
  wait_timer_.reset();
  deadline_timer_.reset();
  const Done dropped = std::exchange(done_, nullptr);
}

// ---- what to send ---------------------------------------------------------------------------------------------------

// A resource that is named in full needs no discovery: its path says whether it has a namespace.
void ApiCall::find_resources() {
  if (verb_of(params_) == Verb::raw) return try_candidate();
  std::vector<cluster::Resource> named;
  for (const std::string& name : params_.resources) {
    auto parsed = cluster::parse_resource(name);
    if (!parsed) return fail(parsed.error());
    if (std::optional<cluster::Resource> full = *std::move(parsed)) named.push_back(*std::move(full));
  }
  if (named.size() == params_.resources.size() && !params_.namespace_of_context) {
    resources_ = std::move(named);
    return try_candidate();
  }
  pending_ = environment_.access->resolve(names(), [this](Expected<std::vector<cluster::Resource>> found) {
    guarded([&] {
      if (const Error* error = found.if_error()) {
        CallFailure failure{error->within("resolving the resource")};
        failure.answered = error->http_status != 0 && error->status != Status::transport &&
                           error->status != Status::timeout && error->status != Status::tls;
        failure.before_request = true;
        return on_failure(std::move(failure));
      }
      resources_ = std::move(found).value();
      try_candidate();
    });
  });
}

cluster::QueryOptions ApiCall::names() const {
  cluster::QueryOptions query;
  query.resources = params_.resources;
  if (!name_space_.empty()) query.namespaces = {name_space_};
  query.namespaces_of_context = params_.namespace_of_context;
  query.listable_only = false;
  return query;
}

// Once: a version of it may be served no longer.
void ApiCall::find_resources_again(Error unknown) {
  unknown_ = std::move(unknown);
  resolves_again_ = true;
  pending_ = environment_.access->resolve_again(names(), [this](Expected<std::vector<cluster::Resource>> found) {
    guarded([&] {
      wait_timer_.reset();
      resolves_again_ = false;
      if (!found || *found == resources_) return fail(*unknown_);
      resources_ = std::move(found).value();
      candidate_ = 0;
      try_candidate();
    });
  });
  wait_timer_ = environment_.executor.schedule(environment_.executor.now() + kResolveAgainLimit, [this] {
    guarded([this] {
      const auto fired = std::move(wait_timer_);
      fail(*unknown_);
    });
  });
}

const cluster::Resource* ApiCall::resource() const {
  return candidate_ < resources_.size() ? &resources_[candidate_] : nullptr;
}

// The namespace of the context does not apply to a cluster-scoped resource.
std::string ApiCall::name_space() const {
  const cluster::Resource* known = resource();
  return known != nullptr && known->namespaced == false ? std::string() : name_space_;
}

void ApiCall::try_candidate() {
  Expected<CallPlan> plan = plan_call(params_, resource(), name_space());
  if (!plan) return fail(plan.error());
  plan_ = std::move(plan).value();
  try_once();
}

// ---- one try --------------------------------------------------------------------------------------------------------

void ApiCall::try_once() {
  pending_ = environment_.access->authenticate(cluster::Purpose::request, [this](Expected<cluster::RequestAuth> auth) {
    guarded([&] { send(std::move(auth)); });
  });
}

void ApiCall::send(Expected<cluster::RequestAuth> auth) {
  if (const Error* error = auth.if_error()) {
    CallFailure failure{*error};
    failure.before_request = true;
    return on_failure(std::move(failure));
  }
  transport::Request request;
  request.method = plan_.method;
  request.target = plan_.target;
  if (plan_.tell_timeout && deadline_) {
    const auto left = std::chrono::duration_cast<Milliseconds>(*deadline_ - environment_.executor.now());
    request.target = target_with_timeout(plan_, left);
  }
  if (params_.below_headlamp_url) {
    if (const auto sent = cluster::send_to_headlamp(request, *auth); !sent) return fail(sent.error());
  }
  request.headers = plan_.headers;
  cluster::add_headers(request, *auth);
  request.body = plan_.body;
  request.accept_gzip = auth->compression;
  environment_.counts->bytes_sent.fetch_add(plan_.body.size(), std::memory_order_relaxed);
  maybe_done_.begin_try();
  connection_ = std::move(auth->connection);
  exchange_ = connection_->send(std::move(request), *this);
}

void ApiCall::on_head(const transport::ResponseHead& head) {
  guarded([&] {
    head_ = head;
    environment_.access->on_response_head(head);
  });
}

void ApiCall::on_body(std::string_view bytes) {
  guarded([&] {
    environment_.counts->bytes_received.fetch_add(bytes.size(), std::memory_order_relaxed);
    if (!transport::is_2xx(head_.status)) {
      body_.append(bytes.substr(0, transport::kMaxRefusedCall - body_.size()));
      if (body_.size() == transport::kMaxRefusedCall) judge(std::nullopt);
      return;
    }
    if (bytes.size() <= params_.max_body - body_.size()) {
      body_.append(bytes);
      return;
    }
    const int http_status = head_.status;
    end_try();
    // The server has answered 2xx.
    maybe_done_.set();
    fail(Error{Status::too_large,
               "the body of the answer is larger than max_body, " + std::to_string(params_.max_body) + " bytes", "",
               http_status});
  });
}

void ApiCall::on_end(const std::optional<Error>& error) {
  guarded([&] { judge(error); });
}

void ApiCall::judge(const std::optional<Error>& error) {
  // A refusal whose body is incomplete is still a refusal.
  if (head_.status != 0 && !transport::is_2xx(head_.status)) return on_failure(refusal_of(head_, body_));
  if (error) return on_failure(CallFailure{*error});
  if (head_.status == 0) {
    return on_failure(CallFailure{Error{Status::protocol, "the connection ended before a response came", "", 502}});
  }
  std::vector<std::string> warnings = warnings_in_utf8(head_);
  for (std::string& warning : warnings) {
    warning = cluster::without_secrets_in(plan_.headers, environment_.access->secrets()->blanked(warning));
  }
  finish(ResponseRef(new Response(head_, std::move(warnings), std::move(body_))));
}

// ---- what follows ---------------------------------------------------------------------------------------------------

void ApiCall::on_failure(CallFailure failure) {
  end_try();
  maybe_done_.end_try(failure);
  if (sync::is_missing_api(failure) && candidate_ + 1 < resources_.size()) {
    ++candidate_;
    return try_candidate();
  }
  if (sync::is_missing_api(failure) && !unknown_ && !cluster::are_full_names(params_.resources)) {
    return find_resources_again(std::move(failure.error));
  }
  const Instant now = environment_.executor.now();
  const bool too_late = deadline_ && now >= *deadline_;
  const RetryDecision decision =
      too_late ? RetryDecision{} : policy_.decide(failure, now, deadline_, *environment_.random);
  if (decision.what == RetryDecision::What::give_up) return fail(std::move(failure.error));
  environment_.counts->retries.fetch_add(1, std::memory_order_relaxed);
  if (decision.what == RetryDecision::What::retry_with_new_credentials) environment_.access->reject_credentials();
  wait(decision.delay);
}

// Also before a retry without delay: the try that has failed may be on the stack.
void ApiCall::wait(Milliseconds delay) {
  wait_timer_ = environment_.executor.schedule(environment_.executor.now() + delay, [this] {
    guarded([this] {
      const auto fired = std::move(wait_timer_);
      plan_.target.empty() ? find_resources() : try_once();
    });
  });
}

void ApiCall::on_deadline() {
  if (head_.status != 0 && !transport::is_2xx(head_.status)) return judge(std::nullopt);
  if (resolves_again_) return fail(*unknown_);
  const std::string connecting = exchange_ ? exchange_->connecting() : std::string();
  Error error{Status::timeout,
              (connecting.empty() ? "no answer" : connecting + ": not done") + " within " +
                  std::to_string(params_.timeout.count()) + " ms",
              "", 408};
  maybe_done_.break_off(is_sent());
  fail(std::move(error));
}

void ApiCall::end_try() {
  exchange_.reset();
  connection_.reset();
  head_ = {};
  body_ = {};
}

void ApiCall::fail(Error error) {
  maybe_done_.tell(error);
  error = environment_.access->secrets()->blanked(std::move(error));
  error = cluster::without_secrets_in(plan_.headers, std::move(error));
  finish(error.within(context_of(params_, resource(), name_space(), environment_.access->server())));
}

void ApiCall::finish(Expected<ResponseRef> outcome) {
  if (ended_) return;
  ended_ = true;
  if (!outcome) environment_.counts->errors.fetch_add(1, std::memory_order_relaxed);
  // One that is cancelled before this outcome is known to the host has been carried out all the same.
  if (outcome) maybe_done_.set();
  end_try();
  pending_.cancel();
  wait_timer_.reset();
  deadline_timer_.reset();
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(outcome));
}

}  // namespace ksr::request
