#include "cluster/refusal.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::cluster;
using std::chrono::seconds;
using std::chrono::system_clock;

namespace {

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const system_clock::time_point example{seconds(784111777)};

transport::ResponseHead head(int status, std::string content_type = "application/json", std::string retry_after = "") {
  transport::ResponseHead made;
  made.status = status;
  made.content_type = std::move(content_type);
  made.retry_after = std::move(retry_after);
  return made;
}

}  // namespace

TEST_CASE("Retry-After in seconds and as a date") {
  CHECK(*parse_retry_after("5", example) == seconds(5));
  CHECK(*parse_retry_after("0", example) == seconds(0));
  CHECK(*parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", example - seconds(90)) == seconds(90));
  CHECK(*parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", example + seconds(90)) == seconds(0));
  CHECK(*parse_retry_after("Thu, 29 Feb 2024 12:00:00 GMT", system_clock::time_point(seconds(1709208000 - 7))) ==
        seconds(7));
  CHECK(*parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", example - seconds(90)) == seconds(90));
  CHECK(*parse_retry_after("Sun Nov  6 08:49:37 1994", example - seconds(90)) == seconds(90));
  CHECK(*parse_retry_after("999999999", example) == seconds(600));
  for (const char* bad : {"", "soon", "-1", "1.5", "Sun, 06 Nov 1994", "Sunday, 06-Nov-94 08:49:37",
                          "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_retry_after(bad, example));
  }
}

TEST_CASE("a Status body gives reason, message and wait") {
  const auto refusal = read_refusal(
      head(429),
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"storage is (re)initializing",)"
      R"("reason":"TooManyRequests","details":{"retryAfterSeconds":1},"code":429})",
      example);
  CHECK(refusal.error.status == Status::throttled);
  CHECK(refusal.error.http_status == 429);
  CHECK(refusal.error.reason == "TooManyRequests");
  CHECK(*refusal.error.retry_after == seconds(1));
  CHECK(refusal.error.message.find("storage is (re)initializing") != std::string::npos);
  REQUIRE(refusal.status);
  CHECK(refusal.status->code == 429);
}

TEST_CASE("a Status in YAML is read as one in JSON") {
  const std::string body =
      "apiVersion: v1\nkind: Status\nstatus: Failure\nmessage: Cannot evict\nreason: TooManyRequests\n"
      "details:\n  causes:\n  - reason: DisruptionBudget\n  retryAfterSeconds: 10\ncode: 429\n";
  for (const auto& refusal : {read_refusal(head(429, "application/yaml"), body, example),
                              read_call_refusal(head(429, "application/yaml; charset=utf-8"), body, example)}) {
    CHECK(refusal.error.message == "the server answered 429 Too Many Requests - Cannot evict");
    CHECK(refusal.error.reason == "TooManyRequests");
    CHECK(*refusal.error.retry_after == seconds(10));
    REQUIRE(refusal.status);
    REQUIRE(refusal.status->causes.size() == 1);
    CHECK(refusal.status->causes[0].reason == "DisruptionBudget");
  }
  CHECK(read_call_refusal(head(429, "application/yaml"), body, example).error.details.front() == '{');
  const auto broken = read_call_refusal(head(500, "application/yaml"), "a: [", example);
  CHECK(broken.error.message == "the server answered 500 Internal Server Error");
  CHECK(broken.error.details.empty());
}

TEST_CASE("a body in YAML that is much longer than a Status, or has many more values, is not read") {
  const std::string status = "kind: Status\nmessage: Cannot evict\n";
  const auto answer = [&](const std::string& more) {
    return read_call_refusal(head(429, "application/yaml"), status + more, example);
  };
  CHECK(answer("code: 429\n").status);
  CHECK(answer("details: " + std::string(32'000, 'x') + "\n").status);
  CHECK_FALSE(answer("details: " + std::string(33'000, 'x') + "\n").status);
  std::string values;
  for (int i = 0; i < 2'000; ++i) values += "- v\n";
  CHECK(answer("code: 429\ndetails:\n" + values.substr(0, 4 * 1'900)).status);
  const auto unread = answer("code: 429\ndetails:\n" + values);
  CHECK_FALSE(unread.status);
  CHECK(unread.error.message == "the server answered 429 Too Many Requests");
  CHECK(unread.error.details.empty());
}

TEST_CASE("a refusal over plain HTTP names the proxy, which alone answers 407") {
  transport::ResponseHead through = head(407);
  through.proxy = "proxy.test:3128";
  CHECK(read_refusal(through, "", example).error.message ==
        "the proxy proxy.test:3128 answered 407 Proxy Authentication Required");
  through.status = 502;
  CHECK(read_refusal(through, "", example).error.message ==
        "the server answered 502 Bad Gateway through proxy proxy.test:3128");
  CHECK(read_refusal(head(407), "", example).error.message == "the server answered 407 Proxy Authentication Required");
}

TEST_CASE("a body that is not a Status gives the status code") {
  const auto plain = read_refusal(head(404, "text/plain; charset=utf-8"), "404 page not found\n", example);
  CHECK(plain.error.status == Status::not_found);
  CHECK(plain.error.message == "the server answered 404 Not Found: 404 page not found");
  const auto throttled =
      read_refusal(head(429, "text/plain", "32"), "Too many requests, please try again later.\n", example);
  CHECK(*throttled.error.retry_after == seconds(32));
  const auto html = read_refusal(head(503, "text/html"), "<html>Bearer s3cret</html>", example);
  CHECK(html.error.status == Status::server);
  CHECK(html.error.message.find("s3cret") == std::string::npos);
}

TEST_CASE("what the server says is made one line without control characters") {
  const auto refusal =
      read_refusal(head(500), "{\"kind\":\"Status\",\"message\":\"a\\nb\\u001b[31mc\",\"code\":500}", example);
  CHECK(refusal.error.message.find('\n') == std::string::npos);
  CHECK(refusal.error.message.find('\x1b') == std::string::npos);
}

TEST_CASE("a redirect and an odd success are protocol errors") {
  CHECK(read_refusal(head(302), "", example).error.status == Status::protocol);
  CHECK(read_refusal(head(204), "", example).error.status == Status::protocol);
}

TEST_CASE("Retry-After is capped, whatever it says") {
  CHECK(*parse_retry_after("99999999999", example) == seconds(600));
  CHECK(*parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", example) == seconds(600));
  CHECK(*parse_retry_after("Sun, 06 Nov 1560 08:49:37 GMT", example) == seconds(0));
}
