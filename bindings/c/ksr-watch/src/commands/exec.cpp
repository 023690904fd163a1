// exec and attach: the standard streams of a command, or of a container's first process.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "commands/channel.hpp"
#include "commands/commands.hpp"
#include "commands/pods.hpp"
#include "commands/poll_set.hpp"
#include "commands/raw_terminal.hpp"
#include "commands/stream_output.hpp"
#include "commands/usage_error.hpp"

extern "C" {
#include "signals.h"
}

namespace ksr::commands {
namespace {

// Where the command has none that is known, as ssh(1).
constexpr int kNoExitCode = 255;
constexpr std::size_t kMaxRead = std::size_t{32} << 10;

class CommandStreams final : public ChannelHost {
 public:
  CommandStreams(Session& session, bool attaches)
      : session_(session), attaches_(attaches), wants_stdin_(session.arguments().flag("--stdin")) {}

  Expected<void> run(Outcome& outcome) {
    if (Expected<void> fine = check_words(); !fine) return fine;
    outcome.status = kNoExitCode;
    Expected<ChosenPod> pod = choose_running_pod(session_, session_.arguments().words.front());
    if (!pod) return pod.error();
    choose_terminal(*pod);
    Expected<Channel> channel = Channel::open(session_.client(), keys_of(*pod), *this);
    if (!channel) return channel.error();
    channel_.emplace(*std::move(channel));
    if (signals_start() == 0) return usage_error("no pipe for signals: " + std::string(std::strerror(errno)));
    if (tty_) signals_for_terminal();
    pass_all();
    terminal_.leave();
    outcome.status = finish();
    outcome.signal = signals_ended();
    return {};
  }

  std::size_t take(ksr_part part, std::string_view bytes) override {
    StreamOutput& output = part == KSR_PART_STDERR ? stderr_ : stdout_;
    const std::size_t written = output.write(bytes);
    bool& waits = part == KSR_PART_STDERR ? stderr_waits_ : stdout_waits_;
    waits = written < bytes.size();
    return written;
  }

  void on_event(const ChannelEvent& event) override {
    switch (event.kind) {
      case KSR_EVENT_OPEN:
        return begin();
      case KSR_EVENT_WRITABLE:
        return pass_held();
      case KSR_EVENT_INTERRUPTED:
        if (event.failure) note("Warning: " + line_of(*event.failure) + retry_text(event.retry_ms));
        return;
      case KSR_EVENT_CLOSED:
        closed_ = true;
        failure_ = event.failure;
        return;
      default:
        return;
    }
  }

 private:
  // ---- what is asked for --------------------------------------------------------------------------------------------

  Expected<void> check_words() const {
    const Arguments& arguments = session_.arguments();
    const std::size_t before = arguments.words_before_dashes.value_or(arguments.words.size());
    if (before != 1) {
      return usage_error(std::string("expected one POD or TYPE/NAME") + (attaches_ ? "" : ", then -- and the command"));
    }
    if (attaches_ && arguments.words.size() > 1)
      return usage_error("attach takes no command; expected POD or TYPE/NAME");
    if (!attaches_ && arguments.words.size() < 2) {
      return usage_error("you must specify at least one command for the container, after --");
    }
    return {};
  }

  // k8s.io/kubectl/pkg/cmd/exec, SetupTTY: only of a terminal that is passed on as well.
  void choose_terminal(const ChosenPod& pod) {
    const bool quiet = session_.arguments().flag("--quiet");
    bool wanted = session_.arguments().flag("--tty");
    const PodContainer* container = pod.view ? pod.view->find(pod.container) : nullptr;
    if (attaches_ && container != nullptr && container->tty != wanted) {
      if (wanted && !quiet) {
        session_.report().note("Unable to use a TTY - container " + one_line(container->name) +
                               " did not allocate one");
      }
      wanted = container->tty;
    }
    const bool is_terminal = isatty(STDIN_FILENO) == 1;
    if (wanted && wants_stdin_ && !is_terminal && !quiet) {
      session_.report().note("Unable to use a TTY - input is not a terminal or the right kind of file");
    }
    // Whose input is not passed on, or is no terminal, has one at the other end alone.
    tty_ = wanted && wants_stdin_ && is_terminal;
    remote_tty_ = tty_ || (attaches_ && container != nullptr && container->tty);
    if (attaches_ && wants_stdin_ && !quiet) {
      session_.report().note(
          "All commands and output from this session will be recorded in container logs, including credentials and "
          "sensitive information passed through the command prompt.");
      session_.report().note("If you don't see a command prompt, try pressing enter.");
    }
  }

  ChannelKeys keys_of(const ChosenPod& pod) const {
    ChannelKeys keys{
        {"kind", attaches_ ? "attach" : "exec"}, {"namespace", pods_namespace(session_)}, {"name", pod.name}};
    if (!pod.container.empty()) keys.emplace_back("container", pod.container);
    if (wants_stdin_) keys.emplace_back("stdin", "true");
    if (remote_tty_) keys.emplace_back("tty", "true");
    if (const auto size = terminal_size(); size && tty_) {
      // Another size than begin() tells: what is attached to draws itself again.
      const std::uint32_t columns = attaches_ && size->first < 0xffff ? size->first + 1 : size->first;
      keys.emplace_back("columns", std::to_string(columns));
      keys.emplace_back("rows", std::to_string(size->second));
    }
    const std::vector<std::string>& words = session_.arguments().words;
    for (std::size_t i = 1; i < words.size(); ++i) keys.emplace_back("command", words[i]);
    return keys;
  }

  // ---- while it runs ------------------------------------------------------------------------------------------------

  void begin() {
    open_ = true;
    // Before, keys still interrupt a server that does not answer.
    if (!tty_) return;
    terminal_.enter();
    tell_size();
  }

  void tell_size() {
    if (const auto size = terminal_size(); size && tty_ && channel_) channel_->resize(size->first, size->second);
  }

  void pass_all() {
    ksr_client* const client = session_.client().handle();
    PollSet ready;
    while (!closed_ && signals_ended() == 0 && output_lives()) {
      ready.clear();
      ready.add(ksr_client_fd(client), POLLIN);
      ready.add(signals_end_fd(), POLLIN);
      const std::size_t news = ready.add(signals_fd(), POLLIN);
      const bool reads = wants_stdin_ && open_ && !stdin_ended_ && held_.empty();
      const std::size_t in = ready.add(reads ? STDIN_FILENO : -1, POLLIN);
      // A reader that has gone is an end, though nothing is written just now.
      const std::size_t out = ready.add(STDOUT_FILENO, stdout_waits_ ? POLLOUT : 0);
      const std::size_t errors = ready.add(stderr_waits_ ? STDERR_FILENO : -1, POLLOUT);
      ready.wait(-1);
      if (ready.ready(news)) take_signals();
      if (ready.ready(out)) stdout_ready(ready.events_at(out));
      if (ready.ready(errors) && std::exchange(stderr_waits_, false)) channel_->resume(KSR_PART_STDERR);
      if (ready.ready(in)) read_stdin();
      ksr_client_dispatch(client);
    }
  }

  bool output_lives() const { return !reader_gone_ && stdout_.error() == 0 && stderr_.error() == 0; }

  void stdout_ready(short events) {
    if (std::exchange(stdout_waits_, false)) return channel_->resume(KSR_PART_STDOUT);
    if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) reader_gone_ = true;
  }

  void take_signals() {
    const struct signals news = signals_take();
    if (news.stopped != 0) {
      terminal_.leave();
      signals_stop_self();
    }
    if ((news.stopped != 0 || news.continued != 0) && open_ && tty_) {
      terminal_.leave();
      terminal_.enter();
    }
    if (news.resized != 0 || news.continued != 0 || news.stopped != 0) tell_size();
  }

  void read_stdin() {
    char bytes[kMaxRead];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count > 0) {
      held_.assign(bytes, static_cast<std::size_t>(count));
      return pass_held();
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count < 0) note("Warning: standard input: " + std::string(std::strerror(errno)));
    stdin_ended_ = true;
    finish_stdin();
  }

  void pass_held() {
    if (held_.empty()) return;
    held_.erase(0, channel_->write(held_));
  }

  void finish_stdin() {
    // A terminal's end is a key (EOT), and a terminal that was hung up ends the program by a signal.
    if (remote_tty_) return;
    if (!channel_->finish()) {
      note("Warning: the server's protocol cannot tell the command that standard input has ended");
    }
  }

  void note(const std::string& line) {
    // Within a raw terminal a line would begin where the last one ends.
    terminal_.leave();
    session_.report().note(line);
    if (open_ && tty_) terminal_.enter();
  }

  // ---- the end ------------------------------------------------------------------------------------------------------

  // The exit status of ksr.
  int finish() {
    if (const int error = stdout_.error() != 0 ? stdout_.error() : stderr_.error(); error != 0 || reader_gone_) {
      session_.report().error("standard output: " + std::string(std::strerror(error != 0 ? error : EPIPE)) +
                              "; how the command ends is not known");
      channel_->cancel();
      return kNoExitCode;
    }
    if (!closed_) {
      channel_->cancel();
      return kNoExitCode;
    }
    if (failure_) {
      session_.report().failure(*failure_);
      return kNoExitCode;
    }
    if (attaches_) return 0;
    const std::int32_t code = channel_->exit_code().value_or(-1);
    if (code == 0) return 0;
    if (code < 0 || code > kNoExitCode) {
      session_.report().error("the exit code of the command is none that can be passed on: " + std::to_string(code));
      return kNoExitCode;
    }
    session_.report().note("command terminated with exit code " + std::to_string(code));
    return code;
  }

  Session& session_;
  const bool attaches_;
  const bool wants_stdin_;
  // Both ends have a terminal; or the other one.
  bool tty_ = false;
  bool remote_tty_ = false;
  RawTerminal terminal_;
  StreamOutput stdout_{STDOUT_FILENO};
  StreamOutput stderr_{STDERR_FILENO};
  bool stdout_waits_ = false;
  bool stderr_waits_ = false;
  bool reader_gone_ = false;
  bool open_ = false;
  bool closed_ = false;
  bool stdin_ended_ = false;
  // Of standard input: what the channel has not taken yet.
  std::string held_;
  std::optional<Failure> failure_;
  // The first to go: its end is told to this.
  std::optional<Channel> channel_;
};

}  // namespace

Expected<void> run_exec(Session& session, Outcome& outcome) {
  return CommandStreams(session, false).run(outcome);
}

Expected<void> run_attach(Session& session, Outcome& outcome) {
  return CommandStreams(session, true).run(outcome);
}

}  // namespace ksr::commands
