#include "sync/call_retries.hpp"

#include <doctest/doctest.h>

#include "unit/request/keys.hpp"

using namespace ksr;
using namespace ksr::sync;
using ksr::request::testing::FixedRandom;

namespace {

using What = RetryDecision::What;

const Instant kNow{std::chrono::hours(1)};

CallFailure answered(int http_status) {
  CallFailure failure;
  failure.error = Error{status_of_refused_call(http_status), "refused", "", http_status};
  failure.answered = true;
  return failure;
}

CallFailure broken(bool maybe_done, Status status = Status::transport) {
  CallFailure failure;
  failure.error = Error{status, "broken", "", 502};
  failure.error.maybe_done = maybe_done;
  return failure;
}

RetryDecision decide(Retries retries, bool safe, const CallFailure& failure) {
  FixedRandom random;
  return RetryPolicy(retries, safe).decide(failure, kNow, std::nullopt, random);
}

bool retried(Retries retries, bool safe, const CallFailure& failure) {
  return decide(retries, safe, failure).what == What::retry;
}

}  // namespace

TEST_CASE("what reads is tried again after transport failures, 429 and 500 to 504") {
  for (const int code : {429, 500, 501, 502, 503, 504}) CHECK(retried(Retries::safe, true, answered(code)));
  for (const int code : {400, 403, 404, 405, 408, 409, 410, 422, 505}) {
    CHECK_FALSE(retried(Retries::safe, true, answered(code)));
  }
  CHECK(retried(Retries::safe, true, broken(false)));
  CHECK(retried(Retries::safe, true, broken(false, Status::timeout)));
  // Of this machine, which passes.
  CHECK(retried(Retries::safe, true, broken(false, Status::out_of_memory)));
  CHECK(retried(Retries::safe, false, broken(false, Status::out_of_memory)));
  CHECK_FALSE(retried(Retries::safe, true, broken(false, Status::tls)));
  CHECK_FALSE(retried(Retries::safe, true, broken(false, Status::protocol)));
  CHECK_FALSE(retried(Retries::never, true, broken(false)));
  // A proxy that wants other credentials, before and after the tunnel.
  CallFailure of_proxy = broken(false);
  of_proxy.error.http_status = 407;
  CHECK_FALSE(retried(Retries::all, true, of_proxy));
  CHECK_FALSE(retried(Retries::all, true, answered(407)));
}

TEST_CASE("retries=answered: a failure is the end until the server has answered once") {
  CHECK_FALSE(retried(Retries::answered, true, broken(false)));
  CHECK_FALSE(retried(Retries::answered, true, broken(false, Status::timeout)));
  CHECK(retried(Retries::answered, true, answered(503)));
  CHECK(retried(Retries::answered, false, answered(429)));
  CHECK_FALSE(retried(Retries::answered, false, answered(503)));
  FixedRandom random;
  RetryPolicy policy(Retries::answered, true);
  CHECK(policy.decide(answered(503), kNow, std::nullopt, random).what == What::retry);
  CHECK(policy.decide(broken(false), kNow, std::nullopt, random).what == What::retry);
}

TEST_CASE("what writes is tried again only when it was surely not carried out") {
  CHECK(retried(Retries::safe, false, broken(false)));
  CHECK_FALSE(retried(Retries::safe, false, broken(true)));
  for (const int code : {500, 502, 503, 504, 409, 404}) CHECK_FALSE(retried(Retries::safe, false, answered(code)));
  CHECK(retried(Retries::safe, false, answered(429)));
  CHECK_FALSE(retried(Retries::never, false, answered(429)));
  CHECK(retried(Retries::all, false, broken(true)));
  CHECK(retried(Retries::all, false, answered(503)));
}

TEST_CASE("before the request itself nothing can have been carried out") {
  CallFailure failure = answered(503);
  failure.before_request = true;
  CHECK(retried(Retries::safe, false, failure));
  CHECK_FALSE(may_be_done(failure, false));
  failure = answered(404);
  failure.before_request = true;
  CHECK_FALSE(is_missing_api(failure));
}

TEST_CASE("the 429 of a disruption budget is an answer") {
  CallFailure failure = answered(429);
  failure.status.emplace();
  failure.status->causes.push_back({"DisruptionBudget", "", ""});
  CHECK_FALSE(retried(Retries::safe, false, failure));
  CHECK_FALSE(retried(Retries::all, false, failure));
  CHECK_FALSE(may_be_done(failure, false));
  failure.status->causes[0].reason = "Other";
  CHECK(retried(Retries::safe, false, failure));
}

TEST_CASE("401 is followed by new credentials once") {
  FixedRandom random;
  RetryPolicy policy(Retries::safe, false);
  CHECK(policy.decide(answered(401), kNow, std::nullopt, random).what == What::retry_with_new_credentials);
  CHECK(policy.decide(answered(401), kNow, std::nullopt, random).what == What::give_up);
  CHECK(decide(Retries::never, true, answered(401)).what == What::give_up);
}

TEST_CASE("at most five retries, with delays from 0.8 s to 8 s") {
  FixedRandom random;
  RetryPolicy policy(Retries::safe, true);
  for (const int delay : {800, 1'600, 3'200, 6'400, 8'000}) {
    const RetryDecision decision = policy.decide(answered(503), kNow, std::nullopt, random);
    CHECK(decision.what == What::retry);
    CHECK(decision.delay.count() == delay);
  }
  CHECK(policy.decide(answered(503), kNow, std::nullopt, random).what == What::give_up);
}

TEST_CASE("Retry-After counts, and a retry that would come too late is none") {
  FixedRandom random;
  CallFailure failure = answered(429);
  failure.error.retry_after = std::chrono::seconds(3);
  CHECK(decide(Retries::safe, false, failure).delay == std::chrono::seconds(3));
  RetryPolicy policy(Retries::safe, true);
  CHECK(policy.decide(failure, kNow, kNow + std::chrono::seconds(3), random).what == What::give_up);
  CHECK(policy.decide(failure, kNow, kNow + std::chrono::seconds(4), random).what == What::retry);
}

TEST_CASE("what may have been carried out") {
  CHECK(may_be_done(broken(true), false));
  CHECK_FALSE(may_be_done(broken(false), false));
  CHECK_FALSE(may_be_done(broken(true), true));
  for (const int code : {500, 502, 503, 504, 408}) {
    CHECK(may_be_done(answered(code), false));
    CHECK_FALSE(may_be_done(answered(code), true));
  }
  for (const int code : {400, 401, 403, 404, 409, 413, 422, 429, 301}) CHECK_FALSE(may_be_done(answered(code), false));
}

TEST_CASE("what is known of a call over all of its tries") {
  Error error{Status::conflict, "refused"};
  {
    MaybeDone known(false);
    CHECK_FALSE(known.get());
    known.begin_try();
    CHECK(known.get());
    known.end_try(answered(429));
    CHECK_FALSE(known.get());
    known.begin_try();
    // Without a connection.
    known.break_off(false);
    CHECK_FALSE(known.before());
    // Nothing is under way.
    known.break_off(true);
    known.tell(error);
    CHECK(error.message == "refused");
    CHECK_FALSE(error.maybe_done);
    known.begin_try();
    known.break_off(true);
    CHECK(known.before());
    known.begin_try();
    known.end_try(answered(409));
    CHECK(known.get());
    known.tell(error);
    CHECK(error.message == "refused (the request may have been carried out)");
    CHECK(error.maybe_done);
    known.tell(error);
    CHECK(error.message == "refused (the request may have been carried out)");
  }
  MaybeDone reads(true);
  reads.begin_try();
  reads.break_off(true);
  reads.begin_try();
  reads.end_try(broken(true));
  reads.set();
  CHECK_FALSE(reads.get());
  CHECK_FALSE(reads.before());
}

TEST_CASE("a missing API and a missing object") {
  CHECK(is_missing_api(answered(404)));
  CallFailure failure = answered(404);
  failure.status.emplace();
  CHECK(is_missing_api(failure));
  failure.status->object_name = "web";
  CHECK_FALSE(is_missing_api(failure));
  CHECK_FALSE(is_missing_api(answered(403)));
}
