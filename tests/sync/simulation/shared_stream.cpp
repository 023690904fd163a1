#include "simulation/shared_stream.hpp"

#include <cstdlib>
#include <utility>

#include "base/resource_version.hpp"

namespace ksr::sync::testing {

SharedStream::SharedStream(World& world, std::string name, const std::shared_ptr<delivery::SharedView>& view,
                           Milliseconds slowest)
    : world_(world), name_(std::move(name)), slowest_(slowest), publisher_(view) {
  expected_.fill(Etcd::kNone);
}

void SharedStream::deliver() {
  const delivery::SnapshotRef snapshot = publisher_.next();
  if (!snapshot) return;
  // ksr_latest may have shown those in between.
  expect(snapshot->sequence() > sequence_, "a sequence number that is not above the last one");
  held_ = after(*snapshot);
  sequence_ = snapshot->sequence();
  check_view(snapshot->view(), true);
}

void SharedStream::show_latest() {
  const delivery::SnapshotRef snapshot = publisher_.latest();
  expect(snapshot || sequence_ == 0, "no snapshot after one was delivered");
  if (!snapshot) return;
  expect(snapshot->sequence() >= sequence_, "the newest snapshot is older than the one that was delivered");
  if (snapshot->sequence() > sequence_) {
    (void)after(*snapshot);
  } else {
    expect(held_by(snapshot->view()) == held_, "the newest snapshot is not what was delivered under its number");
  }
  check_view(snapshot->view(), false);
}

void SharedStream::deliver_all() {
  do {
    deliver();
  } while (has_news());
  show_latest();
  expect(sequence_ > 0, "nothing was delivered");
  Held all;
  for (const std::size_t change : world_.etcd.state_at(world_.etcd.revision())) {
    if (change == Etcd::kNone) continue;
    const TestObject& object = world_.etcd.log()[change].object;
    all.emplace(object.uid, object.version);
  }
  expect(held_ == all, "what the host was told is not the state of the server");
}

void SharedStream::end() {
  publisher_.freeze();
  show_latest();
  last_ = shown();
}

void SharedStream::check_end() {
  const Last now = shown();
  expect(now.sequence == last_->sequence && now.held == last_->held, "what is shown changed after the end");
}

SharedStream::Last SharedStream::shown() {
  const delivery::SnapshotRef snapshot = publisher_.latest();
  return snapshot ? Last{snapshot->sequence(), held_by(snapshot->view())} : Last();
}

void SharedStream::expect(bool holds, const char* what) const {
  if (!holds) throw InvariantViolation(name_ + ": " + what);
}

SharedStream::Held SharedStream::held_by(const store::View& view) {
  Held held;
  for (std::size_t i = 0; i < view.count(); ++i) held.emplace(view.at(i)->uid(), view.at(i)->resource_version());
  return held;
}

// What the host knows once the snapshot is delivered.
SharedStream::Held SharedStream::after(const delivery::Snapshot& snapshot) const {
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

void SharedStream::check_view(const store::View& view, bool delivered) {
  const Revision version = std::strtoll(std::string(view.resource_version()).c_str(), nullptr, 10);
  expect(version >= expected_version_, "a snapshot's resourceVersion went back");
  Etcd::State expected = expected_;
  const std::size_t next = world_.etcd.advance(expected, expected_next_, version);
  std::size_t count = 0;
  for (const std::size_t change : expected) {
    if (change == Etcd::kNone) continue;
    ++count;
    const TestObject& object = world_.etcd.log()[change].object;
    const store::Object* held = view.find_uid(object.uid);
    expect(held != nullptr && held->resource_version() == object.version,
           "the snapshot is not the server's state at its resourceVersion");
  }
  expect(count == view.count(), "the snapshot holds more than the server had at its resourceVersion");
  if (!delivered) return;
  expected_ = expected;
  expected_next_ = next;
  expected_version_ = version;
}

}  // namespace ksr::sync::testing
