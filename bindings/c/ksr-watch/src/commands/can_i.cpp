#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/json_text.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

// What an authorizer may know though no server has it (k8s.io/kubectl/pkg/cmd/auth/cani.go).
bool is_known_without_a_server(std::string_view name) {
  return name == "users" || name == "groups";
}

template <std::size_t count>
bool is_one_of(const std::string& verb, const char* const (&known)[count]) {
  return std::any_of(std::begin(known), std::end(known), [&](const char* one) { return verb == one; });
}

void warn_of_verb(Session& session, const std::string& verb, bool of_resources) {
  static constexpr const char* kOfResources[] = {
      "get", "list", "watch",       "create", "update",  "patch", "delete",   "deletecollection",
      "use", "bind", "impersonate", "*",      "approve", "sign",  "escalate", "attest"};
  static constexpr const char* kOfPaths[] = {"get", "put", "post", "head", "options", "delete", "patch", "*"};
  if (!(of_resources ? is_one_of(verb, kOfResources) : is_one_of(verb, kOfPaths))) {
    session.report().warning("verb '" + verb + "' is not a known verb");
  }
}

Expected<json::object> attributes_of(Session& session, const std::string& verb, const std::string& what) {
  const Arguments& arguments = session.arguments();
  const std::size_t slash = what.find('/');
  const std::string type = what.substr(0, slash);
  json::object attributes{{"verb", verb}, {"resource", type}};
  if (slash != std::string::npos) attributes["name"] = what.substr(slash + 1);
  if (arguments.has_text("--subresource")) attributes["subresource"] = arguments.text("--subresource");
  if (!arguments.flag("--all-namespaces")) {
    const std::string& name_space = session.default_namespace();
    if (name_space.empty())
      return usage_error("the namespace of the context cannot be told; expected --namespace or -A");
    attributes["namespace"] = name_space;
  }
  if (type == "*") return attributes;
  Expected<cluster::Resource> found = session.find_resource(type);
  if (const Error* error = found.if_error()) {
    if (error->status != Status::not_found) return *error;
    if (!is_known_without_a_server(type)) session.report().warning(error->message);
    return attributes;
  }
  const std::string group = group_of(*found);
  attributes["resource"] = found->plural;
  if (!group.empty()) attributes["group"] = group;
  if (found->namespaced == false && !arguments.flag("--all-namespaces")) {
    session.report().warning("resource '" + found->plural + "' is not namespace scoped" +
                             (group.empty() ? "" : " in group '" + group + "'"));
  }
  return attributes;
}

}  // namespace

Expected<void> run_can_i(Session& session, Outcome& outcome) {
  const Arguments& arguments = session.arguments();
  if (arguments.words.size() != 2) {
    return usage_error("you must specify two arguments: verb resource or verb resource/resourceName");
  }
  const std::string& verb = arguments.words[0];
  const std::string& what = arguments.words[1];
  json::object spec;
  const bool is_path = what.rfind('/', 0) == 0;
  if (is_path && arguments.has_text("--subresource"))
    return usage_error("--subresource can not be used with NonResourceURL");
  if (is_path) {
    spec["nonResourceAttributes"] = json::object{{"verb", verb}, {"path", what}};
  } else {
    Expected<json::object> attributes = attributes_of(session, verb, what);
    if (!attributes) return attributes.error();
    spec["resourceAttributes"] = *std::move(attributes);
  }
  warn_of_verb(session, verb, !is_path);
  Request request{{{"verb", "create"}, {"resource", "authorization.k8s.io/v1/selfsubjectaccessreviews"}}, ""};
  request.body = json_body(json::object{
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SelfSubjectAccessReview"}, {"spec", std::move(spec)}});
  const Answer answer = session.client().call_for_object(std::move(request));
  if (answer.failed()) {
    session.report().failure(answer.failure());
    return {};
  }
  const json::value& review = answer.object();
  const json::value* answered = value_at(review, {"status", "allowed"});
  const bool allowed = answered != nullptr && answered->is_bool() && answered->get_bool();
  outcome.status = allowed ? 0 : 1;
  if (arguments.flag("--quiet")) return {};
  std::string line = allowed ? "yes" : "no";
  for (const char* field : {"reason", "evaluationError"}) {
    const std::string text = text_at(review, {"status", field});
    if (!allowed && !text.empty()) line += " - " + shown(one_line(text));
  }
  session.output().write(line + "\n");
  return {};
}

}  // namespace ksr::commands
