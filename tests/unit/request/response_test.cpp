#include "request/response.hpp"

#include <doctest/doctest.h>

#include "cluster/warnings.hpp"

using namespace ksr;
using namespace ksr::request;
using ksr::cluster::parse_warnings;

namespace {

using Texts = std::vector<std::string>;

ResponseRef response_of(std::string body, std::vector<transport::Header> headers = {}) {
  const transport::ResponseHead head{200, "", "", std::move(headers)};
  return ResponseRef(new Response(head, warnings_in_utf8(head), std::move(body)));
}

}  // namespace

TEST_CASE("warnings of code 299, unquoted") {
  CHECK(parse_warnings("") == Texts{});
  CHECK(parse_warnings(R"(299 - "one")") == Texts{"one"});
  CHECK(parse_warnings(R"(299 - "a \"b\" \\ c")") == Texts{R"(a "b" \ c)"});
  CHECK(parse_warnings(R"(299 - "one" "Wed, 21 Oct 2015 07:28:00 GMT", 299 agent "two")") == (Texts{"one", "two"}));
  CHECK(parse_warnings(R"(199 - "no", 299 - "a, b" , 299 - "")") == (Texts{"a, b", ""}));
  // What is malformed ends the line.
  CHECK(parse_warnings(R"(299 - one)") == Texts{});
  CHECK(parse_warnings(R"(299 - "open)") == Texts{});
  CHECK(parse_warnings(R"(299 - "open\)") == Texts{});
  CHECK(parse_warnings(R"(299 - "one", garbage)") == Texts{"one"});
  CHECK(parse_warnings("299") == Texts{});
}

TEST_CASE("headers of one name are joined, in any case") {
  const ResponseRef response =
      response_of("", {{"x-a", "1"}, {"warning", R"(299 - "w1")"}, {"x-a", "2"}, {"warning", R"(299 - "w2")"}});
  REQUIRE(response->header("X-A") != nullptr);
  CHECK(*response->header("X-A") == "1, 2");
  CHECK(response->header("x-b") == nullptr);
  CHECK(response->warnings() == (Texts{"w1", "w2"}));
}

TEST_CASE("what is no UTF-8 in a header is replaced") {
  const ResponseRef response =
      response_of("", {{"x-a", "caf\xe9"}, {"x-a", "\xc3\xa9\xff"}, {"warning", "299 - \"\xe9 \xe2\x82\""}});
  CHECK(*response->header("x-a") == "caf\xef\xbf\xbd, \xc3\xa9\xef\xbf\xbd");
  CHECK(response->warnings() == Texts{"\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd"});
}

TEST_CASE("a JSON object is one, whatever it has") {
  const ResponseRef pod = response_of(
      R"( {"kind":"Pod","apiVersion":"v1","metadata":{"name":"we\u0062","namespace":"d","uid":"u","resourceVersion":"7",)"
      R"("creationTimestamp":"2026-01-01T00:00:00Z"}} )");
  REQUIRE(pod->object() != nullptr);
  CHECK(pod->object() == pod->object());
  CHECK(pod->object()->name() == "web");
  CHECK(pod->object()->uid() == "u");
  CHECK(pod->object()->field(store::Field::kind) == "Pod");
  CHECK(pod->object()->field(store::Field::json).front() == '{');
  const ResponseRef status = response_of(R"({"kind":"Status","status":"Success"})");
  REQUIRE(status->object() != nullptr);
  CHECK(status->object()->name() == "");
  CHECK(response_of(R"({"metadata":7,"kind":[]})")->object() != nullptr);
  // An API server passes on text that is no Unicode.
  const ResponseRef odd = response_of("{\"metadata\":{\"name\":\"a\xff\"},\"data\":\"\\ud800\"}");
  REQUIRE(odd->object() != nullptr);
  CHECK(odd->object()->name() == "a\xef\xbf\xbd");
  CHECK(odd->object()->field(store::Field::json) == "{\"metadata\":{\"name\":\"a\xef\xbf\xbd\"},\"data\":\"\\ufffd\"}");
  CHECK(odd->body().find('\xff') != std::string::npos);
  for (const char* body : {"", "ok", "[]", "{", "{} x", "7", "k8s", "{\xff}", "{\"a\":\"\xff\"} x"})
    CHECK(response_of(body)->object() == nullptr);
}

TEST_CASE("an object outlives its response") {
  store::ObjectRef kept;
  {
    const ResponseRef response = response_of(R"({"metadata":{"name":"a"}})");
    kept = store::ObjectRef(response->object());
  }
  CHECK(kept->name() == "a");
}
