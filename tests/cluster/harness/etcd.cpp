#include "cluster/harness/etcd.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cluster/harness/free_port.hpp"
#include "cluster/harness/wait.hpp"

namespace ksr::clustertest {
namespace {

std::string loopback_url(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

}  // namespace

Etcd::Etcd(const std::filesystem::path& program, std::filesystem::path directory)
    : port_(free_port()), log_(directory / "etcd.log"), gateway_(Endpoint{port_, ""}, "") {
  const std::string peer = loopback_url(free_port());
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{program.string(), "--name=ksr", "--data-dir=" + (directory / "etcd").string(),
                               "--listen-client-urls=" + url(), "--advertise-client-urls=" + url(),
                               "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
                               "--initial-cluster=ksr=" + peer, "--unsafe-no-fsync", "--log-level=warn"},
      log_);
  wait_until_ready(*process_, log_, "etcd", [this] { return gateway_.request("GET", "/readyz").status == 200; });
}

std::string Etcd::url() const {
  return loopback_url(port_);
}

// etcd's gRPC gateway: int64 is a string in its JSON, bytes are base64 ("AA==" is the key of one NUL).
std::int64_t Etcd::revision() {
  const boost::json::object answer = gateway_.create("/v3/kv/range", {{"key", "AA=="}});
  return std::stoll(std::string(answer.at("header").at("revision").as_string()));
}

std::int64_t Etcd::compact() {
  const std::int64_t newest = revision();
  gateway_.create("/v3/kv/compaction", {{"revision", std::to_string(newest)}, {"physical", true}});
  return newest;
}

}  // namespace ksr::clustertest
