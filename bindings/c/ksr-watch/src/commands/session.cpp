#include "commands/session.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "cluster/find_connection_spec.hpp"
#include "commands/manifests.hpp"
#include "commands/no_log.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

// KEP-3352, aggregated discovery; the plain documents are for servers before Kubernetes 1.27.
constexpr const char* kDiscoveryAccept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

Error no_such_type(const std::string& name) {
  return {Status::not_found, "the server doesn't have a resource type " + in_quotes(name)};
}

// v1 is the core group's.
std::pair<std::string, std::string> group_and_version(const std::string& api_version) {
  const std::size_t slash = api_version.find('/');
  if (slash == std::string::npos) return {"", api_version};
  return {api_version.substr(0, slash), api_version.substr(slash + 1)};
}

}  // namespace

Expected<std::vector<cluster::ApiResource>> Session::resources_of(const cluster::GroupVersion& version) {
  const Answer list = client_.call({{{"path", version.path()}}, ""});
  if (!list.failed()) {
    auto resources = cluster::parse_resource_list(list.body(), version);
    if (const Error* error = resources.if_error()) return error->within("GET " + version.path());
    return resources;
  }
  // It has been removed meanwhile.
  if (list.failure().code == KSR_E_NOT_FOUND) return std::vector<cluster::ApiResource>();
  return Error{Status::server, line_of(list.failure())};
}

Expected<void> Session::discover() {
  if (mapper_) return {};
  cluster::RestMapper mapper;
  std::optional<Failure> failure;
  bool any = false;
  for (const char* path : {"/api", "/apis"}) {
    const Answer answer = client_.call({{{"path", path}, {"header.Accept", kDiscoveryAccept}}, ""});
    // A server with groups alone has no /api.
    if (answer.failed()) {
      if (answer.failure().code != KSR_E_NOT_FOUND) return Error{Status::server, line_of(answer.failure())};
      failure = answer.failure();
      continue;
    }
    any = true;
    Expected<cluster::DiscoveryRoot> root = cluster::parse_discovery_root(answer.body());
    if (!root) return root.error();
    for (cluster::DiscoveredVersion& version : root->versions) {
      Expected<std::vector<cluster::ApiResource>> resources =
          version.resources ? *std::move(version.resources) : resources_of(version.of);
      // One group whose server is down does not hide the others.
      if (!resources) {
        mapper.add_unread({version.of.group, version.of.version, std::move(resources).error()});
        continue;
      }
      for (cluster::ApiResource& resource : *resources) mapper.add(std::move(resource));
    }
  }
  if (!any) return Error{Status::server, line_of(*failure)};
  mapper_ = std::move(mapper);
  return {};
}

Expected<cluster::Resource> Session::find_resource(const std::string& name) {
  if (Expected<void> known = discover(); !known) return known.error();
  Expected<cluster::Resource> found = mapper_->find(name, false);
  if (const Error* error = found.if_error()) {
    return error->status == Status::not_found ? no_such_type(name) : *error;
  }
  for (const std::string& other : mapper_->others_of_short_name(name)) {
    report_.warning("short name " + in_quotes(name) + " could also match lower priority resource " + other);
  }
  return found;
}

Expected<cluster::Resource> Session::find_kind(const std::string& api_version, const std::string& kind) {
  if (Expected<void> known = discover(); !known) return known.error();
  const auto [group, version] = group_and_version(api_version);
  const std::string root = (group.empty() ? "/api/" : "/apis/" + group + "/") + version;
  Expected<cluster::Resource> found = mapper_->find(kind + "." + version + (group.empty() ? "" : "." + group), false);
  if (found && found->kind == kind && found->root == root) return found;
  if (const Error* error = found.if_error(); error != nullptr && error->status != Status::not_found) return *error;
  return Error{Status::not_found, "no matches for kind " + in_quotes(kind) + " in version " + in_quotes(api_version)};
}

Expected<void> Session::check_namespace(const Manifest& manifest, const cluster::Resource& resource) const {
  const std::string given = given_namespace();
  // That of a cluster-scoped object is ignored, as by kubectl and the server.
  if (resource.namespaced == false || given.empty() || manifest.name_space.empty() || given == manifest.name_space) {
    return {};
  }
  return usage_error("the namespace from the provided object " + in_quotes(manifest.name_space) +
                     " does not match the namespace " + in_quotes(given) +
                     ". You must pass '--namespace=" + one_line(manifest.name_space) + "' to perform this operation.");
}

Expected<std::vector<TypeAndName>> Session::named() const {
  const std::vector<std::string>& words = arguments_.words;
  std::vector<TypeAndName> named;
  const auto has_slash = [](const std::string& word) { return word.find('/') != std::string::npos; };
  if (std::any_of(words.begin(), words.end(), has_slash)) {
    for (const std::string& word : words) {
      const std::size_t slash = word.find('/');
      if (slash == std::string::npos) {
        return usage_error("there is no need to give a type beside TYPE/NAME; expected TYPE/NAME in place of " +
                           in_quotes(word));
      }
      const std::string name = word.substr(slash + 1);
      if (slash == 0 || name.empty() || has_slash(name)) {
        return usage_error("arguments in resource/name form must have a single resource and name: " + in_quotes(word));
      }
      named.push_back({word.substr(0, slash), name});
    }
    return named;
  }
  if (words.empty()) return named;
  // Else it would stand for all objects of the type.
  if (std::any_of(words.begin() + 1, words.end(), [](const std::string& name) { return name.empty(); })) {
    return usage_error("resource name may not be empty");
  }
  std::set<std::string_view> seen;
  for (const std::string_view type : split(words.front(), ',')) {
    if (type.empty()) return usage_error("expected a type such as pods in " + in_quotes(words.front()));
    if (!seen.insert(type).second) continue;
    if (words.size() == 1) named.push_back({std::string(type), ""});
    for (std::size_t i = 1; i < words.size(); ++i) named.push_back({std::string(type), words[i]});
  }
  return named;
}

// A type without a name that was there before is that again (cli-runtime pkg/resource/builder.go, resourceMappings).
Expected<std::vector<Target>> Session::resolve(const std::vector<TypeAndName>& named) {
  std::vector<Target> targets;
  const auto add = [&targets](cluster::Resource resource, const std::string& name) {
    const bool again = name.empty() && std::any_of(targets.begin(), targets.end(), [&](const Target& target) {
                         return target.name.empty() && target.resource.root == resource.root &&
                                target.resource.plural == resource.plural;
                       });
    if (!again) targets.push_back({std::move(resource), name, ""});
  };
  for (const TypeAndName& one : named) {
    if (Expected<void> known = discover(); !known) return known.error();
    // A category, such as all, stands for its types; kubectl looks for it first.
    const std::vector<cluster::Resource> types = mapper_->in_category(one.type);
    for (const cluster::Resource& type : types) add(type, one.name);
    if (!types.empty()) {
      for (const Error& error : mapper_->unread()) {
        report_.warning("what is " + one_line(one.type) + " may be incomplete: " + error.message);
      }
      continue;
    }
    Expected<cluster::Resource> resource = find_resource(one.type);
    if (!resource) return resource.error();
    add(*std::move(resource), one.name);
  }
  return targets;
}

std::string Session::namespace_key(const Target& target) const {
  if (target.resource.namespaced == false) return "";
  if (!target.name_space.empty()) return target.name_space;
  if (target.name.empty() && arguments_.flag("--all-namespaces")) return "";
  return given_namespace().empty() ? "@context" : given_namespace();
}

// As the library finds it; it has no function that tells.
const std::string& Session::default_namespace() {
  if (default_namespace_) return *default_namespace_;
  if (!given_namespace().empty()) return default_namespace_.emplace(given_namespace());
  cluster::ConnectionOptions options;
  for (const Setting& setting : arguments_.settings) {
    if (setting.key == "kubeconfig") options.kubeconfig = setting.value;
    if (setting.key == "context") options.context = setting.value;
    if (setting.key == "server") options.server = setting.value;
    // Headlamp has contexts of its own.
    if (setting.key == "headlamp_url") return default_namespace_.emplace();
  }
  NoLog log;
  const auto spec = cluster::find_connection_spec(options, cluster::process_environment(), log);
  if (!spec) return default_namespace_.emplace();
  return default_namespace_.emplace(spec->default_namespace.empty() ? "default" : spec->default_namespace);
}

Request Session::request(const char* verb, const Target& target) const {
  return {{{"verb", verb},
           {"resource", target.resource.display},
           {"namespace", namespace_key(target)},
           {"name", target.name}},
          ""};
}

std::string group_of(const cluster::Resource& resource) {
  constexpr std::string_view kGroups = "/apis/";
  if (resource.root.rfind(kGroups, 0) != 0) return "";
  return resource.root.substr(kGroups.size(), resource.root.rfind('/') - kGroups.size());
}

std::string kind_prefix(const cluster::Resource& resource) {
  const std::string group = group_of(resource);
  return lower_case(resource.kind) + (group.empty() ? "" : "." + group);
}

std::string kind_prefix(const std::string& api_version, const std::string& kind) {
  const std::string group = group_and_version(api_version).first;
  return lower_case(kind) + (group.empty() ? "" : "." + group);
}

Expected<std::vector<Target>> Session::in_files(Unknown unknown) {
  if (!arguments_.words.empty()) {
    return usage_error("when -f is given, resources cannot be given as arguments as well");
  }
  const Expected<std::vector<Manifest>> manifests =
      read_manifests(arguments_.all("--filename"), arguments_.flag("--recursive"));
  if (!manifests) return manifests.error();
  for (const Manifest& manifest : *manifests) {
    if (manifest.name.empty()) return usage_error(manifest.source + ": an object has no name");
  }
  std::vector<Target> targets;
  for (const Manifest& manifest : *manifests) {
    Expected<cluster::Resource> resource = find_kind(manifest.api_version, manifest.kind);
    if (const Error* error = resource.if_error()) {
      if (unknown == Unknown::refused) return *error;
      report_.error(*error);
      continue;
    }
    if (Expected<void> fine = check_namespace(manifest, *resource); !fine) return fine.error();
    targets.push_back({*std::move(resource), manifest.name, manifest.name_space, manifest.source});
  }
  return targets;
}

}  // namespace ksr::commands
