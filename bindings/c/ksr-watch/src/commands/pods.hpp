// `PodView` is what the commands need to know of a pod; `find_pods_of` tells which pods a command line names, of a
// deployment or service by its selector. Used by logs, exec, attach and port-forward. Main thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/expected.hpp"
#include "commands/session.hpp"

namespace ksr::commands {

struct PodContainer {
  enum class Kind : std::uint8_t { init, regular, ephemeral };
  Kind kind = Kind::regular;
  std::string name;
  bool tty = false;
  struct Port {
    // May be empty.
    std::string name;
    int number = 0;
    // TCP where nothing is said.
    std::string protocol;
  };
  std::vector<Port> ports;
};

struct PodView {
  std::string name;
  std::string uid;
  std::string phase;
  std::string created;
  bool deleting = false;
  bool ready = false;
  // Of the annotation kubectl.kubernetes.io/default-container, where there is that container.
  std::string default_container;
  // First those of its start, last the ephemeral ones.
  std::vector<PodContainer> containers;

  bool runs() const { return phase == "Running" && !deleting; }
  const PodContainer* find(const std::string& container) const;
};

PodView read_pod(const boost::json::value& pod);

// The running one that has been ready for longest; NULL where none runs.
const PodView* best_of(const std::vector<PodView>& pods);

// The container that is meant where `asked` may be empty, as kubectl chooses it; what it had to choose from is noted
// unless `quiet`. The error says that there is no such container.
Expected<std::string> choose_container(const PodView& pod, const std::string& asked, bool quiet, Report& report);

// POD or TYPE/NAME of a command line.
struct PodsOf {
  // "deployment.apps/web"
  std::string shown;
  // The pod itself; else empty.
  std::string pod;
  // Of its pods, where it is none itself.
  std::string selector;
  // The object, where it is a Service.
  std::optional<boost::json::value> service;
};

Expected<PodsOf> find_pods_of(Session& session, const std::string& word);

// Nothing for a pod that may not be read.
Expected<std::optional<PodView>> fetch_pod(Session& session, const std::string& name);
Expected<std::vector<PodView>> list_pods(Session& session, const std::string& selector);
// The namespace key of requests, streams and channels for the pods of the command line.
std::string pods_namespace(const Session& session);

// The pod that a command which needs one works with, what is known of it, and its container; a pod that does not run is
// an error.
struct ChosenPod {
  std::string name;
  std::string container;
  std::optional<PodView> view;
};
Expected<ChosenPod> choose_running_pod(Session& session, const std::string& word);

}  // namespace ksr::commands
