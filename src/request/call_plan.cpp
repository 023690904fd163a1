#include "request/call_plan.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/query_string.hpp"
#include "base/text.hpp"
#include "json/json_pointer.hpp"
#include "json/unescape.hpp"
#include "request/media_types.hpp"

namespace ksr::request {
namespace {

constexpr const char* kTimeout = "timeout";

// Parameters in the order in which they are added, each name by a key or by query.NAME, never by both.
class Query {
 public:
  // `key`: what has set it; empty for query.NAME.
  void add(std::string_view name, std::string_view value, const char* key) {
    by_keys_.emplace_back(name, key);
    query_.add(name, value);
  }
  void add_if_set(std::string_view name, std::string_view value, const char* key) {
    if (!value.empty()) add(name, value, key);
  }
  Expected<void> add_own(std::string_view name, std::string_view value) {
    for (const auto& [taken, key] : by_keys_) {
      if (taken == name) {
        return Error{Status::invalid, "params key query." + one_line(name) + ": is set by the key " + key + " too"};
      }
    }
    query_.add(name, value);
    return {};
  }
  std::string after(std::string path) const { return query_.after(std::move(path)); }

 private:
  std::vector<std::pair<std::string, std::string>> by_keys_;
  QueryString query_;
};

const char* method_of(Verb verb) {
  switch (verb) {
    case Verb::create:
      return "POST";
    case Verb::update:
      return "PUT";
    case Verb::patch:
    case Verb::apply:
      return "PATCH";
    case Verb::remove:
    case Verb::remove_collection:
      return "DELETE";
    case Verb::get:
    case Verb::list:
    case Verb::raw:
      break;
  }
  return "GET";
}

std::string method_of(const Params& params) {
  const Verb verb = verb_of(params);
  return verb == Verb::raw && !params.method.empty() ? params.method : method_of(verb);
}

const char* name_of(Verb verb) {
  switch (verb) {
    case Verb::get:
      return "get";
    case Verb::list:
      return "list";
    case Verb::create:
      return "create";
    case Verb::update:
      return "update";
    case Verb::patch:
      return "patch";
    case Verb::remove:
      return "delete";
    case Verb::remove_collection:
      return "deletecollection";
    case Verb::apply:
      return "apply";
    case Verb::raw:
      break;
  }
  return "request";
}

bool is_delete(Verb verb) {
  return verb == Verb::remove || verb == Verb::remove_collection;
}

// A POST has the name in its path only before a subresource.
bool has_name_in_path(const Params& params, Verb verb) {
  return !params.name.empty() && (verb != Verb::create || !params.subresource.empty());
}

std::string path_of(const Params& params, Verb verb, const cluster::Resource& resource, const std::string& name_space) {
  std::string path = resource.root;
  if (!name_space.empty()) path += "/namespaces/" + percent_encode(name_space);
  path += "/" + resource.plural;
  if (has_name_in_path(params, verb)) path += "/" + percent_encode(params.name);
  if (!params.subresource.empty()) path += "/" + params.subresource;
  return path;
}

// The name that a new object gets is the body's.
Expected<void> check_created_name(const Params& params, Verb verb) {
  if (verb != Verb::create || params.name.empty() || !params.subresource.empty()) return {};
  const auto written = json::find_pointer(*params.body, "/metadata/name");
  std::string name;
  if (written && written->size() >= 2) json::unescape(written->substr(1, written->size() - 2), name);
  if (written && name == params.name) return {};
  return Error{Status::invalid, "params key name: differs from metadata.name in the body, which names the new object"};
}

void append_member(std::string& object, std::string_view name, const std::string& value) {
  object += ",\"" + std::string(name) + "\":" + value;
}

std::string json_string(std::string_view text) {
  std::string quoted;
  json::append_json_string(text, quoted);
  return quoted;
}

// apiserver pkg/endpoints/handlers/delete.go: with a body the query is not read, so all options are in one place.
std::string delete_options(const Params& params) {
  std::string members;
  if (!params.propagation.empty()) append_member(members, "propagationPolicy", json_string(params.propagation));
  if (params.grace_period_seconds) {
    append_member(members, "gracePeriodSeconds", std::to_string(*params.grace_period_seconds));
  }
  if (!params.precondition_uid.empty()) {
    append_member(members, "preconditions", "{\"uid\":" + json_string(params.precondition_uid) + "}");
  }
  if (params.dry_run) append_member(members, "dryRun", "[\"All\"]");
  return members.empty() ? std::string() : R"({"kind":"DeleteOptions","apiVersion":"v1")" + members + "}";
}

void add_keys(Query& query, const Params& params, Verb verb) {
  query.add_if_set("labelSelector", params.label_selector, "label_selector");
  query.add_if_set("fieldSelector", params.field_selector, "field_selector");
  query.add_if_set("fieldManager", params.field_manager, "field_manager");
  query.add_if_set("fieldValidation", params.field_validation, "field_validation");
  if (params.force) query.add("force", "true", "force");
  if (params.dry_run && !is_delete(verb)) query.add("dryRun", "All", "dry_run");
}

bool has_query(const Params& params, std::string_view name) {
  return std::any_of(params.query.begin(), params.query.end(), [name](const auto& pair) { return pair.first == name; });
}

const std::string* own_header(const Params& params, std::string_view name) {
  for (const auto& [held, value] : params.headers) {
    if (equal_ignoring_case(held, name)) return &value;
  }
  return nullptr;
}

}  // namespace

Expected<CallPlan> plan_call(const Params& params, const cluster::Resource* resource, const std::string& name_space) {
  const Verb verb = verb_of(params);
  if (Expected<void> fine = check_created_name(params, verb); !fine) return fine.error();
  CallPlan plan;
  plan.method = method_of(params);
  plan.safe = is_safe(params);
  plan.tell_timeout = !plan.safe && verb != Verb::raw && !has_query(params, kTimeout);
  Query query;
  add_keys(query, params, verb);
  for (const auto& [name, value] : params.query) {
    if (Expected<void> added = query.add_own(name, value); !added) return added.error();
  }
  plan.target = query.after(resource == nullptr ? params.path : path_of(params, verb, *resource, name_space));
  plan.body = is_delete(verb) && !params.body ? delete_options(params) : params.body.value_or("");
  const std::string* accept = own_header(params, "accept");
  plan.headers.push_back({"Accept", accept != nullptr ? *accept : accept_header(params.accept, verb)});
  if (!plan.body.empty()) {
    const std::string* type = own_header(params, "content-type");
    plan.headers.push_back({"Content-Type", type != nullptr ? *type : content_type_of(params, verb)});
  }
  for (const auto& [name, value] : params.headers) {
    if (!equal_ignoring_case(name, "accept") && !equal_ignoring_case(name, "content-type")) {
      plan.headers.push_back({name, value});
    }
  }
  return plan;
}

bool is_safe(const Params& params) {
  return transport::is_safe_method(method_of(params));
}

std::string target_with_timeout(const CallPlan& plan, Milliseconds left) {
  Query query;
  query.add(kTimeout, std::to_string(std::max<Milliseconds::rep>(left.count(), 1)) + "ms", kTimeout);
  return query.after(plan.target);
}

ErrorContext context_of(const Params& params, const cluster::Resource* resource, const std::string& name_space,
                        const std::string& server) {
  const Verb verb = verb_of(params);
  if (verb == Verb::raw) {
    // A query may hold a secret.
    return {params.method.empty() ? "GET" : params.method, one_line(params.path.substr(0, params.path.find('?'))), "",
            server};
  }
  std::string what;
  if (resource != nullptr) {
    what = resource->display;
  } else {
    for (const std::string& name : params.resources) what += (what.empty() ? "" : ",") + name;
    what = one_line(what);
  }
  if (!params.subresource.empty()) what += "/" + params.subresource;
  if (!params.name.empty()) what += " " + in_quotes(params.name);
  return {name_of(verb), what, name_space, server};
}

}  // namespace ksr::request
