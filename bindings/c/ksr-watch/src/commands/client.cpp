#include "commands/client.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "base/option_text.hpp"
#include "base/text.hpp"
#include "commands/answer_object.hpp"
#include "commands/durations.hpp"
#include "commands/output.hpp"
#include "commands/retry_notice.hpp"
#include "commands/usage_error.hpp"

extern "C" {
#include "log_level.h"
}

namespace ksr::commands {
namespace {

// As the library has it.
constexpr Milliseconds kDefaultTimeout{30'000};
constexpr const char* kMaybeDone = " (the request may have been carried out)";

struct Free {
  void operator()(ksr_params* params) const { ksr_params_free(params); }
  void operator()(ksr_config* config) const { ksr_config_free(config); }
  void operator()(ksr_error* error) const { ksr_error_free(error); }
};

std::string text_of(const char* text, std::size_t size) {
  return text == nullptr ? "" : std::string(text, size);
}

// Takes the error over.
Failure failure_of_call(ksr_status status, ksr_error* error) {
  const std::unique_ptr<ksr_error, Free> owned(error);
  return failure_of(status, error);
}

// `command`: its name. As report_log has it for a watch.
void log_line(std::int32_t level, const char* message, std::size_t size, void* command) {
  std::fprintf(stderr, "ksr %s: %s: %s\n", static_cast<const char*>(command), log_level_name(level),
               shown(one_line({message, size}, 2'000)).c_str());
}

bool only_reads(const Request& request) {
  const auto writes = [](const std::pair<std::string, std::string>& key) {
    if (key.first == "method") return key.second != "GET" && key.second != "HEAD" && key.second != "OPTIONS";
    return key.first == "verb" && key.second != "get" && key.second != "list";
  };
  return std::none_of(request.keys.begin(), request.keys.end(), writes);
}

// Keys of a stream's objects and of its watch: the configuration of a client may have them, which uses none.
bool is_for_streams(std::string_view key) {
  constexpr std::string_view kKeys[] = {
      "resource",      "namespace",       "label_selector", "field_selector", "shard",           "limit",
      "metadata_only", "managed_fields",  "page_size",      "keep_fields",    "drop_fields",     "columns",
      "index",         "notify",          "share",          "transport",      "encoding",        "initial",
      "reconnect",     "backoff_initial", "backoff_max",    "watch_timeout",  "initial_timeout", "max_view_bytes",
      "min_interval",  "max_object_size"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

// Headers of the same key in a configuration are for all requests, which these cannot be.
bool is_header_of_one_request(std::string_view key) {
  return equal_ignoring_case(key, "header.Content-Type") || equal_ignoring_case(key, "header.Accept");
}

bool sends_raw(const Arguments& arguments) {
  return arguments.command == Command::raw || (arguments.command == Command::get && arguments.has("--raw"));
}

Error chosen_by_ksr(const Setting& setting) {
  return usage_error("--set " + setting.key + ": is chosen by ksr");
}

// "get of v1/pods "a"", "GET of /apis".
std::string text_of(const Request& request) {
  const auto value = [&](const char* name) {
    const auto found = std::find_if(request.keys.begin(), request.keys.end(),
                                    [&](const std::pair<std::string, std::string>& key) { return key.first == name; });
    return found == request.keys.end() ? "" : found->second;
  };
  if (const std::string path = value("path"); !path.empty()) {
    // A query may hold a secret.
    const std::string method = value("method");
    return (method.empty() ? "GET" : method) + " of " + one_line(path.substr(0, path.find('?')));
  }
  const std::string subresource = value("subresource");
  const std::string name = value("name");
  return value("verb") + " of " + value("resource") + (subresource.empty() ? "" : "/" + one_line(subresource)) +
         (name.empty() ? "" : " " + in_quotes(name));
}

// The timeout of a request that has to end by `deadline`. Of `keys` the last one counts.
std::string timeout_until(Client::Clock::time_point deadline,
                          const std::vector<std::pair<std::string, std::string>>& keys) {
  Milliseconds own = kDefaultTimeout;
  for (const auto& [key, value] : keys) {
    if (key != "timeout" || value.empty()) continue;
    if (const Expected<Milliseconds> read = parse_duration(value)) own = *read;
  }
  // Not before it, and 0 would be none.
  const auto left = std::max(std::chrono::ceil<Milliseconds>(deadline - Client::Clock::now()), Milliseconds{1});
  return std::to_string((own.count() == 0 ? left : std::min(left, own)).count()) + "ms";
}

// The body of one answer.
bool opens_http(const Arguments& arguments) {
  if (arguments.command == Command::get) return arguments.has("--raw");
  return arguments.command == Command::raw && equal_ignoring_case(arguments.text("--method", "GET"), "GET") &&
         !arguments.has("--filename");
}

}  // namespace

bool is_of_every_request(std::string_view key) {
  return key == "timeout" || key == "retries";
}

bool opens_channels(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::logs:
    case Command::exec:
    case Command::attach:
    case Command::port_forward:
      return true;
    default:
      return opens_http(arguments);
  }
}

bool has_write_requests(Command command) {
  switch (command) {
    case Command::create:
    case Command::apply:
    case Command::remove:
    case Command::patch:
    case Command::can_i:
      return true;
    default:
      return false;
  }
}

Failure failure_of(ksr_status status, const ksr_error* error) {
  Failure failure;
  failure.code = status;
  std::size_t size = 0;
  const char* text = ksr_error_message(error, &size);
  failure.message = text_of(text, size);
  if (failure.message.empty()) failure.message = ksr_status_name(status);
  text = ksr_error_reason(error, &size);
  failure.reason = text_of(text, size);
  text = ksr_error_details(error, &size);
  failure.details = text_of(text, size);
  failure.http_status = ksr_error_http_status(error);
  return failure;
}

std::string_view Answer::body() const {
  std::size_t size = 0;
  const void* body = ksr_response_body(response_.get(), &size);
  return {static_cast<const char*>(body), size};
}

Expected<Client> Client::open(const Arguments& arguments, Report& report) {
  Client opened(arguments, report);
  ksr_config* config = nullptr;
  if (ksr_config_new(&config) != KSR_OK) return Error{Status::out_of_memory, "no memory for a configuration"};
  const std::unique_ptr<ksr_config, Free> owned(config);
  std::vector<Setting> settings{{"user_agent", "user_agent", "ksr/" KSR_WATCH_VERSION},
                                {"exec_stderr", "exec_stderr", "inherit"}};
  if (opens_channels(arguments)) settings.push_back({"delivery", "delivery", "manual"});
  settings.insert(settings.end(), arguments.settings.begin(), arguments.settings.end());
  for (const Setting& setting : settings) {
    if (Expected<void> set = opened.set(config, setting, arguments); !set) return set.error();
  }
  if (arguments.flag("--log")) ksr_config_on_log(config, log_line);
  if (arguments.has_text("--request-timeout")) {
    const Expected<Milliseconds> timeout = read_duration(arguments.text("--request-timeout"));
    if (const Error* error = timeout.if_error()) return usage_error("--request-timeout: " + error->message);
    opened.timeout_ = *timeout;
  }
  ksr_client* client = nullptr;
  ksr_error* error = nullptr;
  const ksr_status status =
      ksr_client_open(config, const_cast<char*>(name_of(arguments.command)), nullptr, &client, &error);
  if (status != KSR_OK) return Error{Status::invalid, failure_of_call(status, error).message};
  opened.client_.reset(client);
  return opened;
}

Expected<void> Client::set(ksr_config* config, const Setting& setting, const Arguments& arguments) {
  // The stream of get -w has them.
  const bool has_stream = arguments.command == Command::get && arguments.flag("--watch");
  if (setting.option == "--set" && !has_stream && is_for_streams(setting.key)) return chosen_by_ksr(setting);
  if (setting.option == "--set" && is_header_of_one_request(setting.key)) return set_params_key(setting, arguments);
  ksr_error* error = nullptr;
  const ksr_status status = ksr_config_set(config, setting.key.c_str(), setting.value.c_str(), &error);
  if (status == KSR_OK) return {};
  const Failure failure = failure_of_call(status, error);
  if (status == KSR_E_UNKNOWN_KEY && setting.option == "--set") return set_params_key(setting, arguments);
  return usage_error(setting.option + ": " + failure.message);
}

// It is tried on parameters of its own: whether it goes with the command, the library says once that is asked for.
Expected<void> Client::set_params_key(const Setting& setting, const Arguments& arguments) {
  for (const char* key : {"verb", "method", "path", "name", "kind", "command"}) {
    if (setting.key == key) return chosen_by_ksr(setting);
  }
  // What the command says it has done depends on these.
  const bool is_own = setting.key == "dry_run" || setting.key == "query.dryRun" || setting.key == "patch_type";
  if (!sends_raw(arguments) && (is_own || is_header_of_one_request(setting.key))) return chosen_by_ksr(setting);
  ksr_params* params = nullptr;
  if (ksr_params_new(&params) != KSR_OK) return Error{Status::out_of_memory, "no memory for parameters"};
  const std::unique_ptr<ksr_params, Free> owned(params);
  ksr_error* error = nullptr;
  const ksr_status status = ksr_params_set(params, setting.key.c_str(), setting.value.c_str(), &error);
  const bool is_channel = opens_channels(arguments);
  if (status == KSR_E_UNKNOWN_KEY) {
    ksr_error_free(error);
    return usage_error("--set: unknown key " + one_line(setting.key) + "; ksr-config(5) lists those of the connection" +
                       (is_channel ? " and of channels" : " and of requests"));
  }
  if (status != KSR_OK) return usage_error("--set: " + failure_of_call(status, error).message);
  const bool of_channels = is_channel && (opens_http(arguments) || !is_of_every_request(setting.key));
  (of_channels ? channel_keys_ : request_keys_).emplace_back(setting.key, setting.value);
  return {};
}

// Discovery, and what a command reads before it writes, take only what any request takes.
bool Client::goes_with(const std::string& key, const Request& request) const {
  if (is_of_every_request(key)) return true;
  return request.keys.front().first == "verb" && has_write_requests_ == !only_reads(request);
}

// A server that cannot be reached at all is reported at once, as by kubectl; one that has answered is asked again.
Answer Client::call(const Request& request) {
  const bool is_first = std::exchange(is_first_, false) && only_reads(request);
  const RetryNotice notice(client_.get(), *report_, "Warning: " + text_of(request) + " has failed; trying again");
  return call_once(request, is_first ? "answered" : "safe");
}

Answer Client::call_for_object(Request request) {
  request.keys.emplace_back("max_body", kMaxAnswer);
  const Answer answer = call(request);
  if (answer.failed()) return answer;
  std::variant<boost::json::value, Failure> read = read_object(answer.body(), text_of(request));
  if (Failure* failure = std::get_if<Failure>(&read)) {
    // A Status says what was done.
    if (failure->details.empty() && !only_reads(request)) failure->message += kMaybeDone;
    return Answer(std::move(*failure));
  }
  return Answer(std::get<boost::json::value>(std::move(read)));
}

Answer Client::call_once(const Request& request, const char* retries) {
  ksr_params* params = nullptr;
  if (const ksr_status status = ksr_params_new(&params); status != KSR_OK) return Answer(failure_of(status, nullptr));
  const std::unique_ptr<ksr_params, Free> owned(params);
  std::vector<std::pair<std::string, std::string>> keys = request.keys;
  keys.emplace_back("timeout", timeout_ ? std::to_string(timeout_->count()) + "ms" : "");
  keys.emplace_back("retries", retries);
  for (const auto& [key, value] : request_keys_) {
    if (goes_with(key, request)) keys.emplace_back(key, value);
  }
  if (deadline_) keys.emplace_back("timeout", timeout_until(*deadline_, keys));
  ksr_error* error = nullptr;
  for (const auto& [key, value] : keys) {
    if (value.empty()) continue;
    const ksr_status status = ksr_params_set(params, key.c_str(), value.c_str(), &error);
    if (status != KSR_OK) return Answer(failure_of_call(status, error));
  }
  if (const ksr_status status = ksr_params_body(params, request.body.data(), request.body.size(), &error);
      status != KSR_OK) {
    return Answer(failure_of_call(status, error));
  }
  const ksr_response* response = nullptr;
  const ksr_status status = ksr_call(client_.get(), params, &response, &error);
  if (status != KSR_OK) return Answer(failure_of_call(status, error));
  for (std::size_t i = 0; i < ksr_response_warning_count(response) && !request.only_tries; ++i) {
    std::size_t size = 0;
    const char* text = ksr_response_warning(response, i, &size);
    report_->warning({text, size});
  }
  return Answer(response);
}

}  // namespace ksr::commands
