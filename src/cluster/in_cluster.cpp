#include "cluster/in_cluster.hpp"

#include <filesystem>
#include <string>
#include <system_error>

#include "cluster/files.hpp"
#include "cluster/pem.hpp"
#include "cluster/text.hpp"

namespace ksr::cluster {
namespace {

std::string variable(const ProcessEnvironment& process_env, const char* name) {
  return process_env.variable(name).value_or("");
}

bool is_file(const std::string& path) {
  std::error_code failure;
  return std::filesystem::is_regular_file(path, failure);
}

bool has_certificates(const NamedFile& file, Logger& logger) {
  const auto text = read_file(file, kMaxCredentialFileSize);
  const Expected<void> fine = text ? check_certificates(file.role + " " + file.path, *text) : text.error();
  if (fine) return true;
  logger.log(LogLevel::error, fine.error().message + " (the system's CAs are trusted instead)");
  return false;
}

std::string namespace_of(const ProcessEnvironment& process_env) {
  if (std::string name = variable(process_env, "POD_NAMESPACE"); !name.empty()) return name;
  const auto text = read_file({"namespace", process_env.service_account_directory + "/namespace"}, 4096);
  return text ? std::string(trimmed(*text)) : "";
}

}  // namespace

std::optional<ConnectionSpec> in_cluster_spec(const ProcessEnvironment& process_env, Logger& logger) {
  const std::string host = variable(process_env, "KUBERNETES_SERVICE_HOST");
  const std::string port = variable(process_env, "KUBERNETES_SERVICE_PORT");
  const NamedFile token{"service account token", process_env.service_account_directory + "/token"};
  const NamedFile ca{"service account CA", process_env.service_account_directory + "/ca.crt"};
  if (host.empty() || port.empty() || !is_file(token.path)) return std::nullopt;

  const bool ipv6 = host.find(':') != std::string::npos;
  ConnectionSpec spec;
  spec.server = {"https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port, "KUBERNETES_SERVICE_HOST and _PORT"};
  spec.token_file = {token.path, token.role};
  if (has_certificates(ca, logger)) spec.ca_file = {ca.path, ca.role};
  spec.default_namespace = namespace_of(process_env);
  return spec;
}

}  // namespace ksr::cluster
