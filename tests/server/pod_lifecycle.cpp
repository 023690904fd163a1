#include "server/pod_lifecycle.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "server/pod_documents.hpp"

namespace ksr::testserver {
namespace {

struct Workload {
  const char* ns;
  const char* name;
  bool job;
};

constexpr std::array<Workload, 12> kWorkloads{{{"shop", "cart", false},
                                               {"shop", "checkout", false},
                                               {"shop", "catalog", false},
                                               {"shop", "search", false},
                                               {"payments", "ledger", false},
                                               {"payments", "fraud-check", false},
                                               {"payments", "nightly-report", true},
                                               {"media", "thumbnailer", true},
                                               {"media", "transcoder", false},
                                               {"kube-system", "coredns", false},
                                               {"kube-system", "metrics-server", false},
                                               {"monitoring", "prometheus", false}}};

}  // namespace

void PodLifecycle::start(World& world, std::size_t count) {
  const std::shared_ptr<PodLifecycle> life(new PodLifecycle(world, count));
  for (std::size_t i = 0; i < count; ++i) life->add_pod(true);
  life->wait();
}

PodLifecycle::PodLifecycle(World& world, std::size_t count)
    : world_(world), type_(*world.types().find_by_word("pods")), count_(count), timer_(world.io()) {}

void PodLifecycle::wait() {
  timer_.expires_after(std::chrono::milliseconds(250 + pick(500)));
  timer_.async_wait([self = shared_from_this()](const auto& failure) {
    if (failure) return;
    self->tick();
    self->wait();
  });
}

void PodLifecycle::forget_deleted() {
  // A script or a client may delete pods of the simulation.
  const Collection& there = world_.log().collection(type_);
  pods_.erase(std::remove_if(pods_.begin(), pods_.end(),
                             [&](const Pod& pod) { return there.find(object_key(pod.ns, pod.name)) == nullptr; }),
              pods_.end());
}

void PodLifecycle::tick() {
  forget_deleted();
  if (pods_.size() < count_ && pick(2) == 0) add_pod(false);
  if (!pods_.empty()) advance(pick(pods_.size()));
  // New pods advance faster than a random choice would let them.
  for (std::size_t i = 0; i < pods_.size(); ++i) {
    if (pods_[i].stage == Stage::pending || pods_[i].stage == Stage::creating) return advance(i);
  }
}

void PodLifecycle::add_pod(bool settled) {
  const Workload& workload = kWorkloads[pick(kWorkloads.size())];
  Pod pod;
  pod.ns = workload.ns;
  pod.workload = workload.name;
  pod.job = workload.job;
  pod.name = std::string(workload.name) + "-" + (workload.job ? "" : letters(9) + "-") + letters(5);
  pod.node = "worker-" + std::to_string(1 + pick(4));
  if (settled) pod.stage = Stage::running;
  world_.log().create(type_, pod.ns, pod.name, new_pod_document(pod.ns, pod.name, pod.workload));
  pods_.push_back(std::move(pod));
  show(pods_.back());
}

void PodLifecycle::advance(std::size_t i) {
  Pod& pod = pods_[i];
  switch (pod.stage) {
    case Stage::pending:
      pod.stage = Stage::creating;
      break;
    case Stage::creating:
      pod.stage = Stage::running;
      break;
    case Stage::running:
      if (pod.job) {
        pod.stage = Stage::completed;
      } else if (pick(3) == 0) {
        pod.stage = Stage::crashing;
        ++pod.restarts;
      } else {
        return remove(i);
      }
      break;
    case Stage::crashing:
      pod.stage = Stage::running;
      break;
    case Stage::completed:
      return remove(i);
  }
  show(pod);
}

void PodLifecycle::remove(std::size_t i) {
  world_.log().remove(type_, object_key(pods_[i].ns, pods_[i].name));
  pods_.erase(pods_.begin() + static_cast<std::ptrdiff_t>(i));
}

void PodLifecycle::show(const Pod& pod) {
  PodFacts facts{pod.workload, pod.node, "Running", "", pod.restarts, true};
  switch (pod.stage) {
    case Stage::pending:
      facts = {pod.workload, "", "Pending", "", 0, false};
      break;
    case Stage::creating:
      facts = {pod.workload, pod.node, "Pending", "ContainerCreating", 0, false};
      break;
    case Stage::running:
      break;
    case Stage::crashing:
      facts = {pod.workload, pod.node, "Running", "CrashLoopBackOff", pod.restarts, false};
      break;
    case Stage::completed:
      facts = {pod.workload, pod.node, "Succeeded", "Completed", pod.restarts, false};
      break;
  }
  world_.log().merge(type_, object_key(pod.ns, pod.name), pod_state_patch(facts));
}

std::string PodLifecycle::letters(std::size_t count) {
  // The alphabet of names that Kubernetes generates (apimachinery/pkg/util/rand): no vowels, no ambiguous characters.
  constexpr char kAlphabet[] = "bcdfghjklmnpqrstvwxz2456789";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += kAlphabet[pick(sizeof kAlphabet - 1)];
  return text;
}

}  // namespace ksr::testserver
