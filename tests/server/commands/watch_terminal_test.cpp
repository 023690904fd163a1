// ksr watch on a pseudo-terminal: what it leaves there after it was stopped and continued, and what it shows there.
#include <signal.h>

#include "cluster/harness/wait_until.hpp"
#include "server/commands/on_commands.hpp"

using namespace ksr::clustertest;
using ksr::testing::CommandServer;

namespace {

constexpr const char* kSwitch = "\x1b[?1049h";
constexpr const char* kSwitchBack = "\x1b[?1049l";

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

struct Watch {
  Watch() { on.server.script("populate pods 3 ns=default"); }

  void wait_for_screen(std::size_t number) {
    wait_until("the alternate screen", [&] { return count_of(program.output(), kSwitch) >= number; });
    wait_until("a keyboard without echo", [&] {
      program.output();
      return !program.terminal_is_cooked();
    });
  }

  void quit() {
    program.write("q");
    CHECK(program.wait() == 0);
    CHECK(program.terminal_is_cooked());
    CHECK(count_of(program.output(), kSwitch) == count_of(program.output(), kSwitchBack));
  }

  CommandServer on;
  StartedProgram program{on.command({"watch", "pods"}), TerminalSize{80, 24}};
};

}  // namespace

TEST_CASE("watch: the terminal is put back after a SIGCONT without a stop") {
  Watch watch;
  watch.wait_for_screen(1);
  watch.program.signal(SIGCONT);
  watch.wait_for_screen(2);
  watch.quit();
}

TEST_CASE("watch: the terminal is put back after a stop from outside") {
  Watch watch;
  watch.wait_for_screen(1);
  watch.program.signal(SIGSTOP);
  watch.program.signal(SIGCONT);
  watch.wait_for_screen(2);
  watch.quit();
}

TEST_CASE("watch: Ctrl-Z does not stop what nobody could continue") {
  Watch watch;
  watch.wait_for_screen(1);
  // The program leads its session: its process group is orphaned.
  watch.program.signal(SIGTSTP);
  watch.wait_for_screen(2);
  watch.quit();
}

TEST_CASE("watch of who may not list: cells are asked for again without a list") {
  CommandServer on;
  on.server.script(
      "create pods default/a\nwatchlist on\ndeny admin list pods\n"
      R"(fault get pods answer 200 times=forever body={"kind":"Table","apiVersion":"meta.k8s.io/v1",)"
      R"("columnDefinitions":[{"name":"Name","type":"string"}],"rows":[{"cells":["a"],"object":{"metadata":)"
      R"({"name":"a","namespace":"default","uid":"u","resourceVersion":"1"}}}]})");
  StartedProgram program{on.command({"watch", "pod", "a", "--set", "initial=watchlist"}), TerminalSize{80, 24}};
  wait_until("a row", [&] {
    program.output();
    return on.server.count_requests("get") >= 1;
  });
  const std::size_t lists = on.server.count_requests("list");
  wait_until("the row again", [&] {
    program.output();
    return on.server.count_requests("get") >= 2;
  });
  CHECK(on.server.count_requests("list") == lists);
  program.write("q");
  CHECK(program.wait() == 0);
}
