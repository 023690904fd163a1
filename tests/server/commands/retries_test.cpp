// What --set has for requests and channels, and retries, which are told when they take long.
#include <signal.h>

#include <chrono>
#include <thread>

#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

const std::string kLogged = R"(create pods default/a {"spec":{"nodeName":"n","containers":[{"name":"main"}]},"status":)"
                            R"({"phase":"Running","containerStatuses":[{"name":"main","state":{"running":{}}}]}}
)";

}  // namespace

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
  CHECK(on.run({"patch", "pod", "a", "--type", "merge", "-p", "{}", "--set", "field_manager=me"}).status == 0);
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
  CHECK(first.errors == "Warning: GET of /api has failed; trying again\n");
}

TEST_CASE("the first request, too, is sent again when the server asks for it, and five times at most") {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"raw", "/readyz"}, {"get", "--raw", "/readyz"}}) {
    CommandServer on;
    on.server.script("fault any /readyz answer 503 retry-after=3");
    const CommandEnd passed = on.run(command);
    CAPTURE(command.back());
    CHECK(passed.status == 0);
    // The wait was longer than a second.
    CHECK(has(passed.errors, "of /readyz has failed; trying again\n"));
    on.server.script("fault any /readyz answer 503 retry-after=1 times=forever");
    const std::size_t before = on.server.requests().size();
    CHECK(on.run(command).status == 1);
    CHECK(on.server.requests().size() - before == 6);
  }
}

TEST_CASE("--request-timeout counts for all tries: one that would begin later is not made") {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"raw", "/api"}, {"get", "pods"}}) {
    CommandServer on;
    on.server.script("fault any /api answer 503 retry-after=20 times=forever");
    std::vector<std::string> limited = command;
    limited.emplace_back("--request-timeout=10s");
    const CommandEnd end = on.run(limited);
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(is_one_line(end.errors));
    CHECK(has(end.errors, "ServiceUnavailable"));
    CHECK(on.server.requests().size() == 1);
  }
}

TEST_CASE("--request-timeout is a duration as kubectl takes it, with and without -w, and for ksr watch") {
  CommandServer on;
  on.server.script("create pods default/a");
  for (const char* time : {"1m30s", "90.5s", "60", "0", "1h"}) {
    const std::string option = std::string("--request-timeout=") + time;
    CAPTURE(time);
    CHECK(on.run({"get", "pods", "-o", "name", option}).output == "pod/a\n");
    CHECK(on.run({"get", "pods", "-w", "--once", "-o", "name", option}).output == "pod/a\n");
    CHECK(on.run({"watch", "pods", "--once", "-o", "name", option}).output == "pod/a\n");
  }
  for (const char* command : {"get", "watch"}) {
    CHECK(has(on.run({command, "pods", "--request-timeout=soon"}).errors,
              "--request-timeout: expected a duration such as 30s or 1h30m"));
  }
}

TEST_CASE("a server that cannot be reached is an error at once") {
  CommandServer on;
  // The last --server counts; nothing listens on port 1.
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"get", "pods", "--server=http://127.0.0.1:1"},
        {"raw", "/readyz", "--server=http://127.0.0.1:1"}}) {
    const CommandEnd end = on.run(command);
    CHECK(end.status == 1);
    CHECK(is_one_line(end.errors));
    CHECK_FALSE(has(end.errors, "trying again"));
  }
}

TEST_CASE("--set retries=never is taken by all commands") {
  CommandServer on;
  on.server.script("create pods default/a");
  const CommandEnd watched = on.run({"get", "pods", "-w", "--once", "-o", "name", "--set", "retries=never"});
  CHECK(watched.errors == "");
  CHECK(watched.output == "pod/a\n");
  for (const std::vector<std::string>& command : {std::vector<std::string>{"raw", "/version"},
                                                  {"get", "--raw", "/version"},
                                                  {"logs", "a"},
                                                  {"get", "pods", "-w"}}) {
    std::vector<std::string> once = command;
    once.insert(once.end(), {"--set", "retries=never"});
    on.server.script("clear\nfault any / answer 503 retry-after=3 times=forever");
    const std::size_t before = on.server.requests().size();
    const CommandEnd end = on.run(once);
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(is_one_line(end.errors));
    CHECK(on.server.requests().size() - before == 1);
  }
}

TEST_CASE("--request-timeout is the limit of logs, and with -f that of their beginning") {
  CommandServer on;
  on.server.script(kLogged + "log default/a line=one end\nfault log * answer 503 times=forever");
  for (const char* follow : {"--follow=false", "--follow"}) {
    const CommandEnd end = on.run({"logs", "a", follow, "--request-timeout=2500ms", "--set", "retries=safe"});
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(has(end.errors, "error: the log of pod/a/main has not "));
    CHECK(has(end.errors, " within 2500ms (--request-timeout)\n"));
  }
  // One that has begun goes on.
  on.server.script("clear\nlog default/a restart\nlog default/a line=one");
  const auto followed = on.start({"logs", "a", "-f", "--request-timeout=3s"});
  followed->wait_for_output("one");
  std::this_thread::sleep_for(std::chrono::milliseconds(3'500));
  on.server.script("log default/a line=two");
  followed->wait_for_output("two");
  followed->signal(SIGINT);
  followed->wait();
  CHECK(followed->errors() == "");
}

TEST_CASE("logs -f -p shows the log of the instance before, which does not go on") {
  CommandServer on;
  on.server.script(kLogged + "log default/a line=old\nlog default/a restart\nlog default/a line=new");
  const CommandEnd end = on.run({"logs", "a", "-f", "-p"});
  CHECK(end.errors == "");
  CHECK(end.status == 0);
  CHECK(end.output == "old\n");
}
