// Items made by hand, and what a view and its deltas look like as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/item.hpp"
#include "store/cache.hpp"

namespace ksr::store::test {

// Owns the text that its item() shows.
struct Sample {
  std::string uid;
  std::string name_space = "ns";
  std::string name;
  std::string resource_version;
  std::string created = "2024-01-01T00:00:00Z";
  std::string recency = created;
  std::string body = "{}";

  json::Item item() const {
    json::Item item;
    item.text = {std::string_view(body).substr(0, body.size() / 2), "", std::string_view(body).substr(body.size() / 2)};
    item.uid = uid;
    item.name_space = name_space;
    item.name = name;
    item.resource_version = resource_version;
    item.kind = "Pod";
    item.api_version = "v1";
    item.creation_timestamp = created;
    item.recency = recency;
    return item;
  }
};

// uid "u-NAME" in namespace "ns".
inline Sample sample(const std::string& name, std::uint64_t version) {
  Sample made;
  made.uid = "u-" + name;
  made.name = name;
  made.resource_version = std::to_string(version);
  made.body = "{\"name\":\"" + name + "\",\"rv\":" + made.resource_version + "}";
  return made;
}

inline Sample recent(const std::string& name, std::uint64_t version, const std::string& recency) {
  Sample made = sample(name, version);
  made.recency = recency;
  return made;
}

inline std::size_t list(Cache& cache, const std::vector<Sample>& samples, const std::string& version) {
  cache.begin_list();
  for (const Sample& listed : samples) cache.stage(listed.item());
  return cache.commit_list(version);
}

inline std::string describe(const Object& object) {
  return std::string(object.name()) + "@" + std::string(object.resource_version());
}

// "a@1 b@2"
inline std::string describe(const View& view) {
  std::string text;
  for (std::size_t i = 0; i < view.count(); ++i) text += (i == 0 ? "" : " ") + describe(*view.at(i));
  return text;
}

// "-gone@1 +new@2 ~changed@3"
inline std::string describe(const Deltas& deltas) {
  std::string text;
  for (std::size_t i = 0; i < deltas.count(); ++i) {
    const Delta delta = deltas.at(i);
    text += i == 0 ? "" : " ";
    text += delta.kind == DeltaKind::added ? '+' : (delta.kind == DeltaKind::deleted ? '-' : '~');
    text += describe(*delta.object.get());
  }
  return text;
}

inline std::string describe(const Cut& cut) {
  return describe(Deltas(cut.changes, cut.view));
}

}  // namespace ksr::store::test
