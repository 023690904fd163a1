#include "cluster/harness/node_pod.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

namespace json = boost::json;

constexpr const char* kRuntime = "containerd://";
constexpr std::size_t kIdLength = 64;

// 64 hexadecimal digits that tell the pod, the container and how often it was restarted.
std::string make_id(const std::string& pod_uid, std::size_t container, int restarts) {
  std::string id;
  for (const char digit : pod_uid) {
    if (digit != '-') id += digit;
  }
  id += "c" + std::to_string(container) + "a";
  const std::string number = std::to_string(restarts);
  id.resize(kIdLength - number.size(), '0');
  return id + number;
}

std::string now() {
  return log_stamp(stamp_of_now()).substr(0, std::string("2006-01-02T15:04:05").size()) + "Z";
}

json::object image_of(const std::string& name) {
  return {{"name", name}, {"image", "registry.test/app:1"}};
}

}  // namespace

NodePod::NodePod(Node& node, std::string ns, std::string name, const NodePodOptions& options)
    : node_(node), api_(node.cluster().client_for(admin_user())), ns_(std::move(ns)), name_(std::move(name)) {
  json::object pod = make_pod(ns_, name_, options.labels);
  json::array images;
  for (const std::string& container : options.containers) {
    json::object image = image_of(container);
    image.insert(options.container.begin(), options.container.end());
    images.push_back(std::move(image));
  }
  pod["spec"] = {{"containers", images}, {"nodeName", node_.name()}};
  uid_ = metadata_of(api_.create(pods_path(ns_), pod), "uid");
  for (const std::string& container : options.containers) {
    containers_.emplace_back();
    containers_.back().name = container;
    start(containers_.back());
  }
  publish();
}

std::string NodePod::path() const {
  return pods_path(ns_, name_);
}

NodePod::Container& NodePod::find(const std::string& name) {
  const auto found = std::find_if(containers_.begin(), containers_.end(),
                                  [&](const Container& container) { return container.name == name; });
  if (found == containers_.end()) throw HarnessError("the pod " + name_ + " has no container " + name);
  return *found;
}

const std::string& NodePod::container_id(const std::string& container) {
  return find(container).id;
}

ContainerLog& NodePod::log(const std::string& container) {
  return *find(container).log;
}

void NodePod::start(Container& container) {
  const auto place = static_cast<std::size_t>(&container - containers_.data());
  const std::string id = make_id(uid_, place, ++container.restarts);
  container.id = kRuntime + id;
  container.log = std::make_unique<ContainerLog>(node_.logs() / id);
  container.state = {{"running", {{"startedAt", now()}}}};
}

void NodePod::stop(Container& container, int exit_code) {
  if (!container.state.contains("running")) return;
  write_file(node_.logs() / container.id.substr(std::string(kRuntime).size()) / "stopped", "");
  const json::value started = container.state.at("running").at("startedAt");
  container.state = {{"terminated",
                      {{"exitCode", exit_code},
                       {"reason", exit_code == 0 ? "Completed" : "Error"},
                       {"containerID", container.id},
                       {"startedAt", started},
                       {"finishedAt", now()}}}};
}

void NodePod::stop_unreported(const std::string& container) {
  stop(find(container), 0);
}

void NodePod::terminate(int exit_code, const std::string& container) {
  stop(find(container), exit_code);
  publish();
}

void NodePod::restart(const std::string& container) {
  Container& restarted = find(container);
  stop(restarted, 1);
  if (restarted.state.contains("terminated")) restarted.last_state = std::exchange(restarted.state, {});
  start(restarted);
  publish();
}

void NodePod::wait(const std::string& reason, const std::string& container) {
  Container& waiting = find(container);
  stop(waiting, 1);
  if (waiting.state.contains("terminated")) waiting.last_state = std::move(waiting.state);
  waiting.state = {{"waiting", {{"reason", reason}}}};
  publish();
}

void NodePod::erase() {
  api_.erase(path());
}

void NodePod::publish() {
  json::array statuses;
  for (const Container& container : containers_) {
    json::object status = image_of(container.name);
    const bool running = container.state.contains("running");
    status["imageID"] = "";
    status["ready"] = running;
    status["started"] = running;
    status["containerID"] = container.id;
    status["restartCount"] = container.restarts;
    status["state"] = container.state;
    status["lastState"] = container.last_state;
    statuses.push_back(std::move(status));
  }
  api_.patch_status(path(), {{"phase", "Running"},
                             {"hostIP", "127.0.0.1"},
                             {"podIP", "127.0.0.1"},
                             {"podIPs", json::array{json::object{{"ip", "127.0.0.1"}}}},
                             {"containerStatuses", statuses}});
}

}  // namespace ksr::clustertest
