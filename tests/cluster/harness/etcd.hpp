// etcd 3.6 on loopback ports, for one kube-apiserver. Lives on any one thread at a time.
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
  // `program` is the binary, `directory` gets its data and etcd.log.
  Etcd(const std::filesystem::path& program, std::filesystem::path directory);

  std::string url() const;
  const std::filesystem::path& log() const { return log_; }

  std::int64_t revision();
  // Forgets every revision below the newest one and returns that; done with the history on disk when it returns.
  std::int64_t compact();

 private:
  std::uint16_t port_;
  std::filesystem::path log_;
  std::unique_ptr<ChildProcess> process_;
  ApiClient gateway_;
};

}  // namespace ksr::clustertest
