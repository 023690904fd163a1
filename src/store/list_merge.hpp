// `merge_list` replaces what a cache holds by a list; used by Cache. Guarded by the mutex of its cache's owner.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "store/cache_state.hpp"
#include "store/tombstones.hpp"

namespace ksr::store {

struct ListOrigin {
  std::string_view version;
  // The namespace that was listed; empty: all.
  std::string_view scope;
  // Versions do not say what is newer: what is listed replaces what is held.
  bool wins = false;
};

// The state after the list of this origin, these objects in order, by the rules of Cache::commit_list.
// Throws std::bad_alloc; `held` is untouched in any case.
CacheState merge_list(const CacheState& held, const std::vector<ObjectRef>& listed, const Tombstones& tombstones,
                      const ListOrigin& origin, NodePools& pools);

// How many uids are in only one of both, or not the same object in both.
std::size_t count_differences(const Index& a, const Index& b);

}  // namespace ksr::store
