#include "server/revision_log.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace ksr::testserver {
namespace {

namespace json = boost::json;

std::string given_text(const json::object& body, const char* key, std::string fallback) {
  const auto* metadata = body.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return fallback;
  const auto* found = metadata->get_object().if_contains(key);
  return found && found->is_string() ? std::string(found->get_string().c_str()) : fallback;
}

}  // namespace

void Collection::apply(const Change& change) {
  const bool deleted = change.kind == ChangeKind::deleted;
  objects_[change.object->key()].push_back({change.revision, deleted ? nullptr : change.object});
  if (change.kind == ChangeKind::added) ++live_;
  if (deleted) --live_;
  changes_.push_back(change);
}

void Collection::forget_before(Versions& versions, std::uint64_t revision) {
  auto last_readable = std::find_if(versions.begin(), versions.end(),
                                    [revision](const Version& version) { return version.revision > revision; });
  if (last_readable == versions.begin()) return;
  --last_readable;
  if (!last_readable->object) ++last_readable;
  versions.erase(versions.begin(), last_readable);
}

void Collection::compact(std::uint64_t revision) {
  compacted_ = std::max(compacted_, revision);
  while (!changes_.empty() && changes_.front().revision <= revision) changes_.pop_front();
  for (auto entry = objects_.begin(); entry != objects_.end();) {
    forget_before(entry->second, revision);
    entry = entry->second.empty() ? objects_.erase(entry) : std::next(entry);
  }
}

void Collection::keep_changes(std::size_t count) {
  while (changes_.size() > count) {
    const Change oldest = changes_.front();
    changes_.pop_front();
    compacted_ = oldest.revision;
    const auto entry = objects_.find(oldest.object->key());
    if (entry == objects_.end()) continue;
    forget_before(entry->second, oldest.revision);
    if (entry->second.empty()) objects_.erase(entry);
  }
}

ObjectPtr Collection::find(const std::string& key) const {
  const auto entry = objects_.find(key);
  return entry == objects_.end() || entry->second.empty() ? nullptr : entry->second.back().object;
}

void Collection::visit(std::uint64_t revision, const std::string& start_key,
                       const std::function<bool(const ObjectPtr&)>& visitor) const {
  for (auto entry = objects_.lower_bound(start_key); entry != objects_.end(); ++entry) {
    const Versions& versions = entry->second;
    auto version = std::find_if(versions.rbegin(), versions.rend(),
                                [revision](const Version& candidate) { return candidate.revision <= revision; });
    if (version == versions.rend() || !version->object) continue;
    if (!visitor(version->object)) return;
  }
}

const Collection& RevisionLog::collection(const ResourceType& type) const {
  static const Collection* const empty = new Collection;
  const auto found = collections_.find(&type);
  return found == collections_.end() ? *empty : found->second;
}

Change RevisionLog::create(const ResourceType& type, const std::string& ns, const std::string& name,
                           const json::object& body) {
  if (collection(type).find(object_key(ns, name))) {
    throw std::runtime_error(type.qualified_plural() + " \"" + name + "\" already exists");
  }
  const ObjectIdentity id{ns, name, given_text(body, "uid", new_uid()),
                          given_text(body, "creationTimestamp", timestamp_now())};
  const std::uint64_t revision = next_revision();
  return commit(type, {ChangeKind::added, revision, make_object(type, id, revision, body), nullptr});
}

Change RevisionLog::merge(const ResourceType& type, const std::string& key, const json::value& patch) {
  json::value whole = json::parse(existing(type, key)->text);
  merge_patch(whole, patch);
  return replace(type, key, whole.is_object() ? whole.get_object() : json::object());
}

Change RevisionLog::replace(const ResourceType& type, const std::string& key, const json::object& body) {
  const ObjectPtr old = existing(type, key);
  const auto kept = json::parse(old->text).get_object();
  const ObjectIdentity id{old->ns, old->name, old->uid, given_text(kept, "creationTimestamp", "")};
  const std::uint64_t revision = next_revision();
  return commit(type, {ChangeKind::modified, revision, make_object(type, id, revision, body), old});
}

Change RevisionLog::remove(const ResourceType& type, const std::string& key) {
  const ObjectPtr old = existing(type, key);
  const std::uint64_t revision = next_revision();
  return commit(type, {ChangeKind::deleted, revision, at_revision(type, *old, revision), old});
}

std::uint64_t RevisionLog::oldest(const ResourceType& type) const {
  return std::max(compacted_, collection(type).compacted());
}

void RevisionLog::compact() {
  compacted_ = revision_;
  for (auto& entry : collections_) entry.second.compact(revision_);
}

void RevisionLog::advance_to(std::uint64_t revision) {
  revision_ = std::max(revision_, revision);
}

std::string RevisionLog::new_uid() {
  const auto high = random_();
  const auto low = random_();
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-a%03x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>(low >> 52), static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

ObjectPtr RevisionLog::existing(const ResourceType& type, const std::string& key) const {
  ObjectPtr found = collection(type).find(key);
  if (!found) throw std::runtime_error(type.qualified_plural() + " \"" + key + "\" not found");
  return found;
}

Change RevisionLog::commit(const ResourceType& type, Change change) {
  Collection& target = collections_[&type];
  target.apply(change);
  target.keep_changes(window_);
  listener_(type, change);
  return change;
}

}  // namespace ksr::testserver
