#include "cluster/kubeconfig_files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "cluster/files.hpp"
#include "cluster/text.hpp"

namespace ksr::cluster {
namespace {

std::string absolute(const std::string& path) {
  std::error_code failure;
  const auto whole = std::filesystem::absolute(path, failure);
  return failure ? path : whole.lexically_normal().string();
}

bool exists(const std::string& path) {
  std::error_code failure;
  return std::filesystem::exists(path, failure) || failure;
}

Expected<Kubeconfig> load_one(const std::string& path) {
  const std::string whole = absolute(path);
  auto text = read_file({"kubeconfig", whole}, kMaxKubeconfigSize);
  if (!text) return std::move(text).error();
  return parse_kubeconfig(whole, *text);
}

// k8s.io/client-go/tools/clientcmd/loader.go, NewDefaultClientConfigLoadingRules.
std::vector<std::string> default_paths(const ProcessEnvironment& process_env) {
  std::vector<std::string> paths;
  if (const auto list = process_env.variable("KUBECONFIG"); list && !list->empty()) {
    for (const std::string_view path : split(*list, ':')) {
      if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.emplace_back(path);
    }
    return paths;
  }
  if (const auto home = process_env.variable("HOME"); home && !home->empty()) paths.push_back(*home + "/.kube/config");
  return paths;
}

}  // namespace

Expected<Kubeconfig> load_kubeconfig(const std::string& path, const ProcessEnvironment& process_env, Logger& logger) {
  if (!path.empty()) return load_one(path);
  Kubeconfig merged;
  for (const std::string& candidate : default_paths(process_env)) {
    if (!exists(candidate)) {
      logger.log(LogLevel::debug, "kubeconfig " + candidate + ": does not exist");
      continue;
    }
    auto config = load_one(candidate);
    if (!config) return config;
    merge_kubeconfig(merged, *std::move(config));
  }
  return merged;
}

}  // namespace ksr::cluster
