#include "request/params.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "base/option_text.hpp"
#include "base/text.hpp"
#include "base/url.hpp"
#include "cluster/resource.hpp"
#include "request/channel_keys.hpp"
#include "request/media_types.hpp"
#include "transport/header_rules.hpp"

namespace ksr::request {
namespace {

using Set = Expected<void> (*)(Params& params, std::string_view rest, std::string_view value);

struct Key {
  ParamKey shown;
  bool list;
  Set set;
};

template <std::string Params::*member>
Expected<void> set_text(Params& params, std::string_view, std::string_view value) {
  if (has_control_characters(value)) return expected("one line of text");
  params.*member = std::string(value);
  return {};
}

template <bool Params::*member>
Expected<void> set_boolean(Params& params, std::string_view, std::string_view value) {
  return assign(parse_boolean(value), params.*member);
}

Expected<void> set_verb(Params& params, std::string_view, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, Verb>, 8> words{{{"get", Verb::get},
                                                                    {"list", Verb::list},
                                                                    {"create", Verb::create},
                                                                    {"update", Verb::update},
                                                                    {"patch", Verb::patch},
                                                                    {"delete", Verb::remove},
                                                                    {"deletecollection", Verb::remove_collection},
                                                                    {"apply", Verb::apply}}};
  Verb verb = Verb::get;
  if (Expected<void> stored = assign_word(value, words, verb); !stored) return stored;
  params.verb = verb;
  return {};
}

// CONNECT and TRACE have answers of their own kind.
Expected<void> set_method(Params& params, std::string_view, std::string_view value) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}) {
    if (value != method) continue;
    params.method = method;
    return {};
  }
  return expected("GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE");
}

// A server that resolves dots would leave the prefix of the cluster.
bool has_dot_segment(std::string_view path) {
  const auto parts = split(path.substr(0, path.find('?')), '/');
  return std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
    const std::optional<std::string> plain = percent_decode(part);
    return plain && (*plain == "." || *plain == "..");
  });
}

Expected<void> set_path(Params& params, std::string_view, std::string_view value) {
  if (!transport::is_request_target(value) || has_dot_segment(value)) {
    return expected("a path such as /healthz or /api/v1/pods?limit=5, percent-encoded, without . or .. in it");
  }
  params.path = std::string(value);
  return {};
}

Expected<void> set_scope(Params& params, std::string_view, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> words{{{"cluster", false}, {"headlamp", true}}};
  return assign_word(value, words, params.below_headlamp_url);
}

Expected<void> set_resource(Params& params, std::string_view, std::string_view value) {
  const std::vector<std::string> names = parse_names(value);
  if (names.empty()) return expected("a resource such as v1/pods or apps/v1/deployments");
  for (const std::string& name : names) {
    const auto parsed = cluster::parse_resource(name);
    if (const Error* error = parsed.if_error()) return *error;
  }
  params.resources.insert(params.resources.end(), names.begin(), names.end());
  return {};
}

Expected<void> set_namespace(Params& params, std::string_view, std::string_view value) {
  params.namespace_of_context = value == "@context";
  if (params.namespace_of_context) {
    params.name_space.clear();
    return {};
  }
  if (!value.empty() && !cluster::is_dns_label(value)) {
    return expected("one namespace (lower case letters, digits and '-', at most 63), @context, or nothing");
  }
  params.name_space = std::string(value);
  return {};
}

// k8s.io/apimachinery/pkg/api/validation/path/name.go, IsValidPathSegmentName.
Expected<void> set_name(Params& params, std::string_view, std::string_view value) {
  const bool segment = !value.empty() && value != "." && value != ".." && value.find('/') == std::string_view::npos &&
                       value.find('%') == std::string_view::npos && !has_control_characters(value);
  if (!segment) return expected("the name of an object, without '/' and '%'");
  params.name = std::string(value);
  return {};
}

Expected<void> set_subresource(Params& params, std::string_view, std::string_view value) {
  if (!cluster::is_dns_label(value)) return expected("a subresource such as status, scale or eviction");
  params.subresource = std::string(value);
  return {};
}

Expected<void> set_patch_type(Params& params, std::string_view, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, PatchType>, 3> words{
      {{"json", PatchType::json}, {"merge", PatchType::merge}, {"strategic", PatchType::strategic}}};
  return assign_word(value, words, params.patch_type);
}

Expected<void> set_field_manager(Params& params, std::string_view rest, std::string_view value) {
  // k8s.io/apimachinery/pkg/apis/meta/v1/validation, FieldManagerMaxLength.
  if (value.size() > 128) return expected("at most 128 characters");
  return set_text<&Params::field_manager>(params, rest, value);
}

template <std::string Params::*member, std::size_t count>
Expected<void> set_one_of(Params& params, const std::array<std::string_view, count>& words, std::string_view value) {
  std::string taken;
  for (const std::string_view word : words) {
    if (equal_ignoring_case(word, value)) {
      params.*member = std::string(word);
      return {};
    }
    taken += (taken.empty() ? "" : ", ") + std::string(word);
  }
  return expected("one of " + taken);
}

Expected<void> set_field_validation(Params& params, std::string_view, std::string_view value) {
  constexpr std::array<std::string_view, 3> words{"Ignore", "Warn", "Strict"};
  return set_one_of<&Params::field_validation>(params, words, value);
}

Expected<void> set_propagation(Params& params, std::string_view, std::string_view value) {
  constexpr std::array<std::string_view, 3> words{"Orphan", "Background", "Foreground"};
  return set_one_of<&Params::propagation>(params, words, value);
}

Expected<void> set_grace_period(Params& params, std::string_view, std::string_view value) {
  if (const Expected<std::uint64_t> seconds = parse_count(value); seconds && *seconds <= 0x7fffffff) {
    params.grace_period_seconds = *seconds;
    return {};
  }
  const Expected<Milliseconds> duration = parse_duration(value);
  if (!duration || duration->count() % 1000 != 0) return expected("whole seconds, such as 30 or 30s");
  params.grace_period_seconds = static_cast<std::uint64_t>(duration->count() / 1000);
  return {};
}

// Without one the object would be deleted whatever its uid is.
Expected<void> set_precondition_uid(Params& params, std::string_view rest, std::string_view value) {
  if (value.empty()) return expected("the uid that the object has to have");
  return set_text<&Params::precondition_uid>(params, rest, value);
}

Expected<void> add_query(Params& params, std::string_view rest, std::string_view value) {
  if (has_control_characters(rest) || has_control_characters(value)) return expected("one line of text");
  params.query.emplace_back(rest, value);
  return {};
}

// What a client sends to a Headlamp server on its own account (headlamp: backend/pkg, frontend/src/lib/k8s/api).
bool holds_headlamp_credentials(std::string_view name) {
  constexpr std::array<std::string_view, 3> kNames{"x-headlamp_backend-token", "x-headlamp-user-id", "kubeconfig"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view held) { return equal_ignoring_case(held, name); });
}

// Accept and Content-Type are the caller's here, since a request may be of any kind.
bool may_set_header(std::string_view name) {
  if (holds_headlamp_credentials(name)) return false;
  return equal_ignoring_case(name, "content-type") || equal_ignoring_case(name, "accept") ||
         transport::set_by(name) == transport::HeaderSetter::host;
}

Expected<void> set_header(Params& params, std::string_view rest, std::string_view value) {
  if (!transport::is_token(rest)) return expected("header.NAME with the name of a header");
  if (!may_set_header(rest)) return expected("another header: the library sets this one itself");
  if (has_control_characters(value)) return expected("one line without control characters");
  for (auto& [name, held] : params.headers) {
    if (!equal_ignoring_case(name, rest)) continue;
    held = std::string(value);
    return {};
  }
  params.headers.emplace_back(rest, value);
  return {};
}

Expected<void> set_accept(Params& params, std::string_view, std::string_view value) {
  if (!is_accept_form(value)) return expected("json, table, metadata, yaml, protobuf, or a media type");
  params.accept = std::string(value);
  return {};
}

Expected<void> set_timeout(Params& params, std::string_view, std::string_view value) {
  return assign(parse_duration(value), params.timeout);
}

Expected<void> set_retries(Params& params, std::string_view, std::string_view value) {
  using sync::Retries;
  constexpr std::array<std::pair<std::string_view, Retries>, 4> words{
      {{"never", Retries::never}, {"safe", Retries::safe}, {"all", Retries::all}, {"answered", Retries::answered}}};
  return assign_word(value, words, params.retries.emplace());
}

Expected<void> set_max_body(Params& params, std::string_view, std::string_view value) {
  const Expected<std::uint64_t> size = parse_size(value);
  if (!size) return size.error();
  if (*size > std::numeric_limits<std::size_t>::max() / 2) return expected("a smaller number");
  params.max_body = static_cast<std::size_t>(*size);
  return {};
}

constexpr Key kTable[] = {
    {{"verb", "get", ParamKey::request}, false, set_verb},
    {{"method", "GET", ParamKey::request}, false, set_method},
    {{"path", "", ParamKey::both}, false, set_path},
    {{"scope", "cluster", ParamKey::both}, false, set_scope},
    {{"resource", "", ParamKey::both}, true, set_resource},
    {{"namespace", "", ParamKey::both}, false, set_namespace},
    {{"name", "", ParamKey::both}, false, set_name},
    {{"subresource", "", ParamKey::both}, false, set_subresource},
    {{"patch_type", "merge", ParamKey::request}, false, set_patch_type},
    {{"field_manager", "", ParamKey::request}, false, set_field_manager},
    {{"force", "false", ParamKey::request}, false, set_boolean<&Params::force>},
    {{"dry_run", "false", ParamKey::request}, false, set_boolean<&Params::dry_run>},
    {{"field_validation", "", ParamKey::request}, false, set_field_validation},
    {{"propagation", "", ParamKey::request}, false, set_propagation},
    {{"grace_period", "", ParamKey::request}, false, set_grace_period},
    {{"precondition_uid", "", ParamKey::request}, false, set_precondition_uid},
    {{"label_selector", "", ParamKey::request}, false, set_text<&Params::label_selector>},
    {{"field_selector", "", ParamKey::request}, false, set_text<&Params::field_selector>},
    {{"query.", "", ParamKey::both}, true, add_query},
    {{"header.", "", ParamKey::both}, false, set_header},
    {{"accept", "json", ParamKey::request}, false, set_accept},
    {{"timeout", "30s", ParamKey::request}, false, set_timeout},
    {{"retries", "safe", ParamKey::both}, false, set_retries},
    {{"max_body", "64Mi", ParamKey::request}, false, set_max_body},
};

bool matches(std::string_view name, std::string_view key) {
  return name.back() == '.' ? key.size() > name.size() && key.substr(0, name.size()) == name : key == name;
}

const Key* find_key(std::string_view key) {
  const auto* const found = std::find_if(std::begin(kTable), std::end(kTable),
                                         [key](const Key& one) { return matches(one.shown.name, key); });
  return found == std::end(kTable) ? nullptr : found;
}

// A key is shown in an error only when it is a word: the caller may have swapped key and secret.
std::string shown(std::string_view key) {
  const bool word = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
  });
  return word ? std::string(key) : std::string("(not a name)");
}

Error within_key(const Error& error, std::string_view key) {
  return error.within("params key " + shown(key));
}

void note_key(Params& params, std::string_view name) {
  if (!params.has(name)) params.keys.emplace_back(name);
}

std::string_view rest_of(const Key& key, std::string_view text) {
  const std::string_view name = key.shown.name;
  return name.back() == '.' ? text.substr(name.size()) : std::string_view();
}

Expected<void> store_value(Params& params, const Key& key, std::string_view text, std::string_view value) {
  if (Expected<void> set = key.set(params, rest_of(key, text), value); !set) return within_key(set.error(), text);
  note_key(params, key.shown.name);
  return {};
}

Error unknown(std::string_view key) {
  return {Status::unknown_key, "params: unknown key " + shown(key) + "; CONFIGURATION.md lists the keys"};
}

void drop_values(Params& params, const Key& key, std::string_view text) {
  if (key.set == set_resource) params.resources.clear();
  if (key.set != add_query) return;
  const std::string_view name = rest_of(key, text);
  const auto same = [name](const auto& pair) { return pair.first == name; };
  params.query.erase(std::remove_if(params.query.begin(), params.query.end(), same), params.query.end());
}

}  // namespace

bool is_channel_key(std::string_view key) {
  return find_channel_key(key) != nullptr;
}

Expected<void> set_param(Params& params, std::string_view key, std::string_view value) {
  if (const Key* found = find_key(key)) {
    // A value that is not taken leaves the old ones of a list.
    Params probe;
    if (Expected<void> set = store_value(probe, *found, key, value); !set) return set;
    drop_values(params, *found, key);
    return store_value(params, *found, key, value);
  }
  const ChannelKey* const found = find_channel_key(key);
  if (found == nullptr) return unknown(key);
  channel::ChannelOptions probe = params.channel;
  if (found->list) found->clear(probe);
  if (Expected<void> set = found->set(probe, value); !set) return within_key(set.error(), key);
  params.channel = std::move(probe);
  note_key(params, key);
  return {};
}

Expected<void> add_param(Params& params, std::string_view key, std::string_view value) {
  const Key* const found = find_key(key);
  const ChannelKey* const of_channel = found == nullptr ? find_channel_key(key) : nullptr;
  if (found == nullptr && of_channel == nullptr) return unknown(key);
  if (!(found != nullptr ? found->list : of_channel->list)) {
    return within_key(Error{Status::invalid, "is no list; expected ksr_params_set for it"}, key);
  }
  if (found != nullptr) return store_value(params, *found, key, value);
  if (Expected<void> set = of_channel->set(params.channel, value); !set) return within_key(set.error(), key);
  note_key(params, key);
  return {};
}

void set_body(Params& params, std::string_view bytes) {
  params.body.reset();
  if (!bytes.empty()) params.body = std::string(bytes);
}

std::vector<ParamKey> param_keys() {
  std::vector<ParamKey> keys;
  for (const Key& key : kTable) keys.push_back(key.shown);
  const std::vector<ParamKey> of_channels = channel_keys();
  keys.insert(keys.end(), of_channels.begin(), of_channels.end());
  return keys;
}

}  // namespace ksr::request
