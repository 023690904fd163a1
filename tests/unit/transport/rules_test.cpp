// What may go into a request.
#include <doctest/doctest.h>

#include "transport/header_rules.hpp"

using namespace ksr::transport;
using ksr::Status;

namespace {

std::string refusal_of(const std::string& name, const std::string& value, bool websocket = false, bool gzip = false) {
  Request request;
  request.target = "/";
  request.headers = {{name, value}};
  request.accept_gzip = gzip;
  const auto error = check_request(request, websocket);
  if (!error) return "";
  CHECK(error->status == Status::invalid);
  return error->message;
}

}  // namespace

TEST_CASE("a header that could break out of its line is refused by its name, without its value") {
  for (const std::string& value :
       {std::string("Bearer s3cret\r\nX: y"), std::string("s3cret\n"), std::string("s3cret\r"),
        std::string("s3cret\0x", 8), std::string("s3cret\x7f"), std::string("s3cret\x01")}) {
    const std::string refusal = refusal_of("Authorization", value);
    CHECK(refusal.find("Authorization") != std::string::npos);
    CHECK(refusal.find("s3cret") == std::string::npos);
    CHECK(refusal.find('\n') == std::string::npos);
  }
  for (const char* name : {"", "A B", "A:", "A\r\nB", "\xc3\xa9", "A\x01"}) CHECK_FALSE(refusal_of(name, "x").empty());
  CHECK(refusal_of("X-Name_1", "any \t text \xc3\xa9").empty());
}

TEST_CASE("headers that frame the message are the transport's") {
  for (const char* name :
       {"Host", "connection", "CONTENT-LENGTH", "Transfer-Encoding", "Upgrade", "Sec-WebSocket-Key"}) {
    CHECK_FALSE(refusal_of(name, "x").empty());
    CHECK_FALSE(refusal_of(name, "x", true).empty());
  }
  CHECK(refusal_of("Origin", "x").empty());
  CHECK_FALSE(refusal_of("Origin", "x", true).empty());
  CHECK(refusal_of("Accept-Encoding", "gzip").empty());
  CHECK_FALSE(refusal_of("Accept-Encoding", "br", false, true).empty());
}

// RFC 9110, section 15.3.4: 203 is 200 with a body that a proxy has changed.
TEST_CASE("200 and 203 are success, other statuses are not") {
  CHECK(is_success(200));
  CHECK(is_success(203));
  for (const int status : {0, 101, 201, 202, 204, 206, 299, 301, 304, 400, 404, 500}) CHECK_FALSE(is_success(status));
}

TEST_CASE("lists are split at commas, without spaces and empty elements") {
  CHECK(list_parts("a, b") == std::vector<std::string>{"a", "b"});
  CHECK(list_parts(" ,a\t,,b , ") == std::vector<std::string>{"a", "b"});
  CHECK(list_parts("").empty());
  CHECK(list_parts(" , ").empty());
  CHECK(has_list_token("upgrade, Close", "close"));
  CHECK_FALSE(has_list_token("closed", "close"));
  CHECK_FALSE(has_list_token("close", "closed"));
  CHECK_FALSE(has_list_token("", "close"));
}

TEST_CASE("targets are percent-encoded paths") {
  for (const char* good : {"/", "/api/v1/pods?limit=500&continue=a%3D%3d", "/a;b@c:d,e(f)", "/?a=b/c?d"}) {
    CHECK_MESSAGE(is_request_target(good), good);
  }
  for (const char* bad :
       {"", "api", "http://x/", "/a b", "/a\r\nX: y", "/%", "/%4", "/%zz", "/a#b", "/\xc3\xa9", "/a\"b"}) {
    CHECK_FALSE_MESSAGE(is_request_target(bad), bad);
  }
  CHECK_FALSE(is_request_target(std::string_view("/a\0b", 4)));
}
