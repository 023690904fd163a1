#include "channel/log_cursor.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.hpp"
#include "base/whole_number.hpp"

namespace ksr::channel {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// sinceTime reaches the kubelet without its fraction, and times are taken before lines are written.
constexpr std::int64_t kMargin = kSecond;
// What is older than the beginning of any response to come; twice what follows from kMargin and the floor.
constexpr std::int64_t kRememberedFor = 4 * kSecond;
constexpr std::size_t kMaxStamp = 40;
// What 64 bits of nanoseconds hold, with room for the margins: until 2255.
constexpr std::int64_t kMaxSeconds = 9'000'000'000;
constexpr std::size_t kMaxLinesInText = 1'024;
constexpr std::size_t kFieldsBeforeLines = 4;
// In the place of the stamp of the first line, which has not come yet; then, where it is known, since when it may.
constexpr std::string_view kBeginsWithin = "within";
constexpr char kBeginsAt = '.';
constexpr const char* kTextVersion = "2";

std::int64_t nanoseconds_of(const UnixTime& time) {
  return time.seconds * kSecond + time.nanoseconds;
}

std::int64_t floor_to_second(std::int64_t stamp) {
  const std::int64_t part = stamp % kSecond;
  return stamp - (part < 0 ? part + kSecond : part);
}

// Of the line: with the blank that follows it.
struct Stamp {
  std::int64_t nanoseconds;
  std::size_t size;
};

// cri-client pkg/logs/logs.go, timestampFormat: RFC 3339 with nine digits, then a blank.
std::optional<Stamp> stamp_of(std::string_view line) {
  const std::size_t blank = line.substr(0, kMaxStamp + 1).find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto time = parse_rfc3339(line.substr(0, blank));
  if (!time || time->seconds < 0 || time->seconds > kMaxSeconds) return std::nullopt;
  return Stamp{nanoseconds_of(*time), blank + 1};
}

// A stamp that was cut: "2026-11-2".
bool may_become_stamp(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  for (std::size_t i = 0; i < std::min(text.size(), kForm.size()); ++i) {
    if (kForm[i] == 'd' ? !is_digit(text[i]) : text[i] != kForm[i]) return false;
  }
  return text.size() <= kMaxStamp;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) {
  constexpr std::uint64_t kFactor = 0x9E37'79B9'7F4A'7C15;
  std::uint64_t hash = text.size() * kFactor;
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), size);
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 29;
    text.remove_prefix(size);
  }
  return hash;
}

// ---- where the next response begins ---------------------------------------------------------------------------------

// Least, not last: files are not in the order of their times, and clocks step back.
std::int64_t LogCursor::least_stamp() const {
  const std::size_t first = remembered_.size() - std::min(remembered_.size(), kNewestLines);
  std::int64_t least = remembered_[first].stamp;
  for (std::size_t i = first + 1; i < remembered_.size(); ++i) least = std::min(least, remembered_[i].stamp);
  return least;
}

std::int64_t LogCursor::first_stamp_wanted() const {
  std::int64_t least = remembered_.empty() ? *first_stamp_ : least_stamp();
  if (unfinished_) {
    least = std::min(least, unfinished_->stamp);
  } else if (const auto stamp = stamp_of(rest_)) {
    least = std::min(least, stamp->nanoseconds);
  }
  return floor_to_second(least) - kMargin;
}

std::optional<UnixTime> LogCursor::since() const {
  if (remembered_.empty() && !first_stamp_) return std::nullopt;
  return UnixTime{first_stamp_wanted() / kSecond, 0};
}

void LogCursor::begin_response() {
  overlap_.clear();
  expected_ = 0;
  overlap_end_ = 0;
  matched_ = false;
  joined_first_ = false;
  stopped_ = false;
  early_.clear();
  if (!remembered_.empty()) {
    since_ = first_stamp_wanted();
    for (std::size_t i = 0; i < remembered_.size(); ++i) {
      if (remembered_[i].stamp < since_) continue;
      overlap_.emplace_back(remembered_[i].stamp, i);
      overlap_end_ = i + 1;
    }
    std::sort(overlap_.begin(), overlap_.end());
  }
  rest_.clear();
  held_.clear();
  place_.reset();
  lost_ = 0;
  long_line_ = Long::no;
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

void LogCursor::feed(std::string_view bytes, LogSink& sink) {
  while (!bytes.empty() && !stopped_) {
    const std::size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) {
      rest_ += bytes;
      if (rest_.size() > kMaxLine) take_piece(sink);
      return;
    }
    std::string_view end = bytes.substr(0, newline + 1);
    bytes.remove_prefix(newline + 1);
    // However it was cut: else it would be another one when it comes again.
    if (long_line_ == Long::no && rest_.size() + newline > kMaxLine) {
      rest_ += end.substr(0, newline);
      take_piece(sink);
      if (stopped_) return;
      end.remove_prefix(newline);
    }
    if (rest_.empty()) {
      take_line(end, sink);
      continue;
    }
    rest_ += end;
    take_line(rest_, sink);
    rest_.clear();
  }
}

void LogCursor::stop() {
  stopped_ = true;
  rest_.clear();
  held_.clear();
  early_.clear();
}

void LogCursor::tell(std::string_view text, LogSink& sink) {
  told_ += text.size();
  sink.on_line(text);
}

void LogCursor::take_line(std::string_view line, LogSink& sink) {
  if (long_line_ != Long::no) {
    keep_long_end(line);
    if (long_line_ == Long::deliver) {
      if (skip_ < line.size()) tell(line.substr(skip_), sink);
      if (long_stamp_) remember({*long_stamp_, kLong, 0});
      unfinished_.reset();
    }
    long_line_ = Long::no;
    if (long_stamp_) note_coming({*long_stamp_, kLong, 0}, long_end_);
    if (long_stamp_ && !awaited_.empty()) awaits_first({*long_stamp_, kLong, 0}, long_end_);
    return;
  }
  const auto stamp = stamp_of(line);
  if (!stamp) return take_unstamped(line, sink);
  place_ = stamp->nanoseconds;
  take_stamped(line, stamp->size, sink);
}

void LogCursor::take_unstamped(std::string_view line, LogSink& sink) {
  if (awaits_beginning()) return;
  if (!early_.empty()) {
    early_.emplace_back(line);
  } else if (overlap_.empty()) {
    take_without_stamp(line, sink);
  } else if (place_ && repeats_unstamped({*place_, static_cast<std::uint32_t>(line.size()), stable_hash(line)})) {
    ++replayed_;
  } else if (!held_.empty()) {
    // What becomes of it is what becomes of the line before.
    held_.emplace_back(line);
    if (held_.size() > kMaxHeld) end_overlap(sink);
  } else if (++lost_ == kMaxHeld) {
    // One or a few are what a part of a line has left when its beginning is before the time that was asked for. So many
    // are a log without times, of which nothing can be told to be new.
    sink.on_gap();
  }
}

// A new one.
void LogCursor::take_without_stamp(std::string_view line, LogSink& sink) {
  if (!place_) {
    told_without_place_ = true;
    return take_new(line, nullptr, sink);
  }
  const Line seen{*place_, static_cast<std::uint32_t>(line.size()), stable_hash(line)};
  take_new(line, &seen, sink);
}

void LogCursor::take_stamped(std::string_view line, std::size_t stamp_size, LogSink& sink) {
  const std::string_view text = line.substr(stamp_size);
  const auto stamp = stamp_of(line);
  if (awaits_beginning() && is_before_beginning(stamp->nanoseconds, sink)) return;
  const Line seen{stamp->nanoseconds, static_cast<std::uint32_t>(text.size()), stable_hash(text)};
  note_coming(seen, text);
  const bool repeats = !overlap_.empty();
  if (repeats && matched_ && is_told_again(seen)) return stop_at(seen, sink);
  const bool old = is_old(seen);
  const bool joined = !old && repeats && !matched_ && ends_with_first(seen, text);
  if (old || joined) {
    // The last part of a line that was delivered as a whole.
    if (!awaited_.empty()) awaits_first(seen, text);
    joined_first_ = joined_first_ || joined;
    ++replayed_;
    held_.clear();
    return;
  }
  if (repeats && !matched_ && hold(line, stamp->nanoseconds)) return;
  if (repeats) end_overlap(sink);
  if (!stopped_) take_fresh(line, seen, sink);
}

// Where the first line is not the one that the process before was given first, the file does not have that any more.
bool LogCursor::is_before_beginning(std::int64_t stamp, LogSink& sink) {
  if (stamp < *first_stamp_) return true;
  if (stamp > *first_stamp_) sink.on_gap();
  first_stamp_.reset();
  begins_within_ = true;
  return false;
}

// None that the response should repeat.
void LogCursor::take_fresh(std::string_view line, const Line& seen, LogSink& sink) {
  if (is_told_again(seen)) return stop_at(seen, sink);
  if (std::exchange(behind_gap_, false)) expect_only_from(seen.stamp);
  const std::string_view text = line.substr(line.size() - seen.size);
  if (awaited_.empty() || awaits_first(seen, text)) {
    take_early(sink);
    return take_new(line, &seen, sink);
  }
  if (early_.empty() && seen.stamp <= awaited_.front().stamp) return take_new(line, &seen, sink);
  early_.emplace_back(line);
  if (early_.size() > kMaxHeld || seen.stamp > awaited_.front().stamp + kMargin) doubt(sink);
}

// The first line that was delivered may have been the end of one, of which the parts before were not asked for; they
// were written before. Another line may end so as well: it is what follows that tells, where more was delivered.
bool LogCursor::ends_with_first(const Line& line, std::string_view text) const {
  if (!first_stamp_ || line.stamp > *first_stamp_ + kMargin) return false;
  const Line& first = remembered_.front();
  // Each line ends with an empty one.
  return first.size > 1 && first.size != kLong && text.size() > first.size &&
         stable_hash(text.substr(text.size() - first.size)) == first.hash;
}

void LogCursor::match(std::size_t place) {
  matched_ = true;
  // A later one than expected: the file was rotated, and begins there.
  expected_ = place + 1;
  if (expected_ >= overlap_end_) overlap_.clear();
}

// False: so many are new that the file does not have what was delivered.
bool LogCursor::hold(std::string_view line, std::int64_t stamp) {
  const bool before_all = first_stamp_ && stamp < *first_stamp_;
  const std::size_t room = first_stamp_ ? kMaxHeld : 1;
  if (held_.size() >= room) {
    if (!before_all) return false;
    // If it is missed after all, the gap that is told then covers it.
    held_.pop_front();
  }
  held_.emplace_back(line);
  return true;
}

// What should have been repeated was, in one line with what was before it; else there is a gap.
bool LogCursor::ends_overlap_with_gap(LogSink& sink) {
  if (overlap_.empty()) return false;
  const bool gap = !joined_first_ || overlap_end_ > 1;
  overlap_.clear();
  if (!gap) return false;
  unfinished_.reset();
  behind_gap_ = true;
  sink.on_gap();
  return true;
}

// All that follows is new.
void LogCursor::end_overlap(LogSink& sink) {
  ends_overlap_with_gap(sink);
  release(sink);
}

void LogCursor::release(LogSink& sink) {
  if (!early_.empty()) return awaited_.empty() ? take_early(sink) : doubt(sink);
  if (held_.empty()) return;
  const std::deque<std::string> lines = std::exchange(held_, {});
  const bool gap = ends_overlap_with_gap(sink);
  bool delivers = !gap || !first_stamp_;
  for (const std::string& line : lines) {
    const auto stamp = stamp_of(line);
    if (!stamp) {
      if (delivers) take_without_stamp(line, sink);
      continue;
    }
    place_ = stamp->nanoseconds;
    // The first ones are most likely from before the beginning; if not, the gap covers them.
    delivers = delivers || stamp->nanoseconds >= *first_stamp_;
    if (!delivers) continue;
    const std::string_view text = std::string_view(line).substr(stamp->size);
    take_fresh(line, {stamp->nanoseconds, static_cast<std::uint32_t>(text.size()), stable_hash(text)}, sink);
    if (stopped_) return;
  }
}

// ---- files that were passed over ------------------------------------------------------------------------------------

// The kubelet's reader opens the newest file for each one that was created (cri-client pkg/logs/logs.go), however many
// were created meanwhile: it passes over the files between, and reads the newest one from its beginning as often as
// files were created. So lines that come again within a response tell that others never came. Not each line that comes
// again is one of these: two may have the same time and text, but then nothing newer is between them.
bool LogCursor::is_told_again(const Line& line) const {
  if (line.stamp >= newest_stamp_) return false;
  if (told_again_ && told_again_->stamp == line.stamp && told_again_->hash == line.hash) return false;
  const std::size_t size = overlap_.empty() ? remembered_.size() : expected_;
  // Almost in the order of their times: the place is not far.
  std::size_t low = 0;
  std::size_t high = size;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (remembered_[middle].stamp < line.stamp) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const std::size_t last = std::min(size, low + kNewestLines);
  for (std::size_t i = low - std::min(low, kNewestLines); i < last; ++i) {
    const Line& told = remembered_[i];
    if (told.stamp != line.stamp || told.size != line.size || told.hash != line.hash) continue;
    const std::size_t end = std::min(size, i + kNewestLines);
    for (std::size_t later = i + 1; later < end; ++later) {
      if (remembered_[later].stamp > line.stamp) return true;
    }
  }
  return false;
}

void LogCursor::stop_at(const Line& told_again, LogSink& sink) {
  told_again_ = told_again;
  unfinished_.reset();
  behind_gap_ = true;
  sink.on_gap();
  stop();
}

bool LogCursor::is_news(std::string_view last_line) const {
  const auto stamp = stamp_of(last_line);
  if (!stamp || last_line.back() != '\n' || last_line.size() > kMaxLine) return false;
  const std::string_view text = last_line.substr(stamp->size);
  // Each line ends with an empty one.
  return text.size() > 1 && !has(last_line) && !ends_long_line(stamp->nanoseconds, text);
}

void LogCursor::expect(std::string_view last_line) {
  if (!is_news(last_line) || awaited_.size() >= kMaxAwaited) return;
  const auto stamp = stamp_of(last_line);
  const std::string_view text = last_line.substr(stamp->size);
  const auto same = [&](const Awaited& one) { return one.stamp == stamp->nanoseconds && one.text == text; };
  if (std::any_of(awaited_.begin(), awaited_.end(), same)) return;
  awaited_.push_back({stamp->nanoseconds, std::string(text)});
}

void LogCursor::look_for(std::string_view last_line) {
  const auto stamp = stamp_of(last_line);
  if (is_news(last_line)) looked_for_ = Awaited{stamp->nanoseconds, std::string(last_line.substr(stamp->size))};
}

void LogCursor::note_coming(const Line& line, std::string_view text) {
  if (!looked_for_) return;
  if (line.stamp > looked_for_->stamp || is_awaited(looked_for_->stamp, looked_for_->text, line, text))
    looked_for_.reset();
}

// What was read aside may be the last part of a line, whose parts need not be in the order of their times: those of
// stdout and stderr are stamped before they are written. `text`: of a long line it is the end.
bool LogCursor::is_awaited(std::int64_t stamp, std::string_view part, const Line& line, std::string_view text) {
  if (line.stamp > stamp + kMargin) return false;
  if (line.size == kLong) {
    part.remove_prefix(part.size() - std::min(part.size(), kLongEnd));
  } else if (text.size() == part.size() && line.stamp != stamp) {
    return false;
  }
  return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
}

// Whether it is the last part of the line that was delivered last.
bool LogCursor::ends_long_line(std::int64_t stamp, std::string_view part) const {
  if (remembered_.empty() || remembered_.back().size != kLong || long_line_ != Long::no) return false;
  return long_stamp_ == remembered_.back().stamp && is_awaited(stamp, part, remembered_.back(), long_end_);
}

// Whether it is the first one that has to come.
bool LogCursor::awaits_first(const Line& line, std::string_view text) {
  if (!is_awaited(awaited_.front().stamp, awaited_.front().text, line, text)) return false;
  awaited_.pop_front();
  last_has_come_ = awaited_.empty();
  doubted_ = false;
  return true;
}

// As what follows the gap, or what was awaited.
void LogCursor::take_early(LogSink& sink) {
  for (const std::string& line : std::exchange(early_, {})) {
    const auto stamp = stamp_of(line);
    if (!stamp) {
      take_without_stamp(line, sink);
      continue;
    }
    place_ = stamp->nanoseconds;
    const std::string_view text = std::string_view(line).substr(stamp->size);
    const Line seen{stamp->nanoseconds, static_cast<std::uint32_t>(text.size()), stable_hash(text)};
    take_new(line, &seen, sink);
  }
}

// The gap has what is before this line.
void LogCursor::expect_only_from(std::int64_t stamp) {
  while (!awaited_.empty() && awaited_.front().stamp < stamp) awaited_.pop_front();
  doubted_ = false;
}

// What is awaited does not seem to come. A response that begins now has the newest file: where that does not begin with
// what was delivered last, it tells of the gap in its place.
void LogCursor::doubt(LogSink& sink) {
  if (!std::exchange(doubted_, true)) return stop();
  awaited_.clear();
  doubted_ = false;
  unfinished_.reset();
  sink.on_gap();
  take_early(sink);
}

// ---- what is new ----------------------------------------------------------------------------------------------------

// `line`: NULL for one without a stamp.
void LogCursor::take_new(std::string_view text, const Line* line, LogSink& sink) {
  const std::size_t stamp_size = line == nullptr ? 0 : text.size() - line->size;
  std::size_t begin = keep_stamps_ ? 0 : stamp_size;
  if (unfinished_) {
    const Unfinished begun = *unfinished_;
    unfinished_.reset();
    if (line != nullptr && line->stamp == begun.stamp && text.size() >= stamp_size + begun.delivered) {
      begin = stamp_size + begun.delivered;
    } else {
      sink.on_gap();
    }
  }
  // A last line without a newline may have nothing but its time.
  if (begin < text.size()) tell(text.substr(begin), sink);
  if (line != nullptr) remember(*line);
}

// A line above kMaxLine, of which more has come.
void LogCursor::take_piece(LogSink& sink) {
  if (long_line_ == Long::no) long_end_.clear();
  keep_long_end(rest_);
  if (long_line_ == Long::no) {
    const auto stamp = stamp_of(rest_);
    if (stamp) place_ = stamp->nanoseconds;
    const Line seen{place_.value_or(0), kLong, 0};
    const bool repeats = !overlap_.empty();
    if (!stamp && repeats && place_) repeats_unstamped(seen);
    const bool before = awaits_beginning() && (!stamp || is_before_beginning(stamp->nanoseconds, sink));
    const bool old = before || (stamp ? is_old(seen) : repeats);
    if (old) held_.clear();
    if (!old) {
      // Not compared with what comes in pieces.
      awaited_.clear();
      take_early(sink);
    }
    if (!old && repeats) end_overlap(sink);
    long_line_ = old ? Long::drop : Long::deliver;
    long_stamp_ = place_;
    told_without_place_ = told_without_place_ || (!old && !place_);
    if (!old) begin_long_line(stamp ? stamp->size : 0, sink);
  } else if (long_line_ == Long::deliver) {
    const std::size_t skipped = std::min(skip_, rest_.size());
    skip_ -= skipped;
    if (unfinished_) unfinished_->delivered += rest_.size() - skipped;
    if (skipped < rest_.size()) tell(std::string_view(rest_).substr(skipped), sink);
  }
  rest_.clear();
}

void LogCursor::keep_long_end(std::string_view text) {
  long_end_ += text.substr(text.size() - std::min(text.size(), kLongEnd));
  long_end_.erase(0, long_end_.size() - std::min(long_end_.size(), kLongEnd));
}

void LogCursor::begin_long_line(std::size_t stamp_size, LogSink& sink) {
  const std::size_t size = rest_.size() - stamp_size;
  std::size_t before = 0;
  if (unfinished_ && unfinished_->stamp == long_stamp_) {
    before = unfinished_->delivered;
  } else if (unfinished_) {
    sink.on_gap();
  }
  const std::size_t begin = before > 0 || !keep_stamps_ ? stamp_size + std::min(before, size) : 0;
  skip_ = before - std::min(before, size);
  unfinished_.reset();
  if (long_stamp_) unfinished_ = Unfinished{*long_stamp_, std::max(before, size)};
  if (begin < rest_.size()) tell(std::string_view(rest_).substr(begin), sink);
}

// ---- what a response repeats ----------------------------------------------------------------------------------------

// Whether it was delivered from an earlier response.
bool LogCursor::is_old(const Line& line) {
  if (overlap_.empty()) return false;
  auto place = std::lower_bound(overlap_.begin(), overlap_.end(), std::make_pair(line.stamp, expected_));
  for (; place != overlap_.end() && place->first == line.stamp; ++place) {
    const Line& held = remembered_[place->second];
    // Where the response begins, parts of lines are before the time that was asked for: the text is another one then,
    // and may have the next line in it. The newest lines are later than that.
    // Nor may what was never delivered be taken for what was.
    const bool whole = line.stamp >= since_ + kMargin || (first_stamp_ && !matched_);
    if (whole && held.size != kLong && (held.size != line.size || held.hash != line.hash)) continue;
    match(place->second);
    return true;
  }
  // Before all that is remembered.
  return !matched_ && forgotten_until_ && line.stamp <= *forgotten_until_;
}

// Its place is but that of the line before: the text has to be the same.
bool LogCursor::repeats_unstamped(const Line& line) {
  auto place = std::lower_bound(overlap_.begin(), overlap_.end(), std::make_pair(line.stamp, expected_));
  for (; place != overlap_.end() && place->first == line.stamp; ++place) {
    const Line& held = remembered_[place->second];
    if (held.size != line.size || held.hash != line.hash) continue;
    match(place->second);
    return true;
  }
  return false;
}

void LogCursor::remember(const Line& line) {
  if (std::exchange(begins_within_, false)) first_stamp_ = line.stamp;
  newest_stamp_ = std::max(newest_stamp_, line.stamp);
  remembered_.push_back(line);
  if (told_ > taken_) {
    untaken_.push_back(told_);
    if (untaken_.size() > kMaxRemembered) forget_place();
  } else {
    known_from_ = told_;
  }
  // Not for each line: it looks at all of the newest ones.
  if (++since_forget_ >= kNewestLines) forget_old();
}

void LogCursor::set_taken(std::uint64_t bytes) {
  taken_ = bytes - std::min(bytes, kReadAhead);
  while (!untaken_.empty() && untaken_.front() <= taken_) forget_place();
}

// Of the oldest line that the host may not have taken.
void LogCursor::forget_place() {
  known_from_ = untaken_.front();
  untaken_.pop_front();
}

void LogCursor::forget_old() {
  since_forget_ = 0;
  // The places of an overlap stay as they are.
  if (!overlap_.empty()) return;
  const std::int64_t until = floor_to_second(least_stamp()) - kRememberedFor;
  while (remembered_.size() > kNewestLines + std::min(untaken_.size(), kMaxRemembered) &&
         (remembered_.front().stamp < until || remembered_.size() > kMaxRemembered)) {
    forgotten_until_ = std::max(forgotten_until_.value_or(remembered_.front().stamp), remembered_.front().stamp);
    first_stamp_.reset();
    remembered_.pop_front();
  }
}

// ---- the end --------------------------------------------------------------------------------------------------------

LogCursor::ResponseEnd LogCursor::end_response() {
  const std::string before = std::exchange(unclear_, {});
  // A line as good as those before it.
  if (has_no_place()) return {};
  if (rest_.empty() || long_line_ != Long::no || stamp_of(rest_) || may_become_stamp(rest_)) return {};
  ResponseEnd end{true, one_line(rest_)};
  rest_.clear();
  // While lines are repeated it may be the last part of one that began before the time that was asked for, cut. An
  // error of the kubelet comes again.
  if (overlap_.empty()) return end;
  unclear_ = end.said;
  if (end.said != before) end.said.clear();
  return end;
}

void LogCursor::finish(LogSink& sink) {
  if (long_line_ != Long::no || stamp_of(rest_) || (has_no_place() && !rest_.empty())) take_line(rest_, sink);
  rest_.clear();
  if (awaits_beginning()) sink.on_gap();
  if (std::exchange(stopped_, false)) {
    awaited_.clear();
    return sink.on_gap();
  }
  if (early_.empty()) release(sink);
  // No response will tell more.
  if (!awaited_.empty()) {
    doubted_ = true;
    doubt(sink);
  }
  // The file does not have the last line that was delivered, nor what may have followed it.
  if (!overlap_.empty()) end_overlap(sink);
}

// Without a stamp its place says nothing.
bool LogCursor::is_same(const Line& held, std::string_view line) {
  const auto stamp = stamp_of(line);
  const std::string_view text = line.substr(stamp ? stamp->size : 0);
  if (stamp && (held.stamp != stamp->nanoseconds || held.size == kLong)) return held.stamp == stamp->nanoseconds;
  return held.size == text.size() && held.hash == stable_hash(text);
}

bool LogCursor::has(std::string_view line) const {
  if (remembered_.empty()) return false;
  if (!stamp_of(line)) return is_same(remembered_.back(), line);
  return std::any_of(remembered_.rbegin(), remembered_.rend(), [&](const Line& held) { return is_same(held, line); });
}

// Whether the response has ended with it, or with a line of which it is the last part.
bool LogCursor::ends_with_rest(std::string_view line) const {
  const auto stamp = stamp_of(line);
  const auto begun = stamp_of(rest_);
  if (!stamp || !begun || begun->nanoseconds > stamp->nanoseconds + kMargin) return false;
  const std::string_view text = line.substr(stamp->size);
  const std::string_view held = std::string_view(rest_).substr(begun->size);
  return held.size() >= text.size() && held.substr(held.size() - text.size()) == text;
}

LogCursor::LastLine LogCursor::compare_with_last(std::string_view line) {
  if (line.empty()) return since() || !rest_.empty() ? LastLine::unknown : LastLine::told;
  if (line.back() != '\n' && ends_with_rest(line)) return LastLine::told;
  const auto stamp = stamp_of(line);
  const bool ends_long = stamp && ends_long_line(stamp->nanoseconds, line.substr(stamp->size));
  if (ends_long || (!remembered_.empty() && is_same(remembered_.back(), line))) {
    // What the response had of the lines before it is no news, and what it did not repeat is no loss. What it has begun
    // behind it has no newline in the file: the kubelet does not count that as a line.
    if (!overlap_.empty()) rest_.clear();
    overlap_.clear();
    held_.clear();
    awaited_.clear();
    return LastLine::told;
  }
  // No response that goes on behind what was delivered would have it.
  if (stamp && since() && stamp->nanoseconds < first_stamp_wanted()) return LastLine::unknown;
  last_has_come_ = false;
  expect(line);
  if (last_has_come()) return LastLine::told;
  return awaited_.empty() ? LastLine::unknown : LastLine::awaited;
}

// Also among those that are held back until what follows tells: nothing does.
bool LogCursor::last_has_come() const {
  if (!rest_.empty()) return false;
  if (awaited_.empty()) return last_has_come_;
  return awaited_.size() == 1 && std::any_of(held_.begin(), held_.end(), [&](std::string_view line) {
           const auto stamp = stamp_of(line);
           if (!stamp) return false;
           const std::string_view text = line.substr(stamp->size);
           const Line held{stamp->nanoseconds, static_cast<std::uint32_t>(text.size()), 0};
           return is_awaited(awaited_.front().stamp, awaited_.front().text, held, text);
         });
}

// ---- another process ------------------------------------------------------------------------------------------------

std::string LogCursor::text(std::uint64_t taken) const {
  const auto first_untaken = std::upper_bound(untaken_.begin(), untaken_.end(), taken);
  const auto untaken = static_cast<std::size_t>(untaken_.end() - first_untaken);
  const std::size_t last = remembered_.size() - std::min(remembered_.size(), untaken);
  const std::size_t first = last - std::min(last, kMaxLinesInText);
  std::optional<std::int64_t> forgotten = forgotten_until_;
  for (std::size_t i = 0; i < first; ++i) {
    forgotten = std::max(forgotten.value_or(remembered_[i].stamp), remembered_[i].stamp);
  }
  std::string text = kTextVersion;
  text += "," + (forgotten ? std::to_string(*forgotten) : std::string());
  // A line above kMaxLine is no other than the rest: a host does not know whether its newline has come here already.
  text += ",,";
  if (begins_within_ && unfinished_) {
    text += std::to_string(unfinished_->stamp);
  } else if (begins_within_) {
    text += kBeginsWithin;
    if (begins_at_) text += kBeginsAt + std::to_string(*begins_at_);
  } else if (first == 0 && first_stamp_) {
    text += std::to_string(*first_stamp_);
  }
  for (std::size_t i = first; i < last; ++i) {
    const Line& line = remembered_[i];
    text += "," + std::to_string(line.stamp) + "." + std::to_string(line.size) + "." + std::to_string(line.hash);
  }
  return text;
}

namespace {

std::optional<std::int64_t> stamp_in(std::string_view text) {
  const auto stamp = whole_number<std::int64_t>(text);
  return stamp && *stamp >= 0 && *stamp <= kMaxSeconds * kSecond ? stamp : std::nullopt;
}

}  // namespace

Expected<void> LogCursor::restore(std::string_view text) {
  const Error refused{Status::invalid, "the cursor of a log is malformed; expected what the info cursor said"};
  const std::vector<std::string_view> fields = split(text, ',');
  if (fields.size() < kFieldsBeforeLines || fields.size() > kMaxLinesInText + kFieldsBeforeLines ||
      fields[0] != kTextVersion)
    return refused;
  std::optional<std::int64_t> forgotten;
  if (!fields[1].empty() && !(forgotten = stamp_in(fields[1]))) return refused;
  std::optional<Unfinished> unfinished;
  if (!fields[2].empty()) {
    const std::vector<std::string_view> parts = split(fields[2], '.');
    const auto stamp = stamp_in(parts.front());
    const auto delivered = whole_number<std::size_t>(parts.back());
    if (parts.size() != 2 || !stamp || !delivered) return refused;
    unfinished = Unfinished{*stamp, *delivered};
  }
  std::optional<std::int64_t> first_stamp;
  const bool begins_within = fields[3].substr(0, kBeginsWithin.size()) == kBeginsWithin;
  std::optional<std::int64_t> begins_at;
  if (begins_within && fields[3] != kBeginsWithin) {
    const std::string_view at = fields[3].substr(kBeginsWithin.size());
    if (at.front() != kBeginsAt || !(begins_at = stamp_in(at.substr(1)))) return refused;
  }
  if (!begins_within && !fields[3].empty() && !(first_stamp = stamp_in(fields[3]))) return refused;
  std::deque<Line> lines;
  for (std::size_t i = kFieldsBeforeLines; i < fields.size(); ++i) {
    const std::vector<std::string_view> parts = split(fields[i], '.');
    if (parts.size() != 3) return refused;
    const auto stamp = stamp_in(parts[0]);
    const auto size = whole_number<std::uint32_t>(parts[1]);
    const auto hash = whole_number<std::uint64_t>(parts[2]);
    if (!stamp || !size || !hash) return refused;
    lines.push_back({*stamp, *size, *hash});
  }
  remembered_ = std::move(lines);
  newest_stamp_ = 0;
  for (const Line& line : remembered_) newest_stamp_ = std::max(newest_stamp_, line.stamp);
  forgotten_until_ = forgotten;
  begins_within_ = begins_within;
  begins_at_ = begins_at;
  first_stamp_ = first_stamp;
  unfinished_ = unfinished;
  untaken_.clear();
  known_from_ = told_;
  begin_response();
  return {};
}

}  // namespace ksr::channel
