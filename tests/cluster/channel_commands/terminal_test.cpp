// ksr exec -it and attach -it on a pseudo-terminal.
#include <doctest/doctest.h>
#include <signal.h>

#include "cluster/channel_commands/programs.hpp"
#include "cluster/harness/node_pod.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;

namespace {

void wait_until_raw(StartedProgram& program) {
  wait_until("a raw terminal", [&] {
    program.output();
    return !program.terminal_is_cooked();
  });
}

}  // namespace

TEST_CASE("exec -it: keys pass as they are, the size follows the window, the terminal is put back") {
  const std::string ns = Cluster::shared().fresh_namespace("tty");
  NodePod pod(shared_node(), ns, "web");
  StartedProgram program(
      shell(ns, "$ksr exec -it web -- env PS1=ready: bash --norc; echo \"status $?\"; stty -a; read -r line"),
      {91, 33});
  program.wait_for_output("ready:");
  CHECK_FALSE(program.terminal_is_cooked());
  program.write("stty size; echo 'a'\"b\"\r");
  program.wait_for_output("33 91");
  program.wait_for_output("\nab\r\n");
  program.resize({120, 40});
  // The size is told apart from the keys.
  program.write("until [ \"$(stty size)\" = '40 120' ]; do sleep 0.02; done; echo 'resiz''ed'\r");
  program.wait_for_output("resized");
  // Ctrl-C is a key like any other, and ends what runs there alone.
  // In the foreground already when it says so: a shell that is about to start a program would wait for its end.
  program.write("sh -c 'echo wai\"\"ting; exec sleep 600'\r");
  program.wait_for_output("waiting");
  program.write("\x03");
  program.wait_for_output("^C");
  program.write("echo 'inter''rupted'\r");
  program.wait_for_output("interrupted");
  program.write("exit 5\r");
  program.wait_for_output("status 5");
  // Of stty; " echo " was typed before.
  program.wait_for_output(" icanon ");
  CHECK(program.terminal_is_cooked());
  program.write("\n");
  CHECK(program.wait() == 0);
}

TEST_CASE("exec -it: signals put the terminal back") {
  const std::string ns = Cluster::shared().fresh_namespace("tty-signals");
  NodePod pod(shared_node(), ns, "web");
  // SIGKILL shows that the test would tell.
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGKILL}) {
    StartedProgram program(ksr_command(ns, {"exec", "-it", "web", "--", "sh", "-c", "echo runs; sleep 600"}), {80, 24});
    program.wait_for_output("runs");
    wait_until_raw(program);
    program.signal(number);
    CHECK(program.wait() == 128 + number);
    CHECK(program.terminal_is_cooked() == (number != SIGKILL));
  }
}

TEST_CASE("exec -it: stopped and continued") {
  const std::string ns = Cluster::shared().fresh_namespace("tty-stop");
  NodePod pod(shared_node(), ns, "web");
  StartedProgram program(
      shell(ns,
            "set -m; $ksr exec -it web -- sh -c 'echo runs; read -r word; echo \"got $word\"; exit 3'; "
            "echo \"stopped $?\"; fg >/dev/null; echo \"status $?\"; read -r line"),
      {80, 24});
  program.wait_for_output("runs");
  wait_until_raw(program);
  // Of a raw terminal nothing but a signal can do it; to the foreground group.
  program.signal_foreground(SIGTSTP);
  program.wait_for_output("stopped " + std::to_string(128 + SIGTSTP));
  wait_until_raw(program);
  program.write("on\r");
  program.wait_for_output("got on");
  program.wait_for_output("status 3");
  CHECK(program.terminal_is_cooked());
}

TEST_CASE("exec -t without a terminal runs without one") {
  const std::string ns = Cluster::shared().fresh_namespace("tty-none");
  NodePod pod(shared_node(), ns, "web");
  run_both(ns, {"exec", "-i", "-t", "web", "--", "sh", "-c", "test -t 1 || echo none; cat"}, "input\n",
           Compare::errors);
  run_both(ns, {"exec", "-t", "web", "--", "sh", "-c", "test -t 1 || echo none"}, "", Compare::errors);
  run_both(ns, {"exec", "-tiq", "web", "--", "cat"}, "input\n", Compare::errors);
}

TEST_CASE("Ctrl-C without a terminal at the other end ends ksr") {
  const std::string ns = Cluster::shared().fresh_namespace("tty-interrupt");
  NodePod pod(shared_node(), ns, "web");
  StartedProgram program(ksr_command(ns, {"exec", "-i", "web", "--", "sh", "-c", "echo runs; cat"}), TerminalSize{});
  program.wait_for_output("runs");
  CHECK(program.terminal_is_cooked());
  program.write("\x03");
  CHECK(program.wait() == 128 + SIGINT);
}

TEST_CASE("attach -it: the container's terminal draws itself again and follows the window") {
  const std::string ns = Cluster::shared().fresh_namespace("tty-attach");
  NodePod pod(shared_node(), ns, "web", NodePodOptions{{"main"}, {}, {{"tty", true}, {"stdin", true}}});
  StartedProgram program(ksr_command(ns, {"attach", "-it", "web"}), {80, 24});
  program.wait_for_output("If you don't see a command prompt");
  program.wait_for_output("size 80x24");
  wait_until_raw(program);
  program.resize({100, 30});
  program.wait_for_output("size 100x30");
  program.write("typed\r");
  program.wait_for_output("typed\r");
  pod.terminate(0);
  CHECK(program.wait() == 0);
  // One that has no terminal.
  NodePod plain(shared_node(), ns, "plain");
  StartedProgram without(ksr_command(ns, {"attach", "-it", "plain"}), {80, 24});
  without.wait_for_output("Unable to use a TTY - container main did not allocate one");
  without.write("typed\n");
  without.wait_for_output("typed\r\ntyped\r\n");
  plain.terminate(0);
  CHECK(without.wait() == 0);
}
