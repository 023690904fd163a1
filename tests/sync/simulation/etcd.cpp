#include "simulation/etcd.hpp"

#include <algorithm>
#include <utility>

namespace ksr::sync::testing {

Etcd::Etcd(std::string kind) : kind_(std::move(kind)) {
  current_.fill(kNone);
}

void Etcd::put(std::size_t name, Instant now) {
  if (current_[name] != kNone) return append(json::EventType::modified, name, log_[current_[name]].object, now);
  TestObject object;
  object.uid = "uid-" + std::to_string(++uids_);
  object.name = std::string("object-") + static_cast<char>('a' + name);
  object.kind = kind_;
  append(json::EventType::added, name, std::move(object), now);
}

void Etcd::remove(std::size_t name, Instant now) {
  if (current_[name] != kNone) append(json::EventType::deleted, name, log_[current_[name]].object, now);
}

void Etcd::append(json::EventType type, std::size_t name, TestObject object, Instant now) {
  object.version = std::to_string(++revision_);
  current_[name] = type == json::EventType::deleted ? kNone : log_.size();
  log_.push_back({revision_, now, type, name, std::move(object)});
}

std::size_t Etcd::first_after(Revision revision) const {
  const auto found = std::upper_bound(log_.begin(), log_.end(), revision,
                                      [](Revision r, const Change& change) { return r < change.revision; });
  return static_cast<std::size_t>(found - log_.begin());
}

std::size_t Etcd::advance(State& state, std::size_t from, Revision revision) const {
  while (from < log_.size() && log_[from].revision <= revision) {
    state[log_[from].name] = log_[from].type == json::EventType::deleted ? kNone : from;
    ++from;
  }
  return from;
}

Etcd::State Etcd::state_at(Revision revision) const {
  State state;
  state.fill(kNone);
  advance(state, 0, revision);
  return state;
}

Revision Etcd::revision_before(Instant at) const {
  const auto found = std::lower_bound(log_.begin(), log_.end(), at,
                                      [](const Change& change, Instant moment) { return change.at < moment; });
  return found == log_.begin() ? 0 : std::prev(found)->revision;
}

}  // namespace ksr::sync::testing
