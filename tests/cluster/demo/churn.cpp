#include "cluster/demo/churn.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cluster/harness/objects.hpp"

namespace ksr::clustertest {
namespace {

namespace json = boost::json;

constexpr std::array kApps{"cart", "checkout", "catalog", "search", "mailer", "worker"};
constexpr std::array kNamespaces{"shop", "tools"};
constexpr unsigned kSeed = 20260101;

json::object container_status(bool ready, int restarts) {
  json::object state;
  if (ready)
    state["running"] = {{"startedAt", "2026-01-01T00:00:00Z"}};
  else
    state["waiting"] = {{"reason", "CrashLoopBackOff"}};
  return {{"name", "main"},   {"image", "registry.test/app:1"}, {"imageID", ""}, {"ready", ready},
          {"started", ready}, {"restartCount", restarts},       {"state", state}};
}

json::object pod_status(bool ready, int restarts) {
  return {{"phase", "Running"},
          {"podIP", "10.244.0.7"},
          {"containerStatuses", json::array{container_status(ready, restarts)}}};
}

}  // namespace

PodChurn::PodChurn(ApiClient& api, std::size_t count) : api_(api), count_(count), random_(kSeed) {
  for (const char* ns : kNamespaces) api_.create(namespaces_path(), make_namespace(ns));
  while (pods_.size() < count_) create();
  for (Pod& pod : pods_) advance(pod);
}

std::size_t PodChurn::random_below(std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
}

void PodChurn::step() {
  const std::size_t choice = random_below(10);
  if (pods_.size() < count_ || choice == 0)
    create();
  else if (pods_.size() > count_ || choice == 1)
    remove_oldest();
  else if (choice < 5)
    relabel(pods_[random_below(pods_.size())]);
  else
    advance(pods_[random_below(pods_.size())]);
}

void PodChurn::create() {
  const std::string ns = kNamespaces[random_below(kNamespaces.size())];
  const std::string app = kApps[random_below(kApps.size())];
  const std::string name = app + "-" + std::to_string(++created_);
  api_.create(pods_path(ns), make_pod(ns, name, {{"app", app}}));
  pods_.push_back({pods_path(ns, name)});
}

void PodChurn::advance(Pod& pod) {
  const bool fails = pod.phase == Pod::Phase::running && random_below(3) == 0;
  if (pod.phase == Pod::Phase::failing) ++pod.restarts;
  pod.phase = fails ? Pod::Phase::failing : Pod::Phase::running;
  api_.patch_status(pod.path, pod_status(!fails, pod.restarts));
}

void PodChurn::relabel(const Pod& pod) {
  api_.patch(pod.path, {{"metadata", {{"labels", {{"release", "r" + std::to_string(random_below(100))}}}}}});
}

void PodChurn::remove_oldest() {
  api_.erase(pods_.front().path);
  pods_.pop_front();
}

}  // namespace ksr::clustertest
