#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "json/document.hpp"
#include "request/media_types.hpp"
#include "request/params.hpp"

namespace ksr::request {
namespace {

constexpr unsigned bit(Verb verb) {
  return 1U << static_cast<unsigned>(verb);
}
constexpr unsigned kObjectWrites = bit(Verb::create) | bit(Verb::update) | bit(Verb::patch) | bit(Verb::apply);
constexpr unsigned kDeletes = bit(Verb::remove) | bit(Verb::remove_collection);
constexpr unsigned kCollections = bit(Verb::list) | bit(Verb::remove_collection);
constexpr unsigned kNamed = kObjectWrites | bit(Verb::get) | bit(Verb::remove);
constexpr unsigned kWithResource = kNamed | kCollections;

struct VerbsOfKey {
  std::string_view key;
  unsigned verbs;
  const char* expected;
};

constexpr VerbsOfKey kVerbsOfKeys[] = {
    {"method", bit(Verb::raw), "a path without a verb"},
    {"scope", bit(Verb::raw), "a path without a verb"},
    {"resource", kWithResource, "a verb without a path"},
    {"namespace", kWithResource, "a verb without a path"},
    {"name", kNamed, "get, create, update, patch, apply or delete"},
    {"subresource", kNamed, "get, create, update, patch, apply or delete"},
    {"patch_type", bit(Verb::patch), "patch"},
    {"field_manager", kObjectWrites, "create, update, patch or apply"},
    {"force", bit(Verb::apply), "apply"},
    {"dry_run", kObjectWrites | kDeletes, "create, update, patch, apply, delete or deletecollection"},
    {"field_validation", kObjectWrites, "create, update, patch or apply"},
    {"propagation", kDeletes, "delete or deletecollection"},
    {"grace_period", kDeletes, "delete or deletecollection"},
    {"precondition_uid", bit(Verb::remove), "delete"},
    {"label_selector", kCollections, "list or deletecollection"},
    {"field_selector", kCollections, "list or deletecollection"},
};

Error bad_key(const char* key, const std::string& what) {
  return {Status::invalid, std::string("params key ") + key + ": " + what};
}

Expected<void> check_keys(const Params& params, Verb verb) {
  for (const std::string& key : params.keys) {
    if (is_channel_key(key)) return bad_key(key.c_str(), "is for channels; expected a key of requests");
    for (const VerbsOfKey& rule : kVerbsOfKeys) {
      if (key == rule.key && (rule.verbs & bit(verb)) == 0) {
        return bad_key(key.c_str(), std::string("does not go with this request; expected ") + rule.expected);
      }
    }
  }
  return {};
}

bool deletes_with_options(const Params& params) {
  return !params.propagation.empty() || !params.precondition_uid.empty() || params.grace_period_seconds ||
         params.dry_run;
}

// apiserver pkg/endpoints/handlers/delete.go: with a body, which options are sent as, these are not read from the
// query.
Expected<void> check_query_of_delete(const Params& params, bool has_body) {
  constexpr std::string_view kOptions[] = {"dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"};
  for (const auto& [name, value] : params.query) {
    if (!has_body || std::find(std::begin(kOptions), std::end(kOptions), name) == std::end(kOptions)) continue;
    return bad_key(("query." + name).c_str(),
                   "is not read by the server beside a body or dry_run, grace_period, precondition_uid or propagation; "
                   "expected one of both");
  }
  return {};
}

Expected<void> check_target(const Params& params, Verb verb) {
  if (verb == Verb::raw) {
    if (params.path.empty()) return bad_key("path", "is not set; expected a path such as /healthz, or a verb");
    return {};
  }
  if (params.resources.empty()) return bad_key("resource", "is not set; expected a resource such as v1/pods");
  const bool named = (bit(verb) & kNamed) != 0 && verb != Verb::create;
  if (params.name.empty() && (named || !params.subresource.empty())) {
    return bad_key("name", "is not set; expected the name of the object");
  }
  if (verb == Verb::apply && params.field_manager.empty()) {
    return bad_key("field_manager", "is not set; apply needs the name of who applies");
  }
  return {};
}

bool has_content_type(const Params& params) {
  return std::any_of(params.headers.begin(), params.headers.end(),
                     [](const auto& header) { return equal_ignoring_case(header.first, "content-type"); });
}

Error bad_body(const std::string& what) {
  return {Status::invalid, "params body: " + what};
}

Expected<void> check_json(const Params& params, Verb verb) {
  const bool json_patch = verb == Verb::patch && params.patch_type == PatchType::json;
  const json::ValueKind wanted = json_patch ? json::ValueKind::array : json::ValueKind::object;
  const std::optional<json::ValueKind> kind = json::document_kind(*params.body);
  const std::string expected_kind = std::string("expected ") + json::kind_name(wanted) + " in JSON";
  if (!kind) return bad_body("is not JSON; " + expected_kind);
  if (*kind != wanted) return bad_body(std::string("is ") + json::kind_name(*kind) + "; " + expected_kind);
  return {};
}

Expected<void> check_body(const Params& params, Verb verb) {
  const bool empty = !params.body || params.body->empty();
  switch (verb) {
    case Verb::create:
    case Verb::update:
    case Verb::patch:
    case Verb::apply:
      if (empty) return bad_body("is empty; this verb needs one");
      // Another kind of body is the caller's own business, unless the library has to give it a type.
      if (verb != Verb::apply && (has_content_type(params) || is_protobuf(*params.body))) return {};
      return check_json(params, verb);
    case Verb::remove:
    case Verb::remove_collection:
      if (!empty && deletes_with_options(params)) {
        return bad_body("is set, and so are options of the deletion; expected one of both");
      }
      return check_query_of_delete(params, !empty || deletes_with_options(params));
    case Verb::get:
    case Verb::list:
      return empty ? Expected<void>() : bad_body("is set, but this verb has none");
    case Verb::raw:
      break;
  }
  const bool reads = params.method.empty() || params.method == "GET" || params.method == "HEAD";
  return empty || !reads ? Expected<void>() : bad_body("is set, but this method has none");
}

// What a method does with a resource, or with the object that is named.
Verb verb_of_method(const Params& params) {
  if (params.method == "POST") return Verb::create;
  if (params.method == "PUT") return Verb::update;
  if (params.method == "PATCH") return Verb::patch;
  if (params.method == "DELETE") return Verb::remove;
  return params.name.empty() ? Verb::list : Verb::get;
}

}  // namespace

Verb verb_of(const Params& params) {
  if (params.verb) return *params.verb;
  return params.path.empty() && params.method.empty() ? Verb::get : Verb::raw;
}

Expected<void> check_params(const Params& params) {
  const Verb verb = verb_of(params);
  if (params.verb && (!params.path.empty() || !params.method.empty())) {
    return bad_key("verb", "is set, and so is path or method; expected one of both");
  }
  if (Expected<void> fine = check_keys(params, verb); !fine) return fine;
  if (Expected<void> fine = check_target(params, verb); !fine) return fine;
  return check_body(params, verb);
}

Expected<void> check_raw_channel(const Params& params) {
  if (params.path.empty() == params.resources.empty()) {
    return bad_key("path", "expected a path such as /healthz, or a resource such as v1/pods");
  }
  if (params.resources.empty()) {
    for (const char* key : {"namespace", "name", "subresource"}) {
      if (params.has(key)) return bad_key(key, "does not go with path; expected resource in its place");
    }
  } else {
    if (params.has("scope")) return bad_key("scope", "does not go with resource; expected path in its place");
    const Verb verb = verb_of_method(params);
    if (Expected<void> fine = check_target(params, verb); !fine) return fine;
    if (verb == Verb::create && !params.name.empty() && params.subresource.empty()) {
      return bad_key("name", "does not go with POST, unless it is to a subresource");
    }
  }
  return check_body(params, Verb::raw);
}

}  // namespace ksr::request
