// `Params` is what ksr_params holds: the keys of one request or channel as typed values, and the body; used by abi/ and
// by plan_call. A plain value, copied into each request that it opens.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/expected.hpp"
#include "base/instant.hpp"
#include "channel/channel_options.hpp"
#include "sync/call_retries.hpp"

namespace ksr::request {

// `raw` is a method and a path.
enum class Verb : std::uint8_t { get, list, create, update, patch, remove, remove_collection, apply, raw };
enum class PatchType : std::uint8_t { merge, json, strategic };

struct Params {
  // Empty: not set.
  std::optional<Verb> verb;
  std::string method;
  std::string path;
  bool below_headlamp_url = false;
  // As in ksr_config: v1/pods, apps/v1/deployments, /api/v1/pods, pods, deploy.
  std::vector<std::string> resources;
  std::string name_space;
  bool namespace_of_context = false;
  std::string name;
  std::string subresource;
  PatchType patch_type = PatchType::merge;
  std::string field_manager;
  bool force = false;
  bool dry_run = false;
  std::string field_validation;
  std::string propagation;
  std::optional<std::uint64_t> grace_period_seconds;
  std::string precondition_uid;
  std::string label_selector;
  std::string field_selector;
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string accept = "json";
  // 0: no limit.
  Milliseconds timeout{30'000};
  // Empty: of a request safe, of a channel never.
  std::optional<sync::Retries> retries;
  std::size_t max_body = std::size_t{64} << 20;
  std::optional<std::string> body;
  // Of a channel.
  channel::ChannelOptions channel;

  // Every key that was set, query.NAME and header.NAME without what follows the dot: some are for some verbs only, and
  // those of channels for no request.
  std::vector<std::string> keys;
  bool has(std::string_view key) const { return std::find(keys.begin(), keys.end(), key) != keys.end(); }
};

// Sets one key; a list key loses the values it had. unknown_key or invalid; the message names the key and what it
// takes.
Expected<void> set_param(Params& params, std::string_view key, std::string_view value);
// One more value of a list key: query.NAME, resource, command, subprotocol.
Expected<void> add_param(Params& params, std::string_view key, std::string_view value);
// No bytes: there is no body, as if none had been set.
void set_body(Params& params, std::string_view bytes);

// What can be said of a request before anything is sent: the first contradiction between its keys.
Expected<void> check_params(const Params& params);
// The same of a channel of kind websocket or http: a path, or one resource.
Expected<void> check_raw_channel(const Params& params);
Verb verb_of(const Params& params);

struct ParamKey {
  // A key that ends in '.' stands for all keys that begin with it.
  std::string_view name;
  // The default as text; "" for none.
  const char* standard;
  enum Kind : std::uint8_t { both, request, channel } kind;
};
// For the test that compares them with CONFIGURATION.md.
std::vector<ParamKey> param_keys();
bool is_channel_key(std::string_view key);

}  // namespace ksr::request
