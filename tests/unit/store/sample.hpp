// Items made by hand, and what a view and its deltas look like as text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/item.hpp"
#include "store/cache.hpp"

namespace ksr::store::test {

// Owns the text that its item() shows, until the next call.
struct Sample {
  std::string uid;
  std::string name_space = "ns";
  std::string name;
  std::string resource_version;
  std::string created = "2024-01-01T00:00:00Z";
  std::string recency = created;
  std::string body = "{}";
  // With columns it has two, both indexed: `node`, and all of `tags`, of which no two are equal.
  bool has_columns = false;
  std::string node;
  std::vector<std::string> tags;
  json::Sameness sameness = json::Sameness::version;
  bool ordered_by_recency = false;

  // As store_bytes counts it.
  std::size_t size() const { return body.size() + (has_columns ? node.size() + joined_tags().size() : 0); }

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
    if (has_columns || sameness != json::Sameness::version) item.columns = columns();
    return item;
  }

  std::string joined_tags() const {
    std::string joined;
    for (std::size_t i = 0; i < tags.size(); ++i) joined += (i == 0 ? "" : ",") + tags[i];
    return joined;
  }

 private:
  const json::ItemColumns* columns() const {
    made_ = {};
    made_.sameness = sameness;
    made_.ordered_by_recency = ordered_by_recency;
    const std::size_t at = body.find(resource_version);
    if (at != std::string::npos) made_.version_begin = at;
    if (at != std::string::npos) made_.version_size = resource_version.size();
    if (!has_columns) return &made_;
    text_ = joined_tags();
    made_.texts = {node, text_};
    made_.values.push_back({0, 0, static_cast<std::uint32_t>(node.size())});
    std::uint32_t begin = 0;
    for (const std::string& tag : tags) {
      made_.values.push_back({1, begin, static_cast<std::uint32_t>(tag.size())});
      begin += static_cast<std::uint32_t>(tag.size() + 1);
    }
    if (tags.empty()) made_.values.push_back({1, 0, 0});
    const auto text_of = [this](const json::ItemColumns::Value& value) {
      return made_.texts[value.column].substr(value.begin, value.size);
    };
    std::sort(made_.values.begin() + 1, made_.values.end(),
              [&](const auto& a, const auto& b) { return text_of(a) < text_of(b); });
    made_.value_ends = {1, static_cast<std::uint32_t>(made_.values.size())};
    return &made_;
  }

  mutable json::ItemColumns made_;
  mutable std::string text_;
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

// What of it is in the columns, and in the text beside the version, follows from the version; `joined`: the first two
// tags are one, which reads the same in the column.
inline Sample with_columns(Sample made, std::uint64_t version, json::Sameness sameness = json::Sameness::version,
                           bool joined = false) {
  made.has_columns = true;
  made.sameness = sameness;
  made.node = version % 5 == 0 ? "" : "node-" + std::to_string(version % 5);
  for (std::uint64_t bit = 0; bit < 6; ++bit) {
    if ((version / 5 >> bit & 1) != 0) made.tags.push_back("tag-" + std::to_string(bit));
  }
  if (version % 31 == 0) {
    for (int i = 0; i < 40; ++i) made.tags.push_back("more-" + std::to_string(i));
  }
  if (joined && made.tags.size() >= 2) {
    made.tags[0] += "," + made.tags[1];
    made.tags.erase(made.tags.begin() + 1);
  }
  made.body = "{\"rv\":" + made.resource_version + ",\"x\":" + std::to_string(version % 3) + "}";
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

// The objects of a delta are those of the view; "" when they are.
inline std::string delta_problem(const Deltas& deltas, const View& view) {
  for (std::size_t i = 0; i < deltas.count(); ++i) {
    const Object& told = *deltas.object_at(i);
    const Object* const shown = view.find_uid(told.uid());
    const bool deleted = deltas.kind_at(i) == DeltaKind::deleted;
    if ((shown == nullptr) != deleted) return describe(told) + " is in the view, or is not";
    if (shown == nullptr || shown == &told) continue;
    const bool same =
        shown->resource_version() == told.resource_version() && shown->field(Field::json) == told.field(Field::json);
    if (!same) return describe(told) + " of a delta is " + describe(*shown) + " in the view";
  }
  return "";
}

// The indexes of a view of these samples, which have columns, against a map; "" when they agree.
inline std::string index_problem(const View& view, const std::vector<Sample>& shown) {
  for (const std::size_t column : {std::size_t{0}, std::size_t{1}}) {
    std::map<std::string, std::vector<std::size_t>> expected;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (view.at(i)->column_count() != 2) return "no columns";
      if (column == 0 || shown[i].tags.empty()) expected[column == 0 ? shown[i].node : ""].push_back(i);
      for (const std::string& tag : shown[i].tags) {
        if (column == 1) expected[tag].push_back(i);
      }
    }
    for (const auto& [value, positions] : expected) {
      if (view.index_count(column, value) != positions.size()) return "another number with " + value;
      for (std::size_t i = 0; i < positions.size(); ++i) {
        if (view.index_at(column, value, i) != view.at(positions[i])) return "another object with " + value;
      }
      if (view.index_at(column, value, positions.size()) != nullptr) return "more with " + value;
    }
    for (const char* other : {"none", "node", "node-11", "tag-", "tag-0", "tag-1", "tag-0,tag-1", "z", "\n"}) {
      if (expected.count(other) == 0 && view.index_count(column, other) != 0) return "counts what is not there";
      if (expected.count(other) == 0 && view.index_at(column, other, 0) != nullptr) return "has what is not there";
    }
  }
  return view.index_count(2, "") == 0 && view.index_at(2, "", 0) == nullptr ? "" : "another column";
}

inline std::string describe(const Cut& cut) {
  return describe(Deltas(cut.changes, cut.view));
}

}  // namespace ksr::store::test
