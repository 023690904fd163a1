#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/civil_time.hpp"
#include "base/text.hpp"
#include "commands/channel.hpp"
#include "commands/commands.hpp"
#include "commands/durations.hpp"
#include "commands/json_text.hpp"
#include "commands/pods.hpp"
#include "commands/poll_set.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

using Clock = std::chrono::steady_clock;

// Of logs that are not followed: how many are read ahead of the one that is written.
constexpr std::size_t kReadAhead = 8;
// Of a selector, as kubectl.
constexpr const char* kTailOfMany = "10";
// The rest of a line above the library's limit is waited for so long before another pod's lines are written.
constexpr std::chrono::milliseconds kMaxLineWait{1'000};
// Of one poll, in milliseconds.
constexpr std::int64_t kMaxWait = 60'000;

class Logs;

// The log of one container.
class LogSource final : public ChannelHost {
 public:
  LogSource(Logs& logs, const PodView& pod, std::string container_name)
      : name("pod/" + shown(one_line(pod.name)) + "/" + shown(one_line(container_name))),
        pod_name(pod.name),
        container(std::move(container_name)),
        logs_(logs) {}

  std::size_t take(ksr_part part, std::string_view bytes) override;
  void on_event(const ChannelEvent& event) override;

  // "pod/web-0/main"
  const std::string name;
  const std::string pod_name;
  const std::string container;
  bool from_its_start = false;
  bool waits_for_turn = false;
  bool in_line = false;
  bool closed = false;
  // Of a log that is followed: when the server has to have accepted it.
  std::optional<Clock::time_point> opens_until;

 private:
  Logs& logs_;

 public:
  // The first to go: its end is told to this.
  std::optional<Channel> channel;
};

class Logs {
 public:
  explicit Logs(Session& session)
      : session_(session),
        // The log of an instance that is over does not go on.
        follow_(session.arguments().flag("--follow") && !session.arguments().flag("--previous")),
        selects_(session.arguments().selects()) {}

  Expected<void> run() {
    if (Expected<void> fine = read_options(); !fine) return fine;
    Expected<void> found = selects_ ? add_selected() : add_named();
    if (!found) return found;
    if (sources_.empty() && !follow_) {
      session_.report().note("No resources found in " + one_line(session_.default_namespace()) + " namespace.");
      return {};
    }
    if (selects_ && follow_) {
      if (Expected<void> open = watch_pods(); !open) return open;
    }
    return read_all();
  }

  std::size_t take(LogSource& source, std::string_view bytes) {
    if (has_turn(source)) {
      write(source, bytes);
      return bytes.size();
    }
    source.waits_for_turn = true;
    return 0;
  }

  void on_event(LogSource& source, const ChannelEvent& event) {
    switch (event.kind) {
      case KSR_EVENT_OPEN:
        source.opens_until.reset();
        return;
      case KSR_EVENT_GAP:
        return note(source, "lines are missing here");
      case KSR_EVENT_RESTARTED:
        return note(source, "the container was restarted; what follows is the log of its next instance");
      case KSR_EVENT_INTERRUPTED:
        if (event.failure) note(source, line_of(*event.failure) + retry_text(event.retry_ms));
        return;
      case KSR_EVENT_CLOSED:
        source.closed = true;
        // By the end of the command.
        if (event.failure && event.failure->code == KSR_E_CANCELLED) return;
        if (writing_ == &source) writing_ = nullptr;
        turns_changed_ = true;
        if (event.failure) session_.report().failure(*event.failure, is_alone() ? "" : "[" + source.name + "] ");
        return;
      default:
        return;
    }
  }

  void on_pods(const ksr_snapshot* snapshot) {
    for (std::size_t i = 0; i < ksr_snapshot_delta_count(snapshot); ++i) {
      const ksr_object* object = nullptr;
      const ksr_delta delta = ksr_snapshot_delta_at(snapshot, i, &object);
      std::size_t size = 0;
      if (delta == KSR_DELTA_DELETED) {
        const char* uid = ksr_object_field(object, KSR_FIELD_UID, &size);
        forget(std::string(uid, size));
        continue;
      }
      const char* text = ksr_object_field(object, KSR_FIELD_JSON, &size);
      const auto pod = parse_answer({text, size});
      if (!pod) continue;
      const PodView view = read_pod(*pod);
      if (const Expected<void> added = add(view, true); !added) session_.report().error(added.error());
    }
  }

  // Of the stream of pods.
  void on_pods_error(const ksr_error* error) {
    const Failure failure = failure_of(ksr_error_code(error), error);
    const std::int64_t retry_ms = ksr_error_retry_ms(error);
    const bool refused = failure.code == KSR_E_FORBIDDEN || failure.code == KSR_E_AUTH;
    if (retry_ms >= 0 && !refused) {
      return session_.report().note("Warning: pods: " + line_of(failure) + retry_text(retry_ms));
    }
    if (std::exchange(pods_refused_, true)) return;
    session_.report().failure(failure, "pods that come later are not followed: ");
  }

 private:
  const Arguments& arguments() const { return session_.arguments(); }
  bool is_alone() const { return !selects_ && !arguments().flag("--all-containers"); }

  // ---- what is asked for --------------------------------------------------------------------------------------------

  Expected<void> read_options() {
    if (!selects_ && arguments().words.empty()) {
      return usage_error("expected POD or TYPE/NAME, or -l SELECTOR");
    }
    if (arguments().words.size() > 2) return usage_error("expected POD or TYPE/NAME, and at most a container");
    if (selects_ && !arguments().words.empty()) return usage_error("only a selector (-l) or a POD name is allowed");
    const bool has_inline = arguments().words.size() == 2;
    if (has_inline && arguments().has_text("--container")) {
      return usage_error("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    container_ = has_inline ? arguments().words[1] : arguments().text("--container");
    if (arguments().flag("--all-containers") && !container_.empty()) {
      return usage_error("--all-containers=true should not be specified with container name " + in_quotes(container_));
    }
    prefixes_ = arguments().has("--prefix") ? arguments().flag("--prefix") : selects_;
    keys_ = {{"kind", "log"}, {"namespace", pods_namespace(session_)}};
    if (follow_) keys_.emplace_back("follow", "true");
    for (const char* name : {"previous", "timestamps"}) {
      if (arguments().flag(std::string("--") + name)) keys_.emplace_back(name, "true");
    }
    // What is selected goes on with a container's next instance, as with the next pod.
    const bool restarts = arguments().has("--follow-restarts") ? arguments().flag("--follow-restarts") : selects_;
    if (follow_ && restarts) keys_.emplace_back("follow_restarts", "true");
    if (arguments().flag("--insecure-skip-tls-verify-backend")) {
      keys_.emplace_back("query.insecureSkipTLSVerifyBackend", "true");
    }
    if (Expected<void> fine = read_since(); !fine) return fine;
    return read_limits();
  }

  Expected<void> read_since() {
    if (arguments().has("--since") && arguments().has_text("--since-time")) {
      return usage_error("only one of --since and --since-time is allowed");
    }
    if (arguments().has("--since")) {
      const Expected<Milliseconds> since = read_duration(arguments().text("--since"));
      if (const Error* error = since.if_error()) return usage_error("--since: " + error->message);
      if (since->count() > 0) keys_.emplace_back("since", std::to_string(since->count()) + "ms");
    }
    if (arguments().has_text("--since-time")) {
      const std::string time = arguments().text("--since-time");
      if (!parse_rfc3339(time)) return usage_error("--since-time: expected a time such as 2026-01-02T03:04:05Z");
      keys_.emplace_back("since", time);
    }
    return {};
  }

  Expected<void> read_limits() {
    const auto is_number = [](const std::string& text) {
      constexpr std::size_t kMaxDigits = 18;
      return !text.empty() && text.size() <= kMaxDigits && std::all_of(text.begin(), text.end(), is_digit);
    };
    tail_ = arguments().text("--tail", selects_ ? kTailOfMany : "-1");
    if (tail_ == "-1") tail_.clear();
    if (!tail_.empty() && !is_number(tail_)) return usage_error("--tail: expected a number of lines, or -1 for all");
    if (!arguments().has("--limit-bytes")) return {};
    const std::string limit = arguments().text("--limit-bytes");
    if (!is_number(limit)) return usage_error("--limit-bytes: expected a number of bytes");
    // For kubectl 0 is none.
    if (limit.find_first_not_of('0') == std::string::npos) return {};
    keys_.emplace_back("limit_bytes", limit);
    return {};
  }

  // ---- the containers -----------------------------------------------------------------------------------------------

  Expected<void> add_named() {
    const Expected<PodsOf> of = find_pods_of(session_, arguments().words.front());
    if (!of) return of.error();
    if (of->selector.empty()) {
      const Expected<std::optional<PodView>> pod = fetch_pod(session_, of->pod);
      if (!pod) return pod.error();
      if (*pod) return add(**pod, false);
      // Who may read logs need not be allowed to read pods.
      if (arguments().flag("--all-containers"))
        return usage_error("the containers of the pod cannot be read: access denied");
      PodView unknown;
      unknown.name = of->pod;
      sources_.push_back(std::make_unique<LogSource>(*this, unknown, container_));
      return {};
    }
    const Expected<std::vector<PodView>> pods = list_pods(session_, of->selector);
    if (!pods) return pods.error();
    if (pods->empty()) return usage_error(one_line(of->shown) + " has no pods");
    const PodView* best = best_of(*pods);
    if (best == nullptr) best = &pods->front();
    if (pods->size() > 1) {
      session_.report().note("Found " + std::to_string(pods->size()) + " pods, using pod/" + one_line(best->name));
    }
    return add(*best, false);
  }

  Expected<void> add_selected() {
    const Expected<std::vector<PodView>> pods = list_pods(session_, arguments().selector("--selector"));
    if (!pods) return pods.error();
    for (const PodView& pod : *pods) {
      if (Expected<void> added = add(pod, false); !added) return added;
    }
    return {};
  }

  // `later`: came while its selector was followed.
  Expected<void> add(const PodView& pod, bool later) {
    std::vector<std::string> names;
    if (!arguments().flag("--all-containers") && knows(pod.uid)) return {};
    if (arguments().flag("--all-containers")) {
      for (const PodContainer& container : pod.containers) names.push_back(container.name);
    } else {
      Expected<std::string> name = choose_container(pod, container_, false, session_.report());
      if (!name) {
        // Is told once.
        known_.emplace(pod.uid, container_);
        return name.error();
      }
      names.push_back(*std::move(name));
    }
    for (std::string& name : names) {
      if (!known_.emplace(pod.uid, name).second) continue;
      sources_.push_back(std::make_unique<LogSource>(*this, pod, std::move(name)));
      sources_.back()->from_its_start = later;
    }
    return {};
  }

  bool knows(const std::string& uid) const {
    const auto first = known_.lower_bound({uid, ""});
    return first != known_.end() && first->first == uid;
  }

  void forget(const std::string& uid) {
    auto first = known_.lower_bound({uid, ""});
    while (first != known_.end() && first->first == uid) first = known_.erase(first);
  }

  struct Release {
    void operator()(ksr_config* config) const { ksr_config_free(config); }
    void operator()(ksr_stream* stream) const { ksr_close(stream); }
  };

  Expected<void> watch_pods() {
    ksr_config* config = nullptr;
    if (ksr_config_new(&config) != KSR_OK) return Error{Status::out_of_memory, "no memory for a configuration"};
    const std::unique_ptr<ksr_config, Release> owned(config);
    const std::pair<const char*, std::string> keys[] = {{"resource", "v1/pods"},
                                                        {"namespace", pods_namespace(session_)},
                                                        {"label_selector", arguments().selector("--selector")}};
    ksr_error* error = nullptr;
    ksr_status status = KSR_OK;
    for (const auto& [key, value] : keys) {
      if (status == KSR_OK) status = ksr_config_set(config, key, value.c_str(), &error);
    }
    ksr_config_on_update(config, [](ksr_stream*, const ksr_snapshot* snapshot, void* logs) {
      static_cast<Logs*>(logs)->on_pods(snapshot);
    });
    ksr_config_on_error(config, [](ksr_stream*, const ksr_error* failure, void* logs) {
      static_cast<Logs*>(logs)->on_pods_error(failure);
    });
    ksr_stream* stream = nullptr;
    if (status == KSR_OK) {
      status = ksr_client_stream(session_.client().handle(), config, this, nullptr, &stream, &error);
    }
    if (status == KSR_OK) {
      pods_.reset(stream);
      return {};
    }
    const std::string message = failure_of(status, error).message;
    ksr_error_free(error);
    return usage_error(message);
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  Expected<void> open_next() {
    std::size_t open = 0;
    for (const auto& source : sources_) {
      if (!follow_ && open >= kReadAhead) return {};
      ++open;
      if (source->channel || source->closed) continue;
      ChannelKeys keys = keys_;
      keys.emplace_back("name", source->pod_name);
      if (!source->container.empty()) keys.emplace_back("container", source->container);
      if (!tail_.empty() && !source->from_its_start) keys.emplace_back("tail", tail_);
      Expected<Channel> channel = Channel::open(session_.client(), keys, *source);
      if (!channel) return channel.error();
      source->channel.emplace(*std::move(channel));
      if (follow_) source->opens_until = limit_from_now();
    }
    return {};
  }

  // --request-timeout, from now on; nothing without a limit.
  std::optional<Clock::time_point> limit_from_now() const {
    const std::optional<Milliseconds> timeout = session_.client().timeout();
    if (!timeout || timeout->count() == 0) return std::nullopt;
    return Clock::now() + *timeout;
  }

  // How long to wait at most, for poll.
  int wait_ms() const {
    std::optional<Clock::time_point> until = ends_at_;
    const auto add = [&until](Clock::time_point time) { until = until ? std::min(*until, time) : time; };
    for (const auto& source : sources_) {
      if (source->opens_until) add(*source->opens_until);
    }
    if (writing_ != nullptr && some_wait()) add(Clock::now() + kMaxLineWait);
    if (!until) return -1;
    const auto left = std::chrono::duration_cast<Milliseconds>(*until - Clock::now()).count() + 1;
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kMaxWait));
  }

  void give_up_late() {
    const Clock::time_point now = Clock::now();
    for (const auto& source : sources_) {
      const bool is_late = (ends_at_ && now >= *ends_at_) || (source->opens_until && now >= *source->opens_until);
      if (!is_late || source->closed) continue;
      const std::string where = "the log of " + source->name;
      session_.report().error(where + (follow_ ? " has not begun" : " has not ended") + " within " +
                              arguments().text("--request-timeout") + " (--request-timeout)");
      source->closed = true;
      if (writing_ == source.get()) writing_ = nullptr;
      turns_changed_ = true;
      if (source->channel) source->channel->cancel();
    }
  }

  Expected<void> read_all() {
    ksr_client* const client = session_.client().handle();
    PollSet ready;
    if (!follow_) ends_at_ = limit_from_now();
    for (;;) {
      sources_.remove_if([](const auto& source) { return source->closed; });
      if (Expected<void> opened = open_next(); !opened) return opened;
      if (sources_.empty() && (!pods_ || pods_refused_)) return {};
      ready.clear();
      ready.add(ksr_client_fd(client), POLLIN);
      const std::size_t reader = ready.add(STDOUT_FILENO, 0);
      ready.wait(wait_ms());
      if (ready.ready(reader) || session_.output().closed()) return {};
      ksr_client_dispatch(client);
      give_up_late();
      pass_turns();
    }
  }

  bool some_wait() const {
    return std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->waits_for_turn; });
  }

  // Of those that are not followed one after the other has it; else each that has whole lines, while no other one is
  // within a line.
  bool has_turn(const LogSource& source) {
    if (!follow_) return sources_.front().get() == &source;
    return writing_ == nullptr || writing_ == &source || Clock::now() - written_ > kMaxLineWait;
  }

  void pass_turns() {
    const bool silent = writing_ != nullptr && Clock::now() - written_ > kMaxLineWait;
    if (!std::exchange(turns_changed_, false) && !silent) return;
    if (!follow_) sources_.remove_if([](const auto& source) { return source->closed; });
    for (const auto& source : sources_) {
      if (!source->channel || !std::exchange(source->waits_for_turn, false)) continue;
      source->channel->resume(KSR_PART_STDOUT);
    }
  }

  void write(LogSource& source, std::string_view bytes) {
    if (bytes.empty()) return;
    const bool ends_line = bytes.back() == '\n';
    std::string text;
    if (!in_line_of(source) && !is_alone() && !at_line_start_) text += '\n';
    if (prefixes_) {
      add_with_prefixes(source, bytes, text);
      session_.output().write(text);
    } else {
      session_.output().write(text);
      session_.output().write(bytes);
    }
    source.in_line = at_line_start_ = false;
    (ends_line ? at_line_start_ : source.in_line) = true;
    if (writing_ != nullptr && ends_line) turns_changed_ = true;
    writing_ = ends_line ? nullptr : &source;
    written_ = Clock::now();
  }

  bool in_line_of(const LogSource& source) const { return source.in_line && writing_ == &source; }

  void add_with_prefixes(const LogSource& source, std::string_view bytes, std::string& text) const {
    const std::string prefix = "[" + source.name + "] ";
    bool begins = !in_line_of(source);
    while (!bytes.empty()) {
      const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
      if (begins) text += prefix;
      text += bytes.substr(0, end);
      bytes.remove_prefix(end);
      begins = true;
    }
  }

  void note(const LogSource& source, const std::string& what) {
    session_.report().note("Warning: [" + source.name + "] " + what);
  }

  Session& session_;
  const bool follow_;
  const bool selects_;
  bool prefixes_ = false;
  std::string container_;
  std::string tail_;
  ChannelKeys keys_;
  // By the pod's uid and the container's name.
  std::set<std::pair<std::string, std::string>> known_;
  std::list<std::unique_ptr<LogSource>> sources_;
  // Whose line is not whole yet, and when some of it was last written.
  const LogSource* writing_ = nullptr;
  Clock::time_point written_;
  bool at_line_start_ = true;
  bool turns_changed_ = false;
  bool pods_refused_ = false;
  // Of logs that are not followed.
  std::optional<Clock::time_point> ends_at_;
  std::unique_ptr<ksr_stream, Release> pods_;
};

std::size_t LogSource::take(ksr_part, std::string_view bytes) {
  return logs_.take(*this, bytes);
}

void LogSource::on_event(const ChannelEvent& event) {
  logs_.on_event(*this, event);
}

}  // namespace

Expected<void> run_logs(Session& session) {
  return Logs(session).run();
}

}  // namespace ksr::commands
