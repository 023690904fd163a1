#include "server/stream_plan.hpp"

#include <stdexcept>

#include "server/status.hpp"
#include "server/words.hpp"

namespace ksr::testserver {
namespace {

constexpr int kErrorChannel = 3;
constexpr int kTextFrame = 1;
constexpr int kBinaryFrame = 2;

// The channels of a kind's data and errors from the server.
int channel_of_data(const std::string& kind) {
  return kind == "portforward" ? 0 : 1;
}
int channel_of_errors(const std::string& kind) {
  return kind == "portforward" ? 1 : 2;
}

std::string bytes_of_hex(const std::string& hex) {
  if (hex.size() % 2 != 0) throw std::runtime_error("expected pairs of hexadecimal digits: " + hex);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// apimachinery's metav1.Status as the CRI streaming server writes it (cri-streaming/pkg/streaming/remotecommand).
std::string status_json(const std::string& word) {
  if (word == "0" || word == "success") return R"({"metadata":{},"status":"Success"})";
  if (word == "internal") {
    return R"({"metadata":{},"status":"Failure","message":"Internal error occurred: error executing command in )"
           R"(container: no such file or directory","reason":"InternalError","details":{"causes":[{"message":)"
           R"("error executing command in container: no such file or directory"}]},"code":500})";
  }
  parse_size(word);
  const std::string message = "command terminated with non-zero exit code: exit status " + word;
  return R"({"metadata":{},"status":"Failure","message":)" + json_quoted(message) +
         R"(,"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":)" + json_quoted(word) +
         "}]}}";
}

StreamStep make_step(StreamAction action, int channel = 0, std::string text = "", std::uint64_t count = 0) {
  StreamStep step;
  step.action = action;
  step.channel = channel;
  step.text = std::move(text);
  step.count = count;
  return step;
}

// CHANNEL:TEXT
StreamStep message_step(const std::string& value) {
  const auto colon = value.find(':');
  if (colon == std::string::npos) throw std::runtime_error("expected message=CHANNEL:TEXT: " + value);
  return make_step(StreamAction::message, static_cast<int>(parse_size(value.substr(0, colon))),
                   value.substr(colon + 1));
}

// CODE[:REASON]
StreamStep close_step(const std::string& value) {
  const auto colon = value.find(':');
  return make_step(StreamAction::close, 0, colon == std::string::npos ? "" : value.substr(colon + 1),
                   parse_size(value.substr(0, colon)));
}

bool add_word_step(StreamPlan& plan, const std::string& word) {
  if (word == "echo")
    plan.steps.push_back(make_step(StreamAction::echo));
  else if (word == "no-open")
    plan.opens = false;
  else if (word == "no-pong")
    plan.steps.push_back(make_step(StreamAction::no_pong));
  else if (word == "deaf")
    plan.steps.push_back(make_step(StreamAction::deaf));
  else if (word == "hear")
    plan.steps.push_back(make_step(StreamAction::hear));
  else if (word == "wait-eof")
    plan.steps.push_back(make_step(StreamAction::wait_eof));
  else if (word == "empty")
    plan.steps.push_back(make_step(StreamAction::frame, kBinaryFrame));
  else if (word == "cut" || word == "reset")
    plan.steps.push_back(make_step(StreamAction::cut, 0, "", word == "reset" ? 1 : 0));
  else
    return false;
  return true;
}

bool add_output_step(StreamPlan& plan, const std::string& kind, const std::string& key, const std::string& value) {
  if (key == "out") {
    plan.steps.push_back(make_step(StreamAction::message, channel_of_data(kind), value));
  } else if (key == "err") {
    plan.steps.push_back(make_step(StreamAction::message, channel_of_errors(kind), value));
  } else if (key == "fragment") {
    plan.steps.push_back(make_step(StreamAction::message, channel_of_data(kind), value));
    plan.steps.back().fragmented = true;
  } else if (key == "out-bytes") {
    plan.steps.push_back(make_step(StreamAction::flood, channel_of_data(kind), "", parse_size(value)));
  } else if (key == "err-bytes") {
    plan.steps.push_back(make_step(StreamAction::flood, channel_of_errors(kind), "", parse_size(value)));
  } else if (key == "message") {
    plan.steps.push_back(message_step(value));
  } else if (key == "hex") {
    plan.steps.push_back(make_step(StreamAction::frame, kBinaryFrame, bytes_of_hex(value)));
  } else if (key == "text") {
    plan.steps.push_back(make_step(StreamAction::frame, kTextFrame, value));
  } else if (key == "binary") {
    plan.steps.push_back(make_step(StreamAction::frame, kBinaryFrame, value));
  } else {
    return false;
  }
  return true;
}

bool add_other_step(StreamPlan& plan, const std::string& key, const std::string& value) {
  if (key == "status") {
    plan.steps.push_back(make_step(StreamAction::status, kErrorChannel, status_json(value), 1));
  } else if (key == "split-status") {
    plan.steps.push_back(make_step(StreamAction::status, kErrorChannel, status_json(value), 2));
  } else if (key == "exit") {
    plan.steps.push_back(make_step(StreamAction::status, kErrorChannel, status_json(value), 1));
    plan.steps.push_back(close_step("1000"));
  } else if (key == "wait-bytes") {
    plan.steps.push_back(make_step(StreamAction::wait_bytes, 0, "", parse_size(value)));
  } else if (key == "wait-resize") {
    plan.steps.push_back(make_step(StreamAction::wait_resize, 0, "", parse_size(value)));
  } else if (key == "sleep") {
    plan.steps.push_back(make_step(StreamAction::sleep));
    plan.steps.back().length = parse_duration(value);
  } else if (key == "close") {
    plan.steps.push_back(close_step(value));
  } else {
    return false;
  }
  return true;
}

}  // namespace

StreamPlan StreamPlan::parse(const std::string& kind, const std::vector<std::string>& words, std::size_t first) {
  StreamPlan plan;
  for (std::size_t i = first; i < words.size(); ++i) {
    const auto equal = words[i].find('=');
    const std::string key = words[i].substr(0, equal);
    const std::string value = equal == std::string::npos ? "" : words[i].substr(equal + 1);
    const bool known = equal == std::string::npos
                           ? add_word_step(plan, key)
                           : add_output_step(plan, kind, key, value) || add_other_step(plan, key, value);
    if (!known) throw std::runtime_error("unknown step of a stream: " + words[i]);
  }
  return plan;
}

StreamPlan StreamPlans::find(const std::string& kind, const std::string& pod_key) const {
  const auto found = plans_.find(kind + " " + pod_key);
  if (found != plans_.end()) return found->second;
  StreamPlan echo;
  echo.steps.push_back(make_step(StreamAction::echo));
  return echo;
}

}  // namespace ksr::testserver
