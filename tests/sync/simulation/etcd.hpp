// `Etcd` holds every change that was written, and so the state at every revision: what the views must agree with; used
// by ApiServer and Client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "json/watch_reader.hpp"
#include "support/test_object.hpp"

namespace ksr::sync::testing {

using Revision = std::int64_t;

struct Change {
  Revision revision;
  Instant at;
  json::EventType type;
  std::size_t name;
  TestObject object;  // a deletion: the last state, at the revision of the deletion
};

class Etcd {
 public:
  static constexpr std::size_t kNames = 16;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  // For each name the last change of its object, or kNone.
  using State = std::array<std::size_t, kNames>;

  explicit Etcd(std::string kind);

  void put(std::size_t name, Instant now);     // creates or updates
  void remove(std::size_t name, Instant now);  // no effect without an object
  void bump(Revision by) { revision_ += by; }  // another resource was written
  void compact(Revision revision) { compacted_ = revision > compacted_ ? revision : compacted_; }

  Revision revision() const { return revision_; }
  Revision compacted() const { return compacted_; }
  const std::vector<Change>& log() const { return log_; }
  // The first change after `revision`; log().size() when there is none.
  std::size_t first_after(Revision revision) const;
  State state_at(Revision revision) const;
  // How `state` goes on from change `from` up to `revision`; returns the first change after it.
  std::size_t advance(State& state, std::size_t from, Revision revision) const;
  // The newest change that was made before `at`; 0 when there was none.
  Revision revision_before(Instant at) const;

 private:
  void append(json::EventType type, std::size_t name, TestObject object, Instant now);

  std::string kind_;
  Revision revision_ = 100;
  Revision compacted_ = 0;
  std::uint64_t uids_ = 0;
  std::vector<Change> log_;
  State current_;
};

}  // namespace ksr::sync::testing
