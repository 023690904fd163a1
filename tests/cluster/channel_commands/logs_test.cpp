// ksr logs beside kubectl logs, on the kubelet's own reader.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <memory>

#include <boost/json/parse.hpp>

#include "cluster/channel_commands/programs.hpp"
#include "cluster/harness/log_writer.hpp"
#include "cluster/harness/node_pod.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The lines of one pod, in order and without the prefix.
std::string lines_of(const std::string& text, const std::string& pod) {
  const std::string prefix = "[pod/" + pod + "/main] ";
  std::string lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (line.rfind(prefix, 0) == 0) lines += line.substr(prefix.size()) + "\n";
    begin = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("logs: every option, as kubectl shows it, and a log that cannot be read") {
  const std::string ns = Cluster::shared().fresh_namespace("logs");
  NodePod broken(shared_node(), ns, "broken");
  broken.log().remove();
  // It is tried again and again, while the rest of this test runs.
  StartedProgram unread(ksr_command(ns, {"logs", "broken"}), StartedProgram::Input::content);
  NodePod pod(shared_node(), ns, "web", {"main", "side"});
  const std::int64_t now = stamp_of_now();
  for (int i = 0; i < 30; ++i) {
    pod.log().write(now - (30 - i) * 60 * kSecond, i % 3 == 0 ? LogStream::err : LogStream::out, LogTag::full,
                    "line " + std::to_string(i));
  }
  pod.log("side").line("of the other one");
  run_both(ns, {"logs", "web"}, "", Compare::errors);
  run_both(ns, {"logs", "pod/web", "-c", "main"});
  run_both(ns, {"logs", "web", "side"});
  run_both(ns, {"logs", "web", "--container=side"});
  run_both(ns, {"logs", "web", "-c", "main", "--tail", "7"});
  run_both(ns, {"logs", "web", "-c", "main", "--tail=0"});
  run_both(ns, {"logs", "web", "-c", "main", "--tail=-1"});
  run_both(ns, {"logs", "web", "-c", "main", "--timestamps"});
  run_both(ns, {"logs", "web", "-c", "main", "--timestamps", "--tail=3"});
  run_both(ns, {"logs", "web", "-c", "main", "--since=10m30s"});
  run_both(ns, {"logs", "web", "-c", "main", "--since=1h"});
  run_both(ns, {"logs", "web", "-c", "main", "--since-time=" + log_stamp(now - 5 * 60 * kSecond)});
  run_both(ns, {"logs", "web", "-c", "main", "--limit-bytes=25"});
  run_both(ns, {"logs", "web", "-c", "main", "--prefix"});
  run_both(ns, {"logs", "web", "--all-containers"}, "", Compare::lines);
  run_both(ns, {"logs", "web", "--all-containers", "--prefix", "--tail=2"}, "", Compare::lines);
  pod.restart();
  pod.log().line("after the restart");
  run_both(ns, {"logs", "web", "-c", "main", "-p"});
  run_both(ns, {"logs", "web", "-c", "main", "--previous", "--tail=1"});
  run_both(ns, {"logs", "web", "-c", "main"});
  // Refused, by one or by the other.
  run_both(ns, {"logs", "web", "-c", "side", "-p"});
  run_both(ns, {"logs", "none"});
  run_both(ns, {"logs", "web", "-c", "none"});
  run_both(ns, {"logs"});
  run_both(ns, {"logs", "web", "-c", "main", "--tail=-2"});
  run_both(ns, {"logs", "web", "-c", "main", "--since=1m", "--since-time=2026-01-01T00:00:00Z"});
  run_both(ns, {"logs", "web", "-c", "main", "--limit-bytes=0"});
  run_both(ns, {"logs", "web", "-c", "main", "--since=soon"});
  run_both(ns, {"logs", "web", "-l", "app=web"});
  run_both(ns, {"logs", "web", "main", "-c", "main"});
  run_both(ns, {"logs", "web", "-c", "main", "--all-containers"});
  // kubectl shows the kubelet's error as the log, and succeeds.
  CHECK(unread.wait() == 1);
  CHECK(unread.output().empty());
  CHECK(unread.errors().find("failed to try resolving symlinks") != std::string::npos);
}

TEST_CASE("logs: bytes as they are, long lines in parts") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-bytes");
  NodePod pod(shared_node(), ns, "web");
  pod.log().line(std::string("\x00\xff\x80\r\x1b[31m", 8) + "end");
  LogWriter writer(pod.log(), 5, Stamps::jittered);
  writer.write(500);
  pod.log().write(stamp_of_now(), LogStream::out, LogTag::partial, "a line without its end");
  run_both(ns, {"logs", "web"});
}

TEST_CASE("logs -l: of several pods") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-select");
  std::vector<std::unique_ptr<NodePod>> pods;
  for (const char* name : {"b", "a", "c"}) {
    pods.push_back(std::make_unique<NodePod>(shared_node(), ns, name, NodePodOptions{{"main"}, {{"app", "web"}}}));
    for (int i = 0; i < 12; ++i) pods.back()->log().line(std::string(name) + std::to_string(i));
  }
  NodePod other(shared_node(), ns, "other");
  other.log().line("not selected");
  run_both(ns, {"logs", "-l", "app=web", "--prefix"}, "", Compare::lines);
  run_both(ns, {"logs", "-l", "app=web", "--prefix", "--tail=-1"}, "", Compare::lines);
  run_both(ns, {"logs", "-l", "app in (web,db)", "--prefix", "--tail=1"}, "", Compare::lines);
  run_both(ns, {"logs", "-l", "app=none"}, "", Compare::errors);
  run_both(ns, {"logs", "-l", "app in"});
  const End plain = run(ksr_command(ns, {"logs", "-lapp=web", "--prefix=false", "--tail=1"}));
  CHECK(plain.output == "a11\nb11\nc11\n");
  CHECK(run(ksr_command(ns, {"logs", "-lapp=web", "--tail=1"})).output ==
        "[pod/a/main] a11\n[pod/b/main] b11\n[pod/c/main] c11\n");
}

TEST_CASE("logs of a deployment") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-deploy");
  const boost::json::value deployment = boost::json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"},"matchExpressions":[
{"key":"tier","operator":"In","values":["front","back"]},{"key":"old","operator":"DoesNotExist"}]},
"template":{"metadata":{"labels":{"app":"web","tier":"front"}},"spec":{"containers":[{"name":"main","image":"x"}]}}}})");
  Cluster::shared().admin().create("/apis/apps/v1/namespaces/" + ns + "/deployments", deployment.get_object());
  NodePod pod(shared_node(), ns, "web-1", NodePodOptions{{"main"}, {{"app", "web"}, {"tier", "front"}}});
  NodePod old(shared_node(), ns, "web-0", NodePodOptions{{"main"}, {{"app", "web"}, {"tier", "front"}, {"old", "1"}}});
  pod.log().line("of the deployment");
  run_both(ns, {"logs", "deployment/web"}, "", Compare::errors);
  run_both(ns, {"logs", "deploy/web", "--tail=1"});
  run_both(ns, {"logs", "deploy/none"});
  run_both(ns, {"logs", "gadget/none"});
}

// A kubelet's reader that has not come to the end of its file yet misses the rotation: seconds later, a new response
// has the lines.
TEST_CASE("logs -f: over a rotation, a killed node and a cut, each line once, to the container's end") {
  Node node(Cluster::shared());
  const std::string ns = Cluster::shared().fresh_namespace("logs-follow");
  NodePod pod(node, ns, "web");
  LogWriter writer(pod.log(), 11, Stamps::jittered);
  StartedProgram follower(ksr_command(ns, {"logs", "-f", "web"}), StartedProgram::Input::content);
  const auto has_all = [&] { return follower.output() == joined(writer.lines()); };
  writer.write(50);
  wait_until("the first lines", has_all);
  pod.log().rotate();
  writer.write(50);
  wait_until("the lines of the next file", has_all);
  node.kill();
  writer.write(50);
  node.start();
  wait_until("the lines written meanwhile", has_all);
  writer.write(50);
  pod.terminate(0);
  CHECK(follower.wait() == 0);
  CHECK(has_all());
}

TEST_CASE("logs -f: a restart ends it, or is told with --follow-restarts") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-restart");
  NodePod pod(shared_node(), ns, "web");
  pod.log().line("first");
  StartedProgram one(ksr_command(ns, {"logs", "-f", "web"}), StartedProgram::Input::content);
  StartedProgram all(ksr_command(ns, {"logs", "-f", "web", "--follow-restarts"}), StartedProgram::Input::content);
  one.wait_for_output("first\n");
  all.wait_for_output("first\n");
  pod.terminate(1);
  CHECK(one.wait() == 0);
  pod.restart();
  pod.log().line("second");
  all.wait_for_output("second\n");
  CHECK(one.output() == "first\n");
  CHECK(all.output() == "first\nsecond\n");
  CHECK(all.errors().find("[pod/web/main] the container was restarted") != std::string::npos);
  pod.terminate(0);
  pod.erase();
  CHECK(all.wait() == 0);
}

TEST_CASE("logs -f --follow-restarts: the pod may be read before a restart, and its log after it") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-race");
  NodePod pod(shared_node(), ns, "web");
  StartedProgram follower(ksr_command(ns, {"logs", "-f", "web", "--follow-restarts"}), StartedProgram::Input::content);
  std::string all;
  for (int i = 0; i < 8; ++i) {
    const std::string line = "of instance " + std::to_string(i) + "\n";
    pod.log().line(line.substr(0, line.size() - 1));
    all += line;
    follower.wait_for_output(line);
    // The state in between is there for a moment, or not at all.
    if (i % 2 == 0) pod.terminate(1);
    pod.restart();
  }
  pod.log().line("end");
  follower.wait_for_output("end\n");
  CHECK(follower.output() == all + "end\n");
  CHECK(follower.errors().find("missing") == std::string::npos);
}

TEST_CASE("logs -f of a pod that is deleted, and of one that never was") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-gone");
  NodePod pod(shared_node(), ns, "web");
  pod.log().line("last words");
  StartedProgram follower(ksr_command(ns, {"logs", "-f", "web"}), StartedProgram::Input::content);
  follower.wait_for_output("last words\n");
  pod.terminate(3);
  pod.erase();
  const int status = follower.wait();
  CAPTURE(follower.errors());
  // The pod may be gone before its end was seen: then it is not known whether there were more lines.
  CHECK((status == 0 || follower.errors().find("its last lines cannot be had") != std::string::npos));
  CHECK(follower.output() == "last words\n");
  CHECK(run(ksr_command(ns, {"logs", "-f", "none"})).status == 1);
}

TEST_CASE("logs -f -l: pods join and end, and no line is mixed with another") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-join");
  const NodePodOptions options{{"main"}, {{"app", "web"}}};
  NodePod first(shared_node(), ns, "first", options);
  LogWriter of_first(first.log(), 1, Stamps::jittered);
  of_first.write(5);
  StartedProgram follower(ksr_command(ns, {"logs", "-f", "-l", "app=web"}), StartedProgram::Input::content);
  follower.wait_for_output("[pod/first/main] ");
  NodePod second(shared_node(), ns, "second", options);
  LogWriter of_second(second.log(), 2, Stamps::equal);
  of_second.write(40);
  follower.wait_for_output("[pod/second/main] ");
  for (int i = 0; i < 10; ++i) {
    of_first.write(20);
    of_second.write(20);
  }
  const auto has = [&](const char* pod, const LogWriter& writer) {
    return lines_of(follower.output(), pod) == joined(writer.lines());
  };
  wait_until("all lines of both", [&] { return has("first", of_first) && has("second", of_second); });
  // Nothing else was written: each line has its pod, and is one of that pod's.
  CHECK(sorted_lines(follower.output()).size() == of_first.lines().size() + of_second.lines().size());
  first.terminate(0);
  first.erase();
  of_second.write(20);
  NodePod third(shared_node(), ns, "third", options);
  third.log().line("came last");
  follower.wait_for_output("[pod/third/main] came last\n");
  wait_until("the lines of the second", [&] { return has("second", of_second); });
  second.terminate(1);
  second.restart();
  second.log().line("again");
  follower.wait_for_output("[pod/second/main] again\n");
  CAPTURE(follower.errors());
  CHECK(follower.errors().find("[pod/second/main] the container was restarted") != std::string::npos);
  CHECK(follower.running());
  follower.signal(SIGINT);
  CHECK(follower.wait() == 128 + SIGINT);
}

TEST_CASE("logs: a reader that has gone ends it, a full disk is told") {
  const std::string ns = Cluster::shared().fresh_namespace("logs-reader");
  NodePod pod(shared_node(), ns, "web");
  LogWriter writer(pod.log(), 3, Stamps::jittered);
  writer.write(300);
  // It waits for lines that never come, and ends all the same.
  const End cut = run(shell(ns, "set -o pipefail; $ksr logs -f web | head -n 1"));
  CHECK(cut.status == 0);
  CHECK(cut.errors.empty());
  const End full = run(shell(ns, "$ksr logs web >/dev/full"));
  CHECK(full.status == 1);
  CHECK(full.errors == "error: standard output: No space left on device\n");
}
