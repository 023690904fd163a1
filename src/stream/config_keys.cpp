#include "stream/config_keys.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/option_text.hpp"
#include "base/text.hpp"

namespace ksr::stream {
namespace {

using cluster::ConnectionOptions;
using cluster::QueryOptions;

// A value taken as it is. Line ends, which no part of a request or path may contain, are refused here for all keys.
Expected<std::string> plain_text(std::string_view value) {
  for (const char c : value) {
    if (c == '\n' || c == '\r') return Error{Status::invalid, "expected one line of text"};
  }
  return std::string(value);
}

template <std::string ConnectionOptions::*member>
Expected<void> connection_text(Config& config, std::string_view, std::string_view value) {
  return assign(plain_text(value), config.connection.*member);
}

// PEM has line ends.
template <std::string ConnectionOptions::*member>
Expected<void> connection_pem(Config& config, std::string_view, std::string_view value) {
  config.connection.*member = std::string(value);
  return {};
}

template <Milliseconds ConnectionOptions::*member>
Expected<void> connection_duration(Config& config, std::string_view, std::string_view value) {
  return assign(parse_duration(value), config.connection.*member);
}

template <std::string QueryOptions::*member>
Expected<void> query_text(Config& config, std::string_view, std::string_view value) {
  return assign(plain_text(value), config.query.*member);
}

Expected<void> store_size(Expected<std::uint64_t> parsed, std::size_t& place) {
  if (!parsed) return std::move(parsed).error();
  if (*parsed > std::numeric_limits<std::size_t>::max() / 2) return Error{Status::invalid, "expected a smaller number"};
  place = static_cast<std::size_t>(*parsed);
  return {};
}

Expected<void> set_insecure(Config& config, std::string_view, std::string_view value) {
  return assign(parse_boolean(value), config.connection.insecure_skip_tls_verify);
}

// A name of a certificate has commas: CN=admins,OU=x.
std::vector<std::string> split_escaped(std::string_view value) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool escapes = value[i] == '\\' && i + 1 < value.size() && (value[i + 1] == ',' || value[i + 1] == '\\');
    if (escapes) ++i;
    if (value[i] == ',' && !escapes) {
      parts.emplace_back();
    } else {
      parts.back() += value[i];
    }
  }
  for (std::string& part : parts) part = std::string(trimmed(part));
  return parts;
}

Expected<void> set_groups(Config& config, std::string_view, std::string_view value) {
  config.connection.impersonate_groups.clear();
  for (std::string& group : split_escaped(value)) {
    if (!group.empty()) config.connection.impersonate_groups.push_back(std::move(group));
  }
  return {};
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Names of headers, and what impersonate_extra makes part of one, know no case (RFC 9110, section 5.1).
Pairs without(Pairs pairs, std::string_view name) {
  const auto has_name = [name](const Pairs::value_type& pair) { return equal_ignoring_case(pair.first, name); };
  pairs.erase(std::remove_if(pairs.begin(), pairs.end(), has_name), pairs.end());
  return pairs;
}

Expected<void> set_header(Config& config, std::string_view rest, std::string_view value) {
  Expected<std::string> text = plain_text(value);
  if (!text) return std::move(text).error();
  Pairs headers = without(config.connection.headers, rest);
  headers.emplace_back(std::string(rest), std::move(text).value());
  config.connection.headers = std::move(headers);
  return {};
}

// Unlike the name of a group, a value may be empty.
Expected<void> set_extra(Config& config, std::string_view rest, std::string_view value) {
  if (const Expected<std::string> text = plain_text(value); !text) return text.error();
  Pairs extra = without(config.connection.impersonate_extra, rest);
  for (std::string& one : split_escaped(value)) extra.emplace_back(std::string(rest), std::move(one));
  config.connection.impersonate_extra = std::move(extra);
  return {};
}

Expected<void> set_resource(Config& config, std::string_view, std::string_view value) {
  std::vector<std::string> names = parse_names(value);
  if (names.empty()) return Error{Status::invalid, "expected a resource such as v1/pods or apps/v1/deployments"};
  config.query.resources = std::move(names);
  return {};
}

Expected<void> set_namespace(Config& config, std::string_view, std::string_view value) {
  std::vector<std::string> names = parse_names(value);
  // A list whose parts are all missing must not stand for everything.
  if (names.empty() && !value.empty()) {
    return Error{Status::invalid, "expected names separated by commas, or an empty value for all namespaces"};
  }
  const bool of_context = std::find(names.begin(), names.end(), "@context") != names.end();
  if (of_context && names.size() > 1) return Error{Status::invalid, "expected @context alone"};
  config.query.namespaces_of_context = of_context;
  if (of_context) names.clear();
  // Each is listed and watched once, however often it is named.
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  config.query.namespaces = std::move(names);
  return {};
}

// None when it is set to nothing.
Expected<void> set_shard(Config& config, std::string_view, std::string_view value) {
  config.query.shard.reset();
  if (value.empty()) return {};
  Expected<Shard> shard = Shard::parse(value);
  if (!shard) return std::move(shard).error();
  config.query.shard = std::move(shard).value();
  return {};
}

Expected<void> set_limit(Config& config, std::string_view, std::string_view value) {
  return store_size(parse_count(value), config.limit);
}

Expected<void> set_metadata_only(Config& config, std::string_view, std::string_view value) {
  return assign(parse_boolean(value), config.query.metadata_only);
}

Expected<void> set_managed_fields(Config& config, std::string_view, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> words{{{"drop", false}, {"keep", true}}};
  return assign_word(value, words, config.reader.keep_managed_fields);
}

template <std::vector<json::FieldPath> json::FieldOptions::*member>
Expected<void> set_fields(Config& config, std::string_view, std::string_view value) {
  return assign(json::parse_field_paths(value), config.fields.*member);
}

// Whether there are such columns is known when the stream is opened.
Expected<void> set_index(Config& config, std::string_view, std::string_view value) {
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::size_t> columns;
  for (;;) {
    value.remove_prefix(std::min(value.find_first_not_of(kBlanks), value.size()));
    if (value.empty()) break;
    const std::string_view number = value.substr(0, value.find_first_of(kBlanks));
    value.remove_prefix(number.size());
    const Expected<std::uint64_t> column = parse_count(number);
    if (!column || *column >= json::kMaxFieldPaths) {
      return expected("numbers of columns, from 0, separated by blanks, such as 0 2");
    }
    if (std::find(columns.begin(), columns.end(), *column) == columns.end()) columns.push_back(*column);
  }
  config.fields.index = std::move(columns);
  return {};
}

Expected<void> set_notify(Config& config, std::string_view, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> words{{{"all", false}, {"columns", true}}};
  return assign_word(value, words, config.fields.notify_columns);
}

Expected<void> set_share(Config& config, std::string_view, std::string_view value) {
  return assign(parse_boolean(value), config.share);
}

Expected<void> set_page_size(Config& config, std::string_view, std::string_view value) {
  std::size_t size = 0;
  if (value == "auto") {
    config.sync.page_size.reset();
    return {};
  }
  if (Expected<void> stored = store_size(parse_count(value), size); !stored) return stored;
  config.sync.page_size = size;
  return {};
}

Expected<void> set_transport(Config& config, std::string_view, std::string_view value) {
  using sync::WatchTransport;
  constexpr std::array<std::pair<std::string_view, WatchTransport>, 3> words{
      {{"auto", WatchTransport::automatic}, {"websocket", WatchTransport::websocket}, {"http", WatchTransport::http}}};
  return assign_word(value, words, config.sync.transport);
}

Expected<void> set_encoding(Config& config, std::string_view, std::string_view value) {
  using sync::Encoding;
  constexpr std::array<std::pair<std::string_view, Encoding>, 3> words{
      {{"auto", Encoding::automatic}, {"json", Encoding::json}, {"protobuf", Encoding::protobuf}}};
  return assign_word(value, words, config.sync.encoding);
}

Expected<void> set_initial(Config& config, std::string_view, std::string_view value) {
  using sync::Initial;
  constexpr std::array<std::pair<std::string_view, Initial>, 3> words{
      {{"auto", Initial::automatic}, {"list", Initial::list}, {"watchlist", Initial::watchlist}}};
  return assign_word(value, words, config.sync.initial);
}

Expected<void> set_reconnect(Config& config, std::string_view, std::string_view value) {
  return assign(parse_boolean(value), config.sync.reconnect);
}

template <Milliseconds sync::Options::*member>
Expected<void> backoff(Config& config, std::string_view, std::string_view value) {
  Expected<Milliseconds> duration = parse_duration(value);
  if (duration && duration->count() < 1) return Error{Status::invalid, "expected a duration above 0"};
  return assign(std::move(duration), config.sync.*member);
}

Expected<void> set_watch_timeout(Config& config, std::string_view, std::string_view value) {
  Expected<Milliseconds> duration = parse_duration(value);
  if (!duration) return std::move(duration).error();
  if (duration->count() < 1000) return Error{Status::invalid, "expected a duration of at least 1s"};
  config.sync.watch_timeout = *duration;
  return {};
}

Expected<void> set_initial_timeout(Config& config, std::string_view, std::string_view value) {
  Expected<Milliseconds> duration = parse_duration(value);
  if (duration && duration->count() < 1000) return Error{Status::invalid, "expected a duration of at least 1s"};
  return assign(std::move(duration), config.sync.initial_timeout);
}

Expected<void> set_max_view_bytes(Config& config, std::string_view, std::string_view value) {
  Expected<std::uint64_t> size = parse_size(value);
  if (size && *size < 1024) return Error{Status::invalid, "expected a size of at least 1Ki"};
  return assign(std::move(size), config.sync.max_view_bytes);
}

Expected<void> set_exec_stderr(Config& config, std::string_view, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> words{{{"log", false}, {"inherit", true}}};
  return assign_word(value, words, config.connection.exec_stderr_inherited);
}

Expected<void> set_delivery(Config& config, std::string_view, std::string_view value) {
  using delivery::Mode;
  constexpr std::array<std::pair<std::string_view, Mode>, 2> words{
      {{"thread", Mode::thread}, {"manual", Mode::manual}}};
  return assign_word(value, words, config.delivery.mode);
}

Expected<void> set_min_interval(Config& config, std::string_view, std::string_view value) {
  return assign(parse_duration(value), config.delivery.min_interval);
}

Expected<void> set_max_object_size(Config& config, std::string_view, std::string_view value) {
  Expected<std::uint64_t> size = parse_size(value);
  if (size && *size < 1024) return Error{Status::invalid, "expected a size of at least 1Ki"};
  return store_size(std::move(size), config.reader.max_object_size);
}

constexpr ConfigKey::Scope kClient = ConfigKey::Scope::client;

constexpr ConfigKey kTable[] = {
    {"kubeconfig", "path", "", connection_text<&ConnectionOptions::kubeconfig>, kClient},
    {"context", "name", "", connection_text<&ConnectionOptions::context>, kClient},
    {"server", "URL", "", connection_text<&ConnectionOptions::server>, kClient},
    {"token", "secret", "", connection_text<&ConnectionOptions::token>, kClient},
    {"token_file", "path", "", connection_text<&ConnectionOptions::token_file>, kClient},
    {"username", "text", "", connection_text<&ConnectionOptions::username>, kClient},
    {"password", "secret", "", connection_text<&ConnectionOptions::password>, kClient},
    {"ca_file", "path", "", connection_text<&ConnectionOptions::ca_file>, kClient},
    {"ca_data", "PEM", "", connection_pem<&ConnectionOptions::ca_data>, kClient},
    {"client_cert_file", "path", "", connection_text<&ConnectionOptions::client_cert_file>, kClient},
    {"client_key_file", "path", "", connection_text<&ConnectionOptions::client_key_file>, kClient},
    {"client_cert_data", "PEM", "", connection_pem<&ConnectionOptions::client_cert_data>, kClient},
    {"client_key_data", "PEM, secret", "", connection_pem<&ConnectionOptions::client_key_data>, kClient},
    {"tls_server_name", "name", "", connection_text<&ConnectionOptions::tls_server_name>, kClient},
    {"insecure_skip_tls_verify", "boolean", "false", set_insecure, kClient},
    {"proxy_url", "URL", "", connection_text<&ConnectionOptions::proxy_url>, kClient},
    {"impersonate_user", "text", "", connection_text<&ConnectionOptions::impersonate_user>, kClient},
    {"impersonate_uid", "text", "", connection_text<&ConnectionOptions::impersonate_uid>, kClient},
    {"impersonate_groups", "list", "", set_groups, kClient},
    {"impersonate_extra.", "list", "", set_extra, kClient},
    {"user_agent", "text", "libksr/VERSION", connection_text<&ConnectionOptions::user_agent>, kClient},
    {"header.", "text", "", set_header, kClient},
    {"exec_timeout", "duration", "60s", connection_duration<&ConnectionOptions::exec_timeout>, kClient},
    {"exec_stderr", "log or inherit", "log", set_exec_stderr, kClient},
    {"connect_timeout", "duration", "30s", connection_duration<&ConnectionOptions::connect_timeout>, kClient},
    {"request_timeout", "duration", "30s", connection_duration<&ConnectionOptions::request_timeout>, kClient},
    {"headlamp_url", "URL", "", connection_text<&ConnectionOptions::headlamp_url>, kClient},
    {"headlamp_cluster", "name", "", connection_text<&ConnectionOptions::headlamp_cluster>, kClient},
    {"headlamp_kubeconfig", "secret", "", connection_text<&ConnectionOptions::headlamp_kubeconfig>, kClient},
    {"headlamp_user_id", "text", "", connection_text<&ConnectionOptions::headlamp_user_id>, kClient},
    {"headlamp_token", "secret", "", connection_text<&ConnectionOptions::headlamp_token>, kClient},
    {"resource", "list", "", set_resource},
    {"namespace", "list", "", set_namespace},
    {"label_selector", "text", "", query_text<&QueryOptions::label_selector>},
    {"field_selector", "text", "", query_text<&QueryOptions::field_selector>},
    {"shard", "I/N", "", set_shard},
    {"limit", "number", "0", set_limit},
    {"metadata_only", "boolean", "false", set_metadata_only},
    {"managed_fields", "drop or keep", "drop", set_managed_fields},
    {"page_size", "number or auto", "auto", set_page_size},
    {"keep_fields", "pointers", "", set_fields<&json::FieldOptions::keep>},
    {"drop_fields", "pointers", "", set_fields<&json::FieldOptions::drop>},
    {"columns", "pointers", "", set_fields<&json::FieldOptions::columns>},
    {"index", "numbers", "", set_index},
    {"notify", "all or columns", "all", set_notify},
    {"share", "boolean", "true", set_share},
    {"transport", "auto, websocket or http", "auto", set_transport},
    {"encoding", "auto, json or protobuf", "auto", set_encoding},
    {"initial", "auto, list or watchlist", "auto", set_initial},
    {"reconnect", "boolean", "true", set_reconnect},
    {"backoff_initial", "duration", "800ms", backoff<&sync::Options::backoff_initial>},
    {"backoff_max", "duration", "30s", backoff<&sync::Options::backoff_max>},
    {"watch_timeout", "duration", "5m to 10m", set_watch_timeout},
    {"initial_timeout", "duration", "10m", set_initial_timeout},
    {"max_view_bytes", "size", "8Gi", set_max_view_bytes},
    {"delivery", "thread or manual", "thread", set_delivery, kClient},
    {"min_interval", "duration", "0", set_min_interval, kClient},
    {"max_object_size", "size", "64Mi", set_max_object_size, kClient},
};

}  // namespace

ConfigKeys config_keys() noexcept {
  return ConfigKeys{kTable, std::size(kTable)};
}

}  // namespace ksr::stream
