// 20,000 random logs under cuts, rotations and restarts of the reader, read as the kubelet reads them, and by servers
// that leave out the times of lines: each line is delivered once and in order, or a gap is told where lines are
// missing.
//   log_simulation [--first SEED] [--count N] [--verbose]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "channel/log_cursor.hpp"

namespace {

using ksr::channel::LogCursor;
using ksr::channel::LogSink;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::int64_t kStart = 1'790'000'000 * kSecond;

using Random = std::mt19937_64;

int below(Random& random, int bound) {
  return static_cast<int>(random() % static_cast<unsigned>(bound));
}

std::string stamp_text(std::int64_t stamp) {
  const std::time_t seconds = stamp / kSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(stamp % kSecond));
  return text;
}

// A line of a file in the format of the CRI, in parts of which the last is full.
struct Entry {
  std::int64_t stamp;
  bool full;
  std::string text;
  bool stamped;  // by a server that leaves some out
};

// Which lines a server sends with their times.
enum class Stamps { all, some, none, none_later };

// The files of one container, the newest last.
struct Node {
  std::vector<std::vector<Entry>> files{1};
};

class Writer {
 public:
  Writer(Random& random, std::uint64_t seed, Stamps stamps)
      : random_(random), stamped_(seed), stamps_(stamps), jitter_(below(random, 3) == 0 ? 0 : 450 * kMillisecond) {}

  // None within a line.
  void rotate_between_lines() { splits_ = false; }
  // What a request for the last line shows.
  std::string write_last(Node& node) {
    add(node, true, "line " + std::to_string(++lines_));
    now_ += kSecond;
    const Entry& last = node.files.back().back();
    return stamp_text(last.stamp) + " " + last.text + "\n";
  }

  void write(Node& node) {
    const int kind = below(random_, 20);
    now_ += kind == 0 ? below(random_, 8) * kSecond : kind < 6 ? 0 : below(random_, 40) * kMillisecond;
    std::string text = "line " + std::to_string(++lines_);
    if (kind == 7) text = "the same";  // equal texts, and with the jitter off equal times
    // The kubelet, which has parts of lines, leaves no times out but theirs.
    if (stamps_ == Stamps::some) return add(node, true, text, below(stamped_, 3) > 0);
    if (below(random_, 12) != 0) return add(node, true, text);
    // In parts, between which a line of stderr may come.
    for (int part = 1 + below(random_, 3); part > 0; --part) {
      add(node, false, text + " part " + std::to_string(part));
      if (below(random_, 6) == 0) add(node, true, " stderr " + std::to_string(++lines_));
    }
    // A rotation may come before the last part, and a process may end there.
    if (splits_ && below(random_, 5) == 0) node.files.emplace_back();
    if (below(random_, 30) != 0) add(node, true, " end of " + std::to_string(++lines_));
  }

 private:
  void add(Node& node, bool full, std::string text, bool stamped = true) {
    std::int64_t stamp = now_;
    if (jitter_ > 0) stamp += static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(2 * jitter_)) - jitter_;
    node.files.back().push_back({stamp, full, std::move(text), stamped});
  }

  Random& random_;
  Random stamped_;  // apart, so that a seed is the same log with all stamps
  const Stamps stamps_;
  const std::int64_t jitter_;
  std::int64_t now_ = kStart;
  int lines_ = 0;
  bool splits_ = true;
};

// cri-client pkg/logs/logs.go, ReadLogs: begins with the newest file, tests each part on its own, and follows.
class Reader {
 public:
  // `tail`: begins with so many entries of the newest file; a negative number is all of it.
  Reader(const Node& node, std::int64_t since, int tail = -1, Stamps stamps = Stamps::all)
      : node_(node), since_(since), stamps_(stamps), file_(node.files.size() - 1), known_(node.files.size()) {
    const std::size_t size = node.files.back().size();
    if (tail >= 0) next_ = size - std::min(size, static_cast<std::size_t>(tail));
  }

  // What there is now.
  std::string read() {
    std::string out;
    for (;;) {
      read_file(out);
      if (file_ + 1 == node_.files.size()) break;
      open(file_ + 1);
    }
    known_ = node_.files.size();
    return out;
  }

  // The same after it has been too slow: it opens the newest file for each one that was created. Not `watches`: it has
  // not come to the end of a file before, and was not told of any.
  std::string read_late(bool watches) {
    std::string out;
    read_file(out);
    for (; watches && known_ < node_.files.size(); ++known_) {
      open(node_.files.size() - 1);
      read_file(out);
    }
    return out;
  }

 private:
  void open(std::size_t file) {
    file_ = file;
    next_ = 0;
  }

  void read_file(std::string& out) {
    const std::vector<Entry>& entries = node_.files[file_];
    for (; next_ < entries.size(); ++next_) {
      const Entry& entry = entries[next_];
      if (entry.stamp >= since_) {
        const bool stamped = stamps_ == Stamps::all || (stamps_ == Stamps::some && entry.stamped);
        if (new_line_ && stamped) out += stamp_text(entry.stamp) + " ";
        out += entry.text;
        if (entry.full) out += '\n';
      }
      new_line_ = entry.full;
    }
  }

  const Node& node_;
  const std::int64_t since_;
  const Stamps stamps_;
  std::size_t file_;
  std::size_t known_;  // files that it was told of
  std::size_t next_ = 0;
  bool new_line_ = true;
};

class Told final : public LogSink {
 public:
  void on_line(std::string_view text) override {
    lines.emplace_back(text);
    gaps_before.push_back(gap_);
    gap_ = false;
    bytes += text.size();
    ends.push_back(bytes);
  }
  void on_gap() override {
    gap_ = true;
    ++gaps;
  }
  // The process ends, and its host had taken so many bytes: a part of a line is one that it has not.
  void keep(std::uint64_t taken) {
    while (!ends.empty() && ends.back() > taken) {
      lines.pop_back();
      gaps_before.pop_back();
      ends.pop_back();
    }
    bytes = ends.empty() ? 0 : ends.back();
    gap_ = false;
  }
  std::vector<std::string> lines;
  std::vector<bool> gaps_before;
  std::vector<std::uint64_t> ends;
  std::uint64_t bytes = 0;
  int gaps = 0;
  bool ends_with_gap() const { return gap_; }

 private:
  bool gap_ = false;
};

// All lines, as one reader that was there from the beginning has them, without their times.
std::vector<std::string> all_lines(const Node& node) {
  Node first;
  first.files.clear();
  first.files.emplace_back();
  for (const auto& file : node.files) first.files.back().insert(first.files.back().end(), file.begin(), file.end());
  const std::string text = Reader(first, 0).read();
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    const std::size_t blank = text.find(' ', at);
    lines.push_back(text.substr(blank + 1, end - blank));
    at = end + 1;
  }
  return lines;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

struct Totals {
  std::size_t lines = 0;
  std::size_t cuts = 0;
  std::size_t gaps = 0;
  std::size_t missing = 0;
  std::size_t needless_gaps = 0;
  std::size_t stopped = 0;
  std::size_t without_place = 0;
  std::size_t untaken = 0;
  std::size_t short_ends = 0;
};

// Empty: as it must be. Some texts are equal, so that after a gap a line may be one of several: `next` has all places
// where the one after it may be. The last `later` lines were written after the log was whole.
std::string compare(const std::vector<std::string>& all, std::size_t later, const Told& told, Totals& totals) {
  std::set<std::size_t> next{0};
  for (std::size_t i = 0; i < told.lines.size(); ++i) {
    const std::string& line = told.lines[i];
    // Where a log begins is the node's choice.
    const bool gap = told.gaps_before[i] || i == 0;
    std::set<std::size_t> after;
    for (const std::size_t place : next) {
      if (place < all.size() && all[place] == line) after.insert(place + 1);
      if (!gap) continue;
      for (std::size_t behind = place; behind < all.size(); ++behind) {
        // The parts before may have been in the file before.
        if (ends_with(all[behind], line)) after.insert(behind + 1);
      }
      // Or it is the end of the line before, when the container is over and nothing follows that tells.
      if (place > 0 && ends_with(all[place - 1], line)) after.insert(place);
    }
    if (after.empty()) {
      return "line " + std::to_string(i) + (gap ? ", after a gap, " : " ") +
             "is not what follows, lines are missing or repeated: " + line;
    }
    if (told.gaps_before[i] && *after.begin() == *next.begin() + 1) ++totals.needless_gaps;
    totals.missing += *after.begin() - std::min(*after.begin(), *next.begin() + 1);
    next = std::move(after);
  }
  if (*next.rbegin() + later < all.size() && !told.ends_with_gap())
    return std::to_string(all.size() - *next.rbegin()) + " lines are missing at the end";
  return "";
}

// Each fifth server leaves times out: of some lines, of all, or of all from a moment on.
Stamps stamps_of(std::uint64_t seed) {
  if (seed % 5 != 0) return Stamps::all;
  constexpr Stamps kOthers[] = {Stamps::some, Stamps::none, Stamps::none_later};
  return kOthers[seed / 5 % 3];
}

std::string run(std::uint64_t seed, Totals& totals) {
  Random random(seed);
  const Stamps stamps = stamps_of(seed);
  Node node;
  Writer writer(random, seed, stamps);
  Told told;
  auto cursor = std::make_unique<LogCursor>(false);
  const int rounds = 3 + below(random, 12);
  const int rotations = below(random, 3);  // in 10 rounds
  const int tail = below(random, 3) == 0 ? 1 + below(random, 20) : -1;
  if (tail >= 0) cursor->begin_within_file();
  // The kubelet's reader is made to wait, by the host or by the network; the last line is read aside now and then.
  // Without all times there is nothing that would tell of a file that was passed over.
  const bool slow = below(random, 4) == 0 && stamps == Stamps::all;
  if (slow) writer.rotate_between_lines();
  // Apart, so that a seed is the same log.
  Random host(seed);
  // A line without any time is in no cursor.
  const bool host_lags = below(host, 2) == 0 && stamps == Stamps::all;
  std::uint64_t taken = 0;
  std::uint64_t began = 0;  // the process that the host is
  const auto take = [&] {
    if (!host_lags) return;
    taken += host() % (told.bytes - taken + 1);
    cursor->set_taken(taken);
  };
  const auto rotate = [&] {
    if (slow) cursor->expect(writer.write_last(node));
    node.files.emplace_back();
  };
  std::size_t later = 0;
  for (int round = 0; round <= rounds; ++round) {
    const bool last = round == rounds;
    const Stamps sent = stamps != Stamps::none_later ? stamps : round < rounds / 2 ? Stamps::all : Stamps::none;
    // While nobody reads.
    for (int i = below(random, 2) == 0 ? 0 : below(random, 30); i > 0; --i) writer.write(node);
    if (below(random, 10) < rotations) rotate();
    for (int i = below(random, 10); i > 0; --i) writer.write(node);

    const auto since = cursor->since();
    cursor->begin_response();
    Reader reader(node, since ? since->seconds * kSecond : 0, since ? -1 : tail, sent);
    std::string pending = reader.read();
    const bool watches = below(random, 4) != 0;
    for (int steps = below(random, 6); steps > 0 && !cursor->is_stopped(); --steps) {
      const std::size_t some = random() % (pending.size() + 1);
      take();
      cursor->feed(std::string_view(pending).substr(0, some), told);
      pending.erase(0, some);
      for (int i = below(random, 8); i > 0; --i) writer.write(node);
      if (below(random, 10) < rotations) rotate();
      if (slow && below(random, 3) == 0) {
        for (int i = below(random, 8); i > 0; --i) writer.write(node);
        if (below(random, 10) < rotations) rotate();
        for (int i = below(random, 8); i > 0; --i) writer.write(node);
        pending += reader.read_late(watches);
      } else if (slow) {
        pending += reader.read_late(watches);
      } else {
        // A follower that keeps up loses nothing by a rotation.
        pending += reader.read();
      }
      if (slow && below(random, 4) == 0) {
        cursor->feed(pending, told);
        pending.clear();
        cursor->release(told);
      }
    }
    if (last && !slow && stamps == Stamps::all) {
      // Responses that end in order, and may be short. What was the last line of the file has to come.
      bool awaits = false;
      const auto ask_again = [&] {
        cursor->end_response();
        const auto rest = cursor->since();
        cursor->begin_response();
        pending = Reader(node, rest ? rest->seconds * kSecond : 0, rest ? -1 : tail).read();
      };
      // The last line of several that are equal, with their times, is not known from the others.
      if (ends_with(Reader(node, 0, 1).read(), " the same\n")) writer.write_last(node);
      // All of it may have come before.
      if (below(host, 4) == 0) {
        cursor->feed(pending, told);
        ask_again();
      }
      for (int tries = 0;; ++tries) {
        if (tries == 50) return "the last line of a whole log is waited for";
        // A last line without its newline cannot be waited for.
        const bool whole = tries >= 20 || below(host, 3) == 0;
        cursor->feed(std::string_view(pending).substr(0, whole ? pending.size() : host() % (pending.size() + 1)), told);
        pending.clear();
        if (awaits && cursor->last_has_come()) break;
        awaits = awaits && cursor->is_awaiting();
        if (!awaits) {
          cursor->end_response();
          const auto found = cursor->compare_with_last(Reader(node, 0, 1).read());
          later = 0;
          if (found == LogCursor::LastLine::told || (found == LogCursor::LastLine::unknown && tries >= 20)) break;
          awaits = found == LogCursor::LastLine::awaited;
        }
        ++totals.short_ends;
        const std::vector<Entry>& file = node.files.back();
        if (awaits && !file.empty() && file.back().full && below(host, 4) == 0) {
          writer.write_last(node);
          ++later;
        }
        ask_again();
      }
    }
    if (last) {
      cursor->feed(pending, told);
      // At the end of the container the newest file is read once more.
      for (int tries = 0; slow && !cursor->has_no_place(); ++tries) {
        if (tries == 10) return "each response is stopped";
        totals.stopped += cursor->is_stopped() ? 1 : 0;
        const auto rest = cursor->since();
        cursor->begin_response();
        cursor->feed(Reader(node, rest ? rest->seconds * kSecond : 0, rest ? -1 : tail, sent).read(), told);
        if (!cursor->is_stopped()) break;
      }
      totals.without_place += cursor->has_no_place() ? 1 : 0;
      const LogCursor::ResponseEnd end = cursor->end_response();
      if (sent == Stamps::all && !end.said.empty()) return "a line was taken for an error of the kubelet";
      cursor->finish(told);
      // Where no line has come with its newline.
      if (end.within_text) told.on_gap();
      break;
    }
    take();
    cursor->feed(std::string_view(pending).substr(0, random() % (pending.size() + 1)), told);
    const bool without_place = cursor->has_no_place();
    const bool said = !cursor->end_response().said.empty();
    if (sent == Stamps::all && said) return "a line was taken for an error of the kubelet";
    ++totals.cuts;
    if (without_place) {
      // No other response is asked for.
      ++totals.without_place;
      told.on_gap();
      break;
    }
    totals.stopped += cursor->is_stopped() ? 1 : 0;
    if (below(random, 6) == 0) {
      // The host's process is another one.
      std::uint64_t until = told.bytes;
      if (host_lags) {
        // It reads ahead of what it uses.
        until = taken - host() % (std::min(taken - began, LogCursor::kReadAhead) + 1);
        if (!cursor->knows_place(until)) return "the place of a line is not known";
      }
      const std::string text = cursor->text(host_lags ? until : LogCursor::kAll);
      totals.untaken += told.ends.size();
      told.keep(until);
      totals.untaken -= told.ends.size();
      taken = told.bytes;
      began = taken;
      auto restored = std::make_unique<LogCursor>(false, told.bytes);
      if (!restored->restore(text)) return "the cursor is not restored";
      cursor = std::move(restored);
    }
  }
  const std::vector<std::string> all = all_lines(node);
  totals.lines += all.size();
  totals.gaps += static_cast<std::size_t>(told.gaps);
  return compare(all, later, told, totals);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = 0;
  std::uint64_t count = 20'000;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--first") == 0) first = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--count") == 0) count = std::strtoull(argv[i + 1], nullptr, 10);
  }
  Totals totals;
  int failed = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::string wrong = run(seed, totals);
    if (wrong.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
    if (++failed == 10) break;
  }
  std::printf(
      "%zu lines, %zu cuts, %zu stopped, %zu gaps (%zu with nothing missing), %zu lines missing; %zu short ends\n",
      totals.lines, totals.cuts, totals.stopped, totals.gaps, totals.needless_gaps, totals.missing, totals.short_ends);
  // A simulation in which nothing happens proves nothing.
  if (failed == 0 && count >= 1000 &&
      (totals.cuts < count || totals.gaps == 0 || totals.missing == 0 || totals.stopped == 0 ||
       totals.without_place == 0 || totals.untaken == 0 || totals.short_ends == 0))
    failed = 1;
  return failed == 0 ? 0 : 1;
}
