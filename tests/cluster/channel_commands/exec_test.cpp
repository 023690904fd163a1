// ksr exec and attach beside kubectl's, on the CRI streaming server; processes of this machine are the commands.
#include <doctest/doctest.h>
#include <signal.h>

#include <boost/json/parse.hpp>

#include "cluster/channel_commands/programs.hpp"
#include "cluster/harness/node_pod.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;

namespace {

constexpr int kNoExitCode = 255;

Words exec_sh(const std::string& script) {
  return {"exec", "web", "--", "sh", "-c", script};
}

// All bytes, and no two pieces of a kilobyte the same.
std::string bytes_of(std::size_t size) {
  std::string bytes;
  std::uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1664525U + 1013904223U;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

// Standard input stays open.
End run_with_open_input(const Words& argv, const std::string& input) {
  StartedProgram program(argv, StartedProgram::Input::pipe);
  program.write(input);
  const int status = program.wait();
  return {status, program.output(), program.errors()};
}

// Of a command that may end before all of its input has been read: where such bytes meet a connection that the kubelet
// has closed, the Status may be lost. v4 alone: over v5 kube-apiserver then says success (kubernetes/kubectl#1208).
void check_exit_code_of_v4(const std::string& ns, const std::string& script, const std::string& input, int code) {
  Words words{"--set", "exec_protocol=v4", "exec", "-i", "web", "--", "sh", "-c", script};
  const End end = run_with_open_input(ksr_command(ns, words), input);
  CAPTURE(end.status);
  CAPTURE(end.errors);
  const bool known = end.status == code;
  const bool not_known = end.status == kNoExitCode && !end.errors.empty();
  CHECK((known || not_known));
}

}  // namespace

TEST_CASE("exec: output, errors and exit codes, as kubectl passes them on") {
  const std::string ns = Cluster::shared().fresh_namespace("exec");
  NodePod pod(shared_node(), ns, "web");
  run_both(ns, exec_sh("echo out; echo err >&2"), "", Compare::errors);
  for (const char* code : {"7", "126", "127", "255"}) {
    run_both(ns, exec_sh(std::string("exit ") + code), "", Compare::errors);
  }
  run_both(ns, exec_sh("kill -9 $$"), "", Compare::errors);
  run_both(ns, {"exec", "pod/web", "-c", "main", "--", "echo", "-n", "", "a b", "*", "--", "-i"}, "", Compare::errors);
  run_both(ns, {"exec", "web", "-q", "--", "false"});
  CHECK(run_with_open_input(ksr_command(ns, {"exec", "-i", "web", "--", "sh", "-c", "exit 9"}), "").status == 9);
  check_exit_code_of_v4(ns, "exit 9", "not read", 9);
  // Standard input is not passed on without -i.
  run_both(ns, exec_sh("cat; echo end"), "not passed on");
}

TEST_CASE("exec -i: the end of standard input, binary bytes, 10 MB in either direction and in both") {
  const std::string ns = Cluster::shared().fresh_namespace("exec-input");
  NodePod pod(shared_node(), ns, "web");
  run_both(ns, {"exec", "-i", "web", "--", "cat"}, "over there\n", Compare::errors);
  run_both(ns, {"exec", "-i", "web", "--", "cat"}, "", Compare::errors);
  const std::string reads_a_line = "read line; echo \"$line\"; exit 3";
  const End read_a_line =
      run_with_open_input(ksr_command(ns, {"exec", "-i", "web", "--", "sh", "-c", reads_a_line}), "one\n");
  CHECK(read_a_line.status == 3);
  CHECK(read_a_line.output == "one\n");
  check_exit_code_of_v4(ns, reads_a_line, "one\ntwo\n", 3);
  const std::string bytes = bytes_of(10'000'000);
  const End echo = run(ksr_command(ns, {"exec", "-i", "web", "--", "cat"}), bytes);
  CHECK(echo.status == 0);
  const bool echoed = echo.output == bytes;
  CHECK(echoed);
  const End to = run(ksr_command(ns, {"exec", "-i", "web", "--", "wc", "-c"}), bytes);
  CHECK(to.output == "10000000\n");
  const End from = run(ksr_command(ns, exec_sh("head -c 10000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 4")));
  CHECK(from.status == 4);
  CHECK(from.output.size() == 10'000'000);
  CHECK(from.errors.substr(0, 3'000'000) == std::string(3'000'000, '\0'));
  // Through pipes whose reader takes its time, and reads all of one before any of the other.
  const End slow = run(shell(
      ns, R"(exec 3<&0; { head -c 3000000 /dev/zero | $ksr exec -i web -- cat | { read -r -t 0.3 -u 3; wc -c; }; })"));
  CHECK(slow.output == "3000000\n");
}

TEST_CASE("exec: what does not run has an exit status that no success has") {
  const std::string ns = Cluster::shared().fresh_namespace("exec-refused");
  NodePod pod(shared_node(), ns, "web", {"main", "side"});
  NodePod over(shared_node(), ns, "over");
  over.terminate(0);
  Cluster::shared().admin().patch_status(over.path(), {{"phase", "Succeeded"}});
  for (const Words& words : {Words{"exec", "none", "--", "true"}, Words{"exec", "web", "-c", "none", "--", "true"},
                             Words{"exec", "over", "--", "true"}, Words{"exec", "web", "--", "/no/such/program"},
                             Words{"exec", "gadget/x", "--", "true"}, Words{"attach", "none"}}) {
    const End by_kubectl = run(kubectl_command(ns, words));
    const End by_ksr = run(ksr_command(ns, words));
    CAPTURE(by_kubectl.errors);
    CAPTURE(by_ksr.errors);
    CHECK(by_kubectl.status == 1);
    CHECK(by_ksr.status == kNoExitCode);
    CHECK(by_ksr.output.empty());
    CHECK_FALSE(by_ksr.errors.empty());
  }
  const std::string missing = run(ksr_command(ns, {"exec", "none", "--", "true"})).errors;
  CHECK(missing == "Error from server (NotFound): pods \"none\" not found\n");
  // Nothing is sent for these.
  for (const Words& words :
       {Words{"exec"}, Words{"exec", "web"}, Words{"exec", "web", "true"}, Words{"exec", "--", "web"},
        Words{"exec", "web", "--"}, Words{"exec", "a", "b", "--", "true"}, Words{"attach"},
        Words{"attach", "web", "--", "true"}, Words{"exec", "web", "-x", "--", "true"}}) {
    const End end = run(ksr_command(ns, words));
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(end.output.empty());
    CHECK_FALSE(end.errors.empty());
  }
  // The container that is chosen is told, as by kubectl.
  run_both(ns, exec_sh("echo here"), "", Compare::errors);
}

TEST_CASE("exec: a node that dies while the command runs is no success") {
  Node node(Cluster::shared());
  const std::string ns = Cluster::shared().fresh_namespace("exec-killed");
  NodePod pod(node, ns, "web");
  StartedProgram running(ksr_command(ns, exec_sh("echo runs; sleep 600")), StartedProgram::Input::content);
  running.wait_for_output("runs\n");
  node.kill();
  CHECK(running.wait() == kNoExitCode);
  CHECK(running.output() == "runs\n");
  CHECK(running.errors().find("before the Status of the command came") != std::string::npos);
}

TEST_CASE("exec: signals end it, and so does a reader that has gone") {
  const std::string ns = Cluster::shared().fresh_namespace("exec-signals");
  NodePod pod(shared_node(), ns, "web");
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    StartedProgram running(ksr_command(ns, {"exec", "-i", "web", "--", "sh", "-c", "echo runs; cat"}),
                           StartedProgram::Input::pipe);
    running.wait_for_output("runs\n");
    running.signal(number);
    CHECK(running.wait() == 128 + number);
  }
  const End cut = run(shell(ns, "$ksr exec web -- yes | head -n 1; echo ${PIPESTATUS[0]}"));
  CHECK(cut.output == "y\n255\n");
  CHECK(cut.errors == "error: standard output: Broken pipe; how the command ends is not known\n");
  // Though the command says nothing more.
  const End silent = run(shell(ns, "$ksr exec web -- sh -c 'echo y; sleep 600' | head -n 1; echo ${PIPESTATUS[0]}"));
  CHECK(silent.output == "y\n255\n");
  const End full = run(shell(ns, "$ksr exec web -- echo y >/dev/full"));
  CHECK(full.status == kNoExitCode);
}

TEST_CASE("exec in a pod of a deployment: one that runs") {
  const std::string ns = Cluster::shared().fresh_namespace("exec-deploy");
  const boost::json::value deployment = boost::json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},
"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"x"}]}}}})");
  Cluster::shared().admin().create("/apis/apps/v1/namespaces/" + ns + "/deployments", deployment.get_object());
  CHECK(run(ksr_command(ns, {"exec", "deploy/web", "--", "true"})).status == kNoExitCode);
  NodePod pod(shared_node(), ns, "web-1", NodePodOptions{{"main"}, {{"app", "web"}}});
  run_both(ns, {"exec", "deploy/web", "--", "sh", "-c", "echo here; exit 2"}, "", Compare::errors);
}

TEST_CASE("attach: both streams, its end, and a container that is not there") {
  const std::string ns = Cluster::shared().fresh_namespace("attach");
  NodePod pod(shared_node(), ns, "web");
  run_both(ns, {"attach", "-i", "web"}, "to the container\n", Compare::errors);
  run_both(ns, {"attach", "-i", "-q", "web", "-c", "main"}, "", Compare::errors);
  StartedProgram attached(ksr_command(ns, {"attach", "-i", "web"}), StartedProgram::Input::pipe);
  attached.write("one\n");
  attached.wait_for_output("one\n");
  attached.write("two\n");
  attached.wait_for_output("two\n");
  pod.terminate(3);
  CHECK(attached.wait() == 0);
  CHECK(attached.output() == "one\ntwo\n");
  CHECK(run(ksr_command(ns, {"attach", "web", "-c", "none"})).status == kNoExitCode);
}
