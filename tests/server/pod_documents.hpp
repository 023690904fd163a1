// The JSON of pods, of the size and shape of real ones; used by PodLifecycle. Pure: on any thread.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace ksr::testserver {

struct PodFacts {
  std::string workload;
  std::string node;  // empty: not scheduled
  std::string phase;
  std::string reason;  // of the container's waiting or terminated state; empty: running
  int restarts = 0;
  bool ready = false;
};

boost::json::object new_pod_document(const std::string& ns, const std::string& name, const std::string& workload);
// A merge patch.
boost::json::object pod_state_patch(const PodFacts& facts);

}  // namespace ksr::testserver
