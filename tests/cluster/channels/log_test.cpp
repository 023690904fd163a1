// Logs on the real CRI log reader behind the real kube-apiserver: each line once, over cuts, kills, rotations, restarts
// and limits. KSR_LOG_CUTS sets how often the log is cut (default 60).
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "cluster/channels/on_node.hpp"
#include "cluster/harness/chaos_proxy.hpp"
#include "cluster/harness/log_writer.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;

namespace {

constexpr int kCutsByDefault = 60;

Settings follow(const NodePod& pod, const Settings& more = {}) {
  Settings settings = of_pod(pod, "log", {{"follow", "true"}});
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

int cuts_wanted() {
  const char* wanted = std::getenv("KSR_LOG_CUTS");
  return wanted == nullptr ? kCutsByDefault : std::atoi(wanted);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Lines that are missing, and lines that are there which should not be, where both are in order.
struct Difference {
  std::size_t lost = 0;
  std::size_t extra = 0;
};
Difference difference(const std::vector<std::string>& expected, const std::vector<std::string>& seen) {
  Difference found;
  std::size_t at = 0;
  for (const std::string& line : seen) {
    const auto next = std::find(expected.begin() + static_cast<std::ptrdiff_t>(at), expected.end(), line);
    if (next == expected.end()) {
      ++found.extra;
      continue;
    }
    const auto place = static_cast<std::size_t>(next - expected.begin());
    found.lost += place - at;
    at = place + 1;
  }
  found.lost += expected.size() - at;
  return found;
}

void check_complete(const ChannelUser& user, const LogWriter& writer) {
  CHECK(user.wait_until(
      [&](const ChannelUser& now) { return now.bytes(KSR_PART_STDOUT).size() >= joined(writer.lines()).size(); }));
  const Difference found = difference(writer.lines(), lines_of(user.bytes(KSR_PART_STDOUT)));
  CHECK(found.lost == 0);
  CHECK(found.extra == 0);
  CHECK(user.bytes(KSR_PART_STDOUT) == joined(writer.lines()));
}

void cut_and_check(std::uint64_t seed, Stamps stamps, int cuts, bool kills) {
  CAPTURE(seed);
  Node node(Cluster::shared());
  NodePod pod(node, Cluster::shared().fresh_namespace("log-cuts"), "web");
  ChaosProxy proxy(Cluster::shared().port());
  const Requester client(on_cluster(admin_user(), proxy.port()));
  LogWriter writer(pod.log(), seed, stamps);
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow(pod)) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_OPEN));
  std::mt19937_64 random(seed);
  const auto wanted = static_cast<std::uint64_t>(cuts);
  for (int i = 0; user.stat("reconnects") < wanted && i < 10 * cuts; ++i) {
    const auto has_grown = [size = user.bytes(KSR_PART_STDOUT).size()](const ChannelUser& now) {
      return now.bytes(KSR_PART_STDOUT).size() > size;
    };
    // Within what is written next, or what is told again, at any byte.
    proxy.cut_after(std::uniform_int_distribution<std::uint64_t>(1, 60'000)(random));
    writer.write(1 + static_cast<int>(random() % 60));
    if (kills && i % 10 == 9) {
      node.kill();
      writer.write(10);
      node.start();
    }
    CHECK(user.wait_until(has_grown));
  }
  writer.write(10);
  check_complete(user, writer);
  CHECK(user.count(KSR_EVENT_GAP) == 0);
  CHECK(user.stat("reconnects") >= wanted);
  MESSAGE("seed " << seed << ": " << user.stat("reconnects") << " reconnects, " << writer.lines().size() << " lines, "
                  << user.stat("replayed") << " replayed");
  user.close();
  CHECK(user.violations() == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("cut at random bytes: no line is lost and none comes twice; stamps that go back") {
  cut_and_check(1, Stamps::jittered, cuts_wanted() / 2, false);
}

TEST_CASE("cut at random bytes: no line is lost and none comes twice; stamps that are equal, and kubelets that die") {
  cut_and_check(2, Stamps::equal, cuts_wanted() / 2, true);
}

TEST_CASE("a rotation that is followed loses nothing; lines in a file that is rotated away while cut are one GAP") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-rotation"), "web");
  ChaosProxy proxy(Cluster::shared().port());
  const Requester client(on_cluster(admin_user(), proxy.port()));
  LogWriter writer(pod.log(), 3, Stamps::jittered);
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow(pod)) == KSR_OK);
  for (int i = 0; i < 3; ++i) {
    writer.write(40);
    check_complete(user, writer);
    pod.log().rotate();
  }
  writer.write(40);
  check_complete(user, writer);
  CHECK(user.count(KSR_EVENT_GAP) == 0);
  const std::size_t seen_before = writer.lines().size();
  proxy.refuse();
  proxy.cut();
  writer.write(50);
  const std::size_t rotated_at = writer.lines().size();
  pod.log().rotate();
  writer.write(40);
  proxy.pass();
  const std::string last = writer.lines().back();
  CHECK(user.wait_until([&](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), last); }));
  std::vector<std::string> expected = writer.lines();
  expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(seen_before),
                 expected.begin() + static_cast<std::ptrdiff_t>(rotated_at));
  CHECK(user.wait_until([&](const ChannelUser& now) { return now.bytes(KSR_PART_STDOUT) == joined(expected); }));
  CHECK(user.count(KSR_EVENT_GAP) == 1);
}

TEST_CASE("a file that is truncated under the kubelet's reader, which is mute then") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-truncated"), "web");
  const Requester client(on_cluster());
  LogWriter writer(pod.log(), 8, Stamps::jittered);
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow(pod)) == KSR_OK);
  writer.write(40);
  check_complete(user, writer);
  pod.log().copy_truncate();
  writer.write(1);
  check_complete(user, writer);
  // It cannot be known that the old file had no more.
  CHECK(user.count(KSR_EVENT_GAP) == 1);
}

TEST_CASE("a container that is restarted: the rest of the old one, RESTARTED, the new one from its start") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-restart"), "web");
  const Requester client(on_cluster());
  LogWriter writer(pod.log(), 4, Stamps::jittered);
  ChannelUser user;
  ChannelUser first_only;
  REQUIRE(user.open(client.client(), follow(pod, {{"follow_restarts", "true"}})) == KSR_OK);
  REQUIRE(first_only.open(client.client(), follow(pod)) == KSR_OK);
  writer.write(30);
  check_complete(user, writer);
  // It has to be open before the container is restarted: it would begin with the next one else.
  check_complete(first_only, writer);
  const std::string first = joined(writer.lines());
  for (int i = 0; i < 2; ++i) {
    pod.restart();
    writer.continue_in(pod.log());
    writer.write(30);
    check_complete(user, writer);
  }
  CHECK(user.count(KSR_EVENT_RESTARTED) == 2);
  CHECK(user.count(KSR_EVENT_GAP) == 0);
  CHECK(first_only.wait().status == KSR_OK);
  CHECK(first_only.bytes(KSR_PART_STDOUT) == first);
  pod.terminate(0);
  pod.erase();
  CHECK(user.wait().status == KSR_OK);
}

TEST_CASE("the kubelet's write limit is no end of a log") {
  NodeOptions options;
  options.write_timeout = std::chrono::milliseconds(400);
  Node node(Cluster::shared(), options);
  NodePod pod(node, Cluster::shared().fresh_namespace("log-limit"), "web");
  const Requester client(on_cluster());
  LogWriter writer(pod.log(), 5, Stamps::equal);
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow(pod)) == KSR_OK);
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before = user.stat("reconnects");
    writer.write(20);
    CHECK(user.wait_until([&](const ChannelUser& now) { return now.stat("reconnects") > before; }));
  }
  check_complete(user, writer);
  CHECK(user.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("a log that is not followed is whole, and ends in order") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-whole"), "web", {"main", "side"});
  const Requester client(on_cluster());
  LogWriter writer(pod.log("side"), 6, Stamps::jittered);
  writer.write(500);
  ChannelUser user;
  REQUIRE(user.open(client.client(), of_pod(pod, "log", {{"container", "side"}})) == KSR_OK);
  CHECK(user.wait().status == KSR_OK);
  CHECK(user.bytes(KSR_PART_STDOUT) == joined(writer.lines()));
  // As kubectl: the first one.
  pod.log("main").line("first");
  ChannelUser unnamed;
  REQUIRE(unnamed.open(client.client(), of_pod(pod, "log")) == KSR_OK);
  CHECK(unnamed.wait().status == KSR_OK);
  CHECK(unnamed.bytes(KSR_PART_STDOUT) == "first\n");
  CHECK(unnamed.info("container") == "main");
}

TEST_CASE("a kubelet that dies ends its response in order, but no log") {
  Node node(Cluster::shared());
  NodePod pod(node, Cluster::shared().fresh_namespace("log-killed"), "web");
  const Requester client(on_cluster());
  // More than the connections hold.
  constexpr int kLines = 300'000;
  const std::string text(40, 'x');
  std::string file;
  std::string expected;
  for (int i = 0; i < kLines; ++i) {
    const std::string number = std::to_string(1'000'000 + i);
    file +=
        "2026-11-30T10:00:0" + std::to_string(i * 10 / kLines) + "." + number + "00Z stdout F " + number + text + "\n";
    expected += number + text + "\n";
  }
  pod.log().raw(file);
  std::string cursor;
  {
    ChannelUser first;
    REQUIRE(first.open(client.client(), of_pod(pod, "log", {{"limit_bytes", "48"}})) == KSR_OK);
    CHECK(first.wait().status == KSR_OK);
    cursor = first.info("cursor");
  }
  const auto read = [&](const Settings& more) {
    ChannelUser user;
    std::atomic<bool> takes{false};
    user.taking = [&](ksr_channel*, std::int32_t, const std::string& bytes) { return takes ? bytes.size() : 0; };
    Settings settings = of_pod(pod, "log", {{"receive_buffer", "16Ki"}});
    settings.insert(settings.end(), more.begin(), more.end());
    REQUIRE(user.open(client.client(), settings) == KSR_OK);
    CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") > 0; }));
    node.kill();
    node.start();
    takes = true;
    CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_OK);
    CHECK(user.wait().status == KSR_OK);
    CHECK(user.count(KSR_EVENT_GAP) == 0);
    CHECK(user.stat("replayed") > 0);
    return user.bytes(KSR_PART_STDOUT);
  };
  CHECK(read({}) == expected);
  CHECK(read({{"from_cursor", cursor}}) == expected.substr(48));
  pod.terminate(0);
  CHECK(read({{"from_cursor", cursor}, {"follow", "true"}}) == expected.substr(48));
}

TEST_CASE("errors of the log reader are events") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-errors"), "web");
  const Requester client(on_cluster());
  pod.log().raw("not in the CRI format\n");
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow(pod)) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_INTERRUPTED));
  CHECK(user.bytes(KSR_PART_STDOUT).empty());
  pod.log().copy_truncate();
  pod.log().line("at last");
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "at last\n"));
}

TEST_CASE("a log file that is not there yet is waited for") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-missing"), "web");
  const Requester client(on_cluster());
  pod.log().remove();
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow(pod)) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_INTERRUPTED));
  CHECK(user.bytes(KSR_PART_STDOUT).empty());
  pod.restart();
  pod.log().line("next");
  ChannelUser next;
  REQUIRE(next.open(client.client(), follow(pod)) == KSR_OK);
  CHECK(next.wait_for_bytes(KSR_PART_STDOUT, "next\n"));
}

TEST_CASE("a host at rest while the file is rotated twice: in order, none twice, and stalled_ms says so") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-rest"), "web");
  const Requester client(on_cluster());
  ChannelUser user;
  std::atomic<bool> takes{false};
  user.taking = [&](ksr_channel*, std::int32_t, const std::string& bytes) { return takes ? bytes.size() : 0; };
  REQUIRE(user.open(client.client(), follow(pod, {{"receive_buffer", "16Ki"}})) == KSR_OK);
  std::vector<std::string> lines;
  for (int file = 0; file < 3; ++file) {
    for (int i = 0; i < 3'000; ++i) {
      lines.push_back(std::to_string(file * 10'000 + i) + std::string(3'000, 'x'));
      pod.log().line(lines.back());
    }
    if (file == 0) CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") > 8'000; }));
    if (file < 2) pod.log().rotate();
  }
  takes = true;
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_OK);
  CHECK(user.wait_until([&](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), lines.back() + "\n"); }));
  // The kubelet's reader never leaves a file that was rotated before it came to its end, which no response tells.
  const Difference found = difference(lines, lines_of(user.bytes(KSR_PART_STDOUT)));
  CHECK(found.extra == 0);
  CHECK((found.lost == 0 || user.count(KSR_EVENT_GAP) == 1));
  CHECK(user.stat("stalled_ms") > 0);
}

TEST_CASE("a follower that is too slow for two rotations: in order, none twice, and a GAP where lines are missing") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-slow"), "web");
  const Requester client(on_cluster());
  ChannelUser user;
  std::atomic<bool> takes{true};
  user.taking = [&](ksr_channel*, std::int32_t, const std::string& bytes) { return takes ? bytes.size() : 0; };
  REQUIRE(user.open(client.client(), follow(pod, {{"receive_buffer", "16Ki"}})) == KSR_OK);
  std::vector<std::string> lines{"first"};
  pod.log().line("first");
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "first\n"));
  // The kubelet's reader waits for more, so that it is told of both new files when it comes to the end of the first.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  takes = false;
  for (int file = 0; file < 3; ++file) {
    for (int i = 0; i < 3'000; ++i) {
      lines.push_back(std::to_string(file * 10'000 + i) + std::string(3'000, 'x'));
      pod.log().line(lines.back());
    }
    if (file < 2) pod.log().rotate();
  }
  takes = true;
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_OK);
  CHECK(user.wait_until([&](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), lines.back() + "\n"); }));
  // Behind what the reader shows again.
  lines.emplace_back("last");
  pod.log().line("last");
  CHECK(user.wait_until([](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), "\nlast\n"); }));
  const Difference found = difference(lines, lines_of(user.bytes(KSR_PART_STDOUT)));
  CHECK(found.extra == 0);
  CHECK((found.lost == 0 || user.count(KSR_EVENT_GAP) >= 1));
}

TEST_CASE("a cursor goes on in another client") {
  NodePod pod(shared_node(), Cluster::shared().fresh_namespace("log-cursor"), "web");
  LogWriter writer(pod.log(), 7, Stamps::equal);
  std::string seen;
  std::string cursor;
  for (int i = 0; i < 5; ++i) {
    CAPTURE(i);
    writer.write(60);
    const std::string expected = joined(writer.lines());
    const Requester client(on_cluster());
    ChannelUser user;
    Settings more;
    if (!cursor.empty()) more.emplace_back("from_cursor", cursor);
    REQUIRE(user.open(client.client(), follow(pod, more), ChannelUser::Mode::pull) == KSR_OK);
    std::string space(100'000, '\0');
    std::size_t got = 0;
    while (seen.size() < expected.size()) {
      REQUIRE(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space.data(), space.size(), 20'000, &got) == KSR_OK);
      seen += space.substr(0, got);
    }
    CHECK(seen == expected);
    CHECK(user.count(KSR_EVENT_GAP) == 0);
    cursor = user.info("cursor");
  }
}
