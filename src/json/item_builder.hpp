// `ItemBuilder` makes an Item from a tracked object and its text; used by ListReader and WatchReader. Lives on the
// thread of its reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/item.hpp"
#include "json/object_tracker.hpp"

namespace ksr::json {

// What the items of a typed list leave out, taken from the list itself.
struct ItemType {
  std::string kind;
  std::string api_version;
};

// Objects that are computed when they are listed (metrics.k8s.io, componentstatuses) have neither uid nor
// resourceVersion.
enum class Uid : std::uint8_t { required, optional };

// Why the object is not a valid item (one line: the field and what is wrong with it); empty when it is.
std::optional<std::string> item_problem(const ObjectTracker& object, std::string_view text, Uid uid);

// Why the object's resourceVersion, which may be missing, is invalid; empty when it is not.
std::optional<std::string> bookmark_problem(const ObjectTracker& object, std::string_view text);

// "default/web-0", "web-0", or "" when the name is not within `text`.
std::string item_label(const ObjectTracker& object, std::string_view text);

// The string in `field`, unescaped into `scratch` if need be; empty when it is not there.
std::string_view field_text(const ObjectTracker& object, std::string_view text, TrackedField field,
                            std::string& scratch);

// Lives on the thread of its reader.
class ItemBuilder {
 public:
  // For objects without a kind or apiVersion of their own.
  void set_type(ItemType type);
  const ItemType& type() const noexcept { return type_; }

  // `object` has no item_problem; `text` is all of it. Without a uid it gets NAMESPACE/NAME for one. The views live as
  // long as `text` and until the next call.
  Item build(const ObjectTracker& object, std::string_view text);

 private:
  void fill_fields(const ObjectTracker& object, std::string_view text, Item& item);
  void fill_text(const ObjectTracker& object, std::string_view text, Item& item);
  std::string_view missing_members(const ObjectTracker& object) const noexcept;

  ItemType type_;
  std::string kind_member_;
  std::string api_version_member_;
  std::string both_members_;
  // Key fields that were written with escapes.
  std::string unescaped_;
  // The text without several ranges.
  std::string joined_;
};

}  // namespace ksr::json
