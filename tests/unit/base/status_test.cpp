#include "base/status.hpp"

#include <doctest/doctest.h>

#include <string>

#include "base/expected.hpp"

using namespace ksr;

TEST_CASE("every status has its name") {
  CHECK(std::string(status_name(Status::ok)) == "KSR_OK");
  CHECK(std::string(status_name(Status::out_of_memory)) == "KSR_E_NOMEM");
  CHECK(std::string(status_name(Status::gone)) == "KSR_E_GONE");
  CHECK(std::string(status_name(static_cast<Status>(-999))) == "KSR_E_UNKNOWN");
}

TEST_CASE("HTTP refusals map to their codes") {
  CHECK(status_of_http(401) == Status::auth);
  CHECK(status_of_http(403) == Status::forbidden);
  CHECK(status_of_http(404) == Status::not_found);
  CHECK(status_of_http(410) == Status::gone);
  CHECK(status_of_http(429) == Status::throttled);
  CHECK(status_of_http(500) == Status::server);
  CHECK(status_of_http(418) == Status::server);
  // Lists and watches keep the codes they have.
  CHECK(status_of_http(409) == Status::server);
}

TEST_CASE("refusals of other calls map to two codes more") {
  CHECK(status_of_refused_call(401) == Status::auth);
  CHECK(status_of_refused_call(404) == Status::not_found);
  CHECK(status_of_refused_call(409) == Status::conflict);
  for (const int status : {400, 405, 406, 413, 415, 422}) CHECK(status_of_refused_call(status) == Status::rejected);
  CHECK(status_of_refused_call(418) == Status::server);
  CHECK(status_of_refused_call(504) == Status::server);
}

TEST_CASE("an Expected holds a value or an error") {
  const Expected<int> value = 7;
  CHECK(value.has_value());
  CHECK(value.if_error() == nullptr);
  CHECK(*value == 7);
  const Expected<int> failure = Error{Status::timeout, "too slow"};
  REQUIRE(failure.if_error() != nullptr);
  CHECK(failure.error().within("list of pods").message == "list of pods: too slow");
  CHECK(failure.error().within("list of pods").status == Status::timeout);
}
