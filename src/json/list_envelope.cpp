#include "json/list_envelope.hpp"

#include "base/text.hpp"
#include "json/unescape.hpp"
#include "json/value_kind.hpp"

namespace ksr::json {
namespace {

constexpr std::string_view kListSuffix = "List";

// "PodList" is a list of Pods; a CRD may have any other listKind, such as WidgetCollection, and a list is what has
// items.
bool names_its_items(std::string_view kind) noexcept {
  return kind.size() >= kListSuffix.size() && kind.substr(kind.size() - kListSuffix.size()) == kListSuffix;
}

std::string expected(const char* name, const char* what, ValueKind kind) {
  return std::string("the list's ") + name + " is " + kind_name(kind) + ", expected " + what;
}

// Decodes `captured` into `out`; returns what is wrong with it.
std::optional<std::string> take_text(const char* name, const RawText& captured, std::string& out) {
  if (captured.overlong) return std::string("the list's ") + name + " is longer than 64 KiB";
  out.clear();
  unescape(captured.text, out);
  if (!is_utf8(out)) out = as_utf8(out);
  if (out.find('\0') != std::string::npos) return std::string("the list's ") + name + " contains a NUL character";
  return std::nullopt;
}

}  // namespace

ListEnvelope::Member ListEnvelope::member_named(const RawText& key) {
  if (stands_for(key.text, key.escaped, "items")) return Member::items;
  if (stands_for(key.text, key.escaped, "kind")) return Member::kind;
  if (stands_for(key.text, key.escaped, "apiVersion")) return Member::api_version;
  if (stands_for(key.text, key.escaped, "metadata")) return Member::metadata;
  return Member::other;
}

ListEnvelope::Problem ListEnvelope::on_value(Member member, ValueKind kind) {
  switch (member) {
    case Member::kind:
      return kind == ValueKind::string ? Problem() : expected("kind", "a string", kind);
    case Member::api_version:
      return kind == ValueKind::string ? Problem() : expected("apiVersion", "a string", kind);
    case Member::metadata:
      // The last of two equal members wins.
      meta_.resource_version.clear();
      meta_.continue_token.clear();
      meta_.shard_selector.clear();
      return kind == ValueKind::object ? Problem() : expected("metadata", "an object", kind);
    case Member::items:
      // The items of the first have been passed on already.
      if (items_seen_) return "items is duplicated";
      items_seen_ = true;
      // Go writes a nil slice as null.
      if (kind != ValueKind::array && kind != ValueKind::null) return expected("items", "an array", kind);
      return std::nullopt;
    case Member::other:
      break;
  }
  return std::nullopt;
}

ListEnvelope::Problem ListEnvelope::on_text(Member member, const RawText& captured) {
  if (member == Member::api_version) return take_type(meta_.api_version, api_version_known_, "apiVersion", captured);
  if (member != Member::kind) return std::nullopt;
  if (auto problem = take_type(meta_.kind, kind_known_, "kind", captured)) return problem;
  // What an API server sends in place of a list, recognized before all of it has come.
  if (meta_.kind == "Status" || meta_.kind == "Table") return "expected a list, got kind " + in_quotes(meta_.kind);
  return std::nullopt;
}

ListEnvelope::Problem ListEnvelope::take_type(std::string& member, bool& known, const char* name,
                                              const RawText& captured) {
  std::string text;
  if (auto problem = take_text(name, captured, text)) return problem;
  if (relied_on_ && text != member) return std::string("the list changes its ") + name + " after its items";
  member = std::move(text);
  known = true;
  return std::nullopt;
}

void ListEnvelope::on_metadata_key(const RawText& key) {
  metadata_member_ = MetadataMember::other;
  if (stands_for(key.text, key.escaped, "resourceVersion")) metadata_member_ = MetadataMember::resource_version;
  if (stands_for(key.text, key.escaped, "continue")) metadata_member_ = MetadataMember::continue_token;
  if (stands_for(key.text, key.escaped, "shardInfo")) metadata_member_ = MetadataMember::shard_info;
}

ListEnvelope::Problem ListEnvelope::on_metadata_value(ValueKind kind) {
  if (at_shard_info()) {
    meta_.shard_selector.clear();
    // What is no object tells nothing, as without it.
    if (kind != ValueKind::object) metadata_member_ = MetadataMember::other;
  }
  if (std::string* text = metadata_text()) {
    text->clear();
    if (kind != ValueKind::string && kind != ValueKind::null) return expected(metadata_name(), "a string", kind);
    // Null is as good as absent; its text must not be taken for a version or a token.
    if (kind == ValueKind::null) metadata_member_ = MetadataMember::other;
  }
  return std::nullopt;
}

ListEnvelope::Problem ListEnvelope::on_metadata_text(const RawText& captured) {
  std::string* text = metadata_text();
  return text == nullptr ? Problem() : take_text(metadata_name(), captured, *text);
}

void ListEnvelope::on_shard_info_key(const RawText& key) {
  at_selector_ = stands_for(key.text, key.escaped, "selector");
}

void ListEnvelope::on_shard_info_value(ValueKind kind) {
  if (at_selector_) meta_.shard_selector.clear();
  at_selector_ = at_selector_ && kind == ValueKind::string;
}

ListEnvelope::Problem ListEnvelope::on_shard_info_text(const RawText& captured) {
  return at_selector_ ? take_text("metadata.shardInfo.selector", captured, meta_.shard_selector) : Problem();
}

std::string* ListEnvelope::metadata_text() noexcept {
  if (metadata_member_ == MetadataMember::resource_version) return &meta_.resource_version;
  if (metadata_member_ == MetadataMember::continue_token) return &meta_.continue_token;
  return nullptr;
}

const char* ListEnvelope::metadata_name() const noexcept {
  return metadata_member_ == MetadataMember::resource_version ? "metadata.resourceVersion" : "metadata.continue";
}

std::optional<ItemType> ListEnvelope::item_type() const {
  if (!kind_known_ || !api_version_known_) return std::nullopt;
  if (!names_its_items(meta_.kind)) return ItemType{std::string(), meta_.api_version};
  return ItemType{meta_.kind.substr(0, meta_.kind.size() - kListSuffix.size()), meta_.api_version};
}

ListEnvelope::Problem ListEnvelope::missing() const {
  if (!kind_known_) return "the list has no kind";
  if (!api_version_known_) return "the list has no apiVersion";
  // Taken for an empty list, an incomplete body would delete every object.
  if (items_seen_) return std::nullopt;
  if (!names_its_items(meta_.kind)) return "expected a list, got kind " + in_quotes(meta_.kind) + ", without items";
  return "the list (kind " + in_quotes(meta_.kind) + ") has no items";
}

}  // namespace ksr::json
