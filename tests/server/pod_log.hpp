// `PodLog` is the log of one container as a script writes it, `PodLogs` those of all, and `LogFollower` one that is
// followed; used by World, Script and Connection. Lives on the server's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/request.hpp"

namespace ksr::testserver {

struct LogEntry {
  std::int64_t stamp = 0;  // nanoseconds since 1970
  std::string text;        // with its newline
  bool stamped = true;     // false: bytes as they are, such as an error of the kubelet
};

struct PodLog {
  std::vector<LogEntry> entries;  // of the newest file
  bool over = false;              // the container has ended
};

// What a request for a log asks for.
struct LogQuery {
  std::string key;
  bool follow = false;
  bool timestamps = false;
  std::optional<std::int64_t> since;  // floored to the second, as the apiserver passes it on
  std::optional<std::size_t> tail;
  std::optional<std::uint64_t> limit;

  // The refusal of a query that the apiserver refuses.
  static std::optional<Reply> refusal(const ApiRequest& request);
  static LogQuery of(const ApiRequest& request);
};

class PodLogs {
 public:
  static std::string key_of(const std::string& ns, const std::string& pod, const std::string& container, bool previous);
  PodLog& at(const std::string& key) { return logs_[key]; }
  bool holds(const std::string& key) const { return logs_.count(key) > 0; }

 private:
  std::map<std::string, PodLog> logs_;
};

// Turns entries into what one request gets of them.
class LogFollower {
 public:
  explicit LogFollower(LogQuery query) : query_(std::move(query)) {}

  const LogQuery& query() const { return query_; }
  std::string existing(const PodLog& log);
  std::string text_of(const LogEntry& entry);
  // limitBytes has come.
  bool is_full() const { return query_.limit && sent_ >= *query_.limit; }

 private:
  LogQuery query_;
  std::uint64_t sent_ = 0;
};

std::string stamp_text(std::int64_t nanoseconds);
// RFC 3339 in UTC; nullopt for anything else.
std::optional<std::int64_t> stamp_of(const std::string& text);

}  // namespace ksr::testserver
