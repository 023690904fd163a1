#include <doctest/doctest.h>

#include "base/text.hpp"
#include "json/api_status.hpp"

namespace ksr::json::testing {
namespace {

TEST_CASE("a Status, as servers write it") {
  const auto status = parse_api_status(
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Timeout: Too large resource )"
      R"(version: 999, current: 500","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge",)"
      R"("message":"Too large resource version"}],"retryAfterSeconds":1},"code":504})"
      "\n");
  REQUIRE(status);
  CHECK(status->code == 504);
  CHECK(status->reason == "Timeout");
  CHECK(status->message == "Timeout: Too large resource version: 999, current: 500");
  CHECK(status->retry_after_seconds == 1);
  REQUIRE(status->causes.size() == 1);
  CHECK(status->causes[0].reason == "ResourceVersionTooLarge");
  CHECK(status->causes[0].message == "Too large resource version");
  CHECK(status->causes[0].field == "");
}

TEST_CASE("fields that are missing, or of another type") {
  const auto bare = parse_api_status(R"({"kind":"Status"})");
  REQUIRE(bare);
  CHECK(bare->code == 0);
  CHECK(bare->reason == "");
  CHECK_FALSE(bare->retry_after_seconds);
  const auto odd = parse_api_status(
      R"({"new":[{}],"kind":"Status","code":"410","reason":7,"message":null,"details":{"causes":[1,{"field":"f"}],)"
      R"("retryAfterSeconds":-5}})");
  REQUIRE(odd);
  CHECK(odd->code == 0);
  CHECK(odd->message == "");
  CHECK_FALSE(odd->retry_after_seconds);
  REQUIRE(odd->causes.size() == 1);
  CHECK(odd->causes[0].field == "f");
  CHECK(parse_api_status(R"({"kind":"Status","code":99999999999})")->code == 0);
  CHECK(parse_api_status(R"({"kind":"Status","details":"x","code":1e2})")->code == 100);
  std::string causes = R"({"kind":"Status","details":{"causes":[{})";
  for (int i = 0; i < 1000; ++i) causes += ",{}";
  CHECK(parse_api_status(causes + "]}}")->causes.size() == 64);
}

TEST_CASE("strings of a Status are one line of bounded length, and its wait is bounded") {
  const auto status = parse_api_status(R"({"kind":"Status","message":"a\nb\u0000c","reason":"In\rternal","code":500,)"
                                       R"("details":{"retryAfterSeconds":2000000000}})");
  REQUIRE(status);
  CHECK(status->message == "a b?c");
  CHECK(status->reason == "In ternal");
  CHECK(status->retry_after_seconds == kMaxRetryAfter.count());
  const auto large = parse_api_status(R"({"kind":"Status","message":")" + std::string(900'000, 'x') + R"("})");
  REQUIRE(large);
  CHECK(large->message.size() == kMaxForeignText);
}

TEST_CASE("the object that a refusal is about") {
  CHECK(parse_api_status(R"({"kind":"Status","details":{"name":"web","kind":"pods"}})")->object_name == "web");
  CHECK(parse_api_status(R"({"kind":"Status","details":{"kind":"pods"}})")->object_name == "");
}

TEST_CASE("the Status of a request that timed out has no kind and no apiVersion") {
  const auto status = parse_api_status(
      R"({"metadata":{},"status":"Failure","message":"Timeout: request did not complete","reason":"Timeout",)"
      R"("details":{},"code":504})");
  REQUIRE(status);
  CHECK(status->code == 504);
  CHECK(status->reason == "Timeout");
  for (const char* text : {R"({"status":"Failure","code":504})", R"({"metadata":{},"status":"error","code":403})",
                           R"({"metadata":{},"status":"Failure"})", R"({"code":403,"message":"Forbidden"})",
                           R"({"apiVersion":"v1","metadata":{},"status":"Failure","code":403})"}) {
    CHECK_MESSAGE(!parse_api_status(text), text);
  }
}

TEST_CASE("what makes a Status is compared as it came, not as it is shown") {
  for (const char* other : {R"({"kind":"Status  "})", R"({"kind":" Status"})", R"({"kind":"Status\n"})",
                            R"({"kind":"Status\u0000"})", R"({"metadata":{},"status":"Failure ","code":504})"}) {
    CAPTURE(other);
    CHECK_FALSE(parse_api_status(other));
  }
}

TEST_CASE("what is not a Status") {
  for (const char* text : {"", "404 page not found\n", "Too many requests, please try again later.\n", "{}", "[]",
                           "null", R"({"kind":"Pod"})", R"({"kind":["Status"]})", R"({"kind":"Status")",
                           R"({"kind":"Status"}x)", "{\"kind\":\"Status\",\"message\":\"\xff\"}"}) {
    CHECK_MESSAGE(!parse_api_status(text), text);
  }
  CHECK_FALSE(parse_api_status(R"({"kind":"Status","x":)" + std::string(100000, '[')));
  CHECK_FALSE(parse_api_status(R"({"kind":"Status","x":")" + std::string(std::size_t{2} << 20, 'x') + R"("})"));
}

}  // namespace
}  // namespace ksr::json::testing
