// Builds the targets of list and watch requests. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/resource.hpp"

namespace ksr::cluster {

struct ListParameters {
  std::size_t limit = 0;         // 0: not sent
  std::string resource_version;  // empty: not sent, as the next ones
  std::string resource_version_match;
  std::string continue_token;
};

struct WatchParameters {
  std::string resource_version;
  std::string resource_version_match;
  bool send_initial_events = false;
  std::chrono::seconds timeout{0};  // 0: not sent
};

// `name_space` empty: all namespaces. Everything is percent-encoded; allowWatchBookmarks=true is always asked for.
std::string list_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                        const ListParameters& parameters);
std::string watch_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                         const WatchParameters& parameters);
// The Accept header of a list or a watch: plain JSON, or PartialObjectMetadata(List) with metadata_only.
// Whether a target is one that watch_target() makes.
bool is_watch_target(std::string_view target);

std::string list_accept(const QueryOptions& query);
std::string watch_accept(const QueryOptions& query);

// What can be said of a query before any request: resources that parse or may be names, namespaces that could exist,
// selectors without control characters. Whether they exist is said by the server.
Expected<void> validate_query(const QueryOptions& query);

}  // namespace ksr::cluster
