// `TestObject` is an object of a test and the json::Item that the readers would make of it; used by the unit tests and
// the simulation.
#pragma once

#include <string>
#include <utility>

#include "json/item.hpp"

namespace ksr::sync::testing {

struct TestObject {
  std::string uid;
  std::string name;
  std::string version;
  std::string kind = "Pod";
  std::string api_version = "v1";
  std::string name_space = "default";
  std::string text = {};
  std::string column = {};  // empty: none
  mutable json::ItemColumns columns = {};

  json::Item item() const {
    json::Item item;
    item.text[0] = text.empty() ? std::string_view("{}") : std::string_view(text);
    item.uid = uid;
    item.name_space = name_space;
    item.name = name;
    item.resource_version = version;
    item.kind = kind;
    item.api_version = api_version;
    item.creation_timestamp = "2026-01-01T00:00:00Z";
    item.recency = item.creation_timestamp;
    columns.texts.assign(column.empty() ? 0 : 1, column);
    if (!column.empty()) item.columns = &columns;
    return item;
  }
};

// A pod whose uid is its name.
inline TestObject pod(const std::string& name, const std::string& version) {
  return {name, name, version};
}

}  // namespace ksr::sync::testing
