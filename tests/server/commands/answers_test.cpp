// Answers that are a success by their HTTP status and no object.
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

constexpr const char* kManifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

struct BadAnswer {
  const char* body;
  const char* error;
};

constexpr BadAnswer kBadAnswers[] = {
    {"\"<html>login</html>\"", "the server's answer is not JSON"},
    {"\"\"", "the server's answer is not JSON"},
    {"null", "the server's answer is no JSON object"},
    {"[]", "the server's answer is no JSON object"},
    {"{}", "it has no kind"},
    {R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":500,"reason":"InternalError","message":"boom"})",
     "Error from server (InternalError): "},
};

// All commands that ask for objects.
const std::vector<std::vector<std::string>> kCommands{
    {"get", "pod", "a"},
    {"get", "pod", "a", "-o", "name"},
    {"get", "pods"},
    {"get", "pods", "-o", "json"},
    {"create", "-f", "-"},
    {"apply", "-f", "-"},
    {"patch", "pod", "a", "-p", "{}", "--type", "merge"},
    {"delete", "pod", "a"},
    {"delete", "pod", "a", "--wait=false", "--ignore-not-found"},
    {"delete", "pods", "--all"},
    {"wait", "pod/a", "--for=delete"},
    {"wait", "pods", "--all", "--for=delete"},
    {"wait", "pod/a", "--for=create", "--timeout=0"},
    {"can-i", "get", "pods"},
    {"exec", "a", "--", "true"},
    {"logs", "-l", "app=web"},
};

}  // namespace

TEST_CASE("what is no object is never a success") {
  for (const BadAnswer& bad : kBadAnswers) {
    CommandServer on;
    for (const char* verb : {"get pods", "list pods", "write pods", "any /apis/authorization.k8s.io/v1/selfsubject"}) {
      on.server.script(std::string("fault ") + verb + " answer 200 times=forever body=" + bad.body);
    }
    for (const std::vector<std::string>& command : kCommands) {
      const CommandEnd end = on.run(command, kManifest);
      std::string line;
      for (const std::string& word : command) line += word + " ";
      CAPTURE(line);
      CAPTURE(bad.error);
      CAPTURE(end.output);
      CAPTURE(end.errors);
      CHECK(end.status == (command.front() == "exec" ? 255 : 1));
      // As kubectl's: what has come of several lists.
      if (command.back() != "json") CHECK(end.output == "");
      CHECK(is_one_line(end.errors));
      CHECK(has(end.errors, bad.error));
    }
  }
}

TEST_CASE("the error says what was asked for, and a Status is told as one that was refused") {
  CommandServer on;
  on.server.script("fault write pods answer 200 body=null");
  CHECK(on.run({"delete", "pod", "a"}).errors ==
        "error: delete of v1/pods \"a\": the server's answer is no JSON object (the request may have been carried "
        "out)\n");
  on.server.script(
      R"(fault write pods answer 201 body={"kind":"Status","apiVersion":"v1","status":"Failure","message":"boom"})");
  CHECK(on.run({"create", "-f", "-"}, kManifest).errors == "Error from server: error when creating \"STDIN\": boom\n");
}

TEST_CASE("a Status that says NotFound is an object that is not there") {
  CommandServer on;
  on.server.script(
      R"(fault get pods answer 200 times=forever body={"kind":"Status","apiVersion":"v1","status":"Failure",)"
      R"("code":404,"reason":"NotFound","message":"pods \"a\" not found"})");
  CHECK(on.run({"wait", "pod/a", "--for=delete"}).status == 0);
  const CommandEnd missing = on.run({"get", "pod", "a"});
  CHECK(missing.status == 1);
  CHECK(missing.errors == "Error from server (NotFound): pods \"a\" not found\n");
}

TEST_CASE("a list whose items are null is empty") {
  CommandServer on;
  on.server.script(R"(fault list pods answer 200 times=forever body={"kind":"PodList","apiVersion":"v1",)"
                   R"("metadata":{"resourceVersion":"1"},"items":null})");
  const CommandEnd table = on.run({"get", "pods"});
  CHECK(table.status == 0);
  CHECK(table.output == "");
  CHECK(table.errors == "No resources found in default namespace.\n");
  CHECK(on.run({"get", "pods", "-o", "name"}).output == "");
  CHECK(has(on.run({"get", "pods", "-o", "json"}).output, "\"items\": [],"));
  CHECK(on.run({"delete", "pods", "--all"}).output == "No resources found\n");
}

TEST_CASE("a Table whose rows are null is empty, sorted too") {
  CommandServer on;
  on.server.script(R"(fault list pods answer 200 times=forever body={"kind":"Table","apiVersion":"meta.k8s.io/v1",)"
                   R"("metadata":{},"columnDefinitions":[{"name":"Name","type":"string"}],"rows":null})");
  for (const char* more : {"--no-headers", "--sort-by=.metadata.name"}) {
    const CommandEnd end = on.run({"get", "pods", more});
    CHECK(end.status == 0);
    CHECK(end.errors == "No resources found in default namespace.\n");
  }
}

TEST_CASE("ksr watch says why the server's table has not come") {
  CommandServer on;
  on.server.script(
      "create pods default/a\n"
      R"(fault list pods answer 200 times=forever skip=1 body={"kind":"Status","apiVersion":"v1","status":"Failure",)"
      R"("message":"boom"})");
  const CommandEnd end = on.run({"watch", "pods", "--once"});
  CHECK(end.status == 0);
  CHECK(has(end.output, "a"));
  CHECK(has(end.errors, "the server's table did not come: Error from server: boom"));
}
