// `Item` is one Kubernetes object as a list or a watch has it; made by ListReader and WatchReader, used by store and
// sync. All views are valid during the call that passes the item. Lives on the thread of its reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ksr::json {

// What two states of one object must have in common to be the same for the host.
enum class Sameness : std::uint8_t {
  // The resourceVersion, and the text.
  version,
  // The text but for metadata.resourceVersion: fields that are not kept may have changed.
  text,
  columns
};

// What FieldFilter has read from an object before it cut its text; see the config keys columns, index and notify.
struct ItemColumns {
  // A part of the text of a column.
  struct Value {
    std::uint32_t column;
    std::uint32_t begin;
    std::uint32_t size;
  };

  Sameness sameness = Sameness::version;
  // The recency must be the same too: it is what the views are ordered by.
  bool ordered_by_recency = false;
  // Where the resourceVersion stands within the item's text, without its quotes; known where the text decides.
  std::size_t version_begin = 0;
  std::size_t version_size = 0;
  // Decoded, one for each column.
  std::vector<std::string_view> texts;
  // By which the object is found, no two equal ones of a column, in the order of their texts: those of the first index,
  // of the second, ...
  std::vector<Value> values;
  // Of each index, where its values end.
  std::vector<std::uint32_t> value_ends;
};

struct Item {
  // The object's text: compact or as the server sent it, without metadata.managedFields (unless kept), with `kind` and
  // `apiVersion`. The pieces in order make the whole; unused ones are empty.
  std::array<std::string_view, 6> text;

  // The key fields, unescaped; empty when the object lacks one, except `uid`, `name` and `resource_version`, which are
  // never empty.
  std::string_view uid;
  std::string_view name_space;
  std::string_view name;
  std::string_view resource_version;
  std::string_view kind;
  std::string_view api_version;
  std::string_view creation_timestamp;
  // What "most recent" goes by: lastTimestamp, else series.lastObservedTime, else eventTime, else creationTimestamp.
  std::string_view recency;

  // Of a FieldFilter; nullptr without one.
  const ItemColumns* columns = nullptr;

  std::size_t text_size() const noexcept {
    std::size_t size = 0;
    for (std::string_view piece : text) size += piece.size();
    return size;
  }
  // Of the text and the columns.
  std::size_t kept_size() const noexcept {
    std::size_t size = text_size();
    if (columns == nullptr) return size;
    for (std::string_view column : columns->texts) size += column.size();
    return size;
  }
};

}  // namespace ksr::json
