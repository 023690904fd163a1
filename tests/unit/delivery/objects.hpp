// Objects for caches, without a server.
#pragma once

#include <string>

#include "delivery/publisher.hpp"
#include "json/item.hpp"

namespace ksr::delivery {

// Calls `use(item)` with a pod of that name, whose uid is the name too.
template <class Use>
auto with_pod(const std::string& name, const std::string& version, Use use) {
  const std::string text = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name + R"("}})";
  json::Item item;
  item.text[0] = text;
  item.uid = item.name = name;
  item.name_space = "default";
  item.resource_version = version;
  item.kind = "Pod";
  item.api_version = "v1";
  return use(item);
}

inline void put(Publisher& publisher, const std::string& name, const std::string& version,
                json::EventType type = json::EventType::modified) {
  publisher.view().write(
      [&](store::Cache& cache) { with_pod(name, version, [&](const json::Item& item) { cache.apply(type, item); }); });
}

// Only the column is a change of it for the host.
inline void put_with_column(Publisher& publisher, const char* version, const char* column, const char* name = "a") {
  json::ItemColumns columns;
  columns.sameness = json::Sameness::columns;
  columns.texts = {column};
  publisher.view().write([&](store::Cache& cache) {
    with_pod(name, version, [&](json::Item item) {
      item.columns = &columns;
      cache.apply(json::EventType::modified, item);
    });
    cache.set_resource_version(version);
  });
}

inline void list(Publisher& publisher, std::initializer_list<const char*> names, const std::string& version) {
  publisher.view().write([&](store::Cache& cache) {
    cache.begin_list();
    for (const char* name : names) with_pod(name, version, [&](const json::Item& item) { cache.stage(item); });
    cache.commit_list(version);
  });
}

}  // namespace ksr::delivery
