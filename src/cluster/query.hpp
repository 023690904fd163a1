// Builds the targets of list and watch requests. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "base/list_options.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/resource.hpp"

namespace ksr::cluster {

// `name_space` empty: all namespaces. Everything is percent-encoded; allowWatchBookmarks=true is always asked for.
std::string list_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                        const ListOptions& options);
std::string watch_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                         const WatchOptions& options);

// The Accept header of a list or a watch: plain JSON, or PartialObjectMetadata(List) with metadata_only.
std::string list_accept(const QueryOptions& query);
std::string watch_accept(const QueryOptions& query);

// What can be said of a query before any request: resources that parse or may be names, namespaces that could exist,
// selectors without control characters. Whether they exist is said by the server.
Expected<void> validate_query(const QueryOptions& query);

}  // namespace ksr::cluster
