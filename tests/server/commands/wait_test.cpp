// `ksr wait` and the waits of other commands: what is watched, waits that cannot be made, and their time limits.
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

bool watches(CommandServer& on, const char* what) {
  for (const auto& request : on.server.requests()) {
    if (request.verb == "watch" && has(request.target, what)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("wait: an object that was found by its labels is watched by its name alone") {
  CommandServer on;
  on.server.script("create pods default/a app=web");
  const auto deleted = on.start({"wait", "pods", "-l", "app=web", "--for=delete", "--timeout=60s"});
  on.server.script("wait watches pods 1\nupdate pods default/a app=none");
  // It is still there.
  on.server.script("sleep 1s");
  CHECK(deleted->running());
  on.server.script("delete pods default/a");
  CHECK(deleted->wait() == 0);
  CHECK(deleted->output() == "pod/a condition met\n");
  CHECK_FALSE(watches(on, "labelSelector"));

  on.server.script("create pods default/b app=web");
  const auto met = on.start({"wait", "pods", "-l", "app=web", "--for=/spec/y=1", "--timeout=60s"});
  on.server.script(R"(wait watches pods 1
update pods default/b app=none {"spec":{"y":"1"}})");
  CHECK(met->wait() == 0);
  CHECK(met->output() == "pod/b condition met\n");
}

TEST_CASE("wait for the creation of what is selected is a watch of what is selected") {
  CommandServer on;
  const auto created = on.start({"wait", "pods", "-l", "app=web", "--for=create", "--timeout=60s"});
  on.server.script("wait watches pods 1\ncreate pods default/other\ncreate pods default/a app=web");
  CHECK(created->wait() == 0);
  CHECK(created->output() == "pod/a condition met\n");
}

TEST_CASE("a deletion whose end cannot be waited for is an error, and so is a wait") {
  for (const char* code : {"400", "401", "403"}) {
    CommandServer on;
    on.server.script(std::string("create pods default/a\ncreate pods default/b\nfault list pods answer ") + code +
                     " times=forever\nfault watch pods answer " + code + " times=forever\nfault get pods answer " +
                     code + " times=forever");
    const CommandEnd end = on.run({"delete", "pod", "a"});
    CAPTURE(code);
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(end.output == "pod \"a\" deleted from default namespace\n");
    CHECK(is_one_line(end.errors));
    CHECK(has(end.errors, "error when waiting for the deletion of pods/a: "));
    const CommandEnd waited = on.run({"wait", "pod/b", "--for=delete", "--timeout=-1s"});
    CHECK(waited.status == 1);
    CHECK(is_one_line(waited.errors));
  }
}

TEST_CASE("the time limit of a wait is also that of what is asked meanwhile") {
  CommandServer on;
  on.server.script(R"(create pods default/a app=web {"status":{"phase":"Pending"}}
create deployments default/web {"spec":{"selector":{"matchLabels":{"app":"web"}}}}
fault get pods stall bytes=0 times=forever
fault list pods stall bytes=0 times=forever)");
  const CommandEnd waited = on.run({"wait", "pod/a", "--for=/spec/y", "--timeout=2s", "--request-timeout=0"});
  CHECK(waited.status == 1);
  CHECK(waited.errors == "error: timed out waiting for the condition on pods/a\n");
  const CommandEnd selected =
      on.run({"wait", "pods", "-l", "app=web", "--for=/spec/y", "--timeout=2s", "--set", "timeout=5m"});
  CHECK(selected.status == 1);
  CHECK(selected.errors == "error: timed out waiting for the condition\n");
  const CommandEnd deleted = on.run({"delete", "pod", "a", "--timeout=2s", "--request-timeout=0"});
  CHECK(deleted.status == 1);
  CHECK(deleted.errors == "error: timed out waiting for the condition on pods/a\n");

  // Who may not watch the pods lists them, again and again.
  on.server.script(R"(clear
create pods default/b app=web {"status":{"phase":"Pending"}}
deny admin watch pods
fault list pods stall bytes=0 skip=2 times=forever)");
  const CommandEnd forwarded =
      on.run({"port-forward", "deploy/web", "80", "--pod-running-timeout=3s", "--request-timeout=0"});
  CHECK(forwarded.status == 1);
  CHECK(has(forwarded.errors, "error: none of the pods of deployment.apps/web is running\n"));
}

TEST_CASE("a limit of its own that a request has counts within that of the wait") {
  CommandServer on;
  on.server.script("create pods default/a\nfault get pods stall bytes=0 times=forever");
  const CommandEnd end = on.run({"wait", "pod/a", "--for=/spec/y", "--timeout=10m", "--request-timeout=2s"});
  CHECK(end.status == 1);
  CHECK(is_one_line(end.errors));
  CHECK_FALSE(has(end.errors, "timed out waiting for the condition"));
}
