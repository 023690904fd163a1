// Real gateways between ksr-watch, as a user installs and runs it, and a real kube-apiserver: what each of them lets
// through, the changes come through. The delays are printed; none is asserted.
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "cluster/gateways/nginx.hpp"
#include "cluster/gateways/watch_program.hpp"
#include "cluster/harness/chaos_proxy.hpp"
#include "cluster/harness/cluster.hpp"
#include "cluster/harness/objects.hpp"
#include "support/text.hpp"

using namespace ksr::clustertest;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A bound of what "comes through" means, far above the two seconds that are wanted.
constexpr seconds kPatienceForChange{30};
// A WatchList, a handshake and a list may each be tried in vain.
constexpr seconds kPatienceForView{60};

constexpr const char* kUpgrade =
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;";
constexpr const char* kUpgradeMap = "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }\n";

// How many seconds after the last one each change comes.
using Pauses = std::vector<int>;
const Pauses kUsualPauses{0, 0, 1, 4};
// So that a connection is idle for longer than it may be.
const Pauses kLongPauses{0, 0, 1, 4, 7, 2};

// Shows the pod, then each change of it. Returns what ksr-watch has printed.
std::string check_shows_changes(const std::string& gateway, std::vector<std::string> connection,
                                const Pauses& pauses = kUsualPauses) {
  CAPTURE(gateway);
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("gateway");
  cluster.admin().create(pods_path(ns), make_pod(ns, "web"));
  connection.insert(connection.end(), {"-n", ns});
  WatchProgram watch(connection);
  std::string figures = std::to_string(watch.wait_for("ADDED " + ns + "/web ", kPatienceForView).count()) + ", changes";
  for (const int pause : pauses) {
    std::this_thread::sleep_for(seconds(pause));
    const auto changed = cluster.admin().patch(pods_path(ns, "web"),
                                               {{"metadata", {{"labels", {{"change", std::to_string(std::rand())}}}}}});
    const std::string line = ns + "/web " + metadata_of(changed, "resourceVersion") + "\n";
    figures += " " + std::to_string(watch.wait_for(line, kPatienceForChange).count());
  }
  std::cout << gateway << ": first view after " << figures << " ms" << std::endl;
  if (std::getenv("KSR_GATEWAYS_VERBOSE") != nullptr) std::cout << watch.output() << std::endl;
  return watch.output();
}

std::string check_shows_changes(const std::string& gateway, const Nginx& nginx, const std::string& path = "",
                                const Pauses& pauses = kUsualPauses) {
  return check_shows_changes(gateway, {"--server", nginx.url() + path}, pauses);
}

using ksr::testing::has;

}  // namespace

TEST_CASE("a plain nginx: proxy_pass and nothing else") {
  check_shows_changes("plain nginx", Nginx(location_of_cluster(as_administrator())));
}

TEST_CASE("nginx with HTTP/1.1 to the server") {
  check_shows_changes("HTTP/1.1, buffering",
                      Nginx(location_of_cluster(as_administrator() + "proxy_http_version 1.1;")));
}

TEST_CASE("nginx without buffering") {
  check_shows_changes("HTTP/1.1, no buffering",
                      Nginx(location_of_cluster(as_administrator() + "proxy_http_version 1.1; proxy_buffering off;")));
}

TEST_CASE("nginx passes on upgrades") {
  const std::string output = check_shows_changes(
      "upgrades passed on", Nginx(location_of_cluster(as_administrator() + kUpgrade), Nginx::Tls::no, kUpgradeMap));
  CHECK(has(output, "opened over WebSocket"));
}

TEST_CASE("nginx ends connections that are idle for three seconds") {
  const std::string limits = as_administrator() + "proxy_read_timeout 3s; proxy_send_timeout 3s; send_timeout 3s;";
  const std::string unbuffered = limits + "proxy_http_version 1.1; proxy_buffering off;";
  check_shows_changes("plain, idle limit 3 s", Nginx(location_of_cluster(limits)), "", kLongPauses);
  check_shows_changes("no buffering, idle limit 3 s", Nginx(location_of_cluster(unbuffered)), "", kLongPauses);
  check_shows_changes("upgrades passed on, idle limit 3 s",
                      Nginx(location_of_cluster(limits + kUpgrade), Nginx::Tls::no, kUpgradeMap), "", kLongPauses);
}

TEST_CASE("a balancer ends each connection after three seconds, whatever it is doing") {
  for (const char* transport : {"auto", "http"}) {
    ChaosProxy balancer(Cluster::shared().port());
    balancer.limit_age(seconds(3));
    check_shows_changes(std::string("connections of 3 s, transport=") + transport,
                        {"--server", "https://127.0.0.1:" + std::to_string(balancer.port()), "--ca-file",
                         Cluster::shared().ca_file(), "--token", admin_user().token, "--transport", transport},
                        kLongPauses);
  }
}

TEST_CASE("nginx compresses what it buffers") {
  check_shows_changes("gzip, buffering",
                      Nginx(location_of_cluster(as_administrator()), Nginx::Tls::no,
                            "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_http_version 1.0;\n"));
}

TEST_CASE("nginx terminates TLS, with HTTP/1.0 to the server") {
  const Nginx nginx(location_of_cluster(), Nginx::Tls::yes);
  check_shows_changes("TLS, HTTP/1.0 upstream",
                      {"--server", nginx.url(), "--ca-file", nginx.ca_file(), "--token", admin_user().token});
}

TEST_CASE("nginx serves the cluster below a path") {
  const std::string path = "/k8s/clusters/x";
  check_shows_changes("a path", Nginx(location_of_cluster(as_administrator(), path + "/")), path);
  check_shows_changes(
      "a path, no buffering",
      Nginx(location_of_cluster(as_administrator() + "proxy_http_version 1.1; proxy_buffering off;", path + "/")),
      path);
}

TEST_CASE("nginx refuses upgrades by itself") {
  for (const char* status : {"403", "404", "426"}) {
    const std::string refusal = std::string("if ($http_upgrade) { return ") + status + "; }\n";
    check_shows_changes(std::string("upgrades refused with ") + status + ", buffering",
                        Nginx(refusal + location_of_cluster(as_administrator())));
    const std::string output = check_shows_changes(
        std::string("upgrades refused with ") + status + ", no buffering",
        Nginx(refusal + location_of_cluster(as_administrator() + "proxy_http_version 1.1; proxy_buffering off;")));
    CHECK(has(output, "opened over HTTP"));
  }
}

TEST_CASE("kubectl proxy") {
  const KubectlProxy proxy;
  check_shows_changes("kubectl proxy", {"--server", proxy.url()});
}
