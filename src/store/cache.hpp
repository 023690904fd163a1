// `Cache` holds the view of one or several streams: objects by uid, in order, with immutable snapshots; used by
// delivery::SharedView, whose mutex guards it. Pure data: no threads, no I/O. Views and objects may be used on any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/item.hpp"
#include "json/watch_reader.hpp"
#include "store/block_recycler.hpp"
#include "store/cache_state.hpp"
#include "store/changes.hpp"
#include "store/heap_growth.hpp"
#include "store/tombstones.hpp"
#include "store/view.hpp"

namespace ksr::store {

enum class Applied {
  added,
  modified,
  deleted,
  // Not newer than what is held, or than what is known to be deleted: no change.
  stale,
  // The object was not there to be deleted.
  absent,
};

// What a list replaces.
enum class Precedence {
  // Objects that are older; a server whose lists come from caches must not take the view back.
  newer_wins,
  // All objects: the server's versions went back (an etcd restored from a backup), so that they say nothing about age.
  list_wins,
};

// Every call that throws (std::bad_alloc, nothing else) has then done nothing.
class Cache {
 public:
  // `limit` 0: views are ordered by (namespace, name). Else they show the `limit` most recent of all objects.
  // `scopes`: how many namespaces are listed each on its own; 1: one list has everything.
  // `indexed`: the columns by whose values views find objects.
  explicit Cache(std::size_t limit, std::size_t scopes = 1, const std::vector<std::size_t>& indexed = {});

  // --- a list, in pages; nothing of it is visible before it is committed -------------------------------------------
  // `scope`: the namespace that the list is of; empty: it has everything. Lists of several scopes may be under way at
  // once.
  void begin_list(std::string_view scope = {}, Precedence precedence = Precedence::newer_wins);
  // An item whose uid and resourceVersion are held already costs no memory.
  void stage(const json::Item& item, std::string_view scope = {});
  // What was staged of that uid is gone again, and a later event must not restore it.
  void stage_deletion(const json::Item& item, std::string_view scope = {});
  // All staged objects replace the old ones of the scope; what was not listed is deleted. With newer_wins no uid goes
  // back in time: a staged object older than the held one (compared as digit strings) leaves the newer one in place;
  // what is newer than the list itself was not deleted by it, and what was deleted since the list was made does not
  // come back. Of a uid staged twice, and of two uids with one name, the newer stays. Returns how many objects changed
  // (added + modified + deleted).
  std::size_t commit_list(std::string_view resource_version, std::string_view scope = {});
  void abandon_list(std::string_view scope = {});

  // --- a watch ----------------------------------------------------------------------------------------------------
  // Newer resourceVersions only. Another uid under a name that is held means that the older of both is deleted; an
  // event of a uid that is known to be deleted since is stale.
  Applied apply(json::EventType type, const json::Item& item);
  // An event of that uid is about to come: what it will look at is brought into the processor's cache while its text is
  // read. First where the object is found, then the object, which is known once that has come.
  void expect(std::string_view uid) const noexcept { state_.all().prefetch_place(UidProbe::of(uid)); }
  void expect_soon(std::string_view uid) const noexcept { state_.all().prefetch(UidProbe::of(uid)); }
  // A bookmark, or the version of the last event: what view().resource_version() will return. With several scopes,
  // whose watches do not advance in step, the newest counts.
  void set_resource_version(std::string_view resource_version);

  // --- reading ----------------------------------------------------------------------------------------------------
  // True once a list was committed, of each scope.
  bool synced() const noexcept { return listed_scopes_.size() == scopes_; }
  std::size_t count() const noexcept { return state_.all().size(); }      // all objects, beyond `limit` too
  std::uint64_t stored_bytes() const noexcept { return state_.bytes(); }  // JSON text of all objects held
  // True when something seen through a view has changed since the last cut(): some object is not what it was (a
  // resourceVersion of the view alone is no change, nor what json::Sameness leaves out), or the first list has come, be
  // it empty.
  bool changed() const noexcept { return first_list_unseen_ || state_.changed(); }
  // Another number whenever an object is another one than before, be it by what is no change for the host: views of
  // another edition are not the newest, and keep objects that are not needed otherwise.
  std::uint64_t edition() const noexcept { return state_.edition(); }
  // The object of that uid, beyond `limit` too; nullptr: there is none.
  const Object* find_uid(const UidProbe& uid) const noexcept { return state_.all().find_uid(uid); }
  // The view as it is now, under its own version or another.
  View view() const { return view(resource_version_); }
  View view(std::string_view resource_version) const { return {state_.visible(), resource_version}; }
  // The view as it is now and what changed in it since the cut before. No copy of the cache.
  Cut cut();

 private:
  std::vector<std::string> with_scope(std::string_view scope) const;
  Applied apply_deleted(const json::Item& item, const Object* held);
  Applied apply_present(const json::Item& item, const Object* held);
  const Object* name_holder_other_than(const Object* held, const json::Item& item) const noexcept;
  void take_over_name(const Object& other, const Object* held, const Object& object);

  // Destroyed last, so that the blocks of the other members are kept for other caches, if there are any.
  const BlockRecycler::Lease spares_{BlockRecycler::shared()};
  CacheState state_;
  NodePools pools_;
  Tombstones tombstones_;
  std::string resource_version_;
  HeapGrowth heap_growth_;
  const std::size_t scopes_;
  struct Staged {
    Precedence precedence;
    std::vector<ObjectRef> objects;
    std::vector<Tombstones::Tombstone> deletions;
  };
  void delete_staged(const Staged& staged, CacheState& merged, Tombstones& tombstones);

  std::map<std::string, Staged, std::less<>> staged_;
  std::vector<std::string> listed_scopes_;
  bool first_list_unseen_ = false;
};

}  // namespace ksr::store
