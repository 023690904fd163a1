#include "store/cache.hpp"

#include <algorithm>
#include <utility>

#include "store/list_merge.hpp"
#include "store/versions.hpp"

namespace ksr::store {

namespace {

// Whether `item` is what is held, so that it needs no memory. Where versions say nothing its text decides.
bool is_held(const Object& held, const json::Item& item, Precedence precedence) noexcept {
  if (held.resource_version() != item.resource_version) return false;
  if (!item.resource_version.empty() && precedence == Precedence::newer_wins) return true;
  std::string_view rest = held.field(Field::json);
  if (rest.size() != item.text_size()) return false;
  for (const std::string_view piece : item.text) {
    if (rest.substr(0, piece.size()) != piece) return false;
    rest.remove_prefix(piece.size());
  }
  return true;
}

}  // namespace

Cache::Cache(std::size_t limit, std::size_t scopes, const std::vector<std::size_t>& indexed)
    : state_(limit, indexed), scopes_(scopes) {}

void Cache::begin_list(std::string_view scope, Precedence precedence) {
  abandon_list(scope);
  staged_.emplace(scope, Staged{precedence, {}, {}});
}

void Cache::stage(const json::Item& item, std::string_view scope) {
  Staged& staged = staged_.find(scope)->second;
  const Object* held = state_.all().find_uid(UidProbe::of(item.uid));
  const bool same = held != nullptr && is_held(*held, item, staged.precedence);
  if (!same) heap_growth_.prepare(item.text_size());
  staged.objects.push_back(same ? ObjectRef(held) : ObjectRef::create(item));
}

void Cache::stage_deletion(const json::Item& item, std::string_view scope) {
  staged_.find(scope)->second.deletions.emplace_back(item.uid, item.resource_version);
}

void Cache::delete_staged(const Staged& staged, CacheState& merged, Tombstones& tombstones) {
  for (const Tombstones::Tombstone& deletion : staged.deletions) {
    const Object* const object = merged.all().find_uid({deletion.hash(), deletion.uid()});
    if (object != nullptr && !is_older(deletion.resource_version(), object->resource_version())) {
      const ObjectRef last_state(object);
      merged.change(object, nullptr, pools_);
    }
    tombstones.put(tombstones.prepare(deletion.uid(), deletion.resource_version()));
  }
}

std::size_t Cache::commit_list(std::string_view resource_version, std::string_view scope) {
  const auto staged = staged_.find(scope);
  std::string version(resource_version);
  const bool went_back = staged->second.precedence == Precedence::list_wins;
  Tombstones tombstones = went_back ? Tombstones() : tombstones_;
  CacheState merged =
      merge_list(state_, staged->second.objects, tombstones, {resource_version, scope, went_back}, pools_);
  // The list of one scope says nothing about deletions in the others.
  if (scopes_ == 1) tombstones = tombstones.after(resource_version);
  delete_staged(staged->second, merged, tombstones);
  std::vector<std::string> listed_scopes = with_scope(scope);
  const std::size_t changed = count_differences(state_.all(), merged.all());

  const bool was_synced = synced();
  std::swap(state_, merged);
  std::swap(tombstones_, tombstones);
  listed_scopes_.swap(listed_scopes);
  if (scopes_ == 1 || went_back || !is_older(version, resource_version_)) resource_version_.swap(version);
  first_list_unseen_ = first_list_unseen_ || (!was_synced && synced());
  staged_.erase(staged);
  return changed;
}

std::vector<std::string> Cache::with_scope(std::string_view scope) const {
  std::vector<std::string> scopes = listed_scopes_;
  if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.emplace_back(scope);
  return scopes;
}

void Cache::abandon_list(std::string_view scope) {
  const auto staged = staged_.find(scope);
  if (staged != staged_.end()) staged_.erase(staged);
}

Applied Cache::apply(json::EventType type, const json::Item& item) {
  const Object* held = state_.all().find_uid(UidProbe::of(item.uid));
  return type == json::EventType::deleted ? apply_deleted(item, held) : apply_present(item, held);
}

Applied Cache::apply_deleted(const json::Item& item, const Object* held) {
  if (held != nullptr && is_older(item.resource_version, held->resource_version())) return Applied::stale;
  Tombstones::Tombstone tombstone = tombstones_.prepare(item.uid, item.resource_version);
  if (held != nullptr) {
    const ObjectRef last_state(held);
    state_.change(held, nullptr, pools_);
  }
  tombstones_.put(std::move(tombstone));
  return held != nullptr ? Applied::deleted : Applied::absent;
}

// Another uid that has the name of `item`.
const Object* Cache::name_holder_other_than(const Object* held, const json::Item& item) const noexcept {
  if (held != nullptr && compare_names(*held, item.name_space, item.name) == 0) return nullptr;
  return state_.all().find(item.name_space, item.name);
}

Applied Cache::apply_present(const json::Item& item, const Object* held) {
  if (held != nullptr) {
    if (!supersedes(item.resource_version, held->resource_version())) return Applied::stale;
  } else if (const auto deleted_at = tombstones_.deleted_at(item.uid)) {
    if (!supersedes(item.resource_version, *deleted_at)) return Applied::stale;
  }
  const Object* other = name_holder_other_than(held, item);
  if (other != nullptr && !supersedes(item.resource_version, other->resource_version())) return Applied::stale;

  if (held != nullptr) state_.all().prefetch_places(*held);
  const ObjectRef object = ObjectRef::create(item, held);
  const ObjectRef before(held);
  if (other != nullptr) {
    take_over_name(*other, held, *object);
  } else {
    state_.change(held, object.get(), pools_);
  }
  return held != nullptr ? Applied::modified : Applied::added;
}

void Cache::take_over_name(const Object& other, const Object* held, const Object& object) {
  // A name is free for a new uid only after the old one was deleted: that event was missed.
  Tombstones::Tombstone tombstone = tombstones_.prepare(other.uid(), object.resource_version());
  CacheState next = state_;
  next.change(&other, nullptr, pools_);
  next.change(held, &object, pools_);
  std::swap(state_, next);
  tombstones_.put(std::move(tombstone));
}

void Cache::set_resource_version(std::string_view resource_version) {
  if (scopes_ > 1 && is_older(resource_version, resource_version_)) return;
  resource_version_ = resource_version;
}

Cut Cache::cut() {
  View now = view();
  first_list_unseen_ = false;
  return {std::move(now), state_.take_changes()};
}

}  // namespace ksr::store
