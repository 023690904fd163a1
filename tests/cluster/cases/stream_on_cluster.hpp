// A recorded stream on the shared cluster, and the last word of every test: the snapshot equals the apiserver's own
// list, uid by uid and resourceVersion by resourceVersion.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/objects.hpp"
#include "cluster/harness/users.hpp"
#include "support/recorder.hpp"
#include "support/transports.hpp"

namespace ksr::clustertest {

using ksr_test::on_both_transports;
using ksr_test::with;

inline ksr_test::Settings on_cluster(const std::string& resource, const std::string& ns, const std::string& transport,
                                     const User& user = admin_user()) {
  Cluster& cluster = Cluster::shared();
  return {{"server", cluster.url()}, {"ca_file", cluster.ca_file()}, {"token", user.token}, {"resource", resource},
          {"namespace", ns},         {"transport", transport}};
}

inline ksr_test::Contents listed(const std::string& path) {
  ksr_test::Contents contents;
  for (const auto& object : Cluster::shared().admin().list(path)) {
    contents[metadata_of(object, "uid")] = metadata_of(object, "resourceVersion");
  }
  return contents;
}

// Waits for what is on its way, then compares.
inline void check_equals_list(const ksr_test::Recorder& seen, const std::string& path) {
  const ksr_test::Contents truth = listed(path);
  seen.wait([&](const ksr_test::Recorder& now) { return now.contents() == truth; }, std::chrono::seconds(15));
  CHECK(seen.contents() == truth);
  CHECK(seen.violations() == std::vector<std::string>{});
}

}  // namespace ksr::clustertest
