// `ksr wait` and the wait of `ksr delete`: what is watched, and waits that cannot be made.
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
