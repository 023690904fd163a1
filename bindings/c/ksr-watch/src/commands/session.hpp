// `Session` is what a command works with: its arguments, the client, what the cluster serves, the namespace that is
// meant; `Target` is one thing to ask for. Used by all commands. Main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/discovery_documents.hpp"
#include "cluster/resource.hpp"
#include "cluster/rest_mapper.hpp"
#include "commands/arguments.hpp"
#include "commands/client.hpp"
#include "commands/output.hpp"
#include "commands/report.hpp"

namespace ksr::commands {

struct Manifest;

struct Target {
  cluster::Resource resource;
  // Empty: all that are selected.
  std::string name;
  // Of an object that names its own; else the session's.
  std::string name_space;
  // The file that it is from; for messages.
  std::string source = "";
};

// TYPE[,TYPE...] [NAME...], or TYPE/NAME...
struct TypeAndName {
  std::string type;
  // Empty: all that are selected.
  std::string name;
};

class Session {
 public:
  Session(const Arguments& arguments, Client client, Output& output, Report& report)
      : arguments_(arguments), client_(std::move(client)), output_(output), report_(report) {}

  const Arguments& arguments() const noexcept { return arguments_; }
  Client& client() noexcept { return client_; }
  Output& output() noexcept { return output_; }
  Report& report() noexcept { return report_; }

  // By a name as kubectl takes it. Asks the cluster for what it serves, once.
  Expected<cluster::Resource> find_resource(const std::string& name);
  Expected<cluster::Resource> find_kind(const std::string& api_version, const std::string& kind);
  // An error where an object that a file has is of another namespace than --namespace: nothing is to be done then.
  Expected<void> check_namespace(const Manifest& manifest, const cluster::Resource& resource) const;

  // What the words of the command name, as far as it can be told without the cluster.
  Expected<std::vector<TypeAndName>> named() const;
  Expected<std::vector<Target>> resolve(const std::vector<TypeAndName>& named);
  enum class Unknown : std::uint8_t {
    refused,
    // And the rest of the files is taken.
    reported,
  };
  // The objects that the files of --filename name; none where the files have none. `unknown`: what becomes of one whose
  // type is not found.
  Expected<std::vector<Target>> in_files(Unknown unknown = Unknown::refused);

  // --namespace; empty without it.
  std::string given_namespace() const { return arguments_.text("--namespace"); }
  // Of a request for the target: "@context" for that of the kubeconfig, empty for none and, of lists alone, for all.
  std::string namespace_key(const Target& target) const;
  // The name of the namespace that a target without one is in. Empty where it cannot be told.
  const std::string& default_namespace();

  // verb, resource, namespace and name.
  Request request(const char* verb, const Target& target) const;

 private:
  Expected<void> discover();
  Expected<std::vector<cluster::ApiResource>> resources_of(const cluster::GroupVersion& version);

  const Arguments& arguments_;
  Client client_;
  Output& output_;
  Report& report_;
  std::optional<cluster::RestMapper> mapper_;
  std::optional<std::string> default_namespace_;
};

// "apps" of apps/v1/deployments, "" of v1/pods.
std::string group_of(const cluster::Resource& resource);
// "deployment.apps", "pod": what comes before the name of an object in messages.
std::string kind_prefix(const cluster::Resource& resource);
std::string kind_prefix(const std::string& api_version, const std::string& kind);

}  // namespace ksr::commands
