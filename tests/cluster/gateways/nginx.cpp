#include "cluster/gateways/nginx.hpp"

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/free_port.hpp"
#include "cluster/harness/wait.hpp"

namespace ksr::clustertest {
namespace {

constexpr const char* kNginx = "/usr/sbin/nginx";

std::string on_loopback(const char* scheme, std::uint16_t port) {
  return std::string(scheme) + "://127.0.0.1:" + std::to_string(port);
}

// Any answer will do.
void wait_until_it_answers(ChildProcess& process, const std::filesystem::path& log, const std::string& name,
                           const Endpoint& endpoint) {
  ApiClient client(endpoint, "");
  wait_until_ready(process, log, name, [&] { return client.request("GET", "/version").status != 0; });
}

}  // namespace

std::string location_of_cluster(const std::string& directives, const std::string& prefix) {
  return "location " + prefix + " { proxy_pass " + Cluster::shared().url() + "/; " + directives + " }\n";
}

std::string as_administrator() {
  return "proxy_set_header Authorization \"Bearer " + admin_user().token + "\";\n";
}

Nginx::Nginx(const std::string& server, Tls tls, const std::string& http)
    : directory_("ksr-nginx"),
      port_(free_port()),
      tls_(tls),
      process_({kNginx, "-p", directory_.root().string(), "-e", directory_.path("error.log"), "-c",
                directory_.write("nginx.conf", configuration(server, tls, http))},
               directory_.path("output")) {
  wait_until_it_answers(process_, directory_.path("error.log"), "nginx",
                        Endpoint{port_, tls == Tls::yes ? ca_file() : ""});
}

std::string Nginx::url() const {
  return on_loopback(tls_ == Tls::yes ? "https" : "http", port_);
}

// One process in the foreground: no service, and no second user for its workers.
std::string Nginx::configuration(const std::string& server, Tls tls, const std::string& http) const {
  std::string listen = "listen 127.0.0.1:" + std::to_string(port_);
  if (tls == Tls::yes) {
    const auto identity = testing::shared_authority().server({"127.0.0.1"});
    directory_.write("ca.pem", testing::shared_authority().certificate_pem());
    listen += " ssl; ssl_certificate " + directory_.write("server.crt", identity.certificate_pem) +
              "; ssl_certificate_key " + directory_.write("server.key", identity.key_pem);
  }
  std::string paths;
  for (const char* module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    paths += std::string(module) + "_temp_path " + directory_.path(module) + ";\n";
  }
  return "daemon off;\nmaster_process off;\npid " + directory_.path("pid") + ";\nevents {}\nhttp {\naccess_log " +
         directory_.path("access.log") + ";\n" + paths + http + "server {\n" + listen + ";\n" + server + "}\n}\n";
}

KubectlProxy::KubectlProxy()
    : directory_("ksr-kubectl-proxy"),
      port_(free_port()),
      process_({cluster_program("kubectl").string(), "proxy", "--port=" + std::to_string(port_),
                "--server=" + Cluster::shared().url(), "--certificate-authority=" + Cluster::shared().ca_file(),
                "--token=" + admin_user().token},
               directory_.path("output")) {
  wait_until_it_answers(process_, directory_.path("output"), "kubectl proxy", Endpoint{port_, ""});
}

std::string KubectlProxy::url() const {
  return on_loopback("http", port_);
}

}  // namespace ksr::clustertest
