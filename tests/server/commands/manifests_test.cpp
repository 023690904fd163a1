// Manifests as the server gets them.
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

std::string pod_with(const std::string& note) {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    note: " + note;
}

}  // namespace

TEST_CASE("the last line of a file needs no line feed, also in a block scalar") {
  for (const char* end : {"", "\n", "\n\n"}) {
    CommandServer on;
    const CommandEnd made = on.run({"create", "-f", "-", "-o", "json"}, pod_with("|\n      text") + end);
    CHECK(made.errors == "");
    CHECK(has(made.output, R"("note": "text\n")"));
  }
}

TEST_CASE("a manifest that is cut off is not sent") {
  for (const char* note :
       {"\"text\n", "'text\n  more: 1\n", "text\n    other\n", "text\n  labels\n", "\"text\n---\n"}) {
    CommandServer on;
    for (const char* command : {"create", "apply"}) {
      const CommandEnd end = on.run({command, "-f", "-"}, pod_with(note));
      CHECK(end.status == 1);
      CHECK(end.output == "");
      CHECK(is_one_line(end.errors));
      CHECK(has(end.errors, "error parsing STDIN"));
      CHECK(has(end.errors, "is not valid YAML at line "));
    }
    CHECK(on.run({"get", "pods", "-o", "name"}).output == "");
    CHECK(on.run({"patch", "pod", "a", "-p", pod_with(note)}).status == 1);
  }
}

TEST_CASE("what apply cannot use is told with its file") {
  CommandServer on;
  const std::string head = "apiVersion: v1\nkind: Pod\nmetadata: ";
  CHECK(on.run({"apply", "-f", "-"}, head + "{generateName: a-}").errors ==
        "error: STDIN: Pod: apply cannot use the generateName \"a-\"; expected a name, or create\n");
  for (const char* name : {"a/b", "..", ".", "a%2fb"}) {
    CHECK(on.run({"apply", "-f", "-"}, head + "{name: " + name + "}").errors ==
          std::string("error: STDIN: Pod \"") + name +
              "\": invalid name; expected none of . and .., and neither / nor % in it\n");
  }
}

TEST_CASE("--force-conflicts is advised where it helps") {
  const std::string status = R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":409,"reason":"Conflict",)"
                             R"("message":"Precondition failed: UID in precondition: 1, UID in object meta: 2")";
  const auto apply = [&](const std::string& details) {
    CommandServer on;
    on.server.script("fault write pods answer 409 times=forever body=" + status + details + "}");
    return on.run({"apply", "-f", "-"}, pod_with("x\n")).errors;
  };
  CHECK_FALSE(has(apply(""), "--force-conflicts"));
  CHECK_FALSE(has(apply(R"(,"details":{"name":"a","kind":"pods"})"), "--force-conflicts"));
  CHECK(has(apply(R"(,"details":{"causes":[{"reason":"FieldManagerConflict","message":"m","field":".f"}]})"),
            " (--force-conflicts takes these fields over)\n"));
}

TEST_CASE("what is wrong with a request without a kind and a name is told without empty quotes") {
  CommandServer on;
  on.server.script(
      R"(fault write pods answer 422 times=forever body={"kind":"Status","apiVersion":"v1","status":"Failure",)"
      R"("code":422,"reason":"Invalid","message":" \"\" is invalid: patch: Invalid value: x","details":{"causes":)"
      R"([{"reason":"FieldValueInvalid","message":"Invalid value: x","field":"patch"}]}})");
  CHECK(on.run({"patch", "pod", "a", "-p", "{}"}).status == 1);
  CHECK(on.run({"create", "-f", "-"}, pod_with("x\n")).errors ==
        "error when creating \"STDIN\": The request is invalid: patch: Invalid value: x\n");
}
