// Logs (rules 5, 13 and the cursor of 4.5): whole lines, each once, over cuts, rotations and restarts; what the kubelet
// says of itself is no data.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "server/channels/on_channels.hpp"

using namespace ksr::testing;
using ksr::testserver::RecordedRequest;

namespace {

Settings log_of(const Settings& more = {}) {
  return with(of_pod("log", {{"container", "main"}}), more);
}
Settings follow_of(const Settings& more = {}) {
  return with(log_of({{"follow", "true"}}), more);
}

// A client with short waits.
struct Follower {
  explicit Follower(ChannelServer& on, const Settings& settings = follow_of()) : client(on.client_settings()) {
    REQUIRE(user.open(client.client(), settings) == KSR_OK);
  }
  ~Follower() {
    user.close();
    CHECK(user.violations() == std::vector<std::string>{});
  }
  bool shows(const std::string& text) { return user.wait_for_bytes(KSR_PART_STDOUT, text); }

  Requester client;
  ChannelUser user;
};

std::size_t log_requests(ChannelServer& on) {
  return on.server.count_requests("log");
}

// Writes once the log's request is there: no line is written before it is followed.
void wait_for_requests(ChannelServer& on, const ChannelUser& user, std::size_t count) {
  CHECK(user.wait_until([&](const ChannelUser&) { return log_requests(on) >= count; }));
}

}  // namespace

TEST_CASE("a log that is not followed: all of it, as it is, then an orderly end") {
  ChannelServer on;
  on.server.script("log web line=one line=\"\" line=\"tw o\" end");
  Follower follower(on, log_of());
  const ChannelEnd end = follower.user.wait();
  CHECK(end.status == KSR_OK);
  CHECK_FALSE(end.exit_code.has_value());
  CHECK(follower.user.bytes(KSR_PART_STDOUT) == "one\n\ntw o\n");
  CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("the host's headers are sent with each request of a channel: a proxy may need them") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(
      on, {{"kind", "log"}, {"namespace", "default"}, {"name", "web"}, {"follow", "true"}, {"header.X-Tenant", "a"}});
  CHECK(follower.shows("one\n"));
  // The pod, its log, and the last line.
  wait_for_requests(on, follower.user, 2);
  ChannelUser run;
  REQUIRE(
      run.open(
          follower.client.client(),
          {{"kind", "exec"}, {"namespace", "default"}, {"name", "web"}, {"command", "ls"}, {"header.X-Tenant", "a"}}) ==
      KSR_OK);
  CHECK(run.wait_for_event(KSR_EVENT_OPEN));
  const std::vector<RecordedRequest> requests = on.server.requests();
  CHECK(requests.size() >= 5);
  for (const RecordedRequest& request : requests) {
    CAPTURE(request.target);
    CHECK(request.header("x-tenant") == "a");
  }
}

TEST_CASE("tail, since, limit_bytes and timestamps are the host's") {
  ChannelServer on;
  on.server.script(
      "log web stamp=2026-11-29T10:00:00Z line=one stamp=2026-11-29T10:00:01Z line=two stamp=2026-11-29T10:00:02Z "
      "line=three end");
  const auto shown = [&](const Settings& more) {
    Follower follower(on, log_of(more));
    CHECK(follower.user.wait().status == KSR_OK);
    return follower.user.bytes(KSR_PART_STDOUT);
  };
  CHECK(shown({{"tail", "2"}}) == "two\nthree\n");
  CHECK(shown({{"tail", "0"}}).empty());
  CHECK(shown({{"since", "2026-11-29T10:00:01Z"}}) == "two\nthree\n");
  CHECK(shown({{"limit_bytes", "6"}}) == "one\ntw");
  CHECK(shown({{"timestamps", "true"}, {"tail", "1"}}) == "2026-11-29T10:00:02.000000000Z three\n");
}

TEST_CASE("a follower gets what comes; a cut repeats and loses nothing") {
  ChannelServer on;
  on.server.script("log web line=one line=two");
  Follower follower(on);
  CHECK(follower.shows("one\ntwo\n"));
  std::string expected = "one\ntwo\n";
  for (int i = 0; i < 20; ++i) {
    CAPTURE(i);
    const std::string number = std::to_string(i);
    // Lines that are written while nobody reads, of the same text too.
    on.server.script(std::string("log web ") + (i % 2 == 0 ? "cut" : "reset") + " line=same line=n" + number);
    expected += "same\nn" + number + "\n";
    CHECK(follower.shows(expected));
  }
  CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  CHECK(follower.user.stat("reconnects") >= 20);
  CHECK(follower.user.stat("replayed") > 0);
  on.server.script("update pods web " +
                   running_pod(0, R"({"terminated":{"exitCode":0,"containerID":"containerd://0"}})") +
                   "\nlog web line=last end");
  CHECK(follower.user.wait().status == KSR_OK);
  CHECK(follower.user.bytes(KSR_PART_STDOUT) == expected + "last\n");
}

TEST_CASE("equal stamps and a clock that goes back are no reason for a loss") {
  ChannelServer on;
  on.server.script(
      "log web stamp=2026-11-29T10:00:05Z line=a line=b line=a stamp=2026-11-29T10:00:03Z line=c "
      "stamp=2026-11-29T10:00:05Z line=a");
  Follower follower(on);
  CHECK(follower.shows("a\nb\na\nc\na\n"));
  on.server.script("log web cut stamp=2026-11-29T10:00:05Z line=a line=a stamp=2026-11-29T10:00:04Z line=d");
  CHECK(follower.shows("a\nb\na\nc\na\na\na\nd\n"));
  on.server.script("log web reset stamp=2026-11-29T10:00:05Z line=e");
  CHECK(follower.shows("a\nb\na\nc\na\na\na\nd\ne\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("cut at each byte of a response") {
  ChannelServer on;
  std::string expected;
  for (int i = 0; i < 6; ++i) {
    on.server.script("log web line=line" + std::to_string(i));
    expected += "line" + std::to_string(i) + "\n";
  }
  // From within the head to behind the last line.
  for (int bytes = 30; bytes < 420; bytes += bytes < 80 ? 25 : 9) {
    CAPTURE(bytes);
    on.server.script("clear\nfault log pods cut bytes=" + std::to_string(bytes) +
                     (bytes % 2 == 0 ? " reset=true" : ""));
    Follower follower(on);
    CHECK(follower.shows(expected));
    CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  }
}

TEST_CASE("lines that a rotation took while nobody read are told as one GAP") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  on.server.script("log web cut line=lost rotate line=two line=three");
  CHECK(follower.shows("one\ntwo\nthree\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 1);
  CHECK(follower.user.stat("gaps") == 1);
}

TEST_CASE("a follower that has become mute is told by the last line of the log, which is read aside") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  SUBCASE("the file is the same") {
    on.server.script("log web unseen=two");
    CHECK(follower.shows("one\ntwo\n"));
    CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  }
  SUBCASE("the file was rotated") {
    on.server.script("log web rotate unseen=two");
    CHECK(follower.shows("one\ntwo\n"));
    // Whether the old file had more is not known.
    CHECK(follower.user.count(KSR_EVENT_GAP) == 1);
  }
  on.server.script("log web line=three");
  CHECK(follower.shows("one\ntwo\nthree\n"));
  CHECK(follower.user.count(KSR_EVENT_CLOSED) == 0);
}

TEST_CASE("a file that the kubelet's reader has passed over is a GAP, and what it reads again is told once") {
  ChannelServer on;
  on.server.script("log web stamp=2026-11-29T10:00:00Z line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  on.server.script(
      "log web stamp=2026-11-29T10:00:01Z unseen=lost rotate stamp=2026-11-29T10:00:02Z line=two "
      "stamp=2026-11-29T10:00:03Z line=three reread line=four");
  CHECK(follower.shows("one\ntwo\nthree\nfour\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 1);
  on.server.script("log web line=five");
  CHECK(follower.shows("one\ntwo\nthree\nfour\nfive\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 1);
}

TEST_CASE("a line that was read aside and never comes is a GAP in its place") {
  ChannelServer on;
  on.server.script("log web stamp=2026-11-29T10:00:00Z line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  on.server.script("log web stamp=2026-11-29T10:00:01Z unseen=lost");
  wait_for_requests(on, follower.user, 2);
  on.server.script("log web rotate stamp=2026-11-29T10:00:09Z line=two line=three");
  CHECK(follower.user.wait_until([](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), "three\n"); }));
  // On a slow machine a response may have been asked for in time.
  const bool lost = follower.user.bytes(KSR_PART_STDOUT) == "one\ntwo\nthree\n";
  CHECK((lost || follower.user.bytes(KSR_PART_STDOUT) == "one\nlost\ntwo\nthree\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) >= (lost ? 1 : 0));
}

TEST_CASE("pull: a GAP lies between the lines around it, and CLOSED comes after the last one was read") {
  ChannelServer on;
  on.server.script("log web line=one");
  const Requester client(on.client_settings());
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow_of(), ChannelUser::Mode::pull) == KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") >= 4; }));
  on.server.script("log web cut line=lost rotate line=two");
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") >= 8; }));
  on.server.script("update pods web " +
                   running_pod(0, R"({"terminated":{"exitCode":0,"containerID":"containerd://0"}})") + "\nlog web end");
  CHECK(user.wait().status == KSR_OK);
  CHECK(user.count(KSR_EVENT_GAP) == 0);
  CHECK(user.count(KSR_EVENT_CLOSED) == 0);
  std::string seen;
  char space[100];
  std::size_t got = 0;
  do {
    REQUIRE(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, sizeof space, 20'000, &got) == KSR_OK);
    seen.append(space, got);
  } while (got > 0);
  CHECK(seen == "one\ntwo\n");
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  CHECK(user.count(KSR_EVENT_GAP) == 1);
  CHECK(user.count(KSR_EVENT_FINISHED) == 1);
  CHECK(user.events().back().event == KSR_EVENT_CLOSED);
}

TEST_CASE("pull: an end is known once each GAP before it has been told: until then KSR_E_TIMEOUT is for lack of time") {
  for (const bool manual : {false, true}) {
    CAPTURE(manual);
    ChannelServer on;
    on.server.script("log web line=one");
    const Requester client(with(on.client_settings(), {{"delivery", manual ? "manual" : "thread"}}));
    std::mutex gate;
    ChannelUser user;
    user.during_event = [&](ksr_channel*, const ChannelEvent& event) {
      if (event.event == KSR_EVENT_GAP) const std::lock_guard<std::mutex> passes(gate);
    };
    REQUIRE(user.open(client.client(), follow_of(), ChannelUser::Mode::pull) == KSR_OK);
    char space[100];
    std::size_t got = 0;
    const auto read = [&](std::int64_t timeout_ms) {
      return ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, sizeof space, timeout_ms, &got);
    };
    CHECK(read(kWaitLimitMs) == KSR_OK);
    {
      const std::lock_guard<std::mutex> shut(gate);
      on.server.script("log web cut line=lost rotate line=two");
      CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") >= 8; }));
      on.server.script("update pods web " +
                       running_pod(0, R"({"terminated":{"exitCode":0,"containerID":"containerd://0"}})") +
                       "\nlog web end");
      CHECK(user.wait().status == KSR_OK);
      CHECK(user.stat("state") == KSR_EVENT_CLOSED);
      CHECK(read(0) == KSR_E_TIMEOUT);
      CHECK(user.stat("end_known") == 0);
    }
    if (manual) CHECK(dispatch_until(client.client(), [&] { return user.stat("end_known") == 1; }));
    CHECK(read(kWaitLimitMs) == KSR_OK);
    CHECK(std::string(space, got) == "two\n");
    CHECK(user.stat("end_known") == 1);
    CHECK(read(0) == KSR_OK);
    CHECK(got == 0);
  }
}

TEST_CASE("a line without its newline is held until the rest has come, or the container is over") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  SUBCASE("the rest comes") {
    on.server.script("log web raw=\"2026-11-29T10:00:05.000000000Z ha\" raw=\"lf\\n\" line=next");
    CHECK(follower.shows("one\nhalf\nnext\n"));
  }
  SUBCASE("the container is over") {
    on.server.script("log web raw=\"2026-11-29T10:00:05.000000000Z half\"\nupdate pods web " +
                     running_pod(0, R"({"terminated":{"exitCode":1,"containerID":"containerd://0"}})") +
                     "\nlog web end");
    CHECK(follower.user.wait().status == KSR_OK);
    CHECK(follower.user.bytes(KSR_PART_STDOUT) == "one\nhalf");
  }
}

TEST_CASE("what the kubelet says of an error is an event, not data") {
  ChannelServer on;
  on.server.script("log web raw=\"failed to try resolving symlinks in path: no such file\"");
  Follower follower(on);
  on.server.script("log web end");
  CHECK(follower.user.wait_for_event(KSR_EVENT_INTERRUPTED));
  CHECK(follower.user.bytes(KSR_PART_STDOUT).empty());
  bool told = false;
  for (const ChannelEvent& event : follower.user.events()) told |= has(event.message, "resolving symlinks");
  CHECK(told);
}

TEST_CASE("lines without their times are told once: what would go on behind them cannot be asked for") {
  ChannelServer on;
  const std::string over = R"({"terminated":{"exitCode":0,"containerID":"containerd://0"}})";
  ksr_status expected = KSR_OK;
  std::size_t gaps = 0;
  std::string text = "one\ntwo\n";
  Settings settings = follow_of();
  SUBCASE("not followed") {
    on.server.script(R"(log web raw="one\ntwo\n" end)");
    settings = log_of();
  }
  SUBCASE("not followed, with a last line without its newline") {
    on.server.script(R"(log web raw="one\ntwo\nthree" end)");
    settings = log_of();
    text += "three";
  }
  SUBCASE("not followed, cut") {
    on.server.script("log web raw=\"one\\ntwo\\n" + std::string(1'000, 'x') +
                     "\\n\" end\nfault log pods cut bytes=500");
    settings = log_of();
    expected = KSR_E_TRANSPORT;
    gaps = 1;
  }
  SUBCASE("the response ends, and so has the container") {
    on.server.script("update pods web " + running_pod(0, over) + "\n" + R"(log web raw="one\ntwo\n" end)");
  }
  SUBCASE("the response ends, and the container runs on") {
    on.server.script(R"(log web raw="one\ntwo\n" end)");
    expected = KSR_E_LOST;
    gaps = 1;
  }
  SUBCASE("the pod may not be read, or is none") {
    on.server.script(R"(log web raw="one\ntwo\n" end)");
    on.server.script("fault get pods answer 200 body=<html> type=text/html times=forever");
    expected = KSR_E_LOST;
    gaps = 1;
  }
  SUBCASE("the kubelet's restart: the next instance is another log") {
    on.server.script(R"(log web raw="one\ntwo\n")");
    settings = follow_of({{"follow_restarts", "true"}, {"limit_bytes", "12"}});
    text += "next";
  }
  const bool restarts = text == "one\ntwo\nnext";
  // Before the user's, whose channel it closes.
  const Requester client(on.client_settings());
  ChannelUser user;
  REQUIRE(user.open(client.client(), settings) == KSR_OK);
  if (restarts) {
    CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "one\ntwo\n"));
    on.server.script("update pods web " + running_pod(1) + "\n" + R"(log web restart raw="next\n")");
  }
  const ChannelEnd end = user.wait();
  CHECK(end.status == expected);
  if (gaps > 0) CHECK(has(end.message, "without their times"));
  CHECK(user.bytes(KSR_PART_STDOUT) == text);
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  CHECK(user.count(KSR_EVENT_GAP) == gaps);
  CHECK(user.count(KSR_EVENT_RESTARTED) == (restarts ? 1 : 0));
  CHECK(user.info("cursor").empty());
  CHECK(log_requests(on) == (restarts ? 2 : 1));
}

TEST_CASE("the client's log tells once that lines have no times, while they are followed") {
  ChannelServer on;
  on.server.script(R"(log web raw="one\n")");
  struct Log {
    std::mutex mutex;
    int told = 0;
  } log;
  ksr_config* config = nullptr;
  REQUIRE(ksr_config_new(&config) == KSR_OK);
  for (const auto& [key, value] : on.client_settings()) {
    REQUIRE(ksr_config_set(config, key.c_str(), value.c_str(), nullptr) == KSR_OK);
  }
  // 4: a warning.
  ksr_config_on_log(config, [](std::int32_t level, const char* text, std::size_t len, void* self) {
    const std::string line(text, len);
    if (level != 4 || !has(line, "log of v1/pods \"web\" in namespace default at ")) return;
    const std::lock_guard<std::mutex> lock(static_cast<Log*>(self)->mutex);
    if (has(line, "the server sends lines without their times")) ++static_cast<Log*>(self)->told;
  });
  ksr_client* client = nullptr;
  REQUIRE(ksr_client_open(config, &log, nullptr, &client, nullptr) == KSR_OK);
  ksr_config_free(config);
  {
    ChannelUser user;
    REQUIRE(user.open(client, follow_of()) == KSR_OK);
    CHECK(user.wait_until([&](const ChannelUser&) {
      const std::lock_guard<std::mutex> lock(log.mutex);
      return log.told == 1;
    }));
    on.server.script(R"(log web raw="two\n" end)");
    CHECK(user.wait().status == KSR_E_LOST);
    CHECK(user.bytes(KSR_PART_STDOUT) == "one\ntwo\n");
  }
  CHECK(ksr_client_close(client) == KSR_OK);
  CHECK(log.told == 1);
}

TEST_CASE("a page in the place of the log, with every status 200, is told once") {
  ChannelServer on;
  on.server.script("fault any pods answer 200 body=\"<html>\\nlog in</html>\" type=text/html times=forever");
  for (const bool follows : {false, true}) {
    CAPTURE(follows);
    const Requester client(on.client_settings());
    ChannelUser user;
    REQUIRE(user.open(client.client(), follows ? follow_of() : log_of()) == KSR_OK);
    CHECK(user.wait().status == (follows ? KSR_E_LOST : KSR_OK));
    CHECK(user.bytes(KSR_PART_STDOUT) == "<html>\nlog in</html>");
  }
}

TEST_CASE("lines without their times among others are told once, over cuts too") {
  ChannelServer on;
  on.server.script(R"(log web line=one raw="two\n" raw="three\n" line=four raw="five\n")");
  Follower follower(on);
  CHECK(follower.shows("one\ntwo\nthree\nfour\nfive\n"));
  on.server.script("log web cut");
  wait_for_requests(on, follower.user, 2);
  on.server.script(R"(log web raw="six\n" line=seven)");
  CHECK(follower.shows("one\ntwo\nthree\nfour\nfive\nsix\nseven\n"));
  on.server.script("log web cut");
  wait_for_requests(on, follower.user, 3);
  on.server.script("log web line=eight");
  CHECK(follower.shows("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("an orderly end says nothing: while the container runs, the log goes on") {
  ChannelServer on;
  on.server.script("log web line=one end");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  wait_for_requests(on, follower.user, 2);
  on.server.run([](ksr::testserver::World& world) {
    world.logs().at(ksr::testserver::PodLogs::key_of("default", "web", "main", false)).over = false;
  });
  on.server.script("log web line=two");
  CHECK(follower.shows("one\ntwo\n"));
  CHECK(follower.user.count(KSR_EVENT_CLOSED) == 0);
}

TEST_CASE("a restart ends the log, or is told and followed") {
  ChannelServer on;
  on.server.script("log web line=one");
  SUBCASE("follow_restarts=false") {
    Follower follower(on);
    CHECK(follower.shows("one\n"));
    on.server.script("update pods web " + running_pod(1) + "\nlog web line=two restart line=next");
    CHECK(follower.user.wait().status == KSR_OK);
    CHECK(follower.user.bytes(KSR_PART_STDOUT) == "one\ntwo\n");
    CHECK(follower.user.count(KSR_EVENT_RESTARTED) == 0);
  }
  SUBCASE("follow_restarts=true") {
    Follower follower(on, follow_of({{"follow_restarts", "true"}}));
    CHECK(follower.shows("one\n"));
    on.server.script("update pods web " + running_pod(1) + "\nlog web line=two restart line=next");
    CHECK(follower.shows("one\ntwo\nnext\n"));
    CHECK(follower.user.count(KSR_EVENT_RESTARTED) == 1);
    CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  }
  SUBCASE("two restarts while nobody read") {
    Follower follower(on, follow_of({{"follow_restarts", "true"}}));
    CHECK(follower.shows("one\n"));
    on.server.script("update pods web " + running_pod(2) + "\nlog web restart line=unseen restart line=next");
    CHECK(follower.shows("one\nnext\n"));
    CHECK(follower.user.count(KSR_EVENT_GAP) >= 1);
    CHECK(follower.user.count(KSR_EVENT_RESTARTED) == 1);
  }
}

TEST_CASE("a pod that is gone ends its log") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  on.server.script("delete pods web\nlog web end");
  CHECK(follower.user.wait().status == KSR_OK);
}

TEST_CASE("another pod of the same name is not the same log") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  on.server.script("delete pods web\ncreate pods web " + running_pod(3) + "\nlog web line=other cut");
  follower.user.wait();
  CHECK(follower.user.count(KSR_EVENT_CLOSED) == 1);
}

TEST_CASE("refusals: a missing pod, no leave to read logs, a container that waits") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const auto end_of = [&](const Settings& settings) {
    ChannelUser user;
    REQUIRE(user.open(client.client(), settings) == KSR_OK);
    return user.wait();
  };
  const ChannelEnd missing = end_of({{"kind", "log"}, {"namespace", "default"}, {"name", "none"}});
  CHECK(missing.status == KSR_E_NOT_FOUND);
  CHECK(missing.http_status == 404);
  CHECK(missing.maybe_done == 0);
  CHECK(has(missing.details, R"("reason":"NotFound")"));
  on.server.script("deny admin get pods/log");
  CHECK(end_of(log_of()).status == KSR_E_FORBIDDEN);
  // Whoever may read logs need not be allowed to read pods.
  on.server.script("allow\ndeny admin get pods\nlog web line=one end");
  ChannelUser user;
  REQUIRE(user.open(client.client(), log_of()) == KSR_OK);
  CHECK(user.wait().status == KSR_OK);
  CHECK(user.bytes(KSR_PART_STDOUT) == "one\n");
}

TEST_CASE("a container that has never run is waited for, and its log is not asked for before") {
  ChannelServer on;
  on.server.script(
      "create pods slow "
      R"({"spec":{"nodeName":"n","containers":[{"name":"main","image":"i"}]},"status":{"phase":"Pending",)"
      R"("containerStatuses":[{"name":"main","restartCount":0,"state":{"waiting":{"reason":"ContainerCreating"}}}]}})");
  Follower follower(on, {{"kind", "log"}, {"namespace", "default"}, {"name", "slow"}, {"follow", "true"}});
  CHECK(follower.user.wait_until([&](const ChannelUser& now) { return now.count(KSR_EVENT_CONNECTING) >= 2; }));
  CHECK(log_requests(on) == 0);
  CHECK(follower.user.count(KSR_EVENT_INTERRUPTED) == 0);
  on.server.script("log slow line=one\nupdate pods slow " + running_pod());
  CHECK(follower.shows("one\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("a Retry-After is kept for ten minutes at most") {
  ChannelServer on;
  const Requester client(on.client_settings());
  for (const char* kind : {"log", "exec"}) {
    for (const char* after : {"9999", "99999999999", "\"Fri, 31 Dec 2099 23:59:59 GMT\""}) {
      CAPTURE(kind);
      CAPTURE(after);
      on.server.script(std::string("clear\nfault ") + (kind == std::string("log") ? "log" : "stream") +
                       " pods answer 429 retry-after=" + after);
      ChannelUser user;
      REQUIRE(user.open(client.client(), kind == std::string("log") ? follow_of() : exec_of()) == KSR_OK);
      REQUIRE(user.wait_for_event(KSR_EVENT_INTERRUPTED));
      for (const ChannelEvent& event : user.events()) {
        if (event.event == KSR_EVENT_INTERRUPTED) CHECK(event.retry_ms == 600'000);
      }
    }
  }
}

TEST_CASE("429 and 5xx are waited out") {
  ChannelServer on;
  on.server.script("log web line=one\nfault log pods answer 503\nfault log pods answer 429 retry-after=1");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  CHECK(follower.user.count(KSR_EVENT_INTERRUPTED) >= 2);
}

TEST_CASE("the statistic state: connecting while a log that was cut is not read, open again with its next response") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on);
  CHECK(follower.shows("one\n"));
  CHECK(follower.user.stat("state") == KSR_EVENT_OPEN);
  on.server.script("fault get pods answer 500 times=forever\nlog web cut");
  REQUIRE(follower.user.wait_until([](const ChannelUser& now) { return now.count(KSR_EVENT_INTERRUPTED) >= 2; }));
  CHECK(follower.user.stat("state") == KSR_EVENT_CONNECTING);
  on.server.script("clear\nlog web line=two");
  CHECK(follower.shows("one\ntwo\n"));
  CHECK(follower.user.stat("state") == KSR_EVENT_OPEN);
  CHECK(follower.user.count(KSR_EVENT_OPEN) == 1);
}

TEST_CASE("resume=false: a cut is the end, and is told") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on, follow_of({{"resume", "false"}}));
  CHECK(follower.shows("one\n"));
  on.server.script("log web reset");
  CHECK(follower.user.wait().status < KSR_OK);
  CHECK(log_requests(on) == 1);
}

TEST_CASE("from_cursor goes on behind the last line that the host has read") {
  ChannelServer on;
  on.server.script("log web line=one line=two");
  const Requester client(on.client_settings());
  ChannelUser first;
  REQUIRE(first.open(client.client(), follow_of(), ChannelUser::Mode::pull) == KSR_OK);
  std::string seen;
  char space[100];
  std::size_t got = 0;
  while (seen.size() < 8) {
    REQUIRE(ksr_channel_read(first.channel(), KSR_PART_STDOUT, space, sizeof space, 20'000, &got) == KSR_OK);
    seen.append(space, got);
  }
  const std::string cursor = first.info("cursor");
  REQUIRE_FALSE(cursor.empty());
  first.close();
  on.server.script("log web line=two line=three");
  Follower later(on, follow_of({{"from_cursor", cursor}}));
  CHECK(later.shows("two\nthree\n"));
  CHECK(later.user.count(KSR_EVENT_GAP) == 0);
  ChannelUser wrong;
  std::vector<std::string> texts{"nonsense", cursor + ";", cursor + "0"};
  // What ksr_channel_info cut, and what else has happened to it on the way.
  for (std::size_t size = 1; size < cursor.size(); ++size) texts.push_back(cursor.substr(0, size));
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    for (const char other : {'0', '1', ';', ',', '.'}) {
      if (cursor[i] == other) continue;
      texts.push_back(cursor);
      texts.back()[i] = other;
    }
  }
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(wrong.open(later.client.client(), follow_of({{"from_cursor", text}})) == KSR_E_INVALID);
  }
  // Cut to the room that there is, with its whole length told.
  const std::string now = later.user.info("cursor");
  char some[10];
  CHECK(ksr_channel_info(later.user.channel(), "cursor", some, sizeof some) == now.size());
  CHECK(some == now.substr(0, sizeof some - 1));
  CHECK(ksr_channel_info(later.user.channel(), "cursor", nullptr, 0) == now.size());
}

namespace {

// What it holds for the host.
void wait_for_received(const ChannelUser& user, std::uint64_t bytes) {
  REQUIRE(user.wait_until([&](const ChannelUser& now) { return now.stat("bytes_received") >= bytes; }));
}

std::string read_some(const ChannelUser& user, std::size_t size) {
  std::string seen;
  char space[100];
  std::size_t got = 0;
  while (seen.size() < size) {
    REQUIRE(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, std::min(size - seen.size(), sizeof space), 20'000,
                             &got) == KSR_OK);
    REQUIRE(got > 0);
    seen.append(space, got);
  }
  return seen;
}

}  // namespace

TEST_CASE(
    "from_cursor goes on behind the last line of which all was taken, whatever the host and the server left of it") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const auto resumed = [&](const Settings& settings, std::uint64_t received, std::size_t read) {
    ChannelUser user;
    REQUIRE(user.open(client.client(), settings, ChannelUser::Mode::pull) == KSR_OK);
    wait_for_received(user, received);
    read_some(user, read);
    const std::string cursor = user.info("cursor");
    REQUIRE_FALSE(cursor.empty());
    // A host that has read more says what it has used.
    read_some(user, received - read);
    CHECK(user.info(("cursor:" + std::to_string(read)).c_str()) == cursor);
    CHECK(user.info(("cursor:" + std::to_string(received)).c_str()) == user.info("cursor"));
    CHECK(user.info("cursor:").empty());
    user.close();
    ChannelUser later;
    REQUIRE(later.open(client.client(), log_of({{"from_cursor", cursor}})) == KSR_OK);
    CHECK(later.wait().status == KSR_OK);
    CHECK(later.count(KSR_EVENT_GAP) == 0);
    return later.bytes(KSR_PART_STDOUT);
  };
  SUBCASE("limit_bytes within a line") {
    on.server.script("log web line=one line=two line=three line=four line=five line=six end");
    CHECK(resumed(log_of({{"limit_bytes", "9"}}), 9, 9) == "three\nfour\nfive\nsix\n");
    CHECK(resumed(follow_of({{"limit_bytes", "8"}}), 8, 8) == "three\nfour\nfive\nsix\n");
    CHECK(resumed(log_of({{"limit_bytes", "9"}}), 9, 5) == "two\nthree\nfour\nfive\nsix\n");
  }
  SUBCASE("the last line has no newline") {
    on.server.script(
        R"(log web stamp=2026-11-29T10:00:00Z line=one line=two raw="2026-11-29T10:00:01.000000000Z three" end)");
    CHECK(resumed(log_of(), 13, 0) == "one\ntwo\nthree");
    CHECK(resumed(log_of(), 13, 4) == "two\nthree");
    CHECK(resumed(log_of(), 13, 8) == "three");
    CHECK(resumed(log_of(), 13, 13).empty());
  }
  SUBCASE("the log begins within its file") {
    on.server.script(
        "log web stamp=2026-11-29T10:00:00Z line=one line=two stamp=2026-11-29T10:00:01Z line=three line=four end");
    CHECK(resumed(log_of({{"tail", "2"}}), 11, 0) == "three\nfour\n");
    CHECK(resumed(log_of({{"tail", "2"}}), 11, 6) == "four\n");
  }
  SUBCASE("the pod may not be read") {
    on.server.script("deny admin get pods\nlog web line=one line=two line=three end");
    CHECK(resumed(log_of(), 14, 4) == "two\nthree\n");
  }
}

TEST_CASE("with follow_restarts the cursor names the instance whose lines the host has not taken yet") {
  ChannelServer on;
  on.server.script("log web line=old1 line=old2 line=old3");
  const Requester client(on.client_settings());
  ChannelUser user;
  REQUIRE(user.open(client.client(), follow_of({{"follow_restarts", "true"}}), ChannelUser::Mode::pull) == KSR_OK);
  wait_for_received(user, 15);
  CHECK(read_some(user, 5) == "old1\n");
  on.server.script("update pods web " + running_pod(1) + "\nlog web restart line=new1 line=new2");
  wait_for_received(user, 25);
  std::string rest = "old2\nold3\nnew1\nnew2\n";
  std::size_t restarts = 1;
  SUBCASE("none of them") {}
  SUBCASE("all of them, and nothing of the next") {
    CHECK(read_some(user, 10) == "old2\nold3\n");
    rest = "new1\nnew2\n";
  }
  SUBCASE("one of the next") {
    CHECK(read_some(user, 10) == "old2\nold3\n");
    CHECK(user.wait_for_event(KSR_EVENT_RESTARTED));
    CHECK(read_some(user, 5) == "new1\n");
    rest = "new2\n";
    restarts = 0;
  }
  const char* name = "cursor";
  SUBCASE("one of the next, which was read ahead") {
    CHECK(read_some(user, 10) == "old2\nold3\n");
    CHECK(user.wait_for_event(KSR_EVENT_RESTARTED));
    CHECK(read_some(user, 5) == "new1\n");
    on.server.script("log web line=new3");
    wait_for_received(user, 30);
    name = "cursor:10";
    rest = "old3\nnew1\nnew2\nnew3\n";
  }
  const std::string cursor = user.info(name);
  user.close();
  Follower later(on, follow_of({{"follow_restarts", "true"}, {"from_cursor", cursor}}));
  CHECK(later.shows(rest));
  CHECK(later.user.count(KSR_EVENT_GAP) == 0);
  CHECK(later.user.count(KSR_EVENT_RESTARTED) == restarts);
}

TEST_CASE("a log that is cut before its first line begins where it did") {
  ChannelServer on;
  const std::string old = "log web stamp=2026-11-29T10:00:00Z line=old";
  // So late that the new lines are no part any more of what a second request for the same would be answered.
  const std::string late = "fault log pods answer 503 retry-after=4\n";
  SUBCASE("since=1s, or tail=0") {
    Settings beginning;
    SUBCASE("since=1s") {
      beginning = {{"since", "1s"}};
    }
    SUBCASE("tail=0") {
      beginning = {{"tail", "0"}};
    }
    on.server.script(old);
    Follower follower(on, follow_of(beginning));
    wait_for_requests(on, follower.user, 1);
    on.server.script(late + "log web cut line=new1");
    wait_for_requests(on, follower.user, 3);
    on.server.script("log web line=new2");
    CHECK(follower.shows("new1\nnew2\n"));
    CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  }
  SUBCASE("tail=2, at once: which lines these were is not known") {
    Follower follower(on, follow_of({{"tail", "2"}}));
    wait_for_requests(on, follower.user, 1);
    on.server.script("log web cut line=l1 line=l2 line=l3 line=l4 line=l5");
    CHECK(follower.user.wait_until([](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), "l5\n"); }));
    CHECK(follower.user.count(KSR_EVENT_GAP) == 1);
  }
  SUBCASE("tail=2, after a while: there were none") {
    Follower follower(on, follow_of({{"tail", "2"}}));
    wait_for_requests(on, follower.user, 1);
    on.server.script("sleep 2s\nlog web cut line=l1 line=l2 line=l3 line=l4 line=l5");
    CHECK(follower.shows("l1\nl2\nl3\nl4\nl5\n"));
    CHECK(follower.user.count(KSR_EVENT_GAP) == 1);
  }
  SUBCASE("tail=2, not followed: the same again") {
    const std::string line(1'000, 'x');
    on.server.script("fault log pods cut bytes=500\nlog web line=first line=" + line + " line=" + line + " end");
    Follower follower(on, log_of({{"tail", "2"}}));
    CHECK(follower.user.wait().status == KSR_OK);
    CHECK(follower.user.bytes(KSR_PART_STDOUT) == line + "\n" + line + "\n");
    CHECK(follower.user.count(KSR_EVENT_INTERRUPTED) == 1);
    CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  }
  SUBCASE("in another process") {
    on.server.script(old);
    const Requester client(on.client_settings());
    ChannelUser user;
    REQUIRE(user.open(client.client(), follow_of({{"tail", "0"}})) == KSR_OK);
    CHECK(user.wait_for_event(KSR_EVENT_OPEN));
    const std::string cursor = user.info("cursor");
    REQUIRE_FALSE(cursor.empty());
    user.close();
    on.server.script("log web line=new1");
    Follower later(on, follow_of({{"from_cursor", cursor}}));
    CHECK(later.shows("new1\n"));
    on.server.script("log web line=new2");
    CHECK(later.shows("new1\nnew2\n"));
    CHECK(later.user.count(KSR_EVENT_GAP) == 0);
  }
}

TEST_CASE("the last line of a log that was there before its beginning is not waited for") {
  ChannelServer on;
  on.server.script("log web stamp=2026-11-29T10:00:00Z line=old");
  Follower follower(on, follow_of({{"tail", "0"}}));
  // That the last line was read aside.
  wait_for_requests(on, follower.user, 2);
  on.server.script("sleep 3s\nlog web line=new");
  CHECK(follower.shows("new\n"));
  CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
  CHECK(follower.user.stat("reconnects") == 0);
}

TEST_CASE("a kubelet that does not know the pod yet answers 404: the pod says whether it is gone") {
  ChannelServer on;
  on.server.script("log web line=one");
  SUBCASE("at the beginning") {
    on.server.script("fault log pods answer 404 times=2");
    Follower follower(on);
    CHECK(follower.shows("one\n"));
    CHECK(follower.user.count(KSR_EVENT_INTERRUPTED) == 2);
    for (const ChannelEvent& event : follower.user.events()) {
      if (event.event == KSR_EVENT_INTERRUPTED) CHECK(has(event.message, "the pod is there, and its log is not"));
    }
  }
  SUBCASE("after an end in order, or a cut") {
    SUBCASE("the pod may be read") {}
    SUBCASE("it may not be") {
      on.server.script("deny admin get pods");
    }
    Follower follower(on);
    CHECK(follower.shows("one\n"));
    on.server.script("fault log pods answer 404 times=3\nlog web cut line=two");
    CHECK(follower.shows("one\ntwo\n"));
    CHECK(follower.user.count(KSR_EVENT_INTERRUPTED) >= 3);
    CHECK(follower.user.count(KSR_EVENT_GAP) == 0);
    CHECK(follower.user.count(KSR_EVENT_CLOSED) == 0);
  }
  SUBCASE("then the pod is gone") {
    Follower follower(on);
    CHECK(follower.shows("one\n"));
    on.server.script("fault log pods answer 404 times=1\nlog web end\ndelete pods web");
    CHECK(follower.user.wait().status == KSR_OK);
  }
}

TEST_CASE("header.Accept is not for what a channel reads itself") {
  ChannelServer on;
  on.server.script("log web line=one");
  Follower follower(on, {{"kind", "log"},
                         {"namespace", "default"},
                         {"name", "web"},
                         {"follow", "true"},
                         {"header.accept", "text/plain"},
                         {"header.Content-Type", "text/plain"}});
  CHECK(follower.shows("one\n"));
  // The pod twice, its log, and the last line.
  wait_for_requests(on, follower.user, 2);
  ChannelUser run;
  REQUIRE(run.open(follower.client.client(), {{"kind", "exec"},
                                              {"namespace", "default"},
                                              {"name", "web"},
                                              {"command", "ls"},
                                              {"header.Accept", "text/plain"}}) == KSR_OK);
  CHECK(run.wait_for_event(KSR_EVENT_OPEN));
  for (const RecordedRequest& request : on.server.requests()) {
    if (request.websocket) continue;
    CAPTURE(request.target);
    std::vector<std::string> accepts;
    for (const auto& [name, value] : request.headers) {
      if (name == "accept" || name == "Accept") accepts.push_back(value);
    }
    CHECK(accepts == std::vector<std::string>{request.verb == "log" ? "*/*" : "application/json"});
  }
}

TEST_CASE("the cursor of a channel that was cancelled leaves out what the host has not taken") {
  ChannelServer on;
  on.server.script("log web line=one");
  const Requester client(on.client_settings());
  ChannelUser user;
  user.taking = [](ksr_channel*, std::int32_t, const std::string& bytes) {
    return has(bytes, "one") ? bytes.size() : 0;
  };
  REQUIRE(user.open(client.client(), follow_of()) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "one\n"));
  on.server.script("log web line=two line=three");
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") >= 14; }));
  ksr_channel_cancel(user.channel());
  const std::string cursor = user.info("cursor");
  REQUIRE_FALSE(cursor.empty());
  Follower later(on, follow_of({{"from_cursor", cursor}}));
  CHECK(later.shows("two\nthree\n"));
  CHECK(later.user.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("a host at rest loses nothing") {
  ChannelServer on;
  std::string script = "log web";
  for (int i = 0; i < 2'000; ++i) script += " line=" + std::string(500, static_cast<char>('a' + i % 26));
  on.server.script(script + " line=end");
  const Requester client(on.client_settings());
  ChannelUser user;
  std::atomic<bool> takes{false};
  user.taking = [&](ksr_channel*, std::int32_t, const std::string& bytes) { return takes ? bytes.size() : 0; };
  REQUIRE(user.open(client.client(), follow_of({{"receive_buffer", "16Ki"}})) == KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") >= 8 * 1024; }));
  on.server.script("log web cut");
  takes = true;
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), "end\n"); }));
  CHECK(user.bytes(KSR_PART_STDOUT).size() == 2'000 * 501 + 4);
  CHECK(user.count(KSR_EVENT_GAP) == 0);
}
