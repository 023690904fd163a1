#include "channel/log_call.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.hpp"
#include "base/whole_number.hpp"
#include "cluster/refusal.hpp"

namespace ksr::channel {
namespace {

constexpr Milliseconds kFirstDelay{800};
constexpr Milliseconds kMaxDelay{5'000};
// A log that is not followed is not waited for longer than this.
constexpr int kMaxFailures = 5;
// In a row, of answers that the pod is not there, where it may not be read: half a minute.
constexpr int kMaxMissing = 10;
// Of an instance, of last lines read aside that do not tell whether a response was whole.
constexpr int kMaxUnclearChecks = 3;
constexpr Milliseconds kPollInterval{1'000};
// Between two looks at a pod that has no container to read, or none that runs, from kPollInterval on: the log begins
// late by what the container has waited at most, and a minute of waiting costs a dozen requests. A watch would begin it
// sooner, and cost a connection for each log.
constexpr Milliseconds kMaxPollInterval{5'000};
// How long after the head of a response the last line of the log is read aside; twice as long the next time, while the
// follower keeps up.
constexpr Milliseconds kFirstTail{5'000};
constexpr Milliseconds kMaxTail{60'000};
// A line that was read aside has come by then: the kubelet looks at its file each second at least (cri-client
// pkg/logs/logs.go, logForceCheckPeriod).
constexpr Milliseconds kTailTime{2'000};
// After the pod was read, the line that is read then is of the same pod and instance for so long.
constexpr Milliseconds kMaxTailAge{1'000};
// After so long without a line the next one is not waited for (LogCursor::release).
constexpr Milliseconds kReleaseAfter{1'000};
// Of two requests one may come to the kubelet this much later after it was sent than the other.
constexpr Milliseconds kBeginningMargin{2'000};
constexpr std::int64_t kNanoseconds = 1'000'000'000;
// As of a stream that is forbidden.
constexpr Milliseconds kDelayOfForbidden{30'000};
constexpr const char* kNoTimes = "the server sends lines without their times, so that the log cannot be resumed";
constexpr std::string_view kCursorVersion = "ksr2";
// Of those of which the host has taken all, for a cursor before what was taken last.
constexpr std::size_t kMaxFormerInstances = 16;

std::int64_t wall_nanoseconds() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
}

// Of the first `left` lines of the text, which are then left no more.
std::size_t size_of_lines(std::string_view text, std::uint64_t& left) {
  std::size_t size = 0;
  while (left > 0 && size < text.size()) {
    const std::size_t newline = text.find('\n', size);
    if (newline == std::string_view::npos) return text.size();
    size = newline + 1;
    --left;
  }
  return size;
}

// A server may send more than it was asked for.
std::string_view last_line_of(std::string_view text) {
  const std::size_t before = text.substr(0, text.size() - std::min<std::size_t>(text.size(), 1)).rfind('\n');
  return before == std::string_view::npos ? text : text.substr(before + 1);
}

// Nothing behind its time.
bool is_empty_line(std::string_view line) {
  return line.size() >= 2 && line.back() == '\n' && line.find(' ') == line.size() - 2;
}

std::string checksum_of(std::string_view text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(stable_hash(text)));
  return digits;
}

}  // namespace

// What a cursor makes of some bytes: text and gaps, in order.
class LogCall::Lines final : public LogSink {
 public:
  struct Gap {};
  using Piece = std::variant<std::string, Gap>;

  void on_line(std::string_view text) override {
    if (pieces_.empty() || !std::holds_alternative<std::string>(pieces_.back())) pieces_.emplace_back(std::string());
    std::get<std::string>(pieces_.back()) += text;
  }
  void on_gap() override {
    pieces_.emplace_back(Gap());
    has_gap_ = true;
  }
  bool has_gap() const { return has_gap_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
  bool has_gap_ = false;
};

LogCall::LogCall(Environment environment, ChannelOptions options, ChannelTarget target)
    : ChannelCall(std::move(environment), std::move(options), std::move(target)),
      backoff_(kFirstDelay, kMaxDelay),
      poll_backoff_(kPollInterval, kMaxPollInterval) {
  const MutexLock lock(cursor_mutex_);
  cursor_.emplace(options_.timestamps);
}

void LogCall::begin() {
  if (!options_.from_cursor.empty()) {
    if (const Expected<void> restored = restore(options_.from_cursor); !restored) return fail(restored.error());
  }
  container_ = options_.container;
  if (!options_.follow && options_.from_cursor.empty()) lines_left_ = options_.tail;
  if (options_.tail || options_.since_seconds || !options_.since_time.empty()) {
    const MutexLock lock(cursor_mutex_);
    if (!restored_) cursor_->begin_within_file();
  }
  read_pod();
}

// ---- the cursor of another process ----------------------------------------------------------------------------------

std::string LogCall::cursor(const ChannelHost& host, std::uint64_t bytes) const {
  const MutexLock lock(cursor_mutex_);
  const std::uint64_t taken = std::min(bytes, host.taken_bytes());
  // Until something of the next instance is taken, so that RESTARTED and a GAP before it are told again.
  for (const Instance& before : former_) {
    if (taken <= before.cursor.told()) return position(before.cursor, before.container_id, before.restarts, taken);
  }
  return position(*cursor_, container_id_, restarts_, taken);
}

std::string LogCall::position(const LogCursor& cursor, const std::string& container_id, std::uint64_t restarts,
                              std::uint64_t taken) const {
  // Without a pod that may be read, only its lines say where that is.
  if (cursor.has_no_place() || (pod_uid_.empty() && !cursor.since()) || !cursor.knows_place(taken)) return {};
  const std::string text = std::string(kCursorVersion) + ";" + pod_uid_ + ";" + container_id + ";" +
                           std::to_string(restarts) + ";" + cursor.text(taken);
  return text + ";" + checksum_of(text);
}

void LogCall::forget_former_instances(std::uint64_t taken) {
  const MutexLock lock(cursor_mutex_);
  while (!former_.empty()) {
    const std::uint64_t ahead = former_.size() > kMaxFormerInstances ? 0 : LogCursor::kReadAhead;
    if (taken <= former_.front().cursor.told() + ahead) return;
    former_.pop_front();
  }
}

namespace {

// What LogCall::cursor writes, but for the checksum at its end: a cursor that was cut would else be a position before
// lines that were delivered.
struct LogPosition {
  std::string_view pod_uid;
  std::string_view container_id;
  std::uint64_t restarts;
  std::string_view lines;  // of the LogCursor
};

// Empty: it is something else.
std::optional<LogPosition> log_position(std::string_view text) {
  const std::size_t end_of_text = text.rfind(';');
  if (end_of_text == std::string_view::npos) return std::nullopt;
  const std::string_view checksum = text.substr(end_of_text + 1);
  text = text.substr(0, end_of_text);
  if (checksum != checksum_of(text)) return std::nullopt;
  const std::vector<std::string_view> fields = split(text, ';');
  if (fields.size() != 5 || fields[0] != kCursorVersion) return std::nullopt;
  const auto restarts = whole_number<std::uint64_t>(fields[3]);
  if (!restarts) return std::nullopt;
  return LogPosition{fields[1], fields[2], *restarts, fields[4]};
}

}  // namespace

bool is_log_position(std::string_view text) {
  const std::optional<LogPosition> position = log_position(text);
  return position && LogCursor(false).restore(position->lines).has_value();
}

Expected<void> LogCall::restore(std::string_view text) {
  const std::optional<LogPosition> position = log_position(text);
  const MutexLock lock(cursor_mutex_);
  if (!position || !cursor_->restore(position->lines)) {
    return Error{Status::invalid, "params key from_cursor: expected what ksr_channel_info said of the cursor"};
  }
  pod_uid_ = position->pod_uid;
  container_id_ = position->container_id;
  restarts_ = position->restarts;
  restored_ = true;
  return {};
}

// ---- the pod --------------------------------------------------------------------------------------------------------

void LogCall::fetch_pod(std::unique_ptr<DocumentFetch>& fetch, std::function<void(Expected<PodInfo>)> then) {
  fetch = std::make_unique<DocumentFetch>(
      environment_.access, pod_path(target_), target_.headers, "application/json",
      [this, &fetch, then = std::move(then)](const Expected<std::string>& pod) {
        guarded([&] {
          const auto answered = std::move(fetch);
          then(pod ? Expected<PodInfo>(read_pod_info(*pod)) : Expected<PodInfo>(pod.error()));
        });
      });
}

void LogCall::read_pod() {
  if (!has_begun_) {
    if (const auto to = host()) to->on_connecting();
    if (ended()) return;
  }
  fetch_pod(fetch_, [this](Expected<PodInfo> pod) { on_pod(std::move(pod)); });
}

void LogCall::read_pod_later(Milliseconds delay) {
  retry_timer_ = after(delay, [this] {
    const auto fired = std::move(retry_timer_);
    exchange_.reset();
    read_pod();
  });
}

void LogCall::on_pod(Expected<PodInfo> pod) {
  if (const Error* error = pod.if_error()) {
    pod_.reset();
    if (error->status == Status::not_found) return on_pod_gone(*error);
    // Who may read logs need not be allowed to read pods.
    if (error->status == Status::forbidden) return ask(has_begun_ || restored_ ? Ask::go_on : Ask::begin);
    if (error->status == Status::auth) return on_denied(*error);
    if (error->status == Status::tls || error->status == Status::invalid) return fail(*error);
    return retry(*error);
  }
  pod_ = *std::move(pod);
  bool replaced = false;
  {
    const MutexLock lock(cursor_mutex_);
    replaced = !pod_uid_.empty() && pod_uid_ != pod_->uid;
    if (!replaced) pod_uid_ = pod_->uid;
    // What was read aside last may have been the other one's.
    if (replaced && std::exchange(awaits_last_, false)) cursor_->expect_nothing();
  }
  cut_ = cut_ || awaits_last_;
  if (replaced) {
    return on_pod_gone({Status::gone, "the pod was replaced by another one of its name", "", 410});
  }
  if (container_.empty()) container_ = pod_->default_container;
  if (const auto to = host()) {
    to->set_info("pod_uid", pod_->uid);
    to->set_info("container", container_);
  }
  if (ended()) return;
  const ContainerInfo* container = pod_->find(container_);
  // The server names the containers that there are.
  if (container == nullptr) return ask(Ask::begin);
  on_container(*pod_, *container);
}

void LogCall::on_container(const PodInfo& pod, const ContainerInfo& container) {
  std::string known;
  std::uint64_t restarts = 0;
  {
    const MutexLock lock(cursor_mutex_);
    if (container_id_.empty() && !waits_for_next_) {
      container_id_ = container.id;
      restarts_ = container.restarts;
    }
    known = container_id_;
    restarts = restarts_;
  }
  if (options_.previous) return ask(has_begun_ || restored_ ? Ask::go_on : Ask::begin);
  if (waits_for_next_) {
    if (!container.id.empty() && container.id != known) return begin_next_instance();
    if (pod.over) return end_log(std::nullopt);
    return read_pod_later(poll_backoff_.next(*environment_.random));
  }
  // It has never run.
  if (container.state == ContainerState::waiting && container.id.empty() && options_.follow && !pod.over) {
    return read_pod_later(poll_backoff_.next(*environment_.random));
  }
  if (!has_begun_ && !restored_) return ask(Ask::begin);
  if (container.id == known || known.empty()) {
    const bool over = container.state != ContainerState::running;
    return over && options_.follow ? ask_for_rest(Ask::rest) : ask(Ask::go_on);
  }
  // Of several instances since, only the last one's log is there.
  if (container.restarts == restarts + 1) return ask_for_rest(Ask::rest_before);
  finish_lines();
  tell_gap();
  end_of_instance();
}

// Where the container has started after the pod was read: a restart is known by its id.
void LogCall::learn_instance() {
  {
    const MutexLock lock(cursor_mutex_);
    if (!container_id_.empty()) return;
  }
  fetch_pod(fetch_, [this](const Expected<PodInfo>& pod) {
    const ContainerInfo* const container = pod ? pod->find(container_) : nullptr;
    const MutexLock lock(cursor_mutex_);
    if (container == nullptr || pod->uid != pod_uid_ || !container_id_.empty()) return;
    container_id_ = container->id;
    restarts_ = container->restarts;
  });
}

void LogCall::on_pod_gone(const Error& error) {
  if (!has_begun_) return fail(error);
  finish_lines();
  if (!cut_ && !awaits_last_) return end_log(std::nullopt);
  end_log(Error{Status::lost, "the log was cut, and its pod is gone: its last lines cannot be had", "", 404});
}

// ---- one response ---------------------------------------------------------------------------------------------------

bool LogCall::has_no_place() const {
  const MutexLock lock(cursor_mutex_);
  return cursor_->has_no_place();
}

void LogCall::warn_without_place() {
  if (options_.resume && has_no_place() && !std::exchange(warned_, true)) warn(kNoTimes);
}

// The response before has ended in order.
void LogCall::end_without_place(Ask what) {
  finish_lines();
  if (what == Ask::rest || what == Ask::rest_before) return end_of_instance();
  tell_gap();
  end_log(
      Error{Status::lost, std::string(kNoTimes) + "; its response has ended, and the container is not known to have"});
}

// Before the first line of a log that begins within its file the rest has lines of before the beginning, or counts anew
// (add_beginning). After a response that has ended in order there is most likely none: the last line tells.
void LogCall::ask_for_rest(Ask what) {
  bool has_none = has_begun_ && !cut_ && !awaits_last_ && first_instance_;
  {
    const MutexLock lock(cursor_mutex_);
    has_none = has_none && cursor_->begins_within_file() && !cursor_->is_awaiting();
  }
  if (!has_none) return ask(what);
  ask_ = what;
  check_end();
}

// Where nothing is asked for again, what is written behind the response could not be told from what it lacks: what it
// has to bring is known before.
void LogCall::look_ahead(Ask what) {
  // The line may be too old by the time of the response, or is none that was asked for.
  const std::optional<QueryString> query = options_.since_seconds ? std::nullopt : check_query();
  if (!query) return ask(what);
  fetch_last_line(*query, [this, what](const std::string& line) {
    {
      const MutexLock lock(cursor_mutex_);
      cursor_->look_for(line);
    }
    ask(what);
  });
}

void LogCall::ask(Ask what) {
  if (!options_.resume && !options_.follow && !std::exchange(looked_ahead_, true)) return look_ahead(what);
  if (has_begun_ && has_no_place()) return end_without_place(what);
  ask_ = what;
  dropped_ = false;
  head_ = {};
  other_body_.clear();
  exchange_.reset();
  forget_response();
  pending_ = environment_.access->authenticate(cluster::Purpose::request, [this](Expected<cluster::RequestAuth> auth) {
    guarded([&] { send(std::move(auth)); });
  });
}

QueryString LogCall::base_query() const {
  QueryString query;
  query.add("timestamps", "true");
  if (!container_.empty()) query.add("container", container_);
  if (options_.previous || asked_for() == Ask::rest_before) query.add("previous", "true");
  query.add_all(target_.query);
  return query;
}

QueryString LogCall::last_lines_query(int count) const {
  QueryString query = base_query();
  query.add("tailLines", std::to_string(count));
  return query;
}

// Lines of before are not wanted, wherever they are in the file: times step back.
bool LogCall::has_since_time() const noexcept {
  return first_instance_ && !restored_ && !options_.since_time.empty();
}

// Empty: none has to come. While none has, the last line may be from before the beginning that the host has asked for:
// the kubelet, whose clock it is, leaves that out.
std::optional<QueryString> LogCall::check_query() const {
  QueryString query = last_lines_query(checked_lines_);
  bool from_beginning = first_instance_;
  std::optional<std::int64_t> begins_at;
  {
    const MutexLock lock(cursor_mutex_);
    if (cursor_->since() || (restored_ && !cursor_->begins_within_file())) from_beginning = false;
    if (restored_) begins_at = cursor_->begins_at();
  }
  if (!from_beginning) {
    if (has_since_time()) query.add("sinceTime", options_.since_time);
    return query;
  }
  if (begins_at) {
    const std::int64_t seconds = (wall_nanoseconds() - *begins_at) / kNanoseconds;
    if (seconds < 1) return std::nullopt;
    query.add("sinceSeconds", std::to_string(seconds));
    return query;
  }
  if (options_.tail == 0 || options_.since_seconds) {
    // No line of before then, so less than has passed.
    const auto passed = has_begun_ ? std::chrono::duration_cast<std::chrono::seconds>(now() - begun_at_).count() : 0;
    const std::uint64_t seconds =
        (options_.tail == 0 ? 0 : *options_.since_seconds) + static_cast<std::uint64_t>(passed);
    if (seconds == 0) return std::nullopt;
    query.add("sinceSeconds", std::to_string(seconds));
  } else if (!options_.since_time.empty()) {
    query.add("sinceTime", options_.since_time);
  }
  return query;
}

QueryString LogCall::query() {
  begins_by_elapsed_ = false;
  if (ask_ == Ask::check) return check_query().value_or(last_lines_query(checked_lines_));
  QueryString query = base_query();
  if (follows()) query.add("follow", "true");
  std::optional<UnixTime> since;
  bool within = false;
  {
    const MutexLock lock(cursor_mutex_);
    since = cursor_->since();
    within = cursor_->begins_within_file();
    // What is awaited of the instance before is so still.
    if (ask_ == Ask::rest_before && checked_ != Ask::rest_before) cursor_->expect_nothing();
    cursor_->begin_response();
  }
  if (since) {
    const auto first = has_since_time() ? parse_rfc3339(options_.since_time) : std::nullopt;
    query.add("sinceTime", first && first->seconds >= since->seconds ? options_.since_time : rfc3339_text(*since));
  } else if (first_instance_) {
    add_beginning(query, within);
  }
  return query;
}

// Where the host has asked for, while no line has come. `tail` and a duration count from the time of a request, and
// what they meant was fixed with the first one. That the kubelet's clock is another one does not matter: the time since
// then is asked for.
void LogCall::add_beginning(QueryString& query, bool within) {
  // All of the log was wanted by the channel before.
  if (restored_ && !within) return;
  if (begins_where_it_was(query)) return;
  if (!has_begun_) {
    // When the channel before has begun is not known.
    if (restored_) begins_behind_gap_ = true;
    first_asked_at_ = now();
  }
  auto tail = options_.tail;
  auto since_seconds = options_.since_seconds;
  const bool moves = options_.follow && !options_.previous;
  if (has_begun_ && delivered_bytes_ == 0 && ((tail && moves) || since_seconds)) {
    const Milliseconds elapsed =
        std::chrono::duration_cast<Milliseconds>(now() - first_asked_at_) + kBeginningMargin + Milliseconds(999);
    const auto seconds = static_cast<std::uint64_t>(elapsed.count() / 1000);
    // The lines of the tail may have been under way.
    if (moves && tail.value_or(0) > 0) begins_behind_gap_ = true;
    if (moves && tail && (*tail == 0 || first_was_quiet_)) {
      query.add("sinceSeconds", std::to_string(seconds));
      begins_by_elapsed_ = true;
      return;
    }
    if (since_seconds) {
      *since_seconds += seconds;
      begins_by_elapsed_ = true;
    }
  }
  if (tail) query.add("tailLines", std::to_string(*tail));
  if (since_seconds) query.add("sinceSeconds", std::to_string(*since_seconds));
  if (!options_.since_time.empty()) query.add("sinceTime", options_.since_time);
}

// As it was for the channel before, whose cursor has been restored. A channel that begins with it takes the note.
bool LogCall::begins_where_it_was(QueryString& query) {
  const std::int64_t wall = wall_nanoseconds();
  const MutexLock lock(cursor_mutex_);
  if (!restored_) {
    // Which lines another tail had is not known.
    const std::uint64_t before = options_.tail == 0 ? 0 : options_.since_seconds.value_or(0);
    const bool known = options_.tail == 0 || (options_.since_seconds && !options_.tail);
    if (!has_begun_ && known && before < static_cast<std::uint64_t>(wall / kNanoseconds)) {
      cursor_->begin_within_file(wall - static_cast<std::int64_t>(before) * kNanoseconds);
    }
    return false;
  }
  const auto at = cursor_->begins_at();
  if (!at) return false;
  // The clock was another one.
  if (wall < *at && !has_begun_) begins_behind_gap_ = true;
  const std::int64_t elapsed = std::max<std::int64_t>(wall - *at, 0) / kNanoseconds + 1;
  query.add("sinceSeconds", std::to_string(elapsed + kBeginningMargin / std::chrono::seconds(1)));
  begins_by_elapsed_ = true;
  return true;
}

void LogCall::send(Expected<cluster::RequestAuth> auth) {
  if (const Error* error = auth.if_error()) return on_failed(*error);
  transport::Request request;
  request.target = query().after(pod_path(target_) + "/log");
  request.headers = target_.headers;
  cluster::add_headers(request, *auth);
  cluster::set_accept(request, "*/*");
  request.response_timeout = kHeadTimeout;
  // The last line is asked for, see check_end().
  request.cut_shows = true;
  if (ask_ == Ask::check) request.whole_timeout = kHeadTimeout;
  asked_at_ = now();
  exchange_ = auth->connection->send(std::move(request), *this);
  // A check gives the host nothing, and comes late where the log goes on meanwhile.
  if (reading_rests() && ask_ != Ask::check) exchange_->pause();
}

void LogCall::on_head(const transport::ResponseHead& head) {
  guarded([&] {
    head_ = head;
    environment_.access->on_response_head(head);
    if (!transport::is_success(head.status)) {
      refusal_timer_ = after(transport::kMaxRefusalTime, [this] {
        const auto fired = std::move(refusal_timer_);
        exchange_.reset();
        forget_response();
        on_refused();
      });
      return;
    }
    renewed_ = false;
    // It may have come to the kubelet as late.
    if (std::exchange(begins_by_elapsed_, false) && now() - asked_at_ > kBeginningMargin) begins_behind_gap_ = true;
    const bool first = !std::exchange(has_begun_, true);
    if (first) begun_at_ = now();
    poll_backoff_.reset();
    bytes_at_ = now();
    tail_interval_ = kFirstTail;
    if (follows() && options_.resume) read_tail_later(kFirstTail);
    if (pod_ && options_.follow) learn_instance();
    if (const auto to = host()) first ? to->on_open() : to->on_resumed();
    // Not with each try: until now nothing was lost for good.
    if (std::exchange(begins_behind_gap_, false) && !ended()) tell_gap();
  });
}

void LogCall::on_body(std::string_view bytes) {
  guarded([&] {
    if (dropped_) return;
    bytes_at_ = now();
    if (transport::is_success(head_.status) && ask_ != Ask::check) return take(bytes);
    const std::size_t limit = ask_ == Ask::check ? LogCursor::kMaxLine : transport::kMaxRefusedCall;
    other_body_ += bytes.substr(0, limit - std::min(limit, other_body_.size()));
    if (transport::is_success(head_.status) || other_body_.size() < limit) return;
    // Enough of a refusal.
    dropped_ = true;
    forget_response();
    on_refused();
  });
}

// False: the cursor is as it was. A response that repeats nothing of what was delivered, though it should, is most
// likely the log of the container's next instance, which has started since the pod was read.
template <class Step>
bool LogCall::advance(Step step) {
  Lines lines;
  const MutexLock lock(cursor_mutex_);
  const bool of_instance = (asked_for() == Ask::go_on || asked_for() == Ask::rest) && !options_.previous;
  std::optional<LogCursor> before;
  if (of_instance && pod_ && !looked_again_ && cursor_->is_unconfirmed()) before.emplace(*cursor_);
  step(*cursor_, lines);
  if (before && lines.has_gap()) {
    cursor_.emplace(*before);
    return false;
  }
  if (!cursor_->is_unconfirmed()) looked_again_ = false;
  environment_.counts->replayed.store(replayed_before_ + cursor_->replayed(), std::memory_order_relaxed);
  give_pieces(lines);
  return true;
}

// Later: a kubelet tells of a restart after it serves the next log.
void LogCall::look_again() {
  looked_again_ = true;
  dropped_ = true;
  forget_response();
  read_pod_later(kPollInterval);
}

void LogCall::take(std::string_view bytes) {
  const auto to = host();
  if (!to) return;
  const std::uint64_t taken = to->taken_bytes();
  forget_former_instances(taken);
  const bool fed = advance([&](LogCursor& cursor, Lines& lines) {
    cursor.set_taken(taken);
    cursor.feed(bytes, lines);
  });
  if (ended()) return;
  if (!fed) return look_again();
  if (has_all()) return end_log(std::nullopt);
  if (!release_timer_) release_later();
  after_lines();
}

// Where the reader has passed over a file, a response that begins now tells.
void LogCall::after_lines() {
  {
    const MutexLock lock(cursor_mutex_);
    if (!cursor_->is_stopped()) return;
  }
  dropped_ = true;
  forget_response();
  // Later: the exchange is on the stack.
  retry_timer_ = after(Milliseconds(0), [this] {
    const auto fired = std::move(retry_timer_);
    drained();
    if (!ended()) begin_again();
  });
}

void LogCall::give_pieces(const Lines& lines) {
  for (const Lines::Piece& piece : lines.pieces()) {
    if (ended() || lines_left_ == std::uint64_t{0}) return;
    if (const auto* text = std::get_if<std::string>(&piece)) {
      gap_told_ = false;
      take_text(*text);
    } else {
      tell_gap();
    }
  }
}

// One loss is one, however many responses show it.
void LogCall::tell_gap() {
  if (!std::exchange(gap_told_, true)) mark(kPartStdout, Mark::gap);
}

// The limit is the host's, of what it gets; the kubelet would count the times of the lines too.
void LogCall::take_text(std::string_view text) {
  progressed_ = true;
  // Not with the head: what the kubelet cannot read is answered with 200 as well.
  failures_ = 0;
  refusals_ = 0;
  short_responses_ = 0;
  empty_responses_ = 0;
  if (options_.limit_bytes)
    text = text.substr(0, *options_.limit_bytes - std::min(*options_.limit_bytes, delivered_bytes_));
  if (lines_left_) text = text.substr(0, size_of_lines(text, *lines_left_));
  delivered_bytes_ += text.size();
  give(kPartStdout, text);
}

// That the host has asked for.
bool LogCall::has_all() const noexcept {
  return (options_.limit_bytes && delivered_bytes_ >= *options_.limit_bytes) || lines_left_ == std::uint64_t{0};
}

void LogCall::release_later() {
  release_timer_ = after(kReleaseAfter, [this] {
    // While the host rests, what follows is not read.
    if (reading_rests() || now() - bytes_at_ < kReleaseAfter) return release_later();
    const auto fired = std::move(release_timer_);
    warn_without_place();
    if (!advance([](LogCursor& cursor, Lines& lines) { cursor.release(lines); })) return look_again();
    drained();
    if (!ended()) after_lines();
  });
}

// A file that was rotated before the kubelet's reader came to its end is followed for good, and its successor is never
// shown (cri-client pkg/logs/logs.go makes its watch of the directory only there). The reader is that late where the
// host or the network was too slow, or right after a response has begun; a response that begins now is not.
void LogCall::begin_again() {
  exchange_.reset();
  forget_response();
  cut_ = true;
  note_quiet();
  {
    const MutexLock lock(cursor_mutex_);
    cursor_->end_response();
  }
  environment_.counts->reconnects.fetch_add(1, std::memory_order_relaxed);
  read_pod();
}

void LogCall::note_quiet() {
  if (ask_ != Ask::check && transport::is_success(head_.status) && now() - bytes_at_ >= kReleaseAfter)
    first_was_quiet_ = true;
}

void LogCall::forget_response() {
  release_timer_.reset();
  refusal_timer_.reset();
  tail_timer_.reset();
  tail_fetch_.reset();
}

// ---- the last line, read aside --------------------------------------------------------------------------------------

// The reader has been made to wait.
void LogCall::resumed() {
  tail_interval_ = kFirstTail;
  if (tail_timer_ && tail_at_ > now() + kFirstTail) read_tail_later(kFirstTail);
}

void LogCall::read_tail_later(Milliseconds delay) {
  tail_at_ = now() + delay;
  tail_timer_ = after(delay, [this] {
    const auto fired = std::move(tail_timer_);
    if (!pod_) return read_tail();
    // Another pod of the name may be there, or another instance, while the log of the one before is followed.
    fetch_pod(tail_fetch_, [this](const Expected<PodInfo>& pod) {
      const ContainerInfo* const container = pod ? pod->find(container_) : nullptr;
      bool same = container != nullptr;
      {
        const MutexLock lock(cursor_mutex_);
        same = same && pod->uid == pod_uid_ && (container_id_.empty() || container->id == container_id_);
      }
      same ? read_tail() : read_tail_less_often();
    });
  });
}

void LogCall::read_tail() {
  QueryString query = last_lines_query(1);
  if (has_since_time()) query.add("sinceTime", options_.since_time);
  fetch_last_line(query, [this, asked_at = now()](std::string line) {
    // It takes longer to replace a pod or an instance, until that has written a line.
    on_tail(pod_ && now() - asked_at > kMaxTailAge ? std::string() : std::move(line));
  });
}

// Empty: it could not be read, or there is none in the file.
void LogCall::fetch_last_line(const QueryString& query, std::function<void(std::string)> then) {
  tail_fetch_ =
      std::make_unique<DocumentFetch>(environment_.access, query.after(pod_path(target_) + "/log"), target_.headers,
                                      "*/*", [this, then = std::move(then)](const Expected<std::string>& line) {
                                        guarded([&] {
                                          const auto answered = std::move(tail_fetch_);
                                          then(line ? std::string(last_line_of(*line)) : std::string());
                                        });
                                      });
}

void LogCall::read_tail_less_often() {
  tail_interval_ = std::min(2 * tail_interval_, kMaxTail);
  read_tail_later(tail_interval_);
}

void LogCall::on_tail(std::string line) {
  bool awaited = false;
  {
    const MutexLock lock(cursor_mutex_);
    // It may be from before the beginning that the host has asked for.
    const bool may_be_before = options_.tail == 0 || options_.since_seconds || !options_.since_time.empty() ||
                               (restored_ && cursor_->begins_at());
    if (!may_be_before || !cursor_->begins_within_file()) cursor_->expect(line);
    awaited = cursor_->is_awaiting();
  }
  tail_ = std::move(line);
  if (!awaited) return read_tail_less_often();
  tail_at_ = now() + kTailTime;
  tail_timer_ = after(kTailTime, [this] {
    const auto fired = std::move(tail_timer_);
    judge_tail();
  });
}

void LogCall::judge_tail() {
  bool awaited = false;
  {
    const MutexLock lock(cursor_mutex_);
    awaited = cursor_->is_awaiting();
  }
  if (!awaited) return read_tail_less_often();
  if (reading_rests() || now() - bytes_at_ < kReleaseAfter) {
    // The reader is late: it may miss rotations.
    tail_interval_ = kFirstTail;
    return read_tail_later(kFirstTail);
  }
  if (std::exchange(tail_tried_, tail_) == tail_) return read_tail_less_often();
  begin_again();
}

// ---- what follows ---------------------------------------------------------------------------------------------------

void LogCall::on_end(const std::optional<Error>& error) {
  guarded([&] {
    if (dropped_) return;
    forget_response();
    note_quiet();
    if (head_.status != 0 && !transport::is_success(head_.status)) return on_refused();
    if (head_.status == 0) {
      return on_failed(error.value_or(Error{Status::protocol, "the connection ended before a response came", "", 502}));
    }
    LogCursor::ResponseEnd end;
    if (ask_ != Ask::check) {
      const MutexLock lock(cursor_mutex_);
      end = cursor_->end_response();
    }
    cut_ = error.has_value() || end.within_text;
    warn_without_place();
    if (error) return on_failed(*error);
    if (!end.within_text) return on_complete();
    // What the kubelet has to say of its own comes as the end of the log.
    const std::string said =
        end.said.empty() ? "the response ended with what is no whole line" : "the kubelet says: " + end.said;
    on_no_lines({Status::server, said, "", head_.status});
  });
}

void LogCall::on_refused() {
  // A pod without a node, of which nothing can be read yet.
  const bool nothing_yet = head_.status == 204;
  Error error = cluster::read_call_refusal(head_, other_body_, std::chrono::system_clock::now()).error;
  if (head_.status == 401 && !std::exchange(renewed_, true)) {
    environment_.access->reject_credentials();
    return read_pod_later(Milliseconds(0));
  }
  if (head_.status == 401 || head_.status == 403) return on_denied(error);
  if (head_.status == 404) return on_log_missing(error);
  if (head_.status == 429 || head_.status >= 500) return on_failed(error);
  // Nothing can be known of the response before.
  if (ask_ == Ask::check) return finish_response();
  if (ask_ == Ask::rest_before) {
    // Its file is gone, and with it what was not read.
    finish_lines();
    tell_gap();
    return end_of_instance();
  }
  if (nothing_yet && !options_.follow) {
    has_begun_ = true;
    if (const auto to = host()) to->on_open();
    return end_log(std::nullopt);
  }
  // 400: the container is waiting to start. Without a state of the pod there is no telling from other reasons.
  const ContainerInfo* container = pod_ ? pod_->find(container_) : nullptr;
  const bool waits = nothing_yet || (head_.status == 400 && container != nullptr && !pod_->over &&
                                     container->state == ContainerState::waiting);
  if (waits && options_.follow && !options_.previous) {
    return read_pod_later(poll_backoff_.next(*environment_.random));
  }
  // The pod or its container went away between the look at it and the request: the next look tells.
  if (head_.status == 400 && has_begun_ && options_.resume && ++refusals_ < kMaxFailures) return retry(error);
  fail(std::move(error));
}

// What was allowed may be again: a kube-apiserver that has just started does not know all of its tokens and roles. As
// with streams.
void LogCall::on_denied(Error error) {
  if (!options_.follow || !options_.resume || !has_begun_) return fail(std::move(error));
  progressed_ = false;
  if (error.status == Status::forbidden) {
    error.retry_after = std::max(error.retry_after.value_or(Milliseconds(0)),
                                 sync::with_jitter(kDelayOfForbidden, *environment_.random));
  }
  retry(error);
}

// A kubelet says so of each pod until it has heard of its pods, after its restart (kubernetes
// pkg/kubelet/server/server.go, getContainerLogs): the pod tells whether it is gone. Where that may not be read, it is
// after a while. So is the log of a pod that is over, as of one that was evicted.
void LogCall::on_log_missing(const Error& error) {
  const Error missing = pod_ ? error.within("the pod is there, and its log is not") : error;
  if (pod_ && !pod_->over) return on_failed(missing);
  if ((has_begun_ || pod_) && options_.resume && ++refusals_ < kMaxMissing) return retry(missing);
  on_pod_gone(missing);
}

// Of an instance that is over the file may be gone for good.
void LogCall::on_no_lines(const Error& error) {
  const bool over = asked_for() == Ask::rest || asked_for() == Ask::rest_before;
  if (over && is_short_for_good()) {
    finish_lines();
    tell_gap();
    return end_of_instance();
  }
  // Nor does a pod tell that may not be read; but its container may have another instance.
  if (!pod_ && options_.follow && options_.resume && !options_.follow_restarts && ++refusals_ >= kMaxMissing) {
    finish_lines();
    tell_gap();
    return end_log(error);
  }
  on_failed(error);
}

void LogCall::on_failed(const Error& error) {
  if (options_.resume && has_begun_ && has_no_place()) {
    tell_gap();
    return end_log(error.within(kNoTimes));
  }
  retry(error);
}

// A log that is followed is tried for ever, as a stream; another one fails as kubectl's would, only later.
void LogCall::retry(const Error& error) {
  if (!options_.resume) {
    if (has_begun_) finish_lines();
    return end_log(error);
  }
  if (!options_.follow && ++failures_ >= kMaxFailures) return end_log(error);
  Milliseconds delay{0};
  if (std::exchange(progressed_, false)) {
    backoff_.reset();
  } else {
    delay = std::max(error.retry_after.value_or(Milliseconds(0)), backoff_.next(*environment_.random));
  }
  environment_.counts->reconnects.fetch_add(1, std::memory_order_relaxed);
  interrupted(error, delay);
  if (ended()) return;
  read_pod_later(delay);
}

// The response has ended in order, which only says that no byte of it was lost on the way from kube-apiserver.
void LogCall::on_complete() {
  if (ask_ == Ask::check) return judge_end();
  const bool goes_on = options_.resume && follows() && !options_.previous;
  if (!goes_on) return check_end();
  if (has_no_place()) return read_pod_later(Milliseconds(0));
  // A server that ends every response at once is not asked in a loop.
  if (!std::exchange(progressed_, false) && now() - asked_at_ < kPollInterval) {
    // The kubelet holds the response of a container that runs.
    if (!pod_ && !options_.follow_restarts && ++empty_responses_ >= kMaxFailures) return check_end();
    return read_pod_later(backoff_.next(*environment_.random));
  }
  empty_responses_ = 0;
  backoff_.reset();
  environment_.counts->reconnects.fetch_add(1, std::memory_order_relaxed);
  read_pod_later(Milliseconds(0));
}

// Of the last response that is needed.
void LogCall::check_end() {
  // Whatever was written meanwhile.
  if (lines_left_ == std::uint64_t{0}) return end_log(std::nullopt);
  bool awaited = false;
  bool whole = false;
  {
    const MutexLock lock(cursor_mutex_);
    awaited = cursor_->is_awaiting() || cursor_->looks_for_line();
    whole = awaits_last_ && cursor_->last_has_come();
  }
  if (awaited && !whole) return on_short_response();
  if (whole || looked_ahead_ || has_no_place() || !check_query()) return finish_response();
  // Lost by a rotation, or a line has begun behind it.
  if (std::exchange(awaits_last_, false) && ++unclear_checks_ >= kMaxUnclearChecks) return finish_response();
  checked_ = ask_;
  check_last_lines(1);
}

void LogCall::check_last_lines(int count) {
  checked_lines_ = count;
  // Later: the exchange is on the stack.
  retry_timer_ = after(Milliseconds(0), [this] {
    const auto fired = std::move(retry_timer_);
    ask(Ask::check);
  });
}

void LogCall::judge_end() {
  const std::string_view last = last_line_of(other_body_);
  auto found = LogCursor::LastLine::unknown;
  {
    const MutexLock lock(cursor_mutex_);
    found = cursor_->compare_with_last(last);
    // Where finishing looks at the pod again, the next response has to bring it once more.
    if (found == LogCursor::LastLine::told) awaits_last_ = cursor_->is_awaiting();
  }
  if (found == LogCursor::LastLine::told) return finish_response();
  // An empty line may be the end of one whose parts are full: with the part before it says more.
  if (found == LogCursor::LastLine::unknown && is_empty_line(last) && checked_lines_ == 1) return check_last_lines(2);
  if (found == LogCursor::LastLine::unknown) {
    if (!options_.resume || ++unclear_checks_ >= kMaxUnclearChecks) return finish_response();
    return read_pod_later(backoff_.next(*environment_.random));
  }
  if (!options_.resume) return on_short_response();
  awaits_last_ = true;
  // Where the container has another instance since, the line is most likely of that one.
  read_pod_later(Milliseconds(0));
}

// Of a log that is followed each try would wait for what the file may have lost.
bool LogCall::is_short_for_good() {
  return options_.follow && options_.resume && ++short_responses_ >= kMaxFailures;
}

void LogCall::on_short_response() {
  cut_ = true;
  if (is_short_for_good()) {
    awaits_last_ = false;
    finish_lines();
    return end_of_instance();
  }
  on_failed({Status::lost, "the response ended in order, but before the last line of the log", "", head_.status});
}

// No other one has to tell what it has left out.
void LogCall::finish_response() {
  const Ask of = asked_for();
  if (of == Ask::rest) {
    if (!advance([](LogCursor& cursor, Lines& lines) { cursor.finish(lines); })) return look_again();
    return end_of_instance();
  }
  finish_lines();
  if (of == Ask::rest_before) return end_of_instance();
  end_log(std::nullopt);
}

void LogCall::finish_lines() {
  Lines lines;
  const MutexLock lock(cursor_mutex_);
  cursor_->finish(lines);
  give_pieces(lines);
}

void LogCall::end_of_instance() {
  if (!options_.follow || !options_.follow_restarts || ended()) return end_log(std::nullopt);
  waits_for_next_ = true;
  read_pod_later(Milliseconds(0));
}

void LogCall::begin_next_instance() {
  const ContainerInfo* container = pod_->find(container_);
  bool skipped = false;
  {
    const MutexLock lock(cursor_mutex_);
    skipped = container->restarts > restarts_ + 1;
    if (former_.empty() || former_.back().cursor.told() < cursor_->told()) {
      former_.push_back({*cursor_, container_id_, restarts_});
    }
    container_id_ = container->id;
    restarts_ = container->restarts;
    replayed_before_ += cursor_->replayed();
    const std::uint64_t told = cursor_->told();
    cursor_.emplace(options_.timestamps, told);
  }
  waits_for_next_ = false;
  first_instance_ = false;
  checked_ = Ask::begin;
  awaits_last_ = false;
  unclear_checks_ = 0;
  short_responses_ = 0;
  if (skipped) tell_gap();
  mark(kPartStdout, Mark::restarted);
  gap_told_ = false;
  if (!ended()) ask(Ask::go_on);
}

void LogCall::end_log(std::optional<Error> error) {
  if (ended()) return;
  if (!error) mark(kPartStdout, Mark::finished);
  end({std::move(error), std::nullopt});
}

void LogCall::stop() {
  pending_.cancel();
  fetch_.reset();
  exchange_.reset();
  retry_timer_.reset();
  forget_response();
}

}  // namespace ksr::channel
