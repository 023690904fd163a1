#include "store/cache.hpp"

#include <utility>

#include "store/list_merge.hpp"
#include "store/versions.hpp"

namespace ksr::store {

namespace {

// Of a column that reads the same: "a,b" may be one value or two.
bool has_values_of(const Object& held, const json::Item& item) noexcept {
  const std::size_t values = item.columns != nullptr ? item.columns->values.size() : 0;
  if (held.value_count() != values) return false;
  for (std::size_t i = 0; i < values; ++i) {
    const json::ItemColumns::Value& value = item.columns->values[i];
    if (held.value(i) != item.columns->texts[value.column].substr(value.begin, value.size)) return false;
  }
  return true;
}

// Whether `item` is what is held, so that it needs no memory. A version alone does not tell: a server that was restored
// from a backup gives its versions a second time. Nor does a text that was cut, what was read before that.
bool is_held(const Object& held, const json::Item& item) noexcept {
  if (held.resource_version() != item.resource_version || held.recency() != item.recency) return false;
  const std::size_t columns = item.columns != nullptr ? item.columns->texts.size() : 0;
  if (held.column_count() != columns) return false;
  for (std::size_t i = 0; i < columns; ++i) {
    if (held.column(i) != item.columns->texts[i]) return false;
  }
  std::string_view rest = held.field(Field::json);
  if (rest.size() != item.text_size()) return false;
  for (const std::string_view piece : item.text) {
    if (rest.substr(0, piece.size()) != piece) return false;
    rest.remove_prefix(piece.size());
  }
  return has_values_of(held, item);
}

}  // namespace

Cache::Cache(std::size_t limit, std::size_t scopes, const std::vector<std::size_t>& indexed)
    : state_(limit, indexed), scope_count_(scopes) {}

Cache::Scope& Cache::scope_named(std::string_view name) {
  const auto found = scopes_.find(name);
  return found != scopes_.end() ? found->second : scopes_.emplace(name, Scope()).first->second;
}

void Cache::begin_list(std::string_view scope) {
  scope_named(scope).staged = Staged();
}

void Cache::stage(const json::Item& item, std::string_view scope) {
  Staged& staged = *scopes_.find(scope)->second.staged;
  const Object* held = state_.all().find_uid(UidProbe::of(item.uid));
  const bool same = held != nullptr && is_held(*held, item);
  if (!same) heap_growth_.prepare(item.kept_size());
  staged.objects.push_back(same ? ObjectRef(held) : ObjectRef::create(item));
  const auto deletion = staged.deletions.find(item.uid);
  if (deletion == staged.deletions.end()) return;
  if (supersedes(item.resource_version, deletion->second)) staged.deletions.erase(deletion);
}

void Cache::stage_deletion(const json::Item& item, std::string_view scope) {
  auto& deletions = scopes_.find(scope)->second.staged->deletions;
  std::string version(item.resource_version);
  const auto known = deletions.find(item.uid);
  if (known == deletions.end()) {
    deletions.emplace(item.uid, std::move(version));
  } else if (!is_older(version, known->second)) {
    known->second.swap(version);
  }
}

void Cache::delete_staged(const Staged& staged, CacheState& merged, Tombstones& tombstones) {
  for (const auto& [uid, version] : staged.deletions) {
    const Object* const object = merged.all().find_uid(UidProbe::of(uid));
    if (object != nullptr && !is_older(version, object->resource_version())) {
      const ObjectRef last_state(object);
      merged.change(object, nullptr, pools_);
    }
    tombstones.put(tombstones.prepare(uid, version));
  }
}

std::size_t Cache::commit_list(std::string_view resource_version, std::string_view scope_name, Precedence precedence) {
  Scope& scope = scopes_.find(scope_name)->second;
  const bool wins = precedence == Precedence::list_wins;
  Versions versions = versions_with(scope, resource_version);
  Tombstones tombstones = wins ? Tombstones() : scope.tombstones;
  CacheState merged =
      merge_list(state_, scope.staged->objects, tombstones, {resource_version, scope_name, wins}, pools_);
  tombstones = tombstones.after(resource_version);
  delete_staged(*scope.staged, merged, tombstones);
  const std::size_t changed = count_differences(state_.all(), merged.all());

  const bool was_synced = synced();
  std::swap(state_, merged);
  std::swap(scope.tombstones, tombstones);
  put(versions, scope);
  if (!std::exchange(scope.listed, true)) ++listed_scopes_;
  first_list_unseen_ = first_list_unseen_ || (!was_synced && synced());
  scope.staged.reset();
  return changed;
}

void Cache::abandon_list(std::string_view scope) {
  const auto found = scopes_.find(scope);
  if (found != scopes_.end()) found->second.staged.reset();
}

Applied Cache::apply(json::EventType type, const json::Item& item, std::string_view resource_version,
                     std::string_view scope_name) {
  Scope& scope = scope_named(scope_name);
  Versions versions;
  if (!resource_version.empty()) versions = versions_with(scope, resource_version);
  const Object* held = state_.all().find_uid(UidProbe::of(item.uid));
  const Applied applied = type == json::EventType::deleted ? apply_deleted(item, held, scope.tombstones)
                                                           : apply_present(item, held, scope.tombstones);
  if (!resource_version.empty()) put(versions, scope);
  return applied;
}

Applied Cache::apply_deleted(const json::Item& item, const Object* held, Tombstones& tombstones) {
  if (held != nullptr && is_older(item.resource_version, held->resource_version())) return Applied::stale;
  Tombstones::Tombstone tombstone = tombstones.prepare(item.uid, item.resource_version);
  if (held != nullptr) {
    const ObjectRef last_state(held);
    state_.change(held, nullptr, pools_);
  }
  tombstones.put(std::move(tombstone));
  return held != nullptr ? Applied::deleted : Applied::absent;
}

// Another uid that has the name of `item`.
const Object* Cache::name_holder_other_than(const Object* held, const json::Item& item) const noexcept {
  if (held != nullptr && compare_names(*held, item.name_space, item.name) == 0) return nullptr;
  return state_.all().find(item.name_space, item.name);
}

Applied Cache::apply_present(const json::Item& item, const Object* held, Tombstones& tombstones) {
  if (held != nullptr) {
    if (!supersedes(item.resource_version, held->resource_version())) return Applied::stale;
  } else if (const auto deleted_at = tombstones.deleted_at(item.uid)) {
    if (!supersedes(item.resource_version, *deleted_at)) return Applied::stale;
  }
  const Object* other = name_holder_other_than(held, item);
  if (other != nullptr && !supersedes(item.resource_version, other->resource_version())) return Applied::stale;

  if (held != nullptr) state_.all().prefetch_places(*held);
  const ObjectRef object = ObjectRef::create(item, held);
  const ObjectRef before(held);
  if (other != nullptr) {
    take_over_name(*other, held, *object, tombstones);
  } else {
    state_.change(held, object.get(), pools_);
  }
  return held != nullptr ? Applied::modified : Applied::added;
}

void Cache::take_over_name(const Object& other, const Object* held, const Object& object, Tombstones& tombstones) {
  // A name is free for a new uid only after the old one was deleted: that event was missed.
  Tombstones::Tombstone tombstone = tombstones.prepare(other.uid(), object.resource_version());
  CacheState next = state_;
  next.change(&other, nullptr, pools_);
  next.change(held, &object, pools_);
  std::swap(state_, next);
  tombstones.put(std::move(tombstone));
}

void Cache::set_resource_version(std::string_view resource_version, std::string_view scope_name) {
  Scope& scope = scope_named(scope_name);
  Versions versions = versions_with(scope, resource_version);
  put(versions, scope);
}

Cache::Versions Cache::versions_with(const Scope& scope, std::string_view resource_version) const {
  std::string_view newest = resource_version;
  const bool is_behind = scope_count_ > 1 && is_older(resource_version, resource_version_);
  // The others matter where the scope had the newest, and goes back.
  if (is_behind && scope.resource_version != resource_version_) newest = resource_version_;
  if (is_behind && scope.resource_version == resource_version_) {
    for (const auto& [name, other] : scopes_) {
      if (&other != &scope && is_older(newest, other.resource_version)) newest = other.resource_version;
    }
  }
  return {std::string(newest), std::string(resource_version)};
}

void Cache::put(Versions& versions, Scope& scope) noexcept {
  resource_version_.swap(versions.of_view);
  scope.resource_version.swap(versions.of_scope);
}

Cut Cache::cut() {
  View now = view();
  first_list_unseen_ = false;
  return {std::move(now), state_.take_changes()};
}

}  // namespace ksr::store
