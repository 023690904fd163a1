#include "server/list_handler.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

namespace ksr::testserver {
namespace {

namespace json = boost::json;

std::string item_text(const ApiRequest& request, const StoredObject& object) {
  return wants_metadata(request) ? metadata_only_text(object) : list_item_text(*request.type, object);
}

struct Page {
  std::string items;
  std::uint64_t revision = 0;
  std::string next;
  std::uint64_t remaining = 0;
};

// storage/continue.go: with a selector the remaining items are not counted.
bool counts_rest(const ApiRequest& request) {
  const Scope scope = Scope::of(request);
  return scope.labels.empty() && scope.fields.empty();
}

std::string list_text(const ApiRequest& request, const Page& page) {
  const ResourceType& type = *request.type;
  const bool partial = wants_metadata(request);
  const std::string kind = partial ? "PartialObjectMetadataList" : type.kind + "List";
  const std::string version = partial ? "meta.k8s.io/v1" : type.api_version();
  std::string metadata = "{\"resourceVersion\":\"" + std::to_string(page.revision) + "\"";
  if (!page.next.empty()) {
    metadata += ",\"continue\":\"" + page.next + "\"";
    if (page.remaining > 0 && counts_rest(request))
      metadata += ",\"remainingItemCount\":" + std::to_string(page.remaining);
  }
  if (const auto shard = Scope::of(request).shard) {
    metadata += ",\"shardInfo\":{\"selector\":\"" + shard->text() + "\"}";
  }
  metadata += "}";
  if (type.custom && !partial) {
    return "{\"apiVersion\":\"" + version + "\",\"items\":[" + page.items + "],\"kind\":\"" + kind +
           "\",\"metadata\":" + metadata + "}\n";
  }
  return "{\"kind\":\"" + kind + "\",\"apiVersion\":\"" + version + "\",\"metadata\":" + metadata + ",\"items\":[" +
         page.items + "]}\n";
}

void fill(Page& page, const ApiRequest& request, const Collection& collection, const std::string& start_key) {
  const Scope scope = Scope::of(request);
  const std::uint64_t limit = parse_number(request.target.get_or_empty("limit")).value_or(0);
  std::uint64_t count = 0;
  collection.visit(page.revision, start_key, [&](const ObjectPtr& object) {
    if (!scope.holds(*object)) return true;
    if (limit == 0 || count < limit) {
      page.items += page.items.empty() ? "" : ",";
      page.items += item_text(request, *object);
      ++count;
    } else {
      if (page.next.empty()) page.next = ContinueToken{page.revision, object->key()}.text();
      ++page.remaining;
    }
    return true;
  });
}

Reply json_reply(std::string body, unsigned status = 200) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

Reply endless_page(const ApiRequest& request, const RevisionLog& log) {
  Page page;
  page.revision = log.revision();
  page.next = ContinueToken{page.revision, "~"}.text();
  return json_reply(list_text(request, page));
}

json::object body_of(const ApiRequest& request) {
  const json::value parsed = json::parse(request.body);
  if (!parsed.is_object()) throw std::runtime_error("the body is not a JSON object");
  return parsed.get_object();
}

// generateName is followed by the revision, which no other object has.
std::string name_in(const json::object& body, std::uint64_t revision) {
  const json::object& metadata = body.at("metadata").as_object();
  if (const json::value* name = metadata.if_contains("name")) return std::string(name->as_string().c_str());
  return metadata.at("generateName").as_string().c_str() + std::to_string(revision);
}

}  // namespace

Reply status_reply(const ApiStatus& status) {
  Reply reply = json_reply(status.body() + "\n", status.code);
  if (status.retry_after_seconds > 0) {
    reply.headers.emplace_back("Retry-After", std::to_string(status.retry_after_seconds));
  }
  return reply;
}

Scope Scope::of(const ApiRequest& request) {
  Scope scope{request.ns, request.name, Selector::parse(request.target.get_or_empty("labelSelector")),
              Selector::parse(request.target.get_or_empty("fieldSelector")), std::nullopt};
  if (const auto shard = request.target.get("shardSelector")) scope.shard = ShardRange::parse(*shard);
  return scope;
}

bool Scope::holds(const StoredObject& object) const {
  return (ns.empty() || object.ns == ns) && (name.empty() || object.name == name) && labels.matches(object.labels) &&
         fields.matches(object.fields) && (!shard || shard->holds(object.uid));
}

bool wants_metadata(const ApiRequest& request) {
  return request.header("Accept").find("as=PartialObjectMetadata") != std::string::npos;
}

std::string huge_object(const ResourceType& type, std::uint64_t bytes, std::uint64_t revision) {
  std::string text = "{\"kind\":\"" + type.kind + "\",\"apiVersion\":\"" + type.api_version() +
                     "\",\"metadata\":{\"name\":\"huge\"" + (type.namespaced ? ",\"namespace\":\"default\"" : "") +
                     ",\"uid\":\"huge-uid\",\"resourceVersion\":\"" + std::to_string(revision) + "\"},\"data\":\"";
  if (bytes > text.size() + 2) text.append(bytes - text.size() - 2, 'x');
  return text + "\"}";
}

Reply list_objects(const ApiRequest& request, const RevisionLog& log, const Fault& fault) {
  if (fault.action == FaultAction::empty_pages) return endless_page(request, log);
  Page page;
  page.revision = log.revision();
  std::string start_key;
  const std::string token_text = request.target.get_or_empty("continue");
  const std::string asked = request.target.get_or_empty("resourceVersion");
  const std::string match = request.target.get_or_empty("resourceVersionMatch");
  if (!token_text.empty()) {
    const auto token = ContinueToken::parse(token_text);
    if (!token) return status_reply(bad_request("continue key is not valid: illegal base64 data"));
    if (token->revision && *token->revision < log.oldest(*request.type)) {
      return status_reply(too_old_continue(ContinueToken{std::nullopt, token->start_key}.text()));
    }
    page.revision = token->revision.value_or(log.revision());
    start_key = token->start_key;
  } else if (const auto revision = parse_number(asked); revision && *revision > 0) {
    if (*revision > log.revision()) return status_reply(too_large(*revision, log.revision()));
    if (match == "Exact") {
      if (*revision < log.oldest(*request.type)) return status_reply(too_old_list());
      page.revision = *revision;
    }
  }
  if (fault.action == FaultAction::inject) page.items = fault.text;
  if (fault.action == FaultAction::huge) page.items = huge_object(*request.type, fault.bytes, page.revision);
  fill(page, request, log.collection(*request.type), start_key);
  return json_reply(list_text(request, page));
}

Reply get_object(const ApiRequest& request, const RevisionLog& log) {
  const ObjectPtr object = log.collection(*request.type).find(object_key(request.ns, request.name));
  if (!object) return status_reply(not_found(*request.type, request.name));
  return json_reply((wants_metadata(request) ? metadata_only_text(*object) : object->text) + "\n");
}

Reply write_object(const ApiRequest& request, RevisionLog& log) {
  const ResourceType& type = *request.type;
  const std::string key = object_key(request.ns, request.name);
  const bool there = log.collection(type).find(key) != nullptr;
  if (request.method == "POST") {
    const json::object body = body_of(request);
    const std::string name = name_in(body, log.revision());
    if (log.collection(type).find(object_key(request.ns, name))) return status_reply(already_exists(type, name));
    return json_reply(log.create(type, request.ns, name, body).object->text + "\n", 201);
  }
  if (!there) return status_reply(not_found(type, request.name));
  if (request.method == "PUT") return json_reply(log.replace(type, key, body_of(request)).object->text + "\n");
  if (request.method == "PATCH") {
    return json_reply(log.merge(type, key, json::parse(request.body)).object->text + "\n");
  }
  if (request.method == "DELETE") return json_reply(log.remove(type, key).object->text + "\n");
  return status_reply(status_of_code(405));
}

}  // namespace ksr::testserver
