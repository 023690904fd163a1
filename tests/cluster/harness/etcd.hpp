// `Etcd` is an etcd 3.6 on loopback ports, for one kube-apiserver; used by Cluster. Lives on any one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "cluster/harness/api_client.hpp"
#include "cluster/harness/child_process.hpp"

namespace ksr::clustertest {

class Etcd {
 public:
  // `program` is the binary; its data and etcd.log are written to `directory`.
  Etcd(const std::filesystem::path& program, std::filesystem::path directory);

  std::string url() const;
  const std::filesystem::path& log() const { return log_; }

  std::int64_t revision();
  // Compacts up to the newest revision and returns that; returns once the history on disk is compacted too.
  std::int64_t compact();

  // Both while no kube-apiserver runs: what is stored is copied, and later takes the place of what is stored then, so
  // that revisions go back.
  void back_up();
  void restore();

 private:
  std::filesystem::path data() const { return directory_ / "etcd"; }
  std::filesystem::path backup() const { return directory_ / "etcd-backup"; }
  void start();

  std::filesystem::path program_;
  std::filesystem::path directory_;
  std::uint16_t port_;
  std::string peer_;
  std::filesystem::path log_;
  std::unique_ptr<ChildProcess> process_;
  ApiClient gateway_;
};

}  // namespace ksr::clustertest
