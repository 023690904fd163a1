// `list_target`, `watch_target` and the Accept headers are what a list or watch sends, `validate_query` checks a query;
// used by streams and discovery. Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "base/list_options.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/resource.hpp"

namespace ksr::cluster {

// `name_space` empty: all namespaces. All values are percent-encoded; a watch always has allowWatchBookmarks=true.
std::string list_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                        const ListOptions& options);
std::string watch_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                         const WatchOptions& options);

enum class Accepted : std::uint8_t { json, protobuf, both };

// The Accept header: plain objects, or PartialObjectMetadata(List) with metadata_only. `both`: protobuf where the
// server has it for the resource, JSON else, as for custom resources.
std::string list_accept(const QueryOptions& query, Accepted accepted);
std::string watch_accept(const QueryOptions& query, Accepted accepted);
// By the Content-Type of a response.
bool is_protobuf(std::string_view content_type);

// What can be checked before any request: resources that are valid or may be names, valid namespaces, selectors without
// control characters. Whether they exist is for the server to say.
Expected<void> validate_query(const QueryOptions& query);

}  // namespace ksr::cluster
