#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include "cluster/harness/cluster.hpp"

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int failed = context.run();
  if (failed != 0 && ksr::clustertest::Cluster::shared_is_started()) {
    auto& cluster = ksr::clustertest::Cluster::shared();
    cluster.keep_files();
    std::cerr << "the cluster's logs are kept in " << cluster.directory().string() << '\n';
  }
  return failed;
}
