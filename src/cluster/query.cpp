#include "cluster/query.hpp"

#include <algorithm>

#include "base/field_selector.hpp"
#include "base/query_string.hpp"
#include "base/text.hpp"
#include "protobuf/media_type.hpp"

namespace ksr::cluster {
namespace {

std::string collection_path(const Resource& resource, std::string_view name_space) {
  std::string path = resource.root;
  if (!name_space.empty()) path += "/namespaces/" + percent_encode(name_space);
  return path + "/" + resource.plural;
}

void add_selectors(QueryString& text, const QueryOptions& query, const std::string& name = {}) {
  text.add_if_set("labelSelector", query.label_selector);
  std::string fields = query.field_selector;
  if (!name.empty()) fields += (fields.empty() ? "" : ",") + name_selector(name);
  text.add_if_set("fieldSelector", fields);
  // Servers that do not know it ignore it.
  if (query.shard) text.add("shardSelector", query.shard->selector());
}

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kProtobuf = protobuf::kMediaType;

// In the order of preference (apiserver pkg/endpoints/handlers/negotiation). `of_type`: ";stream=watch", ";as=…".
std::string accept(Accepted accepted, const std::string& of_type) {
  std::string text;
  if (accepted != Accepted::json) text.append(kProtobuf).append(of_type);
  if (accepted == Accepted::both) text += ',';
  if (accepted != Accepted::protobuf) text.append(kJson).append(of_type);
  return text;
}

// Plain JSON as the last choice: an aggregated API that cannot make partial objects still answers
// (k8s.io/client-go/metadata).
std::string partial_metadata(const char* kind, Accepted accepted) {
  std::string text = accept(accepted, std::string(";as=") + kind + ";g=meta.k8s.io;v=v1");
  if (accepted != Accepted::protobuf) text.append(",").append(kJson);
  return text;
}

}  // namespace

std::string list_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                        const ListOptions& options) {
  QueryString text;
  add_selectors(text, query);
  if (options.limit > 0) text.add("limit", std::to_string(options.limit));
  text.add_if_set("resourceVersion", options.resource_version);
  text.add_if_set("resourceVersionMatch", options.resource_version_match);
  text.add_if_set("continue", options.continue_token);
  return text.after(collection_path(resource, name_space));
}

std::string watch_target(const Resource& resource, const QueryOptions& query, std::string_view name_space,
                         const WatchOptions& options) {
  QueryString text;
  text.add("watch", "true");
  text.add("allowWatchBookmarks", "true");
  add_selectors(text, query, options.name);
  text.add_if_set("resourceVersion", options.resource_version);
  text.add_if_set("resourceVersionMatch", options.resource_version_match);
  if (options.send_initial_events) text.add("sendInitialEvents", "true");
  if (options.timeout.count() > 0) text.add("timeoutSeconds", std::to_string(options.timeout.count()));
  return text.after(collection_path(resource, name_space));
}

std::string list_accept(const QueryOptions& query, Accepted accepted) {
  return query.metadata_only ? partial_metadata("PartialObjectMetadataList", accepted) : accept(accepted, "");
}

std::string watch_accept(const QueryOptions& query, Accepted accepted) {
  if (query.metadata_only) return partial_metadata("PartialObjectMetadata", accepted);
  return accept(accepted, accepted == Accepted::json ? "" : ";stream=watch");
}

bool is_protobuf(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  return equal_ignoring_case(type, kProtobuf);
}

Expected<void> validate_query(const QueryOptions& query) {
  if (query.resources.empty()) {
    return Error{Status::invalid, "resource: is not set; expected a resource such as v1/pods"};
  }
  for (const std::string& name : query.resources) {
    const auto parsed = parse_resource(name);
    if (const Error* error = parsed.if_error()) return *error;
  }
  for (auto name_space = query.namespaces.begin(); name_space != query.namespaces.end(); ++name_space) {
    if (!is_dns_label(*name_space)) {
      return Error{Status::invalid,
                   "namespace: " + in_quotes(*name_space) +
                       " is not a valid namespace; expected lower case letters, digits and '-', at most 63"};
    }
    if (std::find(query.namespaces.begin(), name_space, *name_space) != name_space) {
      return Error{Status::invalid, "namespace: " + in_quotes(*name_space) + " is duplicated"};
    }
  }
  if (has_control_characters(query.label_selector)) {
    return Error{Status::invalid, "label_selector: has control characters; expected a selector such as app=web"};
  }
  if (has_control_characters(query.field_selector)) {
    return Error{Status::invalid,
                 "field_selector: has control characters; expected a selector such as spec.nodeName=n1"};
  }
  return {};
}

}  // namespace ksr::cluster
