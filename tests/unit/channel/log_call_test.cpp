// What a log asks for next, by how its responses end: over a network and a clock that do what the test says.
#include <doctest/doctest.h>

#include <cstdio>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channel/channel_call.hpp"
#include "channel/log_cursor.hpp"
#include "support/fixed_random.hpp"
#include "support/text.hpp"
#include "unit/channel/idle_host.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::channel;
using ksr::testing::has;

namespace {

enum class Ends { in_order, cut, not_at_all };

// How a server answers a request.
struct Answer {
  int status = 200;
  std::string body;
  Ends ends = Ends::in_order;
};

// "2026-01-01T00:00:0N.000000000Z lN" and a newline.
std::string log_line(int number) {
  const std::string text = std::to_string(number);
  return "2026-01-01T00:00:0" + text + ".000000000Z l" + text + "\n";
}

std::string log_lines(int first, int end) {
  std::string text;
  for (int i = first; i < end; ++i) text += log_line(i);
  return text;
}

std::string texts(int first, int end) {
  std::string text;
  for (int i = first; i < end; ++i) text += "l" + std::to_string(i) + "\n";
  return text;
}

std::string pod_of_log(const std::string& state = R"({"running":{}})", int restarts = 0) {
  const std::string number = std::to_string(restarts);
  return R"({"metadata":{"uid":"u"},"spec":{"containers":[{"name":"main"}]},"status":{"phase":"Running",)"
         R"("containerStatuses":[{"name":"main","containerID":"containerd://)" +
         number + R"(","restartCount":)" + number + R"(,"state":)" + state + "}]}}";
}

const char* const kTerminated = R"({"terminated":{"exitCode":0}})";

class LogHost final : public channel::testing::IdleHost {
 public:
  void on_open() override { ++opens; }
  void on_interrupted(const Error& error, std::optional<Milliseconds> retry) override {
    interruptions.push_back(error);
    delays.push_back(retry.value_or(Milliseconds(-1)));
  }
  bool on_bytes(int, std::string_view bytes) override {
    text += bytes;
    return takes;
  }
  void on_mark(int, Mark mark) override {
    if (mark == Mark::gap) text += "GAP\n";
    if (mark == Mark::gap && opens == 0) gap_before_open = true;
    if (mark == Mark::restarted) text += "RESTARTED\n";
  }
  std::uint64_t taken_bytes() const override { return text.size(); }
  void on_end(Ending with) override { ending = std::move(with); }

  std::string text;
  bool takes = true;
  int opens = 0;
  bool gap_before_open = false;
  std::vector<Error> interruptions;
  std::vector<Milliseconds> delays;
  std::optional<Ending> ending;
};

ChannelOptions log_options(bool follow = false) {
  ChannelOptions options;
  options.kind = ChannelKind::log;
  options.follow = follow;
  return options;
}

// A log whose last line is that of `whole`. The others of its requests are answered with `answers`, the last one again
// and again.
class Log {
 public:
  explicit Log(const ChannelOptions& with, std::deque<Answer> answering, std::string whole = log_lines(0, 10))
      : answers(std::move(answering)), last_lines{{200, whole.substr(whole.rfind('\n', whole.size() - 2) + 1)}} {
    const bool is_log = with.kind == ChannelKind::log;
    world.transport.serve = [this, is_log](const transport::Request& request, transport::ExchangeObserver& observer,
                                           const std::shared_ptr<const bool>& alive) {
      targets.push_back(request.target);
      CHECK(request.cut_shows == is_log);
      whole_timeout = request.whole_timeout;
      const Answer answer = answer_to(request.target);
      if (answer.ends == Ends::not_at_all) {
        open_ = &observer;
        open_alive_ = alive;
      }
      world.executor.post([answer, &observer, alive] { deliver(answer, observer, alive); });
    };
    cluster::ConnectionOptions connection;
    connection.server = "https://h";
    connection.token = "t";
    const auto access = world.open(connection);
    REQUIRE(access.has_value());
    ChannelTarget target;
    target.name_space = "default";
    target.name = "web";
    call = make_channel_call({world.executor, std::make_shared<ksr::testing::FixedRandom>(), *access, counts,
                              std::make_shared<ServerProtocols>(), host},
                             with, std::move(target));
  }
  ~Log() {
    world.executor.post([this] {
      call->cancel();
      call.reset();
    });
    world.executor.run();
  }

  Log& run(int seconds = 100) {
    if (!std::exchange(started_, true)) world.executor.post([this] { call->start(); });
    for (int i = 0; i < 10 * seconds && !host->ending; ++i) {
      world.run_all();
      world.pass(Milliseconds(100));
    }
    return *this;
  }
  // The one that did not end at all.
  void end_response() {
    world.executor.post([this] {
      if (*open_alive_) open_->on_end(std::nullopt);
    });
  }
  bool ended_in_order() const { return host->ending && !host->ending->error; }
  Status error() const { return host->ending && host->ending->error ? host->ending->error->status : Status::ok; }
  // How many of its requests have this in their targets; "" is all for the log.
  std::size_t asked(const std::string& what) const {
    std::size_t count = 0;
    for (const std::string& target : targets) count += has(target, "/log?") && has(target, what) ? 1 : 0;
    return count;
  }

  cluster::testing::World world;
  std::shared_ptr<LogHost> host = std::make_shared<LogHost>();
  std::shared_ptr<ChannelCounts> counts = std::make_shared<ChannelCounts>();
  std::shared_ptr<ChannelCall> call;
  std::vector<std::string> targets;
  Milliseconds whole_timeout{0};  // of the last one
  std::deque<Answer> answers;
  std::deque<Answer> last_lines;
  std::deque<Answer> pods{{200, pod_of_log()}};

 private:
  static Answer next(std::deque<Answer>& of) {
    Answer answer = of.front();
    if (of.size() > 1) of.pop_front();
    return answer;
  }
  Answer answer_to(const std::string& target) {
    if (has(target, "/pods/") && !has(target, "/log?")) return next(pods);
    const bool last = has(target + "&", "tailLines=1&") || has(target + "&", "tailLines=2&");
    return last ? next(last_lines) : next(answers);
  }
  static void deliver(const Answer& answer, transport::ExchangeObserver& observer,
                      const std::shared_ptr<const bool>& alive) {
    if (!*alive) return;
    observer.on_head({answer.status, "text/plain", "", {}});
    if (*alive && !answer.body.empty()) observer.on_body(answer.body);
    if (!*alive || answer.ends == Ends::not_at_all) return;
    observer.on_end(answer.ends == Ends::cut ? std::optional<Error>(Error{Status::transport, "cut"}) : std::nullopt);
  }

  bool started_ = false;
  transport::ExchangeObserver* open_ = nullptr;
  std::shared_ptr<const bool> open_alive_;
};

// That goes on behind the first three lines.
std::string cursor_behind_three() {
  ChannelOptions options = log_options();
  options.limit_bytes = 9;
  Log log(options, {{200, log_lines(0, 10)}});
  log.run();
  REQUIRE(log.host->text == texts(0, 3));
  return log.call->cursor(*log.host, log.host->taken_bytes());
}

}  // namespace

TEST_CASE("a log that is not followed is whole when its last line has come, however its responses end") {
  ChannelOptions options = log_options();
  std::deque<Answer> answers;
  int first = 0;
  SUBCASE("it is") {
    answers = {{200, log_lines(0, 10)}};
  }
  SUBCASE("empty") {
    answers = {{200, ""}, {200, log_lines(0, 10)}};
  }
  SUBCASE("empty, tail") {
    options.tail = 5;
    answers = {{200, ""}, {200, log_lines(5, 10)}};
    first = 5;
  }
  SUBCASE("empty, since") {
    options.since_time = "2026-01-01T00:00:02Z";
    answers = {{200, ""}, {200, log_lines(2, 10)}};
    first = 2;
  }
  SUBCASE("empty, the last ten minutes") {
    options.since_seconds = 600;
    answers = {{200, ""}, {200, log_lines(0, 10)}};
  }
  SUBCASE("within a stamp") {
    answers = {{200, "2026-01-"}, {200, log_lines(0, 10)}};
  }
  SUBCASE("within its first line") {
    answers = {{200, log_line(0).substr(0, 32)}, {200, log_lines(0, 10)}};
  }
  SUBCASE("within lines that come again") {
    answers = {{200, log_lines(0, 4)}, {200, log_line(2).substr(0, 32)}, {200, log_lines(2, 10)}};
  }
  SUBCASE("one after the other") {
    answers = {{200, log_lines(0, 3)}, {200, log_lines(0, 6)}, {200, log_lines(2, 7)}, {200, log_lines(2, 10)}};
  }
  SUBCASE("after one that was cut") {
    answers = {{200, log_lines(0, 3), Ends::cut}, {200, log_lines(0, 6)}, {200, log_lines(2, 10)}};
  }
  SUBCASE("from_cursor") {
    options.from_cursor = cursor_behind_three();
    answers = {{200, log_lines(0, 6)}, {200, log_lines(2, 10)}};
    first = 3;
  }
  SUBCASE("from_cursor, empty") {
    options.from_cursor = cursor_behind_three();
    answers = {{200, ""}, {200, log_lines(0, 10)}};
    first = 3;
  }
  Log log(options, answers);
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(first, 10));
  CHECK(log.asked("tailLines=1&") + log.asked("tailLines=1") > 0);
}

TEST_CASE("whether a log was whole is asked for while the host takes nothing") {
  Log log(log_options(), {{200, log_lines(0, 10)}});
  log.host->takes = false;
  log.run(10);
  CHECK(log.ended_in_order());
  CHECK(log.asked("tailLines=1") == 1);
  REQUIRE(log.world.transport.paused.size() == 1);
  CHECK_FALSE(has(log.world.transport.paused[0], "tailLines"));
}

TEST_CASE("a log that ends before its last line again and again is an error, not a whole log") {
  ChannelOptions options = log_options();
  SUBCASE("from its beginning") {}
  SUBCASE("from_cursor") {
    options.from_cursor = cursor_behind_three();
  }
  Log log(options, {{200, log_lines(0, 6)}});
  log.run();
  CHECK(log.error() == Status::lost);
  CHECK(log.host->text == texts(options.from_cursor.empty() ? 0 : 3, 6));
  CHECK(log.asked("") <= 8);
}

TEST_CASE("resume=false: a log that ends before its last line is not asked for again, and not whole") {
  ChannelOptions options = log_options();
  options.resume = false;
  Log log(options, {{200, log_lines(0, 6)}});
  log.run();
  CHECK(log.error() == Status::lost);
  CHECK(log.host->text == texts(0, 6));
  CHECK(log.asked("") == 2);
}

TEST_CASE("resume=false: what the container writes after the response is no loss") {
  ChannelOptions options = log_options();
  options.resume = false;
  std::string text = texts(0, 6);
  SUBCASE("the last line of before has come") {}
  SUBCASE("a newer one has, of a tail") {
    options.tail = 9;
  }
  SUBCASE("from_cursor") {
    options.from_cursor = cursor_behind_three();
    text = texts(3, 6);
  }
  SUBCASE("of the last ten minutes, of which the first lines are not known") {
    options.since_seconds = 600;
  }
  Log log(options, {{200, log_lines(0, 6)}}, log_lines(0, options.tail ? 5 : 6));
  // As it was before, then what was written meanwhile.
  log.last_lines.push_back({200, log_line(9)});
  if (options.since_seconds) log.last_lines.pop_front();
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == text);
  CHECK(log.asked("") == (options.since_seconds ? 1 : 2));
}

TEST_CASE("resume=false: the first failure is the end, before the first response too") {
  ChannelOptions options = log_options(true);
  options.resume = false;
  const Answer refused{500, "dial"};
  Log log(options, {{200, log_lines(0, 3), Ends::cut}});
  std::string text;
  std::size_t asked = 0;
  SUBCASE("of the pod") {
    log.pods = {refused, {200, pod_of_log()}};
  }
  SUBCASE("of the log") {
    log.answers.push_front(refused);
    asked = 1;
  }
  SUBCASE("of the log, which a kubelet that has just started does not know") {
    log.answers.push_front({404, ""});
    asked = 1;
  }
  SUBCASE("a cut") {
    text = texts(0, 3);
    asked = 1;
  }
  log.run();
  CHECK(log.error() != Status::ok);
  CHECK(log.host->interruptions.empty());
  CHECK(log.host->text == text);
  CHECK(log.asked("") == asked);
}

TEST_CASE("a log that was open is asked for again after 401 and 403, as a stream") {
  const Answer begun{200, log_lines(0, 3), Ends::cut};
  const Answer again{200, log_lines(0, 6), Ends::not_at_all};
  SUBCASE("401, of the log and of the pod") {
    const Answer refused{401, ""};
    Log log(log_options(true), {begun, refused, refused, refused, refused, again});
    log.pods = {{200, pod_of_log()}, {200, pod_of_log()}, {200, pod_of_log()}, refused, refused, {200, pod_of_log()}};
    log.run(60);
    CHECK(log.host->text == texts(0, 6));
    REQUIRE(log.host->interruptions.size() >= 3);
    // The cut, then after one with new credentials.
    CHECK(log.host->interruptions[1].status == Status::auth);
    CHECK(log.host->delays[1] > Milliseconds(0));
  }
  SUBCASE("403, of both: every 30 to 60 seconds") {
    const Answer refused{403, ""};
    Log log(log_options(true), {begun, refused, refused, again});
    log.pods = {{200, pod_of_log()}, refused, refused, {200, pod_of_log()}};
    log.run(150);
    CHECK(log.host->text == texts(0, 6));
    REQUIRE(log.host->interruptions.size() == 3);
    for (int i = 1; i < 3; ++i) {
      CHECK(log.host->interruptions[i].status == Status::forbidden);
      CHECK(log.host->delays[i] >= Milliseconds(30'000));
      CHECK(log.host->delays[i] <= Milliseconds(60'000));
    }
  }
  for (const int status : {401, 403}) {
    CAPTURE(status);
    // Before the log is open, and where it is not followed, they are the end.
    Log never(log_options(true), {{status, ""}});
    never.run();
    CHECK(never.error() == (status == 401 ? Status::auth : Status::forbidden));
    CHECK(never.host->interruptions.empty());
    Log once(log_options(), {begun, {status, ""}});
    once.run();
    CHECK(once.error() == (status == 401 ? Status::auth : Status::forbidden));
    CHECK(once.host->interruptions.size() == 1);
  }
}

TEST_CASE("a log that grows is read to the line that was its last one when it was checked") {
  Log log(log_options(), {{200, log_lines(0, 3)}, {200, log_lines(0, 5)}, {200, log_lines(0, 9)}}, log_lines(0, 5));
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(0, 5));
  CHECK(log.asked("") == 3);
}

TEST_CASE("a log that grows has no more lines than tail has asked for") {
  ChannelOptions options = log_options();
  std::string text;
  std::size_t asked = 1;
  SUBCASE("they come at once") {
    options.tail = 3;
    text = texts(0, 3);
  }
  SUBCASE("some of them come later") {
    options.tail = 5;
    text = texts(0, 5);
    asked = 3;
  }
  SUBCASE("none") {
    options.tail = 0;
    asked = 2;
  }
  Log log(options, {{200, options.tail == 0 ? "" : log_lines(0, 3)}, {200, log_lines(0, 9)}}, log_lines(0, 9));
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == text);
  CHECK(log.asked("") <= asked);
}

TEST_CASE("a log that grows is not ended within a line") {
  Log log(log_options(),
          {{200, log_lines(0, 3)}, {200, log_lines(0, 5) + log_line(5).substr(0, 32)}, {200, log_lines(3, 6)}},
          log_lines(0, 5));
  log.last_lines.push_back({200, log_line(5)});
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(0, 6));
}

TEST_CASE("what a whole log does not have is not waited for") {
  ChannelOptions options = log_options();
  std::deque<Answer> answers{{200, ""}};
  std::string whole = log_lines(0, 3);
  std::string text;
  std::size_t asked = 2;
  SUBCASE("tail=0") {
    options.tail = 0;
    asked = 1;
  }
  SUBCASE("nothing was written") {
    whole = "\n";
  }
  SUBCASE("its last line is known: nothing is new, and nothing was lost") {
    options.from_cursor = cursor_behind_three();
  }
  SUBCASE("the last line is that of a line in parts, of which it is the last one") {
    answers = {{200, log_lines(0, 2) + "2026-01-01T00:00:02.000000000Z partl9\n"}};
    whole = log_lines(0, 10);
    text = texts(0, 2) + "partl9\n";
    asked = 3;
  }
  SUBCASE("the last line has no newline") {
    whole = log_lines(0, 3);
    whole.pop_back();
    answers = {{200, whole}};
    text = "l0\nl1\nl2";
  }
  Log log(options, answers, whole);
  if (whole == "\n") log.last_lines.front().body.clear();
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == text);
  CHECK(log.asked("") == asked);
}

TEST_CASE("lines from before the time that was asked for are not asked for later either") {
  ChannelOptions options = log_options(true);
  options.since_time = "2026-01-01T00:00:02.5Z";
  Log log(options, {{200, log_lines(3, 5), Ends::cut}, {200, log_lines(3, 10), Ends::not_at_all}});
  log.run(10);
  CHECK(log.host->text == texts(3, 10));
  // The first, the next, and the last line.
  CHECK(log.asked("") == 3);
  CHECK(log.asked("sinceTime=2026-01-01T00%3A00%3A02.5Z") == 3);
  // Those of a time far behind it begin where they have to.
  options.since_time = "2026-01-01T00:00:01Z";
  Log earlier(options, {{200, log_lines(5, 9), Ends::cut}, {200, log_lines(5, 10), Ends::not_at_all}});
  earlier.run(2);
  CHECK(earlier.asked("sinceTime=2026-01-01T00%3A00%3A04Z") == 1);
}

TEST_CASE("an empty last line that is the end of a line whose parts are full: the part before tells, without a wait") {
  const std::string whole = "2026-01-01T00:00:03.000000000Z " + std::string(16'384, 'x') + "\n";
  Log log(log_options(), {{200, log_lines(0, 3) + whole}}, "2026-01-01T00:00:04.000000000Z \n");
  SUBCASE("one part") {
    log.last_lines.push_back({200, whole});
    log.run();
    CHECK(log.asked("") == 3);
  }
  SUBCASE("of several the last one") {
    log.last_lines.push_back({200, "2026-01-01T00:00:03.500000000Z " + std::string(1'000, 'x') + "\n"});
    log.run();
    CHECK(log.asked("") == 4);
  }
  SUBCASE("it has not come") {
    log.last_lines.push_back({200, log_line(2) + log.last_lines.front().body});
    log.answers.push_back({200, log_lines(2, 3) + whole + log.last_lines.front().body});
    log.run();
    CHECK(log.ended_in_order());
    CHECK(has(log.host->text, "x\n\n"));
    return;
  }
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(0, 3) + std::string(16'384, 'x') + "\n");
}

TEST_CASE("a log whose last line says nothing of it ends after three looks") {
  Answer last;
  SUBCASE("none, as from a file that was just rotated") {}
  SUBCASE("within it") {
    last.body = "2026-01-01T00:00:09.0000";
  }
  SUBCASE("without its time") {
    last.body = "text\n";
  }
  SUBCASE("the check is refused") {
    last.status = 400;
  }
  Log log(log_options(), {{200, log_lines(0, 3)}});
  log.last_lines.front() = last;
  log.run();
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(0, 3));
  CHECK(log.asked("") == (last.status == 400 ? 2 : 6));
}

TEST_CASE("the rest of a container that is over, and of one that was restarted, is checked as well") {
  const std::string cursor = cursor_behind_three();
  for (const bool restarted : {false, true}) {
    for (const bool from_cursor : {false, true}) {
      for (const bool comes : {false, true}) {
        CAPTURE(restarted);
        CAPTURE(from_cursor);
        CAPTURE(comes);
        ChannelOptions options = log_options(true);
        if (from_cursor) options.from_cursor = cursor;
        Log log(options, {{200, log_lines(0, 4)}, {200, log_lines(0, 6)}, {200, ""}});
        if (comes) log.answers.push_back({200, log_lines(2, 10)});
        log.pods = {{200, pod_of_log(restarted ? R"({"running":{}})" : kTerminated, restarted ? 1 : 0)}};
        // Which instance it begins with.
        if (restarted && !from_cursor) log.pods.push_front({200, pod_of_log()});
        log.run();
        CHECK(log.ended_in_order());
        CHECK(log.host->text == texts(from_cursor ? 3 : 0, comes ? 10 : 6) + (comes ? "" : "GAP\n"));
      }
    }
  }
}

TEST_CASE("a container that ends before the first line of a log that begins within its file: none of before, no GAP") {
  struct Beginning {
    std::optional<std::uint64_t> tail;
    std::optional<std::uint64_t> since_seconds;
    int quiet_seconds;
    std::string check;  // empty: none
  };
  // The server has lines of before, which it is not to be asked for; but for a tail of nothing.
  for (const Beginning& beginning : {Beginning{0, {}, 0, ""}, Beginning{0, {}, 3, "sinceSeconds=3"},
                                     Beginning{{}, 1, 3, "sinceSeconds=4"}, Beginning{10, {}, 0, "tailLines=1"}}) {
    for (const bool restarted : {false, true}) {
      CAPTURE(beginning.check);
      CAPTURE(restarted);
      ChannelOptions options = log_options(true);
      options.tail = beginning.tail;
      options.since_seconds = beginning.since_seconds;
      const Ends ends = beginning.quiet_seconds > 0 ? Ends::not_at_all : Ends::in_order;
      Log log(options, {{200, "", ends}, {200, beginning.tail == 10 ? "" : log_lines(0, 3)}});
      if (!beginning.check.empty()) log.last_lines.front().body.clear();
      log.pods = {{200, pod_of_log()}, {200, restarted ? pod_of_log(R"({"running":{}})", 1) : pod_of_log(kTerminated)}};
      if (beginning.quiet_seconds > 0) {
        log.run(beginning.quiet_seconds);
        log.end_response();
      }
      log.run(30);
      CHECK(log.ended_in_order());
      CHECK(log.host->text.empty());
      CHECK(log.asked("") == (beginning.check.empty() ? 1 : 2));
      CHECK(log.asked(beginning.check) >= 1);
      CHECK(log.asked("previous=true") == (restarted && !beginning.check.empty() ? 1 : 0));
    }
  }
}

TEST_CASE("a container that ends before the first line of a tail, which has one: the tail, behind a GAP") {
  ChannelOptions options = log_options(true);
  options.tail = 10;
  Log log(options, {{200, ""}, {200, log_lines(0, 10)}});
  log.pods = {{200, pod_of_log()}, {200, pod_of_log(kTerminated)}};
  log.run(30);
  CHECK(log.ended_in_order());
  CHECK(log.host->text == "GAP\n" + texts(0, 10));
}

TEST_CASE("the last line alone, behind a rotation that nobody saw, is delivered at the end without a warning") {
  Log log(log_options(true), {{200, log_lines(0, 3)}, {200, log_line(9)}});
  log.pods = {{200, pod_of_log()}, {200, pod_of_log(kTerminated)}};
  log.run(20);
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(0, 3) + "GAP\nl9\n");
  CHECK(log.host->interruptions.empty());
}

TEST_CASE("the last line is not read aside where it would be another pod's, or another instance's") {
  std::string other = pod_of_log();
  SUBCASE("another pod's") {
    other.replace(other.find(R"("uid":"u")"), 9, R"("uid":"v")");
  }
  SUBCASE("another instance's") {
    other = pod_of_log(R"({"running":{}})", 1);
  }
  SUBCASE("none can be known") {
    other = "";
  }
  Log log(log_options(true), {{200, log_lines(0, 3), Ends::not_at_all}});
  log.pods = {{200, pod_of_log()}, {other.empty() ? 500 : 200, other}};
  log.run(30);
  CHECK(log.asked("follow=true") == 1);
  CHECK(log.asked("tailLines=1") == 0);
  CHECK(log.host->text == texts(0, 3));
}

TEST_CASE("after an orderly end a last line that is another pod's is no loss") {
  std::string other = pod_of_log();
  other.replace(other.find(R"("uid":"u")"), 9, R"("uid":"v")");
  Log log(log_options(), {{200, log_lines(0, 3)}});
  log.pods = {{200, pod_of_log()}, {200, other}};
  log.run(30);
  CHECK(log.ended_in_order());
  CHECK(log.host->text == texts(0, 3));
  // Of the same pod, which is gone since, it is one.
  Log gone(log_options(), {{200, log_lines(0, 3)}});
  gone.pods = {{200, pod_of_log()}, {404, ""}};
  gone.run(30);
  CHECK(gone.error() == Status::lost);
}

TEST_CASE("an instance that is over, and whose file is gone, ends with a GAP; the next one is followed") {
  const Answer gone{200, "failed to try resolving symlinks in path \"/x\": no such file"};
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    ChannelOptions options = log_options(true);
    options.follow_restarts = restarted;
    Log log(options, {{200, log_lines(0, 3), Ends::cut}});
    for (int i = 0; i < 5; ++i) log.answers.push_back(gone);
    log.answers.push_back({200, log_lines(6, 8), Ends::not_at_all});
    log.pods = {{200, pod_of_log()}};
    log.pods.push_back({200, restarted ? pod_of_log(R"({"running":{}})", 1) : pod_of_log(kTerminated)});
    log.run(60);
    CHECK(log.host->text == texts(0, 3) + "GAP\n" + (restarted ? "RESTARTED\n" + texts(6, 8) : ""));
    CHECK(log.ended_in_order() == !restarted);
    CHECK(log.counts->gaps == 1);
    // The cut; then what the kubelet says, once it has said it twice.
    REQUIRE(log.host->interruptions.size() == 5);
    for (std::size_t i = 2; i < 5; ++i) CHECK(has(log.host->interruptions[i].message, "resolving symlinks"));
  }
  Log never(log_options(true), {{200, "", Ends::cut}, gone});
  never.pods = {{200, pod_of_log()}, {200, pod_of_log(kTerminated)}};
  never.run(60);
  CHECK(never.ended_in_order());
  CHECK(never.host->text == "GAP\n");
}

TEST_CASE("a log whose file is gone ends with an error where its pod may not be read") {
  Log log(log_options(true), {{200, log_lines(0, 3), Ends::cut}, {200, "failed to try resolving symlinks"}});
  log.pods = {{403, ""}};
  log.run(100);
  CHECK(log.error() == Status::server);
  CHECK(log.host->text == texts(0, 3) + "GAP\n");
}

TEST_CASE("where the pod may not be read, a log ends whose responses end at once without anything new") {
  ChannelOptions options = log_options(true);
  SUBCASE("it does") {
    Log log(options, {{200, log_lines(0, 3)}, {200, log_lines(0, 10)}});
    log.pods = {{403, ""}};
    log.run(60);
    CHECK(log.ended_in_order());
    CHECK(log.host->text == texts(0, 10));
    CHECK(log.host->interruptions.empty());
  }
  SUBCASE("nothing was written") {
    Log log(options, {{200, ""}});
    log.last_lines.front().body.clear();
    log.pods = {{403, ""}};
    log.run(60);
    CHECK(log.ended_in_order());
  }
  SUBCASE("its last line comes after that, and none else") {
    Log log(options, {{200, log_lines(0, 3)}});
    for (int i = 0; i < 5; ++i) log.answers.push_back({200, log_lines(0, 3)});
    log.answers.push_back({200, log_lines(0, 10)});
    log.pods = {{403, ""}};
    log.run(60);
    CHECK(log.ended_in_order());
    CHECK(log.host->text == texts(0, 10));
  }
  SUBCASE("follow_restarts: another instance may follow") {
    options.follow_restarts = true;
    Log log(options, {{200, log_lines(0, 10)}});
    log.pods = {{403, ""}};
    log.run(60);
    CHECK_FALSE(log.host->ending.has_value());
  }
  SUBCASE("the pod may be read, and its container runs") {
    Log log(options, {{200, log_lines(0, 10)}});
    log.run(60);
    CHECK_FALSE(log.host->ending.has_value());
  }
}

TEST_CASE("the log of a pod that is over, as of one that was evicted, is gone where it is missing for half a minute") {
  const std::string evicted = R"({"metadata":{"uid":"u"},"spec":{"containers":[{"name":"main"}]},)"
                              R"("status":{"phase":"Failed","reason":"Evicted"}})";
  std::string failed = pod_of_log(kTerminated);
  failed.replace(failed.find("Running"), 7, "Failed");
  SUBCASE("before its first line") {
    Log log(log_options(true), {{404, ""}});
    log.pods = {{200, evicted}};
    log.run(100);
    CHECK(log.error() == Status::not_found);
    REQUIRE(log.host->ending->error);
    CHECK(has(log.host->ending->error->message, "the pod is there, and its log is not"));
  }
  SUBCASE("a kubelet that has restarted") {
    Log log(log_options(true), {{200, log_lines(0, 3), Ends::cut}, {404, ""}, {404, ""}, {200, log_lines(0, 10)}});
    log.pods = {{200, pod_of_log()}, {200, failed}};
    log.run(100);
    CHECK(log.ended_in_order());
    CHECK(log.host->text == texts(0, 10));
  }
  SUBCASE("after a cut") {
    Log log(log_options(true), {{200, log_lines(0, 3), Ends::cut}, {404, ""}});
    log.pods = {{200, pod_of_log()}, {200, failed}};
    log.run(100);
    CHECK(log.error() == Status::lost);
  }
}

TEST_CASE("one loss is one GAP, however often it is tried to begin again, and none before the log is open") {
  const Answer refused{500, "dial"};
  ChannelOptions options = log_options(true);
  SUBCASE("before the first line of a tail") {
    options.tail = 5;
    Log log(options, {{200, "", Ends::cut},
                      refused,
                      refused,
                      {200, "", Ends::cut},
                      refused,
                      {200, log_lines(0, 3), Ends::not_at_all}});
    log.run(60);
    CHECK(log.host->text == "GAP\n" + texts(0, 3));
    CHECK(log.counts->gaps == 1);
  }
  SUBCASE("another channel's beginning") {
    options.tail = 5;
    {
      Log before(options, {{200, "", Ends::not_at_all}});
      before.run(1);
      options.from_cursor = before.call->cursor(*before.host, before.host->taken_bytes());
    }
    REQUIRE_FALSE(options.from_cursor.empty());
    Log log(options, {refused, refused, refused, {200, log_lines(0, 3), Ends::not_at_all}});
    log.run(1);
    CHECK(log.host->text.empty());
    log.run(60);
    CHECK(log.host->text == "GAP\n" + texts(0, 3));
    CHECK_FALSE(log.host->gap_before_open);
    CHECK(log.counts->gaps == 1);
  }
  SUBCASE("instances that were not seen") {
    options.follow_restarts = true;
    options.from_cursor = cursor_behind_three();
    Log log(options, {{200, log_lines(6, 8), Ends::not_at_all}});
    log.pods = {{200, pod_of_log(R"({"running":{}})", 2)}};
    log.run(20);
    CHECK(log.host->text == "GAP\nRESTARTED\n" + texts(6, 8));
    CHECK(log.counts->gaps == 1);
  }
}

TEST_CASE("from_cursor of a log of which no line had come goes on where that has begun, or tells a GAP") {
  ChannelOptions options = log_options(true);
  const Answer quiet{200, "", Ends::not_at_all};
  const auto cursor_of = [&](const ChannelOptions& with) {
    Log before(with, {quiet});
    before.run(1);
    return before.call->cursor(*before.host, before.host->taken_bytes());
  };
  std::string asked = "sinceSeconds=3";
  std::string text = texts(0, 3);
  SUBCASE("tail=0") {
    options.tail = 0;
    options.from_cursor = cursor_of(options);
    // Read once more before it has a line.
    options.from_cursor = cursor_of(options);
    SUBCASE("which counts no more") {}
    SUBCASE("and is not there any more") {
      options.tail.reset();
    }
  }
  SUBCASE("the last ten minutes") {
    options.since_seconds = 600;
    options.from_cursor = cursor_of(options);
    options.since_seconds.reset();
    asked = "sinceSeconds=603";
  }
  SUBCASE("a tail: which lines these were is not known") {
    options.tail = 5;
    options.from_cursor = cursor_of(options);
    options.tail.reset();
    asked = "";
    text = "GAP\n" + text;
  }
  SUBCASE("a cursor of before") {
    options.from_cursor = "ksr2;u;containerd://0;0;2,,,within";
    char digits[20];
    std::snprintf(digits, sizeof digits, ";%016llx", static_cast<unsigned long long>(stable_hash(options.from_cursor)));
    options.from_cursor += digits;
    asked = "";
    text = "GAP\n" + text;
  }
  Log log(options, {{200, log_lines(0, 3), Ends::not_at_all}});
  log.run(1);
  CHECK(log.host->text == text);
  CHECK(log.asked(asked) == 1);
  CHECK(log.asked("since") == (asked.empty() ? 0 : 1));
  CHECK(log.asked("tail") == 0);
}

TEST_CASE("a refusal is known with its head: its body is waited for five seconds") {
  ChannelOptions options = log_options();
  Log log(options, {{503, "upstream", Ends::not_at_all}, {200, log_lines(0, 10)}});
  SUBCASE("of a log") {
    log.run();
    CHECK(log.ended_in_order());
    CHECK(log.host->text == texts(0, 10));
    REQUIRE(log.host->interruptions.size() == 1);
    CHECK(log.host->interruptions[0].http_status == 503);
  }
  SUBCASE("of its last line") {
    log.answers.pop_front();
    log.last_lines.front() = {503, "upstream", Ends::not_at_all};
    log.run();
    CHECK(log.host->text == texts(0, 10));
    CHECK(log.error() == Status::server);
  }
  SUBCASE("the last line comes without an end") {
    log.answers.pop_front();
    log.last_lines.front().ends = Ends::not_at_all;
    log.run(1);
    CHECK(log.whole_timeout == Milliseconds(30'000));
  }
}

TEST_CASE("a refused request of kind=http is known with its head too") {
  ChannelOptions options;
  options.kind = ChannelKind::http;
  Log log(options, {{503, "upstream", Ends::not_at_all}});
  log.run(6);
  REQUIRE(log.host->ending);
  CHECK(log.host->ending->error->http_status == 503);
}
