// `RevisionLog` keeps all objects of the cluster and their changes under one global revision; used by World, lists and
// watches. Lives on the server's thread.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "server/object.hpp"

namespace ksr::testserver {

enum class ChangeKind { added, modified, deleted };

struct Change {
  ChangeKind kind;
  std::uint64_t revision;
  ObjectPtr object;    // for deleted: the last state under the revision of the deletion
  ObjectPtr previous;  // null for added
};

// Every version of one resource's objects since the last compaction, as etcd and the watch cache together keep them.
class Collection {
 public:
  void apply(const Change& change);
  // Compacts up to that revision; the state at that revision itself stays readable.
  void compact(std::uint64_t revision);
  void keep_changes(std::size_t count);

  ObjectPtr find(const std::string& key) const;
  // The state at a revision, in key order, from start_key on; the visitor returns false to stop.
  void visit(std::uint64_t revision, const std::string& start_key,
             const std::function<bool(const ObjectPtr&)>& visitor) const;
  const std::deque<Change>& changes() const { return changes_; }
  std::uint64_t compacted() const { return compacted_; }
  std::size_t size() const { return live_; }

 private:
  struct Version {
    std::uint64_t revision;
    ObjectPtr object;  // null: deleted
  };
  using Versions = std::vector<Version>;

  static void forget_before(Versions& versions, std::uint64_t revision);

  std::map<std::string, Versions> objects_;
  std::deque<Change> changes_;
  std::uint64_t compacted_ = 0;
  std::size_t live_ = 0;
};

// All objects of the cluster under one global revision.
class RevisionLog {
 public:
  using Listener = std::function<void(const ResourceType&, const Change&)>;

  explicit RevisionLog(Listener listener) : listener_(std::move(listener)) {}

  std::uint64_t revision() const { return revision_; }
  const Collection& collection(const ResourceType& type) const;
  // Reads and watches of that resource from before this revision are refused.
  std::uint64_t oldest(const ResourceType& type) const;

  // Each throws std::runtime_error if the object already exists, or does not exist.
  Change create(const ResourceType& type, const std::string& ns, const std::string& name,
                const boost::json::object& body);
  Change merge(const ResourceType& type, const std::string& key, const boost::json::value& patch);
  Change replace(const ResourceType& type, const std::string& key, const boost::json::object& body);
  Change remove(const ResourceType& type, const std::string& key);

  void compact();
  void set_window(std::size_t changes) { window_ = changes; }
  // Only forwards: revisions are never reused.
  void advance_to(std::uint64_t revision);

 private:
  std::uint64_t next_revision() { return ++revision_; }
  std::string new_uid();
  ObjectPtr existing(const ResourceType& type, const std::string& key) const;
  Change commit(const ResourceType& type, Change change);

  Listener listener_;
  std::map<const ResourceType*, Collection> collections_;
  std::uint64_t revision_ = 1000;
  std::uint64_t compacted_ = 0;
  std::size_t window_ = 100000;
  std::mt19937_64 random_{20240229};
};

}  // namespace ksr::testserver
