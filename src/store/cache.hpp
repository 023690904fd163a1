// `Cache` holds the view of one or several streams: objects by uid, in order, with immutable snapshots; used by
// delivery::SharedView, whose mutex guards it. Pure data: no threads, no I/O. Views and objects may be used on any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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
  // All but objects that are newer than the list: a server whose lists come from caches must not take the view back.
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
  void begin_list(std::string_view scope = {});
  // An item that is held already, with the same text and columns, costs no memory.
  void stage(const json::Item& item, std::string_view scope = {});
  // What was staged of that uid is gone again, and an earlier event must not restore it. Where versions do not compare,
  // what comes later counts, here and in stage().
  void stage_deletion(const json::Item& item, std::string_view scope = {});
  // All staged objects replace the old ones of the scope; what was not listed is deleted. With newer_wins no uid goes
  // back in time: what is newer than the list itself (compared as digit strings) stays where the list has it older or
  // not at all, and what was deleted since the list was made does not come back. What is held at the list's version or
  // an older one, and listed as older than that, is of a history that the server has no more (an etcd restored from a
  // backup whose versions go on): the list has it right. Where the list's version does not compare, the newer stays. Of
  // a uid staged twice, and of two uids with one name, the newer stays. Returns how many objects changed (added +
  // modified + deleted).
  std::size_t commit_list(std::string_view resource_version, std::string_view scope = {},
                          Precedence precedence = Precedence::newer_wins);
  void abandon_list(std::string_view scope = {});

  // --- a watch ----------------------------------------------------------------------------------------------------
  // Newer resourceVersions only. Another uid under a name that is held means that the older of both is deleted; an
  // event of a uid that is known to be deleted since is stale. `resource_version`: that of the scope from then on, as
  // by set_resource_version(); empty: it stays.
  Applied apply(json::EventType type, const json::Item& item, std::string_view resource_version = {},
                std::string_view scope = {});
  // An event of that uid is about to come: what it will look at is brought into the processor's cache while its text is
  // read. First where the object is found, then the object, which is known once that has come.
  void expect(std::string_view uid) const noexcept { state_.all().prefetch_place(UidProbe::of(uid)); }
  void expect_soon(std::string_view uid) const noexcept { state_.all().prefetch(UidProbe::of(uid)); }
  // A bookmark, or the version of the last event: what view().resource_version() will return. With several scopes,
  // whose watches do not advance in step, it is the newest of theirs.
  void set_resource_version(std::string_view resource_version, std::string_view scope = {});

  // --- reading ----------------------------------------------------------------------------------------------------
  // True once a list was committed, of each scope.
  bool synced() const noexcept { return listed_scopes_ == scope_count_; }
  std::size_t count() const noexcept { return state_.all().size(); }      // all objects, beyond `limit` too
  std::uint64_t stored_bytes() const noexcept { return state_.bytes(); }  // JSON and columns of all objects
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
  struct Staged {
    std::vector<ObjectRef> objects;
    // uid and version.
    std::map<std::string, std::string, std::less<>> deletions;
  };
  // What is known of one namespace, or of everything.
  struct Scope {
    std::string resource_version;
    Tombstones tombstones;
    std::optional<Staged> staged;
    bool listed = false;
  };
  // Of the view, and of one scope: made before a change, put in place after it.
  struct Versions {
    std::string of_view;
    std::string of_scope;
  };

  Scope& scope_named(std::string_view name);
  Versions versions_with(const Scope& scope, std::string_view resource_version) const;
  void put(Versions& versions, Scope& scope) noexcept;
  Applied apply_deleted(const json::Item& item, const Object* held, Tombstones& tombstones);
  Applied apply_present(const json::Item& item, const Object* held, Tombstones& tombstones);
  const Object* name_holder_other_than(const Object* held, const json::Item& item) const noexcept;
  void take_over_name(const Object& other, const Object* held, const Object& object, Tombstones& tombstones);
  void delete_staged(const Staged& staged, CacheState& merged, Tombstones& tombstones);

  // Destroyed last, so that the blocks of the other members are kept for other caches, if there are any.
  const BlockRecycler::Lease spares_{BlockRecycler::shared()};
  CacheState state_;
  NodePools pools_;
  std::string resource_version_;
  HeapGrowth heap_growth_;
  const std::size_t scope_count_;
  std::map<std::string, Scope, std::less<>> scopes_;
  std::size_t listed_scopes_ = 0;
  bool first_list_unseen_ = false;
};

}  // namespace ksr::store
