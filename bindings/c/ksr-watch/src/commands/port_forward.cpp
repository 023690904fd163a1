#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "commands/channel.hpp"
#include "commands/commands.hpp"
#include "commands/durations.hpp"
#include "commands/json_text.hpp"
#include "commands/listeners.hpp"
#include "commands/pods.hpp"
#include "commands/poll_set.hpp"
#include "commands/port_spec.hpp"
#include "commands/usage_error.hpp"

extern "C" {
#include "signals.h"
}

namespace ksr::commands {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxConnectionRead = std::size_t{32} << 10;
// Neither the channel protocol nor the runtimes know a half-closed connection: once the local side has sent its last
// byte, that is on its way, and nothing has come from the pod for so long, the connection is closed.
constexpr std::chrono::seconds kMaxHalfClosed{10};
// What the local side still sends after the pod's end is read for so long: closing at once would reset the connection,
// and with it what the local side has not read yet.
constexpr std::chrono::seconds kMaxDrain{2};
// Without descriptors or memory for another connection, the next one is accepted after so long, or once one has ended.
constexpr std::chrono::seconds kAcceptPause{1};
// Between two lists of pods where they may not be watched.
constexpr std::chrono::seconds kListInterval{1};

// ---- the pods
// ---------------------------------------------------------------------------------------------------------

// The pod that connections go to: the one that was named, or a running one of those that are selected, as they are now.
class PodChoice {
 public:
  PodChoice(Session& session, PodsOf of) : session_(session), of_(std::move(of)) {}

  const PodsOf& of() const { return of_; }

  // A pod that does not run is an error; of several that are selected, one may come later.
  Expected<void> begin() {
    if (of_.selector.empty()) {
      Expected<std::optional<PodView>> pod = fetch_pod(session_, of_.pod);
      if (!pod) return pod.error();
      if (*pod && (*pod)->phase != "Running") {
        return usage_error("unable to forward port because pod is not running. Current status=" +
                           one_line((*pod)->phase));
      }
      named_ = *std::move(pod);
      if (!named_) named_.emplace().name = of_.pod;
      return {};
    }
    if (Expected<void> listed = list(); !listed) return listed;
    return watch();
  }

  // NULL: none runs just now. A list that it takes has ended by `deadline`.
  const PodView* current(Clock::time_point deadline) {
    if (named_) return &*named_;
    const auto held = pods_.find(current_);
    if (held != pods_.end() && held->second.runs() && suspects_.count(current_) == 0) return &held->second;
    if (watch_refused_ && Clock::now() - listed_ >= kListInterval) {
      session_.client().set_deadline(deadline);
      static_cast<void>(list());
    }
    std::vector<PodView> good;
    std::vector<PodView> all;
    for (const auto& [uid, pod] : pods_) {
      all.push_back(pod);
      if (suspects_.count(uid) == 0) good.push_back(pod);
    }
    const PodView* best = best_of(good);
    if (best == nullptr) best = best_of(all);
    if (best == nullptr) return nullptr;
    if (!current_.empty() && current_ != best->uid) {
      session_.report().note("Forwarding to pod/" + one_line(best->name) + " of " + one_line(of_.shown) + " now");
    }
    current_ = best->uid;
    return &pods_.at(current_);
  }

  // It is gone, or could not be reached: the next connection tries another one, where there is one.
  void leave(const std::string& uid, bool gone) {
    if (named_) return;
    if (gone) {
      pods_.erase(uid);
    } else {
      suspects_.insert(uid);
    }
  }
  bool may_change() const { return !named_; }

 private:
  struct Release {
    void operator()(ksr_config* config) const { ksr_config_free(config); }
    void operator()(ksr_stream* stream) const { ksr_close(stream); }
  };

  Expected<void> list() {
    listed_ = Clock::now();
    Expected<std::vector<PodView>> pods = list_pods(session_, of_.selector);
    if (!pods) return pods.error();
    pods_.clear();
    for (PodView& pod : *pods) pods_[pod.uid] = std::move(pod);
    return {};
  }

  Expected<void> watch() {
    ksr_config* config = nullptr;
    if (ksr_config_new(&config) != KSR_OK) return Error{Status::out_of_memory, "no memory for a configuration"};
    const std::unique_ptr<ksr_config, Release> owned(config);
    const std::pair<const char*, std::string> keys[] = {
        {"resource", "v1/pods"}, {"namespace", pods_namespace(session_)}, {"label_selector", of_.selector}};
    ksr_error* error = nullptr;
    ksr_status status = KSR_OK;
    for (const auto& [key, value] : keys) {
      if (status == KSR_OK) status = ksr_config_set(config, key, value.c_str(), &error);
    }
    ksr_config_on_update(config, [](ksr_stream*, const ksr_snapshot* snapshot, void* choice) {
      static_cast<PodChoice*>(choice)->on_pods(snapshot);
    });
    ksr_config_on_error(config, [](ksr_stream*, const ksr_error* failure, void* choice) {
      static_cast<PodChoice*>(choice)->on_error(failure);
    });
    ksr_stream* stream = nullptr;
    if (status == KSR_OK) {
      status = ksr_client_stream(session_.client().handle(), config, this, nullptr, &stream, &error);
    }
    if (status == KSR_OK) {
      stream_.reset(stream);
      return {};
    }
    const std::string message = failure_of(status, error).message;
    ksr_error_free(error);
    return usage_error(message);
  }

  void on_pods(const ksr_snapshot* snapshot) {
    watch_refused_ = false;
    if (std::exchange(is_first_, false)) pods_.clear();
    for (std::size_t i = 0; i < ksr_snapshot_delta_count(snapshot); ++i) {
      const ksr_object* object = nullptr;
      const ksr_delta delta = ksr_snapshot_delta_at(snapshot, i, &object);
      std::size_t size = 0;
      const char* text = ksr_object_field(object, KSR_FIELD_UID, &size);
      const std::string uid(text, size);
      suspects_.erase(uid);
      text = ksr_object_field(object, KSR_FIELD_JSON, &size);
      const auto pod = parse_answer({text, size});
      if (delta == KSR_DELTA_DELETED || !pod) {
        pods_.erase(uid);
      } else {
        pods_[uid] = read_pod(*pod);
      }
    }
  }

  void on_error(const ksr_error* error) {
    const Failure failure = failure_of(ksr_error_code(error), error);
    const std::int64_t retry_ms = ksr_error_retry_ms(error);
    const bool refused = failure.code == KSR_E_FORBIDDEN || failure.code == KSR_E_AUTH || retry_ms < 0;
    const bool told = watch_refused_;
    watch_refused_ = refused;
    // Who may list pods need not be allowed to watch them.
    if (!refused || !told) session_.report().note("Warning: pods: " + line_of(failure) + retry_text(retry_ms));
  }

  Session& session_;
  const PodsOf of_;
  std::optional<PodView> named_;
  std::map<std::string, PodView> pods_;
  // Whose connections have failed since they last changed.
  std::set<std::string> suspects_;
  std::string current_;
  bool is_first_ = true;
  bool watch_refused_ = false;
  Clock::time_point listed_;
  std::unique_ptr<ksr_stream, Release> stream_;
};

// ---- a connection
// -----------------------------------------------------------------------------------------------------

class Connection final : public ChannelHost {
 public:
  Connection(Descriptor socket, std::size_t port, Clock::time_point now)
      : socket_(std::move(socket)), port_(port), accepted_(now) {}

  enum class State : std::uint8_t {
    // For a pod.
    waiting,
    opening,
    open,
    // The pod's side has ended; the local one is told.
    draining,
    over,
  };

  State state() const { return state_; }
  int fd() const { return socket_.get(); }
  std::size_t port() const { return port_; }
  Clock::time_point accepted() const { return accepted_; }
  const std::string& pod_uid() const { return pod_uid_; }

  Expected<void> open(Client& client, const ChannelKeys& keys, const std::string& pod_uid) {
    pod_uid_ = pod_uid;
    closed_ = false;
    failure_.reset();
    state_ = State::opening;
    Expected<Channel> channel = Channel::open(client, keys, *this);
    if (!channel) return channel.error();
    channel_.emplace(*std::move(channel));
    return {};
  }

  std::size_t take(ksr_part, std::string_view bytes) override {
    last_byte_ = Clock::now();
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t sent = send(fd(), bytes.data() + done, bytes.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) {
        done += static_cast<std::size_t>(sent);
      } else if (errno == EAGAIN) {
        waits_to_send_ = true;
        return done;
      } else if (errno != EINTR) {
        local_gone_ = true;
        return bytes.size();
      }
    }
    return done;
  }

  void on_event(const ChannelEvent& event) override {
    if (event.kind == KSR_EVENT_OPEN && state_ == State::opening) state_ = State::open;
    if (event.kind == KSR_EVENT_WRITABLE) pass_held();
    if (event.kind != KSR_EVENT_CLOSED) return;
    closed_ = true;
    failure_ = event.failure;
  }

  short wanted_events() const {
    short events = 0;
    const bool reads = state_ == State::draining || (state_ == State::open && held_.empty() && !local_ended_);
    if (reads) events |= POLLIN;
    if (waits_to_send_) events |= POLLOUT;
    return events;
  }

  void ready(short events) {
    if ((events & POLLERR) != 0 || (state_ != State::open && (events & POLLHUP) != 0)) local_gone_ = true;
    if ((events & POLLOUT) != 0 && std::exchange(waits_to_send_, false) && channel_) channel_->resume(KSR_PART_DATA);
    if ((events & (POLLIN | POLLHUP)) != 0 && (wanted_events() & POLLIN) != 0) receive();
    // Nothing more can be sent or received.
    if ((events & POLLHUP) != 0 && local_ended_) local_gone_ = true;
  }

  // After callbacks.
  void step(Clock::time_point now) {
    if (local_gone_) return end();
    if (state_ == State::draining && now >= deadline_) return end();
    if (state_ != State::open || !local_ended_) return;
    // A reader that rests is no silence.
    if (!held_.empty() || channel_->queued_bytes() > 0 || waits_to_send_) last_byte_ = now;
  }
  // The local side has sent its last byte, and nothing has come for too long: what the pod has said may not be all.
  bool is_cut(Clock::time_point now) const {
    return state_ == State::open && local_ended_ && now - last_byte_ >= kMaxHalfClosed;
  }
  bool has_closed() const { return closed_ && (state_ == State::opening || state_ == State::open); }
  const std::optional<Failure>& failure() const { return failure_; }

  void wait_again() {
    channel_.reset();
    state_ = State::waiting;
  }
  // In order, or as a connection that has broken.
  void finish(bool in_order) {
    channel_.reset();
    if (!in_order) {
      // A client must not take what it got for all there is.
      const linger reset{1, 0};
      setsockopt(fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      return end();
    }
    shutdown(fd(), SHUT_WR);
    state_ = State::draining;
    deadline_ = Clock::now() + kMaxDrain;
    if (local_ended_) end();
  }
  void end() {
    channel_.reset();
    socket_ = Descriptor();
    state_ = State::over;
  }

  std::optional<Clock::time_point> deadline() const {
    if (state_ == State::draining) return deadline_;
    if (state_ == State::open && local_ended_) return last_byte_ + kMaxHalfClosed;
    return std::nullopt;
  }

 private:
  void receive() {
    char bytes[kMaxConnectionRead];
    const ssize_t count = recv(fd(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0 && state_ == State::open) {
      held_.assign(bytes, static_cast<std::size_t>(count));
      return pass_held();
    }
    if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) return;
    local_gone_ = local_gone_ || count < 0 || state_ == State::draining;
    local_ended_ = true;
    last_byte_ = Clock::now();
  }

  void pass_held() {
    if (held_.empty() || !channel_) return;
    held_.erase(0, channel_->write(held_));
  }

  Descriptor socket_;
  const std::size_t port_;
  const Clock::time_point accepted_;
  State state_ = State::waiting;
  std::string pod_uid_;
  bool closed_ = false;
  std::optional<Failure> failure_;
  // What the channel has not taken yet.
  std::string held_;
  bool waits_to_send_ = false;
  // Has sent its last byte; or takes none any more either.
  bool local_ended_ = false;
  bool local_gone_ = false;
  Clock::time_point last_byte_;
  Clock::time_point deadline_;
  // The first to go: its end is told to this.
  std::optional<Channel> channel_;
};

// ---- the command
// ------------------------------------------------------------------------------------------------------

struct ForwardedPort {
  PortSpec spec;
  std::vector<Listener> listeners;
};

class PortForward {
 public:
  explicit PortForward(Session& session) : session_(session) {}

  Expected<void> run(Outcome& outcome) {
    if (Expected<void> fine = read_arguments(); !fine) return fine;
    Expected<PodsOf> of = find_pods_of(session_, session_.arguments().words.front());
    if (!of) return of.error();
    pods_.emplace(session_, *std::move(of));
    if (Expected<void> begun = pods_->begin(); !begun) return begun;
    if (signals_start() == 0) return usage_error("no pipe for signals: " + std::string(std::strerror(errno)));
    const PodView* pod = wait_for_pod();
    if (signals_ended() == 0) {
      if (pod == nullptr) return usage_error("none of the pods of " + one_line(pods_->of().shown) + " is running");
      if (Expected<void> listening = listen(*pod); !listening) return listening;
      forward();
    }
    // Ctrl-C is how it is meant to end.
    if (signals_ended() != SIGINT) outcome.signal = signals_ended();
    return {};
  }

 private:
  Expected<void> read_arguments() {
    const std::vector<std::string>& words = session_.arguments().words;
    if (words.size() < 2) return usage_error("TYPE/NAME and list of ports are required for port-forward");
    for (std::size_t i = 1; i < words.size(); ++i) {
      Expected<PortSpec> spec = parse_port_spec(words[i]);
      if (!spec) return spec.error();
      ports_.push_back({*std::move(spec), {}});
    }
    const Expected<Milliseconds> wait = read_duration(session_.arguments().text("--pod-running-timeout", "1m"));
    if (const Error* error = wait.if_error()) return usage_error("--pod-running-timeout: " + error->message);
    max_wait_ = *wait;
    return {};
  }

  const PodView* wait_for_pod() {
    const Clock::time_point deadline = Clock::now() + max_wait_;
    const PodView* pod = pods_->current(deadline);
    while (pod == nullptr && signals_ended() == 0 && Clock::now() < deadline) {
      PollSet ready;
      ready.add(ksr_client_fd(session_.client().handle()), POLLIN);
      ready.add(signals_end_fd(), POLLIN);
      ready.wait(until(std::min(deadline, Clock::now() + kListInterval)));
      ksr_client_dispatch(session_.client().handle());
      pod = pods_->current(deadline);
    }
    return pod;
  }

  const boost::json::value* service() const {
    const auto& held = pods_->of().service;
    return held ? &*held : nullptr;
  }

  // As kubectl writes it. A port that cannot be listened on is an error, and the others are served.
  Expected<void> listen(const PodView& pod) {
    std::string addresses;
    for (const std::string& list : session_.arguments().all("--address")) {
      addresses += (addresses.empty() ? "" : ",") + list;
    }
    if (!session_.arguments().has("--address")) addresses = "localhost";
    bool any = false;
    for (ForwardedPort& port : ports_) {
      const Expected<std::uint16_t> remote = remote_port(port.spec.remote, service(), pod);
      if (!remote) return remote.error();
      std::uint16_t local = port.spec.local;
      if (port.spec.how == PortSpec::Local::as_remote && local == 0) local = *remote;
      Expected<std::vector<Listener>> listeners = listen_on(addresses, local);
      if (const Error* error = listeners.if_error()) {
        if (error->status != Status::transport || ports_.size() == 1) return *error;
        session_.report().error(*error);
        continue;
      }
      any = true;
      port.listeners = *std::move(listeners);
      for (const Listener& listener : port.listeners) {
        session_.output().write("Forwarding from " + listener.shown + " -> " + std::to_string(*remote) + "\n");
      }
    }
    if (!any) return usage_error("unable to listen on any of the requested ports");
    return {};
  }

  static int until(Clock::time_point at) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at - Clock::now()).count() + 1;
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  int next_deadline() const {
    std::optional<Clock::time_point> next = accept_after_;
    const auto consider = [&](Clock::time_point at) { next = next ? std::min(*next, at) : at; };
    for (const auto& connection : connections_) {
      if (const auto at = connection->deadline()) consider(*at);
      if (connection->state() == Connection::State::waiting) {
        consider(std::min(connection->accepted() + max_wait_, Clock::now() + kListInterval));
      }
    }
    return next ? until(*next) : -1;
  }

  void forward() {
    ksr_client* const client = session_.client().handle();
    PollSet ready;
    while (signals_ended() == 0) {
      ready.clear();
      ready.add(ksr_client_fd(client), POLLIN);
      ready.add(signals_end_fd(), POLLIN);
      std::size_t place = ready.add(-1, 0) + 1;
      for (const ForwardedPort& port : ports_) {
        for (const Listener& listener : port.listeners) ready.add(accept_after_ ? -1 : listener.socket.get(), POLLIN);
      }
      for (const auto& connection : connections_) ready.add(connection->fd(), connection->wanted_events());
      ready.wait(next_deadline());
      std::vector<std::pair<std::size_t, int>> arrived;
      for (std::size_t i = 0; i < ports_.size(); ++i) {
        for (const Listener& listener : ports_[i].listeners) {
          if (ready.ready(place++)) arrived.emplace_back(i, listener.socket.get());
        }
      }
      for (const auto& connection : connections_) {
        if (const short events = ready.events_at(place++); events != 0) connection->ready(events);
      }
      ksr_client_dispatch(client);
      for (const auto& [port, listener] : arrived) accept_all(port, listener);
      step_all();
    }
  }

  void accept_all(std::size_t port, int listener) {
    for (;;) {
      Descriptor socket(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.get() < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          accept_after_ = Clock::now() + kAcceptPause;
          if (!std::exchange(told_exhausted_, true)) {
            session_.report().note("Warning: no more connections can be accepted now: " +
                                   std::string(std::strerror(errno)));
          }
        }
        return;
      }
      told_exhausted_ = false;
      const auto& shown = ports_[port].listeners.front();
      session_.output().write("Handling connection for " + std::to_string(shown.port) + "\n");
      connections_.push_back(std::make_unique<Connection>(std::move(socket), port, Clock::now()));
    }
  }

  void step_all() {
    const Clock::time_point now = Clock::now();
    for (const auto& connection : connections_) {
      if (connection->has_closed()) take_end(*connection);
      connection->step(now);
      if (connection->is_cut(now)) {
        tell(*connection, "closed, since the local side has sent its last byte and nothing has come from the pod for " +
                              std::to_string(kMaxHalfClosed.count()) + " s");
        connection->finish(false);
      }
      if (connection->state() == Connection::State::waiting) open(*connection, now);
    }
    const std::size_t before = connections_.size();
    connections_.remove_if([](const auto& one) { return one->state() == Connection::State::over; });
    if (connections_.size() < before || (accept_after_ && now >= *accept_after_)) accept_after_.reset();
  }

  void open(Connection& connection, Clock::time_point now) {
    const PodView* pod = pods_->current(connection.accepted() + max_wait_);
    if (pod == nullptr) {
      if (now - connection.accepted() < max_wait_) return;
      tell(connection, "none of the pods of " + one_line(pods_->of().shown) + " is running");
      return connection.finish(false);
    }
    const Expected<std::uint16_t> port = remote_port(ports_[connection.port()].spec.remote, service(), *pod);
    if (!port) {
      tell(connection, port.error().message);
      return connection.finish(false);
    }
    const ChannelKeys keys{{"kind", "portforward"},
                           {"namespace", pods_namespace(session_)},
                           {"name", pod->name},
                           {"port", std::to_string(*port)}};
    if (const Expected<void> opened = connection.open(session_.client(), keys, pod->uid); !opened) {
      tell(connection, opened.error().message);
      connection.finish(false);
    }
  }

  void take_end(Connection& connection) {
    const bool was_open = connection.state() == Connection::State::open;
    const std::optional<Failure>& failure = connection.failure();
    if (failure && !was_open) {
      const bool gone = failure->code == KSR_E_NOT_FOUND;
      pods_->leave(connection.pod_uid(), gone);
      // Nothing was sent yet, and another pod can take it.
      if (gone && pods_->may_change()) return connection.wait_again();
    }
    if (failure) tell(connection, line_of(*failure));
    connection.finish(!failure);
  }

  // One connection's failure is not that of the command.
  void tell(const Connection& connection, const std::string& what) {
    const Listener& listener = ports_[connection.port()].listeners.front();
    session_.report().note("Warning: a connection for " + std::to_string(listener.port) + ": " + what);
  }

  Session& session_;
  std::vector<ForwardedPort> ports_;
  Milliseconds max_wait_{0};
  std::optional<PodChoice> pods_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::optional<Clock::time_point> accept_after_;
  bool told_exhausted_ = false;
};

}  // namespace

Expected<void> run_port_forward(Session& session, Outcome& outcome) {
  return PortForward(session).run(outcome);
}

}  // namespace ksr::commands
