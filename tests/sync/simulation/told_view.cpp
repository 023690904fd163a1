#include "simulation/told_view.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/resource_version.hpp"
#include "simulation/invariant.hpp"

namespace ksr::sync::testing {

ToldView::ToldView(const Etcd& etcd, std::string name, std::size_t limit)
    : etcd_(etcd), name_(std::move(name)), limit_(limit) {
  expected_.fill(Etcd::kNone);
}

void ToldView::deliver(const delivery::Snapshot& snapshot) {
  // ksr_latest may have shown those in between.
  expect(snapshot.sequence() > sequence_, "a sequence number that is not above the last one");
  held_ = after(snapshot);
  sequence_ = snapshot.sequence();
  check_view(snapshot.view(), true);
}

void ToldView::show(const delivery::SnapshotRef& latest) {
  expect(latest || sequence_ == 0, "no snapshot after one was delivered");
  if (!latest) return;
  expect(latest->sequence() >= sequence_, "the newest snapshot is older than the one that was delivered");
  if (latest->sequence() > sequence_) {
    (void)after(*latest);
  } else {
    expect(held_by(latest->view()) == held_, "the newest snapshot is not what was delivered under its number");
  }
  check_view(latest->view(), false);
}

void ToldView::check_complete() const {
  expect(sequence_ > 0, "nothing was delivered");
  expect(is_complete(), "what the host was told is not the state of the server");
}

bool ToldView::is_complete() const {
  if (sequence_ == 0) return false;
  std::size_t all = 0;
  std::size_t found = 0;
  for (const std::size_t change : etcd_.state_at(etcd_.revision())) {
    if (change == Etcd::kNone) continue;
    const TestObject& object = etcd_.log()[change].object;
    const auto held = held_.find(object.uid);
    ++all;
    found += held != held_.end() && held->second == object.version ? 1 : 0;
  }
  return found == held_.size() && found == (limit_ == 0 ? all : std::min(limit_, all));
}

bool ToldView::agrees_with(const delivery::SnapshotRef& latest) const {
  return latest ? held_by(latest->view()) == held_ : sequence_ == 0;
}

ToldView::Shown ToldView::shown(const delivery::SnapshotRef& latest) {
  return latest ? Shown{latest->sequence(), held_by(latest->view())} : Shown();
}

void ToldView::expect(bool holds, const char* what) const {
  if (!holds) throw InvariantViolation(name_ + ": " + what);
}

ToldView::Held ToldView::held_by(const store::View& view) {
  Held held;
  for (std::size_t i = 0; i < view.count(); ++i) held.emplace(view.at(i)->uid(), view.at(i)->resource_version());
  return held;
}

// What the host knows once the snapshot is delivered.
ToldView::Held ToldView::after(const delivery::Snapshot& snapshot) const {
  Held held = held_;
  const store::Deltas& deltas = snapshot.deltas();
  for (std::size_t i = 0; i < deltas.count(); ++i) {
    const store::Object& object = *deltas.object_at(i);
    const std::string uid(object.uid());
    const std::string version(object.resource_version());
    const auto known = held.find(uid);
    if (const store::Object* const before = deltas.before_at(i)) {
      expect(known != held.end() && known->second == before->resource_version(), "what was before is not what was");
    }
    switch (deltas.kind_at(i)) {
      case store::DeltaKind::added:
        expect(known == held.end(), "ADDED for a known uid");
        held.emplace(uid, version);
        break;
      case store::DeltaKind::modified:
        expect(known != held.end(), "MODIFIED for an unknown uid");
        expect(compare_resource_versions(known->second, version).value_or(0) < 0, "an object went back");
        known->second = version;
        break;
      case store::DeltaKind::deleted:
        expect(known != held.end(), "DELETED for an unknown uid");
        held.erase(known);
        break;
    }
  }
  expect(held == held_by(snapshot.view()), "the deltas do not add up to the snapshot");
  return held;
}

void ToldView::check_view(const store::View& view, bool delivered) {
  const Revision version = std::strtoll(std::string(view.resource_version()).c_str(), nullptr, 10);
  expect(version >= expected_version_, "a snapshot's resourceVersion went back");
  Etcd::State expected = expected_;
  const std::size_t next = etcd_.advance(expected, expected_next_, version);
  std::size_t count = 0;
  std::size_t found = 0;
  for (const std::size_t change : expected) {
    if (change == Etcd::kNone) continue;
    ++count;
    const TestObject& object = etcd_.log()[change].object;
    const store::Object* held = view.find_uid(object.uid);
    found += held != nullptr ? 1 : 0;
    expect(held == nullptr ? limit_ > 0 : held->resource_version() == object.version,
           "the snapshot is not the server's state at its resourceVersion");
  }
  expect(found == view.count(), "the snapshot holds more than the server had at its resourceVersion");
  expect(limit_ == 0 || found == std::min(limit_, count),
         "the snapshot does not hold as many objects as its limit says");
  if (!delivered) return;
  expected_ = expected;
  expected_next_ = next;
  expected_version_ = version;
}

}  // namespace ksr::sync::testing
