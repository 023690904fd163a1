#include "sync/owned_item.hpp"

namespace ksr::sync {

OwnedItem::OwnedItem(const json::Item& item)
    : uid_(item.uid),
      name_space_(item.name_space),
      name_(item.name),
      resource_version_(item.resource_version),
      kind_(item.kind),
      api_version_(item.api_version),
      creation_timestamp_(item.creation_timestamp),
      recency_(item.recency) {
  text_.reserve(item.text_size());
  for (const std::string_view piece : item.text) text_ += piece;
}

json::Item OwnedItem::view() const {
  json::Item item;
  item.text[0] = text_;
  item.uid = uid_;
  item.name_space = name_space_;
  item.name = name_;
  item.resource_version = resource_version_;
  item.kind = kind_;
  item.api_version = api_version_;
  item.creation_timestamp = creation_timestamp_;
  item.recency = recency_;
  return item;
}

}  // namespace ksr::sync
