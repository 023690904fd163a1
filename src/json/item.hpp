// `Item` is one Kubernetes object as a list or a watch has it; made by ListReader and WatchReader, used by store and
// sync. All views are valid during the call that passes the item. Lives on the thread of its reader.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace ksr::json {

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

  std::size_t text_size() const noexcept {
    std::size_t size = 0;
    for (std::string_view piece : text) size += piece.size();
    return size;
  }
};

}  // namespace ksr::json
