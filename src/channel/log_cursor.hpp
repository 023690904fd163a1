// `LogCursor` follows the log of one container over any number of responses: each line is delivered once and in order,
// or a gap is told; used by the channels of kind=log. Pure; lives on the network thread.
//
// The kubelet floors sinceTime to the second, its files are not in the order of their times, and a clean end of a
// response says nothing (cri-client pkg/logs/logs.go). So each response after the first begins a little before the end
// of what has been delivered, and what it repeats is recognised by time, length and hash. A line without a time counts
// as of the time of the one before it; where there is none, it has no place, and what is not known to be new is
// dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/civil_time.hpp"
#include "base/expected.hpp"

namespace ksr::channel {

// The same in each process and version: it is part of the text of a cursor.
std::uint64_t stable_hash(std::string_view text);

class LogSink {
 public:
  virtual ~LogSink() = default;
  // A whole line with its newline, or a piece of one that is longer than LogCursor::kMaxLine.
  virtual void on_line(std::string_view text) = 0;
  // Lines may be missing here.
  virtual void on_gap() = 0;
};

class LogCursor {
 public:
  // A longer line is passed on in pieces.
  static constexpr std::size_t kMaxLine = std::size_t{1} << 20;
  // The newest so many lines decide where the next response begins.
  static constexpr std::size_t kNewestLines = 64;
  // 24 bytes each.
  static constexpr std::size_t kMaxRemembered = 43'690;
  // Of those that are not known to be new.
  static constexpr std::size_t kMaxHeld = 64;
  // A host may read so many bytes ahead of what it uses, and ask for the text() behind what it has used.
  static constexpr std::uint64_t kReadAhead = std::uint64_t{64} << 10;
  // Of lines that were read aside and have not come.
  static constexpr std::size_t kMaxAwaited = 16;

  // Responses are asked for with timestamps=true. `keep_stamps`: they are part of what is delivered. `told`: the bytes
  // of the cursors before this one.
  explicit LogCursor(bool keep_stamps, std::uint64_t told = 0)
      : keep_stamps_(keep_stamps), told_(told), known_from_(told) {}

  // Before the first response: it begins within the file, as the host has asked, and what is before is not wanted.
  // `begins_at`: and what it has since this moment (nanoseconds since 1970, of the clock of the host) is.
  void begin_within_file(std::optional<std::int64_t> begins_at = std::nullopt) noexcept {
    begins_within_ = true;
    begins_at_ = begins_at;
  }
  // And no line of it has come.
  bool begins_within_file() const noexcept { return begins_within_; }
  std::optional<std::int64_t> begins_at() const noexcept { return begins_within_ ? begins_at_ : std::nullopt; }
  // What sinceTime the next response has to be asked for; empty while nothing was delivered: the host's own parameters.
  std::optional<UnixTime> since() const;
  // A response begins, asked for with the since() of now.
  void begin_response();
  // Its bytes, cut anywhere.
  void feed(std::string_view bytes, LogSink& sink);
  // Nothing has come for a second or so: a line is delivered that was held back for the one after it.
  void release(LogSink& sink);
  // The last line of the file, with its stamp, which another request has read: it has to come. What is newer and comes
  // before it is held back, since a reader that was too slow for two rotations passes over a file without a word.
  void expect(std::string_view last_line);
  // Such lines have not come.
  bool is_awaiting() const noexcept { return !awaited_.empty(); }
  // The last line of the file, with its stamp, as it was before the only response: it has to come in that, or a newer
  // one. Nothing is held back.
  void look_for(std::string_view last_line);
  bool looks_for_line() const noexcept { return looked_for_.has_value(); }
  // The instance to come is another one.
  void expect_nothing() noexcept { awaited_.clear(); }
  // A file was passed over, or seems to be: the rest of the response is dropped, and the next one tells.
  bool is_stopped() const noexcept { return stopped_; }
  struct ResponseEnd {
    // It ended within something that is no line.
    bool within_text = false;
    // The text that the kubelet has put there instead of lines; empty: it may be the rest of a line.
    std::string said;
  };
  // The response is over, in order or not.
  ResponseEnd end_response();
  // The container is over, and so was its last response in order: a last line without a newline is one.
  void finish(LogSink& sink);

  // The response under way should repeat what was delivered, and has not yet.
  bool is_unconfirmed() const noexcept { return !overlap_.empty() && !matched_; }
  // Lines were delivered, and none had a time: no response can be asked for that goes on behind them.
  bool has_no_place() const noexcept { return told_without_place_ && remembered_.empty(); }
  // Whether this line, with its stamp, was delivered lately.
  bool has(std::string_view line) const;
  enum class LastLine : std::uint8_t {
    told,     // nothing follows what was delivered
    awaited,  // the next response has to bring it: is_awaiting() until it does
    unknown,  // it does not tell
  };
  // The last line of the file with its stamp, which another request has read after a response that has ended in order;
  // empty: there was none.
  LastLine compare_with_last(std::string_view line);
  // What that has found awaited has come, and nothing is unfinished behind it.
  bool last_has_come() const;
  // How many lines came again and were left out.
  std::uint64_t replayed() const noexcept { return replayed_; }
  // How many bytes the sink was given.
  std::uint64_t told() const noexcept { return told_; }
  // The host has taken the first `bytes` of them, and all of them where this is not called: the lines behind are not
  // forgotten.
  void set_taken(std::uint64_t bytes);

  static constexpr std::uint64_t kAll = ~std::uint64_t{0};
  // A response to come may be that of another process: restore(text()) goes on where this one was, behind the last
  // line of which the host has taken all: `taken` as of set_taken(), or less, if it knows_place().
  std::string text(std::uint64_t taken = kAll) const;
  // Which lines end within the first `taken` bytes: so it is for the last kReadAhead of those that were taken.
  bool knows_place(std::uint64_t taken) const noexcept { return taken >= known_from_; }
  Expected<void> restore(std::string_view text);

 private:
  struct Line {
    std::int64_t stamp;  // nanoseconds since 1970
    std::uint32_t size;  // of the text after the stamp, with the newline; kLong
    std::uint64_t hash;
  };
  // Known by its stamp alone.
  static constexpr std::uint32_t kLong = 0xFFFF'FFFF;
  // So much of its end is known, of the last one: a part of it, as runtimes write them.
  static constexpr std::size_t kLongEnd = std::size_t{16} << 10;
  struct Awaited {
    std::int64_t stamp;
    std::string text;
  };

  // What is left to be done with the line whose newline has not come yet, of which pieces were passed on or dropped.
  enum class Long : std::uint8_t { no, deliver, drop };

  bool ends_with_rest(std::string_view line) const;
  static bool is_same(const Line& held, std::string_view line);
  void tell(std::string_view text, LogSink& sink);
  void take_line(std::string_view line, LogSink& sink);
  void take_piece(LogSink& sink);
  void take_unstamped(std::string_view line, LogSink& sink);
  void take_without_stamp(std::string_view line, LogSink& sink);
  void keep_long_end(std::string_view text);
  void begin_long_line(std::size_t stamp_size, LogSink& sink);
  void take_new(std::string_view text, const Line* line, LogSink& sink);
  bool is_old(const Line& line);
  bool repeats_unstamped(const Line& line);
  void match(std::size_t place);
  bool ends_with_first(const Line& line, std::string_view text) const;
  bool hold(std::string_view line, std::int64_t stamp);
  bool ends_overlap_with_gap(LogSink& sink);
  void end_overlap(LogSink& sink);
  void take_stamped(std::string_view line, std::size_t stamp_size, LogSink& sink);
  bool is_told_again(const Line& line) const;
  static bool is_awaited(std::int64_t stamp, std::string_view part, const Line& line, std::string_view text);
  bool is_news(std::string_view last_line) const;
  bool ends_long_line(std::int64_t stamp, std::string_view part) const;
  bool awaits_first(const Line& line, std::string_view text);
  bool awaits_beginning() const noexcept { return first_stamp_ && remembered_.empty(); }
  bool is_before_beginning(std::int64_t stamp, LogSink& sink);
  void take_fresh(std::string_view line, const Line& seen, LogSink& sink);
  void stop_at(const Line& told_again, LogSink& sink);
  void note_coming(const Line& line, std::string_view text);
  void take_early(LogSink& sink);
  void expect_only_from(std::int64_t stamp);
  void doubt(LogSink& sink);
  void stop();
  void remember(const Line& line);
  void forget_old();
  void forget_place();
  std::int64_t least_stamp() const;
  std::int64_t first_stamp_wanted() const;

  const bool keep_stamps_;
  // Delivered lines that may come again, in the order of delivery.
  std::deque<Line> remembered_;
  // The newest stamp of those that are not remembered any more.
  std::optional<std::int64_t> forgotten_until_;
  std::size_t since_forget_ = 0;
  std::uint64_t told_;
  std::uint64_t taken_ = kAll;
  // Where the newest lines of remembered_ end, which the host has not taken or taken last: in bytes as told_ counts
  // them.
  std::deque<std::uint64_t> untaken_;
  std::uint64_t known_from_;  // where the newest line ends that is not among these
  // The file has lines before the first one that was delivered, which is remembered still; its stamp. Of a cursor that
  // was restored it may be one that the host had not taken: it comes again, and is the first one.
  bool begins_within_ = false;
  std::optional<std::int64_t> begins_at_;
  std::optional<std::int64_t> first_stamp_;
  std::uint64_t replayed_ = 0;
  std::int64_t newest_stamp_ = 0;  // of all that was delivered

  // Lines that have to come, in the order of the file, and those that came before the first of them and are newer.
  std::deque<Awaited> awaited_;
  std::deque<std::string> early_;
  std::optional<Awaited> looked_for_;
  bool last_has_come_ = false;
  bool doubted_ = false;  // the response was stopped for the first of them
  bool stopped_ = false;
  bool behind_gap_ = false;         // which was told, and no line since
  std::optional<Line> told_again_;  // for which the response before was stopped

  // Of the response under way. The stamps of what it repeats, with their places in remembered_, sorted; empty: all is
  // new.
  std::vector<std::pair<std::int64_t, std::size_t>> overlap_;
  std::size_t expected_ = 0;     // the place of the next one
  std::size_t overlap_end_ = 0;  // behind the last one
  std::int64_t since_ = 0;
  bool matched_ = false;
  bool joined_first_ = false;  // a line has come that may end with the first one of all
  // The first lines of a response that it is not known to repeat, until what follows tells. A file that was rotated
  // within a line begins with the rest of one that was delivered as a whole; and before the first line of all that was
  // delivered the file may have others, of any time.
  std::deque<std::string> held_;
  std::string rest_;     // after the last newline
  std::string unclear_;  // how the response before ended: an error of the kubelet, or the rest of a line
  // The stamp of the newest line that had one, which is the place of a line without.
  std::optional<std::int64_t> place_;
  std::size_t lost_ = 0;  // lines without a stamp that were dropped: not known to be new
  Long long_line_ = Long::no;
  std::optional<std::int64_t> long_stamp_;
  std::string long_end_;
  std::size_t skip_ = 0;  // bytes of it that were delivered from an earlier response

  // Of a line that was cut after pieces of it were delivered.
  struct Unfinished {
    std::int64_t stamp;
    std::size_t delivered;  // bytes after the stamp
  };
  std::optional<Unfinished> unfinished_;
  bool told_without_place_ = false;
};

}  // namespace ksr::channel
