#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "commands/answer_object.hpp"
#include "commands/channel.hpp"
#include "commands/commands.hpp"
#include "commands/json_text.hpp"
#include "commands/manifests.hpp"
#include "commands/poll_set.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

// What the server prefers, as for kubectl.
constexpr const char* kAccept = "application/json, */*";

std::string method_of(const Arguments& arguments) {
  std::string method = arguments.text("--method", "GET");
  for (char& c : method) {
    if (is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
  }
  return method;
}

// A wait for the next try that is longer is told.
constexpr std::int64_t kPatienceMs = 1'000;

// As of the library's key patch_type, which goes with a verb.
std::string patch_media_type(const std::string& patch_type) {
  return "application/" + (patch_type == "strategic" ? "strategic-merge" : patch_type) + "-patch+json";
}

// The answer to a GET: written as it comes, however long it is and takes.
class RawBody final : public ChannelHost {
 public:
  explicit RawBody(Session& session) : session_(session) {}

  Expected<void> write(const std::string& path) {
    const std::optional<Milliseconds> timeout = session_.client().timeout();
    ChannelKeys keys{{"kind", "http"}, {"path", path}, {"header.Accept", kAccept}, {"retries", "answered"}};
    // Then the head has as long as the rest.
    if (timeout) keys.emplace_back("head_timeout", "0");
    // A query may hold a secret.
    name_ = "GET of " + one_line(path.substr(0, path.find('?')));
    Expected<Channel> channel = Channel::open(session_.client(), keys, *this);
    if (!channel) return channel.error();
    channel_.emplace(*std::move(channel));
    if (timeout && timeout->count() > 0) deadline_ = Clock::now() + *timeout;
    if (!pass_all()) {
      session_.report().error(name_ + ": " + (begun_ ? "the answer has not ended within " : "no answer within ") +
                              std::to_string(timeout->count()) + " ms");
    }
    if (failure_) session_.report().failure(*failure_);
    return {};
  }

  std::size_t take(ksr_part, std::string_view bytes) override {
    session_.output().write(bytes);
    return bytes.size();
  }

  void on_event(const ChannelEvent& event) override {
    if (event.kind == KSR_EVENT_OPEN) {
      begun_ = true;
      const std::string warnings = channel_->info("warnings");
      for (const std::string_view one : split(warnings, '\n')) {
        if (!one.empty()) session_.report().warning(one);
      }
    }
    if (event.kind == KSR_EVENT_INTERRUPTED) on_interrupted(event);
    if (event.kind != KSR_EVENT_CLOSED) return;
    closed_ = true;
    failure_ = event.failure;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // It is asked for again, unless that would be too late.
  void on_interrupted(const ChannelEvent& event) {
    const Clock::time_point next = Clock::now() + Milliseconds(event.retry_ms);
    if (deadline_ && next >= *deadline_) {
      closed_ = true;
      failure_ = event.failure;
    } else if (next > begun_at_ + Milliseconds(kPatienceMs)) {
      session_.report().warning(name_ + " has failed; trying again");
    }
  }

  // -1: without a limit.
  int left_ms() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::duration_cast<Milliseconds>(*deadline_ - Clock::now());
    constexpr std::int64_t kLongest = 3'600'000;
    return static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, kLongest));
  }

  // False: the time was over.
  bool pass_all() {
    ksr_client* const client = session_.client().handle();
    PollSet ready;
    while (!closed_) {
      if (deadline_ && Clock::now() >= *deadline_) return false;
      ready.clear();
      ready.add(ksr_client_fd(client), POLLIN);
      const std::size_t reader = ready.add(STDOUT_FILENO, 0);
      ready.wait(left_ms());
      if (ready.ready(reader) || session_.output().closed()) return true;
      ksr_client_dispatch(client);
    }
    return true;
  }

  Session& session_;
  std::string name_;
  const Clock::time_point begun_at_ = Clock::now();
  std::optional<Clock::time_point> deadline_;
  bool begun_ = false;
  bool closed_ = false;
  std::optional<Failure> failure_;
  std::optional<Channel> channel_;
};

}  // namespace

// Also `get --raw PATH`, as kubectl has it.
Expected<void> run_raw(Session& session) {
  const Arguments& arguments = session.arguments();
  const bool of_get = arguments.has_text("--raw");
  std::vector<std::string> paths = arguments.words;
  if (of_get && (!paths.empty() || arguments.has_text("--output") || arguments.has("--filename"))) {
    return usage_error("arguments, --output and -f may not be passed when --raw is specified");
  }
  if (of_get) paths = {arguments.text("--raw")};
  if (paths.size() != 1) return usage_error("expected one path, such as /healthz");
  Request request{{{"path", paths.front()}, {"method", method_of(arguments)}, {"max_body", kMaxAnswer}}, ""};
  if (arguments.has("--filename")) {
    const std::vector<std::string> files = arguments.all("--filename");
    if (files.size() != 1) return usage_error("only one -f can be given: the body");
    Expected<std::string> body = read_whole(files.front());
    if (!body) return body.error();
    request.body = *std::move(body);
    // JSON with a number that is out of range is the server's to refuse.
    const bool is_json = parse_json(request.body) || !number_out_of_range(request.body).empty();
    if (method_of(arguments) == "PATCH") {
      request.keys.emplace_back("header.Content-Type", patch_media_type("strategic"));
    } else if (!request.body.empty() && !is_json) {
      request.keys.emplace_back("header.Content-Type", "application/yaml");
    }
  }
  request.keys.emplace_back("accept", kAccept);
  for (const auto& [key, value] : session.client().request_keys()) {
    const bool is_patch_type = key == "patch_type" && method_of(arguments) == "PATCH";
    request.keys.emplace_back(is_patch_type ? "header.Content-Type" : key,
                              is_patch_type ? patch_media_type(value) : value);
  }
  if (opens_channels(arguments)) return RawBody(session).write(paths.front());
  const Answer answer = session.client().call(request);
  if (answer.failed()) {
    session.report().failure(answer.failure());
  } else {
    session.output().write(answer.body());
  }
  return {};
}

}  // namespace ksr::commands
