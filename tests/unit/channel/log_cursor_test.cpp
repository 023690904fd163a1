#include "channel/log_cursor.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ksr;
using namespace ksr::channel;

namespace {

class Sink final : public LogSink {
 public:
  void on_line(std::string_view text) override { told.emplace_back(text); }
  void on_gap() override { told.emplace_back("GAP"); }
  std::vector<std::string> take() { return std::exchange(told, {}); }
  std::vector<std::string> told;
};

using Told = std::vector<std::string>;

std::string at(const std::string& second, const std::string& text) {
  return "2026-11-28T12:00:" + second + "Z " + text + "\n";
}

// Of 2026-11-28T12:00:00Z.
constexpr std::int64_t kNoon = 1'795'867'200;

}  // namespace

TEST_CASE("whole lines, however the bytes are cut") {
  const std::string log = at("01.000000001", "one") + at("02.5", "two \xff\x01") + at("03", "");
  for (std::size_t size = 1; size <= log.size(); ++size) {
    LogCursor cursor(false);
    Sink sink;
    cursor.begin_response();
    for (std::size_t i = 0; i < log.size(); i += size) cursor.feed(std::string_view(log).substr(i, size), sink);
    CHECK(sink.told == Told{"one\n", "two \xff\x01\n", "\n"});
  }
  LogCursor cursor(true);
  Sink sink;
  cursor.begin_response();
  cursor.feed(log, sink);
  CHECK(sink.told.front() == at("01.000000001", "one"));
}

TEST_CASE("the next response begins a second before the least of the newest lines, and of the unfinished one") {
  LogCursor cursor(false);
  Sink sink;
  CHECK_FALSE(cursor.since());
  cursor.begin_response();
  cursor.feed(at("10.7", "a") + at("09.2", "b") + at("12.9", "c"), sink);
  REQUIRE(cursor.since());
  CHECK(cursor.since()->seconds == kNoon + 8);
  cursor.feed("2026-11-28T12:00:05.1Z begun", sink);
  CHECK(cursor.since()->seconds == kNoon + 4);
  cursor.begin_response();
  CHECK(cursor.since()->seconds == kNoon + 8);
  for (std::size_t i = 0; i < LogCursor::kNewestLines; ++i) cursor.feed(at("13.4", std::to_string(i)), sink);
  CHECK(cursor.since()->seconds == kNoon + 12);
}

TEST_CASE("what is repeated is not told again, what is new is") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("01", "a") + at("02", "b") + "2026-11-28T12:00:02.5Z c", sink);
  CHECK(sink.take() == Told{"a\n", "a\n", "b\n"});
  CHECK_FALSE(cursor.end_response().within_text);
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("01", "a") + at("02", "b") + at("02.5", "c whole") + at("03", "d"), sink);
  CHECK(sink.take() == Told{"c whole\n", "d\n"});
  // A line without a time is the rest of one that began before.
  cursor.begin_response();
  cursor.feed("rest of one\n" + at("02.5", "c whole") + at("03", "d") + at("04", "e"), sink);
  CHECK(sink.take() == Told{"e\n"});
}

TEST_CASE("a rotated file: what it begins with was told, or a gap is") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("02", "b") + at("03", "c"), sink);
  sink.take();
  cursor.begin_response();
  cursor.feed(at("03", "c") + at("04", "d"), sink);
  CHECK(sink.take() == Told{"d\n"});
  cursor.begin_response();
  cursor.feed(at("08", "x"), sink);
  CHECK(sink.take().empty());  // it may be the end of d
  cursor.feed(at("09", "y"), sink);
  CHECK(sink.take() == Told{"GAP", "x\n", "y\n"});
  cursor.begin_response();
  cursor.feed(at("20", "z"), sink);
  cursor.release(sink);
  CHECK(sink.take() == Told{"GAP", "z\n"});
  cursor.release(sink);
  CHECK(sink.take().empty());
}

TEST_CASE("the kubelet's own words at the end are no line") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + "failed to try resolving symlinks in path \"/x\":\x01 no such file", sink);
  const std::string said = "failed to try resolving symlinks in path \"/x\":? no such file";
  CHECK(cursor.end_response().said == said);
  CHECK(sink.take() == Told{"a\n"});
  // Instead of what should be repeated: it may be the rest of a line as well, until it comes again.
  for (const char* expected : {"", said.c_str(), ""}) {
    cursor.begin_response();
    cursor.feed("failed to try resolving symlinks in path \"/x\":\x01 no such file", sink);
    const LogCursor::ResponseEnd end = cursor.end_response();
    CHECK(end.within_text);
    CHECK(end.said == expected);
    if (!end.said.empty()) {
      cursor.begin_response();
      cursor.feed(" end of a line that was cut", sink);
      CHECK(cursor.end_response().said.empty());
    }
  }
  CHECK(sink.told.empty());
  for (const char* cut : {"2026-11-28T12:00:0", "2026-11-28T12:00:02.5Z", "2026-11-28T12:00:02.5Z text", "2", ""}) {
    CAPTURE(cut);
    cursor.begin_response();
    cursor.feed(at("01", "a") + cut, sink);
    const LogCursor::ResponseEnd end = cursor.end_response();
    CHECK_FALSE(end.within_text);
    CHECK(end.said.empty());
  }
}

TEST_CASE("a log that begins within its file: what ends as its first line does is not taken for it") {
  const auto told_of = [](const std::string& first, const std::string& again) {
    LogCursor cursor(false);
    Sink sink;
    cursor.begin_within_file();
    cursor.begin_response();
    cursor.feed(first, sink);
    sink.take();
    cursor.begin_response();
    cursor.feed(again, sink);
    cursor.finish(sink);
    return sink.take();
  };
  // Each line ends with an empty one.
  CHECK(told_of(at("05", "") + at("06", "b"), at("04.5", "before") + at("05", "") + at("06", "b") + at("07", "c")) ==
        Told{"c\n"});
  CHECK(told_of(at("05", "OK") + at("06", "b"), at("04.1", "is OK") + at("04.2", "before") + at("05", "OK") +
                                                    at("06", "b") + at("07", "c")) == Told{"c\n"});
  // Of another file, long after it.
  CHECK(told_of(at("05", "OK") + at("06", "b"), at("15", "all is OK") + at("16", "c")) ==
        Told{"GAP", "all is OK\n", "c\n"});
  // The last part of a line: the parts before were not asked for.
  CHECK(told_of(at("05", "end"), at("04.9", "begin end") + at("07", "c")) == Told{"c\n"});
  CHECK(told_of(at("05", "end") + at("06", "b"), at("04.9", "begin end") + at("06", "b") + at("07", "c")) ==
        Told{"c\n"});
}

TEST_CASE("a last line without a newline is told once the container is over") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + "2026-11-28T12:00:02Z last words", sink);
  CHECK_FALSE(cursor.end_response().within_text);
  CHECK(sink.take() == Told{"a\n"});
  cursor.finish(sink);
  CHECK(sink.take() == Told{"last words"});
}

TEST_CASE("after an orderly end: a last line without a newline, which the kubelet does not count, is one") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  const std::string half = "2026-11-28T12:00:03Z half";
  cursor.feed(at("01", "a") + at("02", "b") + half, sink);
  SUBCASE("in the first response") {}
  SUBCASE("in one that repeats the lines before") {
    cursor.begin_response();
    cursor.feed(at("01", "a") + at("02", "b") + half, sink);
  }
  CHECK_FALSE(cursor.end_response().within_text);
  CHECK(cursor.compare_with_last(at("02", "b")) == LogCursor::LastLine::told);
  cursor.finish(sink);
  CHECK(sink.take() == Told{"a\n", "b\n", "half"});
}

TEST_CASE("after an orderly end within lines that came before: what was cut of them is no last line") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("02", "b"), sink);
  cursor.begin_response();
  cursor.feed(at("01", "a") + "2026-11-28T12:00:02Z ", sink);
  CHECK_FALSE(cursor.end_response().within_text);
  CHECK(cursor.compare_with_last(at("02", "b")) == LogCursor::LastLine::told);
  cursor.finish(sink);
  CHECK(sink.take() == Told{"a\n", "b\n"});
}

TEST_CASE("after an orderly end: the last part of the last line, long or stamped before the part before, has come") {
  const std::string end(16'384, 'y');
  const std::string line = at("02", std::string(LogCursor::kMaxLine, 'x') + end);
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  SUBCASE("of a long line") {
    cursor.feed(at("01", "a") + line, sink);
    cursor.end_response();
    CHECK(cursor.compare_with_last(at("03", end)) == LogCursor::LastLine::told);
  }
  SUBCASE("of a long line that came before") {
    cursor.feed(at("01", "a") + line, sink);
    LogCursor later(false);
    REQUIRE(later.restore(cursor.text()));
    // Of which nothing has come.
    CHECK(later.compare_with_last(at("03", end)) == LogCursor::LastLine::awaited);
    later.begin_response();
    later.feed(line, sink);
    CHECK(later.last_has_come());
  }
  SUBCASE("stamped before the first part") {
    cursor.feed(at("01", "a") + at("02.000002", "first last"), sink);
    cursor.end_response();
    CHECK(cursor.compare_with_last(at("02.000001", "last")) == LogCursor::LastLine::awaited);
    cursor.begin_response();
    cursor.feed(at("01", "a") + at("02.000002", "first last"), sink);
    CHECK(cursor.last_has_come());
  }
}

TEST_CASE("what comes again within a response tells of a file that was passed over") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("05", "b") + at("06", "c"), sink);
  CHECK(sink.take() == Told{"a\n", "b\n", "c\n"});
  cursor.feed(at("05", "b") + at("06", "c") + at("07", "d"), sink);
  CHECK(sink.take() == Told{"GAP"});
  CHECK(cursor.is_stopped());
  cursor.begin_response();
  CHECK_FALSE(cursor.is_stopped());
  cursor.feed(at("05", "b") + at("06", "c") + at("07", "d"), sink);
  CHECK(sink.take() == Told{"d\n"});
  // Equal lines, and a clock that goes back, are none.
  cursor.feed(at("07", "d") + at("03", "e") + at("03", "e") + at("08", "d"), sink);
  CHECK(sink.take() == Told{"d\n", "e\n", "e\n", "d\n"});
  CHECK_FALSE(cursor.is_stopped());
}

TEST_CASE("the last line of the file, read aside, has to come before what is newer") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a"), sink);
  const auto expect = [&](const std::string& line) {
    cursor.expect(line);
    return cursor.is_awaiting();
  };
  // None that can be awaited: told already, no line, not whole, empty, without a time.
  for (const std::string& line : {at("01", "a"), std::string(), std::string("2026-11-28T12:00:02Z b"), at("02", ""),
                                  std::string("failed to open\n")}) {
    CAPTURE(line);
    CHECK_FALSE(expect(line));
  }
  SUBCASE("it comes") {
    CHECK(expect(at("02", "b")));
    cursor.feed(at("02.5", "early") + at("02", "b") + at("03", "c"), sink);
    CHECK(sink.take() == Told{"a\n", "early\n", "b\n", "c\n"});
    CHECK_FALSE(cursor.is_awaiting());
  }
  SUBCASE("it was the last part of one") {
    CHECK(expect(at("02", "end")));
    cursor.feed(at("01.9", "begin end") + at("03", "c"), sink);
    CHECK(sink.take() == Told{"a\n", "begin end\n", "c\n"});
    CHECK_FALSE(cursor.is_awaiting());
  }
  SUBCASE("it was the last part of one, stamped before the first part") {
    CHECK(expect(at("02", "end")));
    cursor.feed(at("02.000001", "begin end") + at("03", "c"), sink);
    CHECK(sink.take() == Told{"a\n", "begin end\n", "c\n"});
    CHECK_FALSE(cursor.is_awaiting());
  }
  SUBCASE("it was the last part of a long line that has come") {
    const std::string end(16'384, 'y');
    cursor.feed(at("02", std::string(LogCursor::kMaxLine, 'x') + end), sink);
    CHECK_FALSE(expect(at("02.1", end)));
    CHECK_FALSE(expect(at("02.1", 'x' + end)));
    CHECK_FALSE(expect(at("02.1", "yyy")));
    CHECK(expect(at("02.1", "other")));
  }
  SUBCASE("it is the last part of a long line that comes") {
    const std::string end(100, 'y');
    const std::string line = at("02", std::string(LogCursor::kMaxLine, 'x') + end);
    cursor.feed(std::string_view(line).substr(0, LogCursor::kMaxLine + 50), sink);
    CHECK(expect(at("02.1", end)));
    cursor.feed(std::string_view(line).substr(LogCursor::kMaxLine + 50), sink);
    CHECK_FALSE(cursor.is_awaiting());
  }
  SUBCASE("it does not come, and the next response has not got what was told either") {
    CHECK(expect(at("02", "b")));
    cursor.feed(at("05", "c"), sink);
    CHECK(cursor.is_stopped());
    CHECK(sink.take() == Told{"a\n"});
    cursor.begin_response();
    cursor.feed(at("05", "c") + at("06", "d"), sink);
    CHECK(sink.take() == Told{"GAP", "c\n", "d\n"});
    CHECK_FALSE(cursor.is_awaiting());
  }
  SUBCASE("the next response has it") {
    CHECK(expect(at("02", "b")));
    cursor.feed(at("02.5", "c"), sink);
    cursor.release(sink);
    CHECK(cursor.is_stopped());
    cursor.begin_response();
    cursor.feed(at("01", "a") + at("02", "b") + at("02.5", "c"), sink);
    CHECK(sink.take() == Told{"a\n", "b\n", "c\n"});
  }
  SUBCASE("no response has it, though they have what was told") {
    CHECK(expect(at("02", "b")));
    for (int i = 0; i < 2; ++i) {
      cursor.begin_response();
      cursor.feed(at("01", "a") + at("05", "c"), sink);
    }
    CHECK(sink.take() == Told{"a\n", "GAP", "c\n"});
    CHECK_FALSE(cursor.is_stopped());
  }
  SUBCASE("the container is over") {
    CHECK(expect(at("02", "b")));
    cursor.finish(sink);
    CHECK(sink.take() == Told{"a\n", "GAP"});
  }
}

TEST_CASE("a long line comes in pieces, each byte once, across responses too") {
  const std::string text(3 * LogCursor::kMaxLine + 12'345, 'x');
  std::string numbered;
  for (int i = 0; numbered.size() < text.size(); ++i) numbered += std::to_string(i) + " ";
  const std::string line = at("05", numbered);
  const std::string log = at("01", "a") + line + at("06", "b");
  for (const std::size_t cut : {std::size_t{40}, LogCursor::kMaxLine + 10, 2 * LogCursor::kMaxLine + 100'000,
                                line.size() - 5, log.size() - 1}) {
    CAPTURE(cut);
    LogCursor cursor(false);
    Sink sink;
    std::string all;
    const auto feed = [&](std::string_view bytes) {
      for (std::size_t i = 0; i < bytes.size(); i += 30'000) cursor.feed(bytes.substr(i, 30'000), sink);
      for (const std::string& piece : sink.take()) {
        CHECK(piece.size() <= LogCursor::kMaxLine + 60'000);
        all += piece;
      }
    };
    cursor.begin_response();
    feed(std::string_view(log).substr(0, cut));
    CHECK_FALSE(cursor.end_response().within_text);
    cursor.begin_response();
    feed(log);
    CHECK(all == "a\n" + numbered + "\nb\n");
    // As a whole it is known.
    cursor.begin_response();
    feed(log + at("07", "c"));
    CHECK(all == "a\n" + numbered + "\nb\nc\n");
  }
}

TEST_CASE("a line is a long one by its size, however its bytes are cut") {
  for (const std::size_t size : {LogCursor::kMaxLine - 1, LogCursor::kMaxLine, LogCursor::kMaxLine + 1}) {
    for (const bool at_once : {false, true}) {
      CAPTURE(size);
      CAPTURE(at_once);
      const std::string line = at("02", std::string(size - at("02", "").size() + 1, 'x'));
      LogCursor cursor(false);
      Sink sink;
      std::string all;
      for (int i = 0; i < 3; ++i) {
        const bool whole = at_once == (i == 0);
        cursor.begin_response();
        cursor.feed(at("01", "a") + line.substr(0, whole ? line.size() : line.size() - 1), sink);
        if (!whole) cursor.feed("\n", sink);
        cursor.feed(at("03", "b"), sink);
        for (const std::string& piece : sink.take()) all += piece;
      }
      CHECK(all == "a\n" + line.substr(at("02", "").size() - 1) + "b\n");
    }
  }
}

TEST_CASE("a long line that does not come again has lost its end: a gap") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + "2026-11-28T12:00:05Z " + std::string(LogCursor::kMaxLine + 1, 'x'), sink);
  CHECK(sink.take().size() == 2);
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("06", "b"), sink);
  CHECK(sink.take() == Told{"GAP", "b\n"});
}

TEST_CASE("more lines in a second than are remembered") {
  LogCursor cursor(false);
  Sink sink;
  std::string log;
  const std::size_t lines = LogCursor::kMaxRemembered + 5'000;
  for (std::size_t i = 0; i < lines; ++i) log += at("01." + std::to_string(100'000 + i), "line " + std::to_string(i));
  cursor.begin_response();
  cursor.feed(log, sink);
  CHECK(sink.take().size() == lines);
  cursor.begin_response();
  cursor.feed(log + at("02", "new"), sink);
  CHECK(sink.take() == Told{"new\n"});
}

TEST_CASE("a line without a stamp counts as of the time of the one before") {
  LogCursor cursor(false);
  Sink sink;
  const std::string log = at("01", "a") + "u\n" + "u\n" + at("02", "b") + "v\n" + "w\n";
  cursor.begin_response();
  cursor.feed(log, sink);
  CHECK(sink.take() == Told{"a\n", "u\n", "u\n", "b\n", "v\n", "w\n"});
  CHECK_FALSE(cursor.has_no_place());
  CHECK(cursor.has("w\n"));
  CHECK_FALSE(cursor.has("v\n"));
  for (int i = 0; i < 2; ++i) {
    const std::string text = cursor.text();
    if (i == 1) REQUIRE(cursor.restore(text));
    cursor.begin_response();
    cursor.feed(log, sink);
    CHECK(sink.take().empty());
  }
  cursor.feed("x\n" + at("03", "c"), sink);
  CHECK(sink.take() == Told{"x\n", "c\n"});
  // Another file: what was told does not come, and what comes is told behind a gap.
  cursor.begin_response();
  cursor.feed(at("08", "d") + "y\n" + at("09", "e"), sink);
  CHECK(sink.take() == Told{"GAP", "d\n", "y\n", "e\n"});
}

TEST_CASE("a cursor goes on behind the last line of which the host has taken all, with or without a newline") {
  const std::string log = at("01", "one") + "uu\n" + at("02", "two") + "2026-11-28T12:00:02.5Z three";
  const auto resumed_behind = [&](std::uint64_t taken, const std::string& file) {
    LogCursor cursor(false);
    Sink sink;
    cursor.begin_response();
    cursor.set_taken(taken);
    cursor.feed(log, sink);
    cursor.finish(sink);
    CHECK(sink.take() == Told{"one\n", "uu\n", "two\n", "three"});
    CHECK(cursor.told() == 16);
    LogCursor later(false);
    REQUIRE(later.restore(cursor.text(taken)));
    later.begin_response();
    later.feed(file, sink);
    later.finish(sink);
    return sink.take();
  };
  CHECK(resumed_behind(0, log) == Told{"one\n", "uu\n", "two\n", "three"});
  CHECK(resumed_behind(3, log) == Told{"one\n", "uu\n", "two\n", "three"});
  CHECK(resumed_behind(4, log) == Told{"uu\n", "two\n", "three"});
  CHECK(resumed_behind(6, log) == Told{"uu\n", "two\n", "three"});
  CHECK(resumed_behind(7, log) == Told{"two\n", "three"});
  CHECK(resumed_behind(11, log) == Told{"three"});
  CHECK(resumed_behind(15, log) == Told{"three"});
  CHECK(resumed_behind(16, log).empty());
}

TEST_CASE("a cursor before the first line of a log that begins within its file") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_within_file(1'796'040'000'000'000'000);
  {
    LogCursor later(false);
    REQUIRE(later.restore(cursor.text()));
    CHECK(later.text() == cursor.text());
    CHECK(later.begins_at() == cursor.begins_at());
    for (const char* wrong : {"2,,,within.", "2,,,within.x", "2,,,within.-1", "2,,,withi", "2,,,within1"}) {
      CHECK_FALSE(LogCursor(false).restore(wrong));
    }
  }
  cursor.begin_response();
  cursor.set_taken(0);
  cursor.feed(at("03.5", "one") + at("04", "two"), sink);
  CHECK(sink.take() == Told{"one\n", "two\n"});
  const auto restored = [&](std::uint64_t taken) {
    LogCursor later(false);
    REQUIRE(later.restore(cursor.text(taken)));
    CHECK(later.text() == cursor.text(taken));
    REQUIRE(later.since());
    later.begin_response();
    return later;
  };
  {
    LogCursor later = restored(3);
    CHECK(later.since()->seconds == kNoon + 2);
    later.feed(
        "rest\n" + at("02", "before") + at("03", "before") + at("03.5", "one") + at("03", "late") + at("04", "two"),
        sink);
    CHECK(sink.take() == Told{"one\n", "late\n", "two\n"});
  }
  {
    LogCursor later = restored(3);
    later.feed(at("04", "two"), sink);
    CHECK(sink.take() == Told{"GAP", "two\n"});
  }
  {
    LogCursor later = restored(3);
    later.feed(at("02", "before"), sink);
    later.finish(sink);
    CHECK(sink.take() == Told{"GAP"});
  }
  LogCursor later = restored(4);
  later.feed(at("03.5", "one") + at("04", "two"), sink);
  CHECK(sink.take() == Told{"two\n"});
}

TEST_CASE("a long line of which the host has taken a part comes again, whether its end has come or not") {
  const std::string begun = "2026-11-28T12:00:02.5Z " + std::string(LogCursor::kMaxLine, 'x');
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.set_taken(0);
  cursor.feed(at("01", "a"), sink);
  cursor.feed(begun, sink);
  sink.take();
  const auto resumed_behind = [&](std::uint64_t taken) {
    LogCursor later(false);
    REQUIRE(later.restore(cursor.text(taken)));
    later.begin_response();
    later.feed(at("01", "a") + begun + "y\n", sink);
    std::string told;
    for (const std::string& piece : sink.take()) told += piece;
    return told;
  };
  const std::string line = std::string(LogCursor::kMaxLine, 'x') + "y\n";
  for (const bool is_over : {false, true}) {
    CAPTURE(is_over);
    if (is_over) cursor.feed("y\n", sink);
    sink.take();
    CHECK(resumed_behind(0) == "a\n" + line);
    CHECK(resumed_behind(2) == line);
    CHECK(resumed_behind(12) == line);
  }
  CHECK(resumed_behind(cursor.told()).empty());
}

TEST_CASE("a cursor within the first line of a log that begins within its file, which is a long one") {
  const std::string long_text(LogCursor::kMaxLine, 'x');
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_within_file();
  cursor.begin_response();
  cursor.set_taken(0);
  cursor.feed("2026-11-28T12:00:03.5Z " + long_text, sink);
  CHECK(sink.take().size() == 1);
  LogCursor later(false);
  REQUIRE(later.restore(cursor.text(5)));
  REQUIRE(later.since());
  CHECK(later.since()->seconds == kNoon + 2);
  later.begin_response();
  // Neither are the long ones before it wanted, with or without a time.
  later.feed(long_text + "rest\n" + at("02", "before " + long_text) + "2026-11-28T12:00:03.5Z " + long_text, sink);
  CHECK_FALSE(later.has_no_place());
  later.feed("y\n" + at("04", "z"), sink);
  CHECK(sink.take() == Told{long_text, "y\n", "z\n"});
}

TEST_CASE("the place of a line is known for as long as a host may read ahead of what it uses") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.set_taken(0);
  std::string log;
  for (int i = 0; i < 100; ++i) log += at("01." + std::to_string(100 + i), std::to_string(100 + i));
  cursor.feed(log, sink);
  sink.take();
  cursor.set_taken(cursor.told());
  for (const std::uint64_t used : {0U, 3U, 4U, 201U, 400U}) {
    CAPTURE(used);
    REQUIRE(cursor.knows_place(used));
    LogCursor later(false);
    REQUIRE(later.restore(cursor.text(used)));
    later.begin_response();
    later.feed(log, sink);
    CHECK(sink.take().size() == 100 - used / 4);
  }
  cursor.set_taken(LogCursor::kReadAhead + 100);
  CHECK_FALSE(cursor.knows_place(99));
  CHECK(cursor.knows_place(100));
  // Of another instance it is the one before that knows.
  LogCursor next(false, cursor.told());
  CHECK_FALSE(next.knows_place(cursor.told() - 1));
  CHECK(next.knows_place(cursor.told()));
  // Lines of no text.
  std::string empty_lines;
  for (std::size_t i = 0; i < LogCursor::kReadAhead; ++i) empty_lines += at("02", "");
  next.set_taken(next.told());
  next.feed(empty_lines, sink);
  sink.take();
  CHECK_FALSE(next.knows_place(next.told() - LogCursor::kReadAhead));
  CHECK(next.knows_place(next.told() - LogCursor::kMaxRemembered));
}

TEST_CASE("lines without a stamp alone have no place: their end is told as a line, nothing can follow") {
  LogCursor cursor(true);
  Sink sink;
  cursor.begin_response();
  CHECK_FALSE(cursor.has_no_place());
  cursor.feed("one\ntwo\nthree", sink);
  CHECK(cursor.has_no_place());
  CHECK_FALSE(cursor.since());
  CHECK_FALSE(cursor.end_response().within_text);
  cursor.finish(sink);
  CHECK(sink.take() == Told{"one\n", "two\n", "three"});
  // Of a long one, a piece that was told is enough.
  LogCursor long_line(false);
  long_line.begin_response();
  long_line.feed(std::string(LogCursor::kMaxLine + 1, 'x'), sink);
  CHECK(sink.take().size() == 1);
  CHECK(long_line.has_no_place());
  long_line.feed("y\n" + at("01", "a"), sink);
  CHECK(sink.take() == Told{"y\n", "a\n"});
  CHECK_FALSE(long_line.has_no_place());
  CHECK(long_line.since()->seconds == kNoon);
}

TEST_CASE("a server that leaves the times out from a moment on: nothing is told twice, and a gap is") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("02", "b"), sink);
  sink.take();
  cursor.begin_response();
  cursor.feed("a\nb\n", sink);
  CHECK(sink.take().empty());
  for (std::size_t i = 0; i < LogCursor::kMaxHeld; ++i) cursor.feed("c\n", sink);
  CHECK(sink.take() == Told{"GAP"});
  cursor.finish(sink);
  CHECK(sink.take() == Told{"GAP"});
}

TEST_CASE("a cursor goes on in another process, and a malformed one is refused") {
  LogCursor cursor(false);
  Sink sink;
  cursor.begin_response();
  cursor.feed(at("01", "a") + at("02", "b"), sink);
  sink.take();
  LogCursor other(false);
  REQUIRE(other.restore(cursor.text()));
  CHECK(other.since()->seconds == kNoon);
  other.begin_response();
  other.feed(at("01", "a") + at("02", "b") + at("03", "c"), sink);
  CHECK(sink.take() == Told{"c\n"});
  LogCursor fresh(false);
  REQUIRE(fresh.restore(LogCursor(false).text()));
  CHECK_FALSE(fresh.since());
  for (const std::string text : {"", "1", "1,", "2,,", "1,,,x", "1,,,1.2", "1,,,1.2.3.4", "1,x,", "1,,5", "1,,5.x",
                                 "1,,,1.-2.3", "1,,,99999999999999999999.1.1", "1,,,1.1.1 "}) {
    CAPTURE(text);
    LogCursor bad(false);
    const auto restored = bad.restore(text);
    CHECK_FALSE(restored);
    CHECK_FALSE(bad.since());
  }
  const std::string whole = cursor.text();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    LogCursor part(false);
    if (part.restore(whole.substr(0, cut))) CHECK_NOTHROW(part.begin_response());
  }
}
