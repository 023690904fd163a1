// `on_cluster` configures a stream on the shared cluster, and `check_equals_list` ends every test: the snapshot equals
// the apiserver's own list, in each uid and resourceVersion. Used by the cases. Lives on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/objects.hpp"
#include "cluster/harness/users.hpp"
#include "support/recorder.hpp"
#include "support/transports.hpp"
#include "support/wait_limit.hpp"

namespace ksr::clustertest {

using ksr::testing::on_both_transports;
using ksr::testing::with;

inline ksr::testing::Settings on_cluster(const std::string& resource, const std::string& ns,
                                         const std::string& transport, const User& user = admin_user()) {
  Cluster& cluster = Cluster::shared();
  return {{"server", cluster.url()}, {"ca_file", cluster.ca_file()}, {"token", user.token}, {"resource", resource},
          {"namespace", ns},         {"transport", transport}};
}

inline ksr::testing::Contents listed(const std::string& path) {
  ksr::testing::Contents contents;
  for (const auto& object : Cluster::shared().admin().list(path)) {
    contents[metadata_of(object, "uid")] = metadata_of(object, "resourceVersion");
  }
  return contents;
}

// Waits until they are equal, then compares.
inline void check_equals_list(const ksr::testing::Recorder& seen, const std::string& path) {
  const ksr::testing::Contents expected = listed(path);
  seen.wait([&](const ksr::testing::Recorder& now) { return now.contents() == expected; }, ksr::testing::kWaitLimit);
  CHECK(seen.contents() == expected);
  CHECK(seen.violations() == std::vector<std::string>{});
}

}  // namespace ksr::clustertest
