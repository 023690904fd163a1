// An item that outlives the call that handed it over.
#pragma once

#include <string>

#include "json/item.hpp"

namespace ksr::sync {

class OwnedItem {
 public:
  explicit OwnedItem(const json::Item& item);
  // Valid as long as this object stays where it is.
  json::Item view() const;

 private:
  std::string text_;
  std::string uid_;
  std::string name_space_;
  std::string name_;
  std::string resource_version_;
  std::string kind_;
  std::string api_version_;
  std::string creation_timestamp_;
  std::string recency_;
};

}  // namespace ksr::sync
