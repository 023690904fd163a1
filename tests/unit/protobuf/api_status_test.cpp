#include "protobuf/api_status.hpp"

#include <doctest/doctest.h>

#include "json/api_status.hpp"
#include "unit/protobuf/messages.hpp"

using namespace ksr;
using namespace ksr::protobuf;

namespace {

std::string not_found() {
  const std::string details =
      bytes_field(1, "a") + bytes_field(2, "") + bytes_field(3, "configmaps") + number_field(5, 0) + bytes_field(6, "");
  return bytes_field(1, bytes_field(1, "") + bytes_field(2, "") + bytes_field(3, "")) + bytes_field(2, "Failure") +
         bytes_field(3, "configmaps \"a\" not found") + bytes_field(4, "NotFound") + bytes_field(5, details) +
         number_field(6, 404);
}

}  // namespace

TEST_CASE("a Status in protobuf becomes the JSON that the server would have sent") {
  CHECK(status_as_json(enveloped("v1", "Status", not_found())) ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"configmaps \"a\" not found",)"
        R"("reason":"NotFound","details":{"name":"a","kind":"configmaps"},"code":404})");
}

TEST_CASE("causes, a uid and a wait") {
  const std::string cause = bytes_field(1, "DisruptionBudget") + bytes_field(2, "no") + bytes_field(3, ".spec");
  const std::string details =
      bytes_field(4, cause) + bytes_field(4, bytes_field(1, "Other")) + number_field(5, 10) + bytes_field(6, "u-1");
  const auto text = status_as_json(
      enveloped("v1", "Status", bytes_field(2, "Failure") + bytes_field(5, details) + number_field(6, 429)));
  REQUIRE(text);
  const auto status = json::parse_api_status(*text);
  REQUIRE(status);
  CHECK(status->code == 429);
  CHECK(status->retry_after_seconds == 10);
  REQUIRE(status->causes.size() == 2);
  CHECK(status->causes[0].reason == "DisruptionBudget");
  CHECK(status->causes[0].field == ".spec");
  CHECK(text->find(R"("uid":"u-1","causes":)") != std::string::npos);
}

TEST_CASE("what is no Status in protobuf, at every cut too") {
  CHECK_FALSE(status_as_json(R"({"kind":"Status"})"));
  CHECK_FALSE(status_as_json(enveloped("v1", "Pod", not_found())));
  CHECK_FALSE(status_as_json(""));
  const std::string whole = enveloped("v1", "Status", not_found());
  // The two empty fields at the end may be missing.
  for (std::size_t cut = 0; cut + 4 < whole.size(); ++cut) {
    const auto text = status_as_json(std::string_view(whole).substr(0, cut));
    CHECK_MESSAGE(!text, cut);
  }
}

TEST_CASE("fields that a newer server adds do not matter") {
  CHECK(status_as_json(enveloped("v1", "Status", number_field(99, 1) + bytes_field(98, "x") + number_field(6, 404))));
}
