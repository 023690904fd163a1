// Items made by hand, and what a view and its deltas look like as text.
#pragma once

#include <cstdint>
#include <iterator>
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

// What of it is in the columns, and in the text beside the version, follows from the version.
inline Sample with_columns(Sample made, std::uint64_t version, json::Sameness sameness = json::Sameness::version) {
  made.has_columns = true;
  made.sameness = sameness;
  made.node = version % 5 == 0 ? "" : "node-" + std::to_string(version % 5);
  for (std::uint64_t bit = 0; bit < 6; ++bit) {
    if ((version / 5 >> bit & 1) != 0) made.tags.push_back("tag-" + std::to_string(bit));
  }
  if (version % 31 == 0) {
    for (int i = 0; i < 40; ++i) made.tags.push_back("more-" + std::to_string(i));
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

// The indexes of a view of samples with columns against a multimap; "" when they agree.
inline std::string index_problem(const View& view) {
  for (const std::size_t column : {std::size_t{0}, std::size_t{1}}) {
    std::multimap<std::string, std::size_t> expected;
    for (std::size_t i = 0; i < view.count(); ++i) {
      if (view.at(i)->column_count() != 2) return "no columns";
      std::string text(view.at(i)->column(column));
      for (std::size_t comma = text.find(','); column == 1 && comma != std::string::npos; comma = text.find(',')) {
        expected.emplace(text.substr(0, comma), i);
        text.erase(0, comma + 1);
      }
      expected.emplace(text, i);
    }
    for (auto value = expected.begin(); value != expected.end();) {
      const auto [begin, end] = expected.equal_range(value->first);
      if (view.index_count(column, value->first) != static_cast<std::size_t>(std::distance(begin, end))) {
        return "another number with " + value->first;
      }
      std::size_t i = 0;
      for (auto at = begin; at != end; ++at) {
        if (view.index_at(column, value->first, i++) != view.at(at->second)) return "another object with " + at->first;
      }
      if (view.index_at(column, value->first, i) != nullptr) return "more with " + value->first;
      value = end;
    }
    for (const char* other : {"none", "node", "node-11", "tag-", "z", "\n"}) {
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
