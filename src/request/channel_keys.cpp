#include "request/channel_keys.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/civil_time.hpp"
#include "base/option_text.hpp"
#include "base/text.hpp"
#include "channel/log_call.hpp"
#include "cluster/resource.hpp"
#include "transport/header_rules.hpp"

namespace ksr::request {
namespace {

using channel::ChannelKind;
using channel::ChannelOptions;
using channel::ExecProtocol;

template <bool ChannelOptions::*member>
Expected<void> set_boolean(ChannelOptions& options, std::string_view value) {
  return assign(parse_boolean(value), options.*member);
}

template <Milliseconds ChannelOptions::*member>
Expected<void> set_duration(ChannelOptions& options, std::string_view value) {
  return assign(parse_duration(value), options.*member);
}

template <std::optional<std::uint64_t> ChannelOptions::*member, std::uint64_t least>
Expected<void> set_count(ChannelOptions& options, std::string_view value) {
  const Expected<std::uint64_t> count = least == 0 ? parse_count(value) : parse_size(value);
  if (!count) return count.error();
  if (*count < least || *count > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return expected(least == 0 ? "a number of lines" : "a number of bytes, at least 1");
  }
  options.*member = *count;
  return {};
}

template <std::size_t ChannelOptions::*member, std::size_t least>
Expected<void> set_size(ChannelOptions& options, std::string_view value) {
  const Expected<std::uint64_t> size = parse_size(value);
  if (!size) return size.error();
  if (*size < least || *size > std::size_t{1} << 40) return expected("at least " + std::to_string(least) + " bytes");
  options.*member = static_cast<std::size_t>(*size);
  return {};
}

template <std::uint16_t ChannelOptions::*member>
Expected<void> set_16_bits(ChannelOptions& options, std::string_view value) {
  const Expected<std::uint64_t> number = parse_count(value);
  if (!number || *number == 0 || *number > 0xffff) return expected("a number from 1 to 65535");
  options.*member = static_cast<std::uint16_t>(*number);
  return {};
}

constexpr std::array<std::pair<std::string_view, ChannelKind>, 6> kKinds{{{"log", ChannelKind::log},
                                                                          {"exec", ChannelKind::exec},
                                                                          {"attach", ChannelKind::attach},
                                                                          {"portforward", ChannelKind::portforward},
                                                                          {"websocket", ChannelKind::websocket},
                                                                          {"http", ChannelKind::http}}};

constexpr unsigned bit(ChannelKind kind) {
  return 1U << static_cast<unsigned>(kind);
}
constexpr unsigned kLog = bit(ChannelKind::log);
constexpr unsigned kExec = bit(ChannelKind::exec);
constexpr unsigned kCommands = kExec | bit(ChannelKind::attach);
constexpr unsigned kPort = bit(ChannelKind::portforward);
constexpr unsigned kOfPods = kLog | kCommands | kPort;
constexpr unsigned kWebSocket = bit(ChannelKind::websocket);
constexpr unsigned kHttp = bit(ChannelKind::http);
constexpr unsigned kRaw = kWebSocket | kHttp;
constexpr unsigned kTwoWay = kCommands | kPort | kWebSocket;
constexpr unsigned kAll = kOfPods | kRaw;

// "log, exec or attach".
std::string names_of(unsigned kinds) {
  std::string names;
  for (const auto& [name, kind] : kKinds) {
    if ((kinds & bit(kind)) == 0) continue;
    kinds &= ~bit(kind);
    names += names.empty() ? "" : kinds == 0 ? " or " : ", ";
    names += name;
  }
  return names;
}

Expected<void> set_kind(ChannelOptions& options, std::string_view value) {
  return assign_word(value, kKinds, options.kind);
}

Expected<void> set_container(ChannelOptions& options, std::string_view value) {
  if (!cluster::is_dns_label(value)) return expected("the name of a container");
  options.container = std::string(value);
  return {};
}

// As kubectl's --since and --since-time in one.
Expected<void> set_since(ChannelOptions& options, std::string_view value) {
  options.since_seconds.reset();
  options.since_time.clear();
  if (parse_rfc3339(value)) {
    options.since_time = std::string(value);
    return {};
  }
  const Expected<Milliseconds> duration = parse_duration(value);
  if (!duration || duration->count() <= 0)
    return expected("a duration such as 5m, or a time such as 2026-01-02T03:04:05Z");
  options.since_seconds = static_cast<std::uint64_t>((duration->count() + 999) / 1000);
  return {};
}

Expected<void> set_cursor(ChannelOptions& options, std::string_view value) {
  if (!value.empty() && !channel::is_log_position(value)) {
    return expected("what ksr_channel_info said of the cursor");
  }
  options.from_cursor = std::string(value);
  return {};
}

Expected<void> add_command(ChannelOptions& options, std::string_view value) {
  // It reaches the runtime as a string of protobuf (cri-api, ExecRequest.cmd).
  if (!is_utf8(value)) return expected("UTF-8");
  options.command.emplace_back(value);
  return {};
}

Expected<void> set_exec_protocol(ChannelOptions& options, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, ExecProtocol>, 3> words{
      {{"auto", ExecProtocol::automatic}, {"v4", ExecProtocol::v4}, {"v5", ExecProtocol::v5}}};
  return assign_word(value, words, options.exec_protocol);
}

// RFC 6455, section 11.3.4: a token.
Expected<void> add_subprotocol(ChannelOptions& options, std::string_view value) {
  if (!transport::is_token(value)) return expected("the name of a subprotocol");
  options.subprotocols.emplace_back(value);
  return {};
}

constexpr ChannelKey kChannelKeys[] = {
    {{"kind", "", ParamKey::channel}, kAll, false, set_kind, nullptr},
    {{"container", "", ParamKey::channel}, kLog | kCommands, false, set_container, nullptr},
    {{"follow", "false", ParamKey::channel}, kLog, false, set_boolean<&ChannelOptions::follow>, nullptr},
    {{"previous", "false", ParamKey::channel}, kLog, false, set_boolean<&ChannelOptions::previous>, nullptr},
    {{"timestamps", "false", ParamKey::channel}, kLog, false, set_boolean<&ChannelOptions::timestamps>, nullptr},
    {{"tail", "", ParamKey::channel}, kLog, false, set_count<&ChannelOptions::tail, 0>, nullptr},
    {{"since", "", ParamKey::channel}, kLog, false, set_since, nullptr},
    {{"limit_bytes", "", ParamKey::channel}, kLog, false, set_count<&ChannelOptions::limit_bytes, 1>, nullptr},
    {{"resume", "true", ParamKey::channel}, kLog, false, set_boolean<&ChannelOptions::resume>, nullptr},
    {{"follow_restarts", "false", ParamKey::channel},
     kLog,
     false,
     set_boolean<&ChannelOptions::follow_restarts>,
     nullptr},
    {{"from_cursor", "", ParamKey::channel}, kLog, false, set_cursor, nullptr},
    {{"command", "", ParamKey::channel},
     kExec,
     true,
     add_command,
     [](ChannelOptions& options) { options.command.clear(); }},
    {{"stdin", "false", ParamKey::channel}, kCommands, false, set_boolean<&ChannelOptions::wants_stdin>, nullptr},
    {{"stdout", "true", ParamKey::channel}, kCommands, false, set_boolean<&ChannelOptions::wants_stdout>, nullptr},
    {{"stderr", "true", ParamKey::channel}, kCommands, false, set_boolean<&ChannelOptions::wants_stderr>, nullptr},
    {{"tty", "false", ParamKey::channel}, kCommands, false, set_boolean<&ChannelOptions::tty>, nullptr},
    {{"columns", "", ParamKey::channel}, kCommands, false, set_16_bits<&ChannelOptions::columns>, nullptr},
    {{"rows", "", ParamKey::channel}, kCommands, false, set_16_bits<&ChannelOptions::rows>, nullptr},
    {{"exec_protocol", "auto", ParamKey::channel}, kCommands, false, set_exec_protocol, nullptr},
    {{"port", "", ParamKey::channel}, kPort, false, set_16_bits<&ChannelOptions::port>, nullptr},
    {{"subprotocol", "", ParamKey::channel},
     kWebSocket,
     true,
     add_subprotocol,
     [](ChannelOptions& options) { options.subprotocols.clear(); }},
    {{"reconnect", "false", ParamKey::channel}, kWebSocket, false, set_boolean<&ChannelOptions::reconnect>, nullptr},
    {{"reconnect_delay", "3s", ParamKey::channel},
     kWebSocket,
     false,
     set_duration<&ChannelOptions::reconnect_delay>,
     nullptr},
    {{"max_message", "16Mi", ParamKey::channel}, kWebSocket, false, set_size<&ChannelOptions::max_message, 1>, nullptr},
    {{"head_timeout", "30s", ParamKey::channel}, kHttp, false, set_duration<&ChannelOptions::head_timeout>, nullptr},
    {{"receive_buffer", "1Mi", ParamKey::channel},
     kAll,
     false,
     set_size<&ChannelOptions::receive_buffer, 4096>,
     nullptr},
    {{"send_buffer", "256Ki", ParamKey::channel},
     kTwoWay,
     false,
     set_size<&ChannelOptions::send_buffer, 4096>,
     nullptr},
    {{"ping_interval", "30s", ParamKey::channel},
     kTwoWay,
     false,
     set_duration<&ChannelOptions::ping_interval>,
     nullptr},
    {{"pong_timeout", "15s", ParamKey::channel}, kTwoWay, false, set_duration<&ChannelOptions::pong_timeout>, nullptr},
};

// Those that requests have too.
struct SharedKey {
  std::string_view name;
  unsigned kinds;
};
constexpr SharedKey kSharedKeys[] = {
    {"method", kHttp},  {"retries", kHttp},  {"path", kRaw}, {"scope", kRaw},  {"subresource", kRaw},
    {"resource", kAll}, {"namespace", kAll}, {"name", kAll}, {"query.", kAll}, {"header.", kAll},
};

// What the library puts into the query of a channel of a pod itself (k8s.io/api/core/v1, PodLogOptions, PodExecOptions,
// PodAttachOptions and PodPortForwardOptions), and the key for it.
struct OwnParameter {
  std::string_view name;
  unsigned kinds;
  const char* key;
};
constexpr OwnParameter kOwnParameters[] = {
    {"container", kLog | kCommands, "container"},
    {"follow", kLog, "follow"},
    {"previous", kLog, "previous"},
    {"timestamps", kLog, "timestamps"},
    {"tailLines", kLog, "tail"},
    {"sinceSeconds", kLog, "since"},
    {"sinceTime", kLog, "since"},
    {"limitBytes", kLog, "limit_bytes"},
    {"command", kCommands, "command"},
    {"stdin", kCommands, "stdin"},
    {"stdout", kCommands, "stdout"},
    {"stderr", kCommands, "stderr"},
    {"tty", kCommands, "tty"},
    {"ports", kPort, "port"},
};

// ---- what goes together ---------------------------------------------------------------------------------------------

Error bad_key(const std::string& key, const std::string& what) {
  return {Status::invalid, "params key " + key + ": " + what};
}

// Empty: it is for requests alone.
std::optional<unsigned> kinds_of(std::string_view key) {
  if (const ChannelKey* const found = find_channel_key(key)) return found->kinds;
  const auto* const shared = std::find_if(std::begin(kSharedKeys), std::end(kSharedKeys),
                                          [&](const SharedKey& one) { return key == one.name; });
  return shared == std::end(kSharedKeys) ? std::nullopt : std::optional(shared->kinds);
}

Expected<void> check_keys(const Params& params, ChannelKind kind) {
  for (const std::string& key : params.keys) {
    const std::optional<unsigned> kinds = kinds_of(key);
    if (!kinds) return bad_key(key, "is for requests; expected a key of channels");
    if ((*kinds & bit(kind)) == 0) return bad_key(key, "does not go with this kind; expected " + names_of(*kinds));
  }
  if (params.body && kind != ChannelKind::http) return Error{Status::invalid, "params body: is for requests and http"};
  return {};
}

Expected<void> check_query(const Params& params, ChannelKind kind) {
  for (const auto& [name, value] : params.query) {
    for (const OwnParameter& own : kOwnParameters) {
      if (name != own.name || (own.kinds & bit(kind)) == 0) continue;
      return bad_key("query." + name, std::string("is what the key ") + own.key + " sets; expected that one");
    }
  }
  return {};
}

Expected<void> check_pod(const Params& params) {
  constexpr std::array<std::string_view, 5> kNames{"pods", "pod", "po", "v1/pods", "/api/v1/pods"};
  for (const std::string& name : params.resources) {
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      return bad_key("resource", "this kind of channel is one of a pod; expected v1/pods, or none");
    }
  }
  if (params.name.empty()) return bad_key("name", "is not set; expected the name of a pod");
  if (params.name_space.empty() && !params.namespace_of_context) {
    return bad_key("namespace", "is not set; expected that of the pod, or @context");
  }
  return check_query(params, params.channel.kind);
}

Expected<void> check_command(const Params& params, ChannelOptions& options) {
  if (options.kind == ChannelKind::exec && (options.command.empty() || options.command.front().empty())) {
    return bad_key("command", "is not set; expected a program and its arguments, one value each");
  }
  if (options.tty && params.has("stderr") && options.wants_stderr) {
    return bad_key("stderr", "a terminal has one output; expected false with tty");
  }
  if (options.tty) options.wants_stderr = false;
  if (!options.wants_stdin && !options.wants_stdout && !options.wants_stderr) {
    return bad_key("stdout", "nothing is asked for; expected one of stdin, stdout and stderr");
  }
  const bool has_size = options.columns > 0 || options.rows > 0;
  if (has_size && !options.tty) return bad_key("columns", "is the size of a terminal; expected tty");
  if ((options.columns > 0) != (options.rows > 0)) return bad_key("rows", "expected columns and rows");
  return {};
}

}  // namespace

const ChannelKey* find_channel_key(std::string_view key) {
  const auto* const found = std::find_if(std::begin(kChannelKeys), std::end(kChannelKeys),
                                         [key](const ChannelKey& one) { return key == one.shown.name; });
  return found == std::end(kChannelKeys) ? nullptr : found;
}

std::vector<ParamKey> channel_keys() {
  std::vector<ParamKey> keys;
  for (const ChannelKey& key : kChannelKeys) keys.push_back(key.shown);
  return keys;
}

Expected<void> check_channel(Params& params) {
  ChannelOptions& options = params.channel;
  if (options.kind == ChannelKind::none) {
    return bad_key("kind", "is not set; expected one of log, exec, attach, portforward, websocket, http");
  }
  if (Expected<void> fine = check_keys(params, options.kind); !fine) return fine;
  switch (options.kind) {
    case ChannelKind::websocket:
    case ChannelKind::http:
      options.retries = params.retries.value_or(sync::Retries::never);
      return check_raw_channel(params);
    case ChannelKind::exec:
    case ChannelKind::attach:
      if (Expected<void> fine = check_command(params, options); !fine) return fine;
      break;
    case ChannelKind::portforward:
      if (options.port == 0) return bad_key("port", "is not set; expected the port of the pod");
      break;
    case ChannelKind::log:
    case ChannelKind::none:
      break;
  }
  return check_pod(params);
}

}  // namespace ksr::request
