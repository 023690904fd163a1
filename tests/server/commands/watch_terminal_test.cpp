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

TEST_CASE("watch: a job in the background leaves the terminal to the shell, and has keys in the foreground") {
  CommandServer on;
  on.server.script("populate pods 3 ns=default");
  StartedProgram shell({"/bin/bash", "--noprofile", "--norc", "-i"}, TerminalSize{200, 24});
  std::string line;
  for (const std::string& word : on.command({"watch", "pods"})) line += "'" + word + "' ";
  shell.write("unset HISTFILE; " + line + "&\n");
  on.server.script("wait watches pods 1");
  shell.write("sleep 1.5; echo still-$((1 + 1))\n");
  shell.wait_for_output("still-2");
  CHECK(count_of(shell.output(), kSwitch) == 0);
  shell.write("fg\n");
  shell.wait_for_output(kSwitch);
  shell.write("q");
  shell.wait_for_output(kSwitchBack);
  shell.write("echo ended-$?\n");
  shell.wait_for_output("ended-0");
  // Stopped by a key, and continued in the background.
  shell.write(line + "\n");
  wait_until("the screen", [&] { return count_of(shell.output(), kSwitch) == 2; });
  shell.write("\x1a");
  wait_until("the shell's screen", [&] { return count_of(shell.output(), kSwitchBack) == 2; });
  shell.write("bg\n");
  shell.write("sleep 1.5; echo still-$((1 + 2))\n");
  shell.wait_for_output("still-3");
  CHECK(count_of(shell.output(), kSwitch) == 2);
  shell.write("fg\n");
  wait_until("the screen again", [&] { return count_of(shell.output(), kSwitch) == 3; });
  shell.write("q");
  wait_until("the end", [&] { return count_of(shell.output(), kSwitchBack) == 3; });
  shell.write("exit 0\n");
  CHECK(shell.wait() == 0);
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
