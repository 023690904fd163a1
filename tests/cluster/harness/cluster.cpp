#include "cluster/harness/cluster.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>

#include "cluster/harness/free_port.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/objects.hpp"
#include "cluster/harness/signing_key.hpp"
#include "cluster/harness/text_files.hpp"
#include "cluster/harness/wait.hpp"

namespace ksr::clustertest {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatienceForShutdown{20};
constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/";
constexpr const char* kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

bool shared_started = false;

fs::path default_bin_dir() {
  const char* from_environment = std::getenv("KSR_CLUSTER_BIN_DIR");
  return from_environment != nullptr ? from_environment : KSR_CLUSTER_BIN_DIR;
}

ClusterOptions with_bin_dir(ClusterOptions options) {
  if (options.bin_dir.empty()) options.bin_dir = default_bin_dir();
  return options;
}

fs::path certificate(const fs::path& directory) {
  return directory / "certs" / "apiserver.crt";
}

void create_unless_there(ApiClient& client, const std::string& collection, const boost::json::object& object) {
  try {
    client.create(collection, object);
  } catch (const ApiRefused& refused) {
    if (refused.reason() != "AlreadyExists") throw;
  }
}

}  // namespace

fs::path cluster_program(const std::string& name) {
  return default_bin_dir() / name;
}

Cluster::Cluster(ClusterOptions options)
    : options_(with_bin_dir(std::move(options))),
      directory_("ksr-cluster"),
      port_(free_port()),
      admin_(Endpoint{port_, certificate(directory_.root()).string()}, admin_user().token) {
  if (std::getenv("KSR_CLUSTER_KEEP") != nullptr) keep_files();
  write_signing_key(directory() / "sa.key");
  std::vector<User> users{admin_user(), reader_user(), unprivileged_user()};
  users.insert(users.end(), options_.more_users.begin(), options_.more_users.end());
  write_file(directory() / "tokens.csv", token_file_content(users));
  write_file(directory() / "client-ca.crt", client_ca_.certificate_pem());
  etcd_ = std::make_unique<Etcd>(options_.bin_dir / "etcd", directory());
  start_apiserver();
}

Cluster::~Cluster() = default;

Cluster& Cluster::shared() {
  static Cluster cluster;
  shared_started = true;
  return cluster;
}

bool Cluster::shared_is_started() {
  return shared_started;
}

std::string Cluster::url() const {
  return "https://127.0.0.1:" + std::to_string(port_);
}

// The apiserver signs its own certificate; the file holds it with the CA made for it.
std::string Cluster::ca_file() const {
  return certificate(directory()).string();
}

ApiClient Cluster::client_for(const User& user) const {
  return {Endpoint{port_, ca_file()}, user.token};
}

std::vector<std::string> Cluster::apiserver_command() const {
  const std::string key = (directory() / "sa.key").string();
  std::vector<std::string> command{
      (options_.bin_dir / "kube-apiserver").string(),
      "--etcd-servers=" + etcd_->url(),
      "--etcd-compaction-interval=0",  // only tests compact
      "--bind-address=127.0.0.1",
      "--secure-port=" + std::to_string(port_),
      "--cert-dir=" + (directory() / "certs").string(),
      "--client-ca-file=" + (directory() / "client-ca.crt").string(),
      "--token-auth-file=" + (directory() / "tokens.csv").string(),
      "--authorization-mode=RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-account-key-file=" + key,
      "--service-account-signing-key-file=" + key,
      "--service-cluster-ip-range=10.96.0.0/16",
      "--endpoint-reconciler-type=none",
      "--disable-admission-plugins=ServiceAccount",  // it requires the controller that creates service accounts
  };
  command.insert(command.end(), options_.apiserver_flags.begin(), options_.apiserver_flags.end());
  return command;
}

void Cluster::start_apiserver() {
  if (apiserver_running()) return;
  const fs::path log = directory() / "kube-apiserver.log";
  apiserver_ = std::make_unique<ChildProcess>(apiserver_command(), log);
  wait_until_ready(*apiserver_, log, "kube-apiserver",
                   [this] { return fs::exists(ca_file()) && admin_.request("GET", "/readyz").status == 200; });
}

void Cluster::stop_apiserver() {
  if (apiserver_ != nullptr) apiserver_->stop(kPatienceForShutdown);
}

void Cluster::kill_apiserver() {
  if (apiserver_ != nullptr) apiserver_->kill();
}

std::string Cluster::fresh_namespace(const std::string& prefix) {
  const std::string name = prefix + "-" + std::to_string(++namespaces_);
  admin_.create(namespaces_path(), make_namespace(name));
  return name;
}

void Cluster::install_widget_crd() {
  create_unless_there(admin_, kCrds, make_widget_crd());
  wait_until("the Widget CRD to be served", [this] { return admin_.find(widgets_path("") + "?limit=1").has_value(); });
}

void Cluster::allow_reading(const User& user, const std::string& ns, const std::string& api_group,
                            const std::string& resource) {
  const std::string role = "read-" + resource;
  create_unless_there(admin_, kRbac + ns + "/roles", make_reader_role(ns, role, api_group, resource));
  create_unless_there(admin_, kRbac + ns + "/rolebindings", make_role_binding(ns, role, user.name));
  ApiClient client = client_for(user);
  const std::string group_path = api_group.empty() ? "/api/v1" : "/apis/" + api_group + "/v1";
  const std::string path = group_path + "/namespaces/" + ns + "/" + resource + "?limit=1";
  wait_until("the role of " + user.name, [&] { return client.request("GET", path).status == 200; });
}

}  // namespace ksr::clustertest
