// `LogCall` follows the log of a container over any number of responses: kind=log; used by make_channel_call. What of a
// response is new, `LogCursor` decides; this class decides what to ask for next, by what the pod says of its
// containers. Lives on the network thread, but for cursor().
//
// How a response ended says nothing of the log: kube-apiserver ends every one in order, also when the kubelet has died
// (apiserver pkg/registry/generic/rest/streamer.go drops the copy's error). So the pod is read after each:
//
//   the pod is gone, or another one         the end; KSR_E_LOST where the response was cut
//   the same container runs                 the next response, from the cursor on
//   the same container has terminated       one more response, without follow; then the end, or the next instance
//   another instance of the container runs  the rest of the one before (previous=true); then the end, or this instance
//   it may not be read                      as if the same container ran; the end once five responses in a row have
//                                           ended at once without anything new, but not with follow_restarts
//
// Also the last response that an instance needs may have ended before its last line. So that line is read aside
// afterwards, and has to have come, or the same is asked for again (LogCursor::compare_with_last). What is written
// behind it meanwhile is not waited for. With resume=false it is read before, unless the log is followed: the container
// may write more behind the only response (LogCursor::look_for).
//
// Where the server sends lines without their times, nothing can be asked for that goes on behind them: the same look
// then tells whether the log was whole, and it ends.
//
// A reader that missed a rotation, or whose file was truncated, follows in silence for good, and one that was too slow
// for two rotations passes over a file without a word. So the last line of the log is read aside now and then: it has
// to come, or a new response is asked for (LogCursor::expect). The pod is read before: another one of its
// name has another log, while the one before is still followed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "base/query_string.hpp"
#include "channel/channel_call.hpp"
#include "channel/document_fetch.hpp"
#include "channel/log_cursor.hpp"
#include "channel/pod_info.hpp"
#include "sync/backoff.hpp"
#include "transport/transport.hpp"

namespace ksr::channel {

// Whether from_cursor is what a LogCall has said of its cursor.
bool is_log_position(std::string_view text);

class LogCall final : public ChannelCall, private transport::ExchangeObserver {
 public:
  LogCall(Environment environment, ChannelOptions options, ChannelTarget target);
  std::string cursor(const ChannelHost& host, std::uint64_t bytes) const override KSR_EXCLUDES(cursor_mutex_);

 private:
  // What the response under way was asked for.
  enum class Ask : std::uint8_t {
    begin,        // as the host has asked
    go_on,        // from the cursor on
    check,        // its last line alone: whether the response before, the last one of an instance, was whole
    rest,         // of a container that has terminated
    rest_before,  // of the instance before
  };
  class Lines;

  void begin() override;
  void stop() override;
  void resumed() override;
  void on_head(const transport::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_drained() override {
    guarded([this] { drained(); });
  }
  void on_end(const std::optional<Error>& error) override;

  Expected<void> restore(std::string_view text) KSR_EXCLUDES(cursor_mutex_);
  // `fetch`: a member, which holds the request.
  void fetch_pod(std::unique_ptr<DocumentFetch>& fetch, std::function<void(Expected<PodInfo>)> then);
  void read_pod();
  void on_pod(Expected<PodInfo> pod);
  void on_pod_gone(const Error& error);
  void learn_instance() KSR_EXCLUDES(cursor_mutex_);
  void on_container(const PodInfo& pod, const ContainerInfo& container);
  std::string position(const LogCursor& cursor, const std::string& container_id, std::uint64_t restarts,
                       std::uint64_t taken) const KSR_REQUIRES(cursor_mutex_);
  void forget_former_instances(std::uint64_t taken) KSR_EXCLUDES(cursor_mutex_);
  bool has_no_place() const KSR_EXCLUDES(cursor_mutex_);
  void warn_without_place();
  void end_without_place(Ask what);
  void ask_for_rest(Ask what) KSR_EXCLUDES(cursor_mutex_);
  void look_ahead(Ask what) KSR_EXCLUDES(cursor_mutex_);
  void ask(Ask what);
  void send(Expected<cluster::RequestAuth> auth);
  QueryString base_query() const;
  QueryString last_lines_query(int count) const;
  bool has_since_time() const noexcept;
  std::optional<QueryString> check_query() const KSR_EXCLUDES(cursor_mutex_);
  // Ask::check is about the response before.
  Ask asked_for() const noexcept { return ask_ == Ask::check ? checked_ : ask_; }
  QueryString query() KSR_EXCLUDES(cursor_mutex_);
  void add_beginning(QueryString& query, bool within) KSR_EXCLUDES(cursor_mutex_);
  bool begins_where_it_was(QueryString& query) KSR_EXCLUDES(cursor_mutex_);
  bool follows() const noexcept { return ask_ == Ask::begin || ask_ == Ask::go_on ? options_.follow : false; }
  void take(std::string_view bytes) KSR_EXCLUDES(cursor_mutex_);
  template <class Step>
  bool advance(Step step) KSR_EXCLUDES(cursor_mutex_);
  void after_lines() KSR_EXCLUDES(cursor_mutex_);
  void look_again();
  void give_pieces(const Lines& lines);
  void tell_gap();
  void take_text(std::string_view text);
  bool has_all() const noexcept;
  void release_later();
  void begin_again() KSR_EXCLUDES(cursor_mutex_);
  void note_quiet();
  void forget_response();
  void read_tail_later(Milliseconds delay);
  void fetch_last_line(const QueryString& query, std::function<void(std::string)> then);
  void read_tail();
  void read_tail_less_often();
  void on_tail(std::string line) KSR_EXCLUDES(cursor_mutex_);
  void judge_tail() KSR_EXCLUDES(cursor_mutex_);
  void on_refused();
  void on_log_missing(const Error& error);
  void on_denied(Error error);
  void on_no_lines(const Error& error);
  void on_failed(const Error& error);
  void on_complete();
  void check_end() KSR_EXCLUDES(cursor_mutex_);
  void check_last_lines(int count);
  void judge_end() KSR_EXCLUDES(cursor_mutex_);
  bool is_short_for_good();
  void on_short_response();
  void finish_response();
  void end_of_instance();
  void begin_next_instance();
  void finish_lines() KSR_EXCLUDES(cursor_mutex_);
  void retry(const Error& error);
  void read_pod_later(Milliseconds delay);
  void end_log(std::optional<Error> error);

  std::unique_ptr<DocumentFetch> fetch_;
  std::unique_ptr<Timer> retry_timer_;
  std::unique_ptr<Timer> release_timer_;
  std::unique_ptr<Timer> refusal_timer_;
  transport::ResponseHead head_;
  std::string other_body_;  // of a refusal, or of Ask::check
  sync::Backoff backoff_;
  // Between two looks at a pod whose container does not run.
  sync::Backoff poll_backoff_;

  // Of the response under way.
  std::unique_ptr<DocumentFetch> tail_fetch_;
  std::unique_ptr<Timer> tail_timer_;
  Instant tail_at_{};  // when tail_timer_ fires
  Milliseconds tail_interval_{0};
  Instant bytes_at_{};
  std::string tail_;        // as it was read last
  std::string tail_tried_;  // for which a response was asked for

  mutable Mutex cursor_mutex_;
  std::optional<LogCursor> cursor_ KSR_GUARDED_BY(cursor_mutex_);
  // Of the instance whose log is read; empty: not known.
  std::string container_;
  std::string pod_uid_ KSR_GUARDED_BY(cursor_mutex_);
  std::string container_id_ KSR_GUARDED_BY(cursor_mutex_);
  std::uint64_t restarts_ KSR_GUARDED_BY(cursor_mutex_) = 0;
  // Those before, the oldest first, of which the host has not taken all, or little of what came after.
  struct Instance {
    LogCursor cursor;
    std::string container_id;
    std::uint64_t restarts;
  };
  std::deque<Instance> former_ KSR_GUARDED_BY(cursor_mutex_);

  // The pod as it was read last; empty: it may not be read.
  std::optional<PodInfo> pod_;
  Ask ask_ = Ask::begin;
  Ask checked_ = Ask::begin;  // what Ask::check is about
  int checked_lines_ = 1;     // that Ask::check asks for
  bool looked_ahead_ = false;
  bool awaits_last_ = false;  // which Ask::check has shown
  int unclear_checks_ = 0;    // of the instance
  int short_responses_ = 0;   // in a row
  int empty_responses_ = 0;   // in a row, which have ended in order and at once, where no pod may be read
  bool restored_ = false;
  bool has_begun_ = false;       // a response has come
  bool first_instance_ = true;   // to which tail and since apply
  bool waits_for_next_ = false;  // the instance is over; its successor is wanted
  bool cut_ = false;             // the last response was not complete
  bool gap_told_ = false;        // and no line since
  bool warned_ = false;          // of lines without times
  bool progressed_ = false;      // since the last try
  bool dropped_ = false;         // what still comes of the response under way
  bool looked_again_ = false;    // at the pod, after a response that repeated nothing
  bool renewed_ = false;
  int failures_ = 0;  // in a row
  int refusals_ = 0;  // in a row: 400 of a log that was read before, 404, or what the kubelet says in place of lines
  Instant asked_at_{};
  Instant first_asked_at_{};           // for the first response
  Instant begun_at_{};                 // its head has come
  bool first_was_quiet_ = false;       // and no line came of it at first
  bool begins_behind_gap_ = false;     // to be told with its head
  bool begins_by_elapsed_ = false;     // the response under way, with kBeginningMargin
  std::uint64_t replayed_before_ = 0;  // of earlier instances
  std::uint64_t delivered_bytes_ = 0;
  std::optional<std::uint64_t> lines_left_;  // of `tail`, where the log is not followed
};

}  // namespace ksr::channel
