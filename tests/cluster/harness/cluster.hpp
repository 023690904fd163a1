// `Cluster` is a real kube-apiserver over a real etcd, on loopback, with all its files in a temporary directory; used
// by the tests on a cluster and by ksr-cluster. Lives on any one thread at a time; several ApiClients may be used at
// once, each on its own thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cluster/harness/api_client.hpp"
#include "cluster/harness/child_process.hpp"
#include "cluster/harness/etcd.hpp"
#include "cluster/harness/users.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace ksr::clustertest {

struct ClusterOptions {
  // Where etcd and kube-apiserver are; empty: $KSR_CLUSTER_BIN_DIR, else the directory given to CMake.
  std::filesystem::path bin_dir;
  // More flags for kube-apiserver, such as --watch-cache-sizes=pods#0.
  std::vector<std::string> apiserver_flags;
  // Besides admin, reader and unprivileged; one user may have several tokens.
  std::vector<User> more_users;
};

// One of those that tests/cluster/build makes: in $KSR_CLUSTER_BIN_DIR, else in the directory given to CMake.
std::filesystem::path cluster_program(const std::string& name);

class Cluster {
 public:
  // Returns when the apiserver is ready (about 3 s).
  explicit Cluster(ClusterOptions options = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Shared by all tests of a program: started on first use, stopped at the program's end.
  static Cluster& shared();
  static bool shared_is_started();

  std::string url() const;  // https://127.0.0.1:PORT, the same after restarts
  std::uint16_t port() const { return port_; }
  std::string ca_file() const;
  const std::filesystem::path& directory() const { return directory_.root(); }

  // A certificate that authenticates as this user.
  testing::CertificateAndKey client_certificate(const std::string& user) const { return client_ca_.client(user); }

  ApiClient& admin() { return admin_; }
  ApiClient client_for(const User& user) const;

  // A namespace that no other test uses: PREFIX-1, PREFIX-2…
  std::string fresh_namespace(const std::string& prefix);
  // The Widget CRD, served and ready; may be installed again.
  void install_widget_crd();
  // Allows a user to get, list and watch `resource` in `ns`; returns when the apiserver applies the role.
  void allow_reading(const User& user, const std::string& ns, const std::string& api_group,
                     const std::string& resource);

  void stop_apiserver();  // SIGTERM: watches end cleanly
  void kill_apiserver();  // kill -9: connections are reset
  // From its next start on; a flag that was given before stays as well, and the last one counts.
  void add_apiserver_flag(std::string flag) { options_.apiserver_flags.push_back(std::move(flag)); }
  void start_apiserver();  // on the same port, with the same data and certificate; returns when it is ready
  bool apiserver_running() { return apiserver_ != nullptr && apiserver_->running(); }

  Etcd& etcd() { return *etcd_; }

  // Leaves the directory with logs and data on disk, as KSR_CLUSTER_KEEP=1 in the environment does.
  void keep_files() { directory_.keep(); }

 private:
  std::vector<std::string> apiserver_command() const;

  ClusterOptions options_;
  testing::TemporaryDirectory directory_;
  std::uint16_t port_;
  testing::CertificateAuthority client_ca_;
  std::unique_ptr<Etcd> etcd_;
  std::unique_ptr<ChildProcess> apiserver_;
  ApiClient admin_;
  int namespaces_ = 0;
};

}  // namespace ksr::clustertest
