// What --set has for requests and channels, and retries, which are told when they take long.
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

TEST_CASE("--set takes keys of the channel that the command opens") {
  CommandServer on;
  on.server.script(R"(create pods default/web {"spec":{"containers":[{"name":"main"}]},"status":{"phase":"Running"}})");
  for (const char* protocol : {"v4", "v5"}) {
    on.server.script("stream exec web exit=4");
    const CommandEnd end = on.run({"exec", "web", "--set", std::string("exec_protocol=") + protocol, "--", "true"});
    CAPTURE(end.errors);
    CHECK(end.status == 4);
    REQUIRE(!on.server.streams().empty());
    CHECK(has(on.server.streams().back().protocol, protocol));
  }
  for (const char* command : {"exec", "attach", "logs", "port-forward"}) {
    const CommandEnd unknown = on.run({command, "web", "--set", "no_such_key=1"});
    CHECK(unknown.status == 1);
    CHECK(unknown.errors ==
          "error: --set: unknown key no_such_key; ksr-config(5) lists those of the connection and of channels\n");
    const CommandEnd wrong = on.run({command, "web", "--set", "receive_buffer=large"});
    CHECK(wrong.status == 1);
    CHECK(has(wrong.errors, "error: --set: params key receive_buffer: expected"));
  }
}

TEST_CASE("--set takes keys of the requests that the command sends") {
  CommandServer on;
  on.server.script("create pods default/a\nfault list pods answer 500");
  const CommandEnd once = on.run({"get", "pods", "-o", "name", "--set", "retries=never"});
  CHECK(once.status == 1);
  CHECK(is_one_line(once.errors));
  CHECK(on.run({"get", "pods", "-o", "name", "--set", "retries=safe"}).output == "pod/a\n");
  // Of what is written alone: the object is read first.
  CHECK(on.run({"patch", "pod", "a", "--type", "merge", "-p", "{}", "--set", "dry_run=true"}).status == 0);
  CHECK(on.run({"get", "pods", "--set", "no_such_key=1"}).errors ==
        "error: --set: unknown key no_such_key; ksr-config(5) lists those of the connection and of requests\n");
  CHECK(has(on.run({"get", "pods", "--set", "exec_protocol=v4"}).errors, "exec_protocol: is for channels"));
  CHECK(on.run({"get", "pods", "--set", "verb=delete"}).errors == "error: --set verb: is chosen by ksr\n");
}

TEST_CASE("a call that is tried again for longer than a second is told") {
  CommandServer on;
  on.server.script("create pods default/a\nfault list pods answer 503 retry-after=3 times=2");
  const CommandEnd read = on.run({"get", "pods", "-o", "name"});
  CHECK(read.status == 0);
  CHECK(read.output == "pod/a\n");
  CHECK(read.errors == "Warning: list of v1/pods has failed; trying again\n");
  on.server.script("fault write pods answer 429 retry-after=3");
  const CommandEnd write = on.run({"delete", "pod", "a", "--wait=false"});
  CHECK(write.status == 0);
  CHECK(write.errors == "Warning: delete of v1/pods \"a\" has failed; trying again\n");
  on.server.script("fault any /api answer 500 times=1\nfault any /api answer 500 retry-after=3 times=1");
  const CommandEnd first = on.run({"get", "pods", "-o", "name"});
  CHECK(first.status == 0);
  CHECK(has(first.errors, "Warning: Error from server (InternalError): "));
  CHECK(has(first.errors, "; trying again\n"));
}
