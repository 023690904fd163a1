// Makes an Item of a tracked object and its text.
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

// Why the object is no item (one line: field and what is wrong with it); empty when it is one.
std::optional<std::string> item_problem(const ObjectTracker& object, std::string_view text);

// Why the object's resourceVersion, which it may lack, is not to be used.
std::optional<std::string> bookmark_problem(const ObjectTracker& object, std::string_view text);

// "default/web-0", "web-0", or "" where the name is not among the bytes of `text`.
std::string item_label(const ObjectTracker& object, std::string_view text);

// The string in `field`, unescaped into `scratch` if need be; empty where there is none.
std::string_view field_text(const ObjectTracker& object, std::string_view text, Field field, std::string& scratch);

// Lives on the thread of its reader.
class ItemBuilder {
 public:
  // For objects without a kind or apiVersion of their own.
  void set_type(ItemType type);
  const ItemType& type() const noexcept { return type_; }

  // `object` has no item_problem; `text` is all of it. The views live as long as `text` and until the next call.
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
  // The text with several parts cut out.
  std::string joined_;
};

}  // namespace ksr::json
