#include "cluster/cases/service_account.hpp"

#include <boost/json.hpp>

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/objects.hpp"
#include "cluster/harness/wait.hpp"

namespace ksr::clustertest {
namespace {

namespace json = boost::json;

constexpr const char* kAccountName = "watcher";
constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/";

std::string in_namespace(const std::string& ns, const std::string& resource) {
  return "/api/v1/namespaces/" + ns + "/" + resource;
}

json::object named(const char* kind, const std::string& name) {
  return {{"apiVersion", "v1"}, {"kind", kind}, {"metadata", {{"name", name}}}};
}

json::object binding(const std::string& ns) {
  json::object object = make_role_binding(ns, "read-configmaps", kAccountName);
  object["subjects"] = json::array{{{"kind", "ServiceAccount"}, {"name", kAccountName}, {"namespace", ns}}};
  return object;
}

int status_with(const std::string& token, const std::string& path) {
  return Cluster::shared().client_for({"", token, ""}).request("GET", path).status;
}

}  // namespace

ServiceAccount::ServiceAccount(const std::string& ns) : ns_(ns) {
  ApiClient& admin = Cluster::shared().admin();
  admin.create(in_namespace(ns, "serviceaccounts"), named("ServiceAccount", kAccountName));
  admin.create(kRbac + ns + "/roles", make_reader_role(ns, "read-configmaps", "", "configmaps"));
  admin.create(kRbac + ns + "/rolebindings", binding(ns));
}

std::string ServiceAccount::new_token(const std::string& name) const {
  ApiClient& admin = Cluster::shared().admin();
  const json::object secret = admin.create(in_namespace(ns_, "secrets"), named("Secret", name));
  json::object request = named("TokenRequest", "");
  request["apiVersion"] = "authentication.k8s.io/v1";
  request.erase("metadata");
  request["spec"] = {{"boundObjectRef",
                      {{"apiVersion", "v1"}, {"kind", "Secret"}, {"name", name}, {"uid", metadata_of(secret, "uid")}}}};
  const std::string path = in_namespace(ns_, "serviceaccounts") + "/" + kAccountName + "/token";
  const json::object answer = admin.create(path, request);
  const std::string token = answer.at("status").at("token").as_string().c_str();
  wait_until("the token of " + name, [&] { return status_with(token, configmaps_path(ns_)) == 200; });
  return token;
}

void ServiceAccount::revoke(const std::string& name, const std::string& token) const {
  Cluster::shared().admin().erase(in_namespace(ns_, "secrets") + "/" + name);
  wait_until("the end of the token of " + name, [&] { return status_with(token, configmaps_path(ns_)) == 401; });
}

}  // namespace ksr::clustertest
