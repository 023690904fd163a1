#include "store/list_merge.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "store/sorting.hpp"
#include "store/versions.hpp"

namespace ksr::store {
namespace {

struct Row {
  std::uint64_t hash;
  const Object* object;
  std::size_t position;  // in the list
};

// One row for each uid: the newest, of those that do not compare the last.
std::vector<Row> rows_by_uid(const std::vector<ObjectRef>& listed) {
  std::vector<Row> rows;
  rows.reserve(listed.size());
  for (const ObjectRef& object : listed) rows.push_back({object->uid_hash(), object.get(), rows.size()});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) noexcept {
    const int order = ByUid::compare({a.hash, a.object}, {b.hash, b.object->uid()});
    return order != 0 ? order < 0 : a.position < b.position;
  });
  std::size_t kept = 0;
  for (const Row& row : rows) {
    const bool again = kept > 0 && rows[kept - 1].hash == row.hash && rows[kept - 1].object->uid() == row.object->uid();
    if (!again) {
      rows[kept++] = row;
    } else if (!is_older(row.object->resource_version(), rows[kept - 1].object->resource_version())) {
      rows[kept - 1].object = row.object;
    }
  }
  rows.resize(kept);
  return rows;
}

bool deleted_since(const Object& object, const Tombstones& tombstones, std::string_view list_version) noexcept {
  const auto deleted_at = tombstones.deleted_at(object.uid());
  return deleted_at && is_newer(*deleted_at, list_version) && !is_newer(object.resource_version(), *deleted_at);
}

// Of two uids with one name the one that was created later; by uid when all else is equal, for a total order.
bool outranks(const Object& a, const Object& b) noexcept {
  const auto order = compare_resource_versions(a.resource_version(), b.resource_version());
  if (order.value_or(0) != 0) return *order > 0;
  const int by_creation = a.creation_timestamp().compare(b.creation_timestamp());
  return by_creation != 0 ? by_creation > 0 : a.uid() > b.uid();
}

struct Change {
  const Object* before;
  const Object* after;
};

// Walks the list and what is held side by side, by uid.
class Merge {
 public:
  Merge(const Tombstones& tombstones, const ListOrigin& origin, std::size_t listed)
      : tombstones_(tombstones),
        version_(origin.version),
        scope_(origin.scope),
        wins_(origin.wins),
        in_list_order_(listed) {}

  void walk(const Index& held, const std::vector<Row>& rows) {
    auto row = rows.begin();
    held.by_uid().for_each([&](const ByUid::Entry& entry) {
      const UidProbe probe{entry.hash, entry.object->uid()};
      for (; row != rows.end() && ByUid::compare({row->hash, row->object}, probe) < 0; ++row) add_new(*row);
      if (row != rows.end() && ByUid::compare({row->hash, row->object}, probe) == 0) {
        add_known(*row++, *entry.object);
      } else {
        add_unlisted(*entry.object);
      }
    });
    for (; row != rows.end(); ++row) add_new(*row);
  }

  const std::vector<Change>& changes() const noexcept { return changes_; }
  std::vector<const Object*> take_by_uid() noexcept { return std::move(by_uid_); }
  // A server lists almost in the order of names, so this is almost sorted already.
  std::vector<const Object*> take_nearly_by_name() {
    in_list_order_.erase(std::remove(in_list_order_.begin(), in_list_order_.end(), nullptr), in_list_order_.end());
    in_list_order_.insert(in_list_order_.end(), kept_.begin(), kept_.end());
    return std::move(in_list_order_);
  }

 private:
  void add_new(const Row& row) {
    if (deleted_since(*row.object, tombstones_, version_)) return;
    changes_.push_back({nullptr, row.object});
    place(row, row.object);
  }
  void add_known(const Row& row, const Object& held) {
    const bool stays = row.object == &held || (is_older(row.object->resource_version(), held.resource_version()) &&
                                               is_ahead(held.resource_version()));
    if (!stays) changes_.push_back({&held, row.object});
    place(row, stays ? &held : row.object);
  }
  void add_unlisted(const Object& held) {
    const bool was_asked_for = scope_.empty() || held.name_space() == scope_;
    if (was_asked_for && (wins_ || !is_newer(held.resource_version(), version_)))
      return changes_.push_back({&held, nullptr});
    by_uid_.push_back(&held);
    kept_.push_back(&held);
  }
  // Newer than the list, which then may have an older state of it, or none.
  bool is_ahead(std::string_view held) const noexcept {
    return !wins_ && compare_resource_versions(held, version_).value_or(1) > 0;
  }
  void place(const Row& row, const Object* object) {
    by_uid_.push_back(object);
    in_list_order_[row.position] = object;
  }

  const Tombstones& tombstones_;
  std::string_view version_;
  std::string_view scope_;
  const bool wins_;
  std::vector<const Object*> by_uid_;
  std::vector<const Object*> in_list_order_;
  std::vector<const Object*> kept_;
  std::vector<Change> changes_;
};

// Of each name only the object that outranks the others.
void drop_outranked(std::vector<const Object*>& by_uid, std::vector<const Object*>& by_name) {
  std::vector<const Object*> losers;
  std::size_t kept = 0;
  for (const Object* object : by_name) {
    if (kept == 0 || !same_name(*by_name[kept - 1], *object)) {
      by_name[kept++] = object;
    } else if (outranks(*object, *by_name[kept - 1])) {
      losers.push_back(std::exchange(by_name[kept - 1], object));
    } else {
      losers.push_back(object);
    }
  }
  if (losers.empty()) return;
  by_name.resize(kept);
  std::sort(losers.begin(), losers.end());
  const auto lost = [&](const Object* object) { return std::binary_search(losers.begin(), losers.end(), object); };
  by_uid.erase(std::remove_if(by_uid.begin(), by_uid.end(), lost), by_uid.end());
}

CacheState rebuilt(const CacheState& held, Merge merge, NodePools& pools) {
  std::vector<const Object*> by_uid = merge.take_by_uid();
  std::vector<const Object*> by_name = merge.take_nearly_by_name();
  sort_by_name(by_name);
  drop_outranked(by_uid, by_name);
  CacheState next = held;
  next.rebuild(by_uid, by_name, pools);
  return next;
}

// Adds or deletes an object; of two uids with one name the one that outranks the other stays.
void admit(CacheState& state, const Object& object, NodePools& pools) {
  const Object* other = state.all().find(object.name_space(), object.name());
  const bool contested = other != nullptr && other->uid() != object.uid();
  const bool wins = !contested || outranks(object, *other);
  if (contested && wins) state.change(other, nullptr, pools);
  const Object* before = state.all().find_uid(UidProbe::of(object));
  if (wins || before != nullptr) state.change(before, wins ? &object : nullptr, pools);
}

bool frees_name(const Change& change) noexcept {
  return change.before != nullptr && (change.after == nullptr || !same_name(*change.before, *change.after));
}

// `held` keeps all deleted objects alive.
CacheState changed(const CacheState& held, const Merge& merge, NodePools& pools) {
  CacheState next = held;
  for (const Change& change : merge.changes()) {
    if (frees_name(change)) next.change(change.before, nullptr, pools);
  }
  for (const Change& change : merge.changes()) {
    if (change.after != nullptr) admit(next, *change.after, pools);
  }
  return next;
}

}  // namespace

CacheState merge_list(const CacheState& held, const std::vector<ObjectRef>& listed, const Tombstones& tombstones,
                      const ListOrigin& origin, NodePools& pools) {
  Merge merge(tombstones, origin, listed.size());
  merge.walk(held.all(), rows_by_uid(listed));
  const bool many = merge.changes().size() > held.all().size() / 4;
  return many ? rebuilt(held, std::move(merge), pools) : changed(held, merge, pools);
}

std::size_t count_differences(const Index& a, const Index& b) {
  std::size_t count = 0;
  std::size_t found_in_b = 0;
  a.by_uid().for_each([&](const ByUid::Entry& entry) {
    const Object* other = b.find_uid({entry.hash, entry.object->uid()});
    if (other != nullptr) ++found_in_b;
    if (other != entry.object.get()) ++count;
  });
  return count + b.size() - found_in_b;
}

}  // namespace ksr::store
