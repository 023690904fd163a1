#include "cluster/harness/etcd.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <utility>

#include "cluster/harness/free_port.hpp"
#include "cluster/harness/wait.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::chrono::seconds kStopTime{10};

std::string loopback_url(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

}  // namespace

Etcd::Etcd(const std::filesystem::path& program, std::filesystem::path directory)
    : program_(program),
      directory_(std::move(directory)),
      port_(free_port()),
      peer_(loopback_url(free_port())),
      log_(directory_ / "etcd.log"),
      gateway_(Endpoint{port_, ""}, "") {
  start();
}

void Etcd::start() {
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{program_.string(), "--name=ksr", "--data-dir=" + data().string(),
                               "--listen-client-urls=" + url(), "--advertise-client-urls=" + url(),
                               "--listen-peer-urls=" + peer_, "--initial-advertise-peer-urls=" + peer_,
                               "--initial-cluster=ksr=" + peer_, "--unsafe-no-fsync", "--log-level=warn"},
      log_);
  wait_until_ready(*process_, log_, "etcd", [this] { return gateway_.request("GET", "/readyz").status == 200; });
}

void Etcd::back_up() {
  process_->stop(kStopTime);
  std::filesystem::copy(data(), backup(), std::filesystem::copy_options::recursive);
  start();
}

void Etcd::restore() {
  process_->stop(kStopTime);
  std::filesystem::remove_all(data());
  std::filesystem::copy(backup(), data(), std::filesystem::copy_options::recursive);
  start();
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
