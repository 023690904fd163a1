// Records what a reader reports, as lines to compare; used by the tests of json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/list_reader.hpp"
#include "json/watch_reader.hpp"

namespace ksr::json::testing {

inline std::string text_of(const Item& item) {
  std::string text;
  for (const std::string_view piece : item.text) text += piece;
  return text;
}

inline std::string describe(const Item& item) {
  std::string line;
  for (const std::string_view field : {item.uid, item.name_space, item.name, item.resource_version, item.kind,
                                       item.api_version, item.creation_timestamp, item.recency}) {
    line.append(field) += '|';
  }
  return line + " " + text_of(item);
}

inline std::string describe(const Error& error) {
  return std::to_string(static_cast<int>(error.status)) + " " + error.message;
}

struct ListLog : ListObserver {
  std::vector<std::string> lines;
  std::vector<std::string> items;  // the lines of those that are not bad
  std::vector<std::string> texts;
  void on_item(const Item& item) override {
    lines.push_back(describe(item));
    items.push_back(lines.back());
    texts.push_back(text_of(item));
  }
  void on_bad_item(const Error& error) override { lines.push_back("BAD " + describe(error)); }
};

struct WatchLog : WatchObserver {
  std::vector<std::string> lines;
  std::vector<std::string> texts;
  std::vector<std::string> uids;
  std::size_t possible_deletions = 0;  // among the bad ones
  std::size_t bad_events = 0;          // the same: what only the API sends
  void on_uid(std::string_view uid) override { uids.emplace_back(uid); }
  void on_metadata_end(std::string_view uid) override { uids.push_back("end of " + std::string(uid)); }
  void on_event(EventType type, const Item& item) override {
    constexpr const char* kNames[] = {"ADDED ", "MODIFIED ", "DELETED "};
    lines.push_back(kNames[static_cast<int>(type)] + describe(item));
    texts.push_back(text_of(item));
  }
  void on_bookmark(std::string_view resource_version, bool initial_events_end) override {
    lines.push_back("BOOKMARK " + std::string(resource_version) + (initial_events_end ? " end" : ""));
  }
  void on_error_event(const ApiStatus& status) override {
    lines.push_back("ERROR " + std::to_string(status.code) + " " + status.reason + " " + status.message);
  }
  void on_unknown_event(std::string_view type) override { lines.push_back("UNKNOWN " + std::string(type)); }
  void on_bad_event(const Error& error, BadEvent event) override {
    if (event.may_be_deletion) ++possible_deletions;
    if (event.is_event) ++bad_events;
    lines.push_back("BAD " + std::to_string(static_cast<int>(error.status)) + " " + error.message);
  }
};

// Calls `feed` for chunks of `size` bytes, each in an allocation of its own, so that ASan finds a stale view. Stops at
// the first error.
template <class Reader>
Expected<void> feed_in_chunks(Reader& reader, std::string_view bytes, std::size_t size) {
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const std::string_view chunk = bytes.substr(at, size);
    const std::vector<char> copy(chunk.begin(), chunk.end());
    if (auto fed = reader.feed({copy.data(), copy.size()}); !fed) return fed;
  }
  return {};
}

struct ListRun {
  std::vector<std::string> lines;
  std::vector<std::string> texts;
  // "" when the list was whole.
  std::string error;
  ListMeta meta;
};

inline ListRun read_list(std::string_view bytes, const ReaderOptions& options = {}, std::size_t chunk = 1 << 30) {
  ListLog log;
  ListReader reader(options, log);
  ListRun run;
  const auto fed = feed_in_chunks(reader, bytes, chunk);
  const auto meta = reader.finish();
  if (meta) {
    run.meta = *meta;
  } else {
    run.error = describe(meta.error());
  }
  if (const Error* error = fed.if_error()) run.error = describe(*error);
  run.lines = log.lines;
  run.texts = log.texts;
  return run;
}

struct WatchRun {
  std::vector<std::string> lines;
  std::vector<std::string> texts;
  std::string error;
  bool at_boundary = false;
  std::size_t possible_deletions = 0;
};

inline WatchRun read_watch(std::string_view bytes, const ReaderOptions& options = {}, std::size_t chunk = 1 << 30) {
  WatchLog log;
  WatchReader reader(options, log);
  WatchRun run;
  const auto fed = feed_in_chunks(reader, bytes, chunk);
  if (const Error* error = fed.if_error()) run.error = describe(*error);
  run.at_boundary = reader.at_boundary();
  run.lines = log.lines;
  run.texts = log.texts;
  run.possible_deletions = log.possible_deletions;
  return run;
}

}  // namespace ksr::json::testing
