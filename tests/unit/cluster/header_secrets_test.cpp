#include "cluster/header_secrets.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::cluster;

TEST_CASE("what a server repeats of the headers that authenticate is not shown, what it repeats of others is") {
  const std::vector<transport::Header> headers{{"X-Auth-Token", "S3CRETvalue0123"},
                                               {"Cookie", "id=S3CRETcookie"},
                                               {"X-Session", "S3CRETsession1"},
                                               {"X-Gateway", "Bearer S3CRETbearer12"},
                                               {"X-Request-Id", "plain-request-1"}};
  Error refusal{Status::server, "S3CRETvalue0123 was refused, 'S3CRETbearer12' too, for plain-request-1"};
  refusal.reason = "S3CRETsession1";
  const Error shown = without_secrets_in(headers, refusal);
  CHECK(shown.message == "*** was refused, '***' too, for plain-request-1");
  CHECK(shown.reason == "***");
  Error error;
  error.details = R"({"message":"id=S3CRETcookie"})";
  CHECK(without_secrets_in(headers, error).details == R"({"message":"***"})");
  CHECK(without_secrets_in(headers, std::string("closed: S3CRETvalue0123")) == "closed: ***");
  CHECK(without_secrets_in({}, std::string("as it is")) == "as it is");
}
