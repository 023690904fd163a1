#include "server/pod_log.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "server/list_handler.hpp"
#include "server/words.hpp"

namespace ksr::testserver {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t floored(std::int64_t stamp) {
  return stamp - stamp % kSecond;
}

std::int64_t now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
}

Reply invalid(const std::string& field) {
  return status_reply(status_of_code(422, "PodLogOptions \"\" is invalid: " + field));
}

}  // namespace

std::string stamp_text(std::int64_t nanoseconds) {
  const auto seconds = static_cast<std::time_t>(nanoseconds / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char day[32];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09dZ", static_cast<int>(nanoseconds % kSecond));
  return std::string(day) + fraction;
}

std::optional<std::int64_t> stamp_of(const std::string& text) {
  std::tm parts{};
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6 ||
      used != 19) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  std::int64_t fraction = 0;
  auto at = static_cast<std::size_t>(used);
  if (at < text.size() && text[at] == '.') {
    std::int64_t weight = kSecond;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      weight /= 10;
      fraction += (text[at] - '0') * weight;
    }
  }
  if (text.substr(at) != "Z" && text.substr(at) != "+00:00") return std::nullopt;
  return static_cast<std::int64_t>(timegm(&parts)) * kSecond + fraction;
}

std::optional<Reply> LogQuery::refusal(const ApiRequest& request) {
  const auto since_time = request.target.get("sinceTime");
  const auto since_seconds = request.target.get("sinceSeconds");
  if (since_time && since_seconds) return invalid("at most one of sinceTime or sinceSeconds may be specified");
  if (since_time && !stamp_of(*since_time)) return status_reply(bad_request("invalid sinceTime " + *since_time));
  if (since_seconds && parse_size(*since_seconds) < 1) return invalid("sinceSeconds: must be greater than 0");
  if (const auto limit = request.target.get("limitBytes"); limit && parse_size(*limit) < 1) {
    return invalid("limitBytes: must be greater than 0");
  }
  if (const auto tail = request.target.get("tailLines")) parse_size(*tail);
  return std::nullopt;
}

LogQuery LogQuery::of(const ApiRequest& request) {
  LogQuery query;
  query.key = PodLogs::key_of(request.ns, request.name, request.target.get_or_empty("container"),
                              request.target.flag("previous"));
  query.follow = request.target.flag("follow");
  query.timestamps = request.target.flag("timestamps");
  if (const auto since = request.target.get("sinceTime")) query.since = floored(stamp_of(*since).value_or(0));
  if (const auto seconds = request.target.get("sinceSeconds")) {
    query.since = now() - static_cast<std::int64_t>(parse_size(*seconds)) * kSecond;
  }
  if (const auto tail = request.target.get("tailLines")) query.tail = static_cast<std::size_t>(parse_size(*tail));
  if (const auto limit = request.target.get("limitBytes")) query.limit = parse_size(*limit);
  return query;
}

std::string PodLogs::key_of(const std::string& ns, const std::string& pod, const std::string& container,
                            bool previous) {
  return ns + "/" + pod + "/" + (container.empty() ? "main" : container) + (previous ? "/previous" : "");
}

std::string LogFollower::existing(const PodLog& log) {
  const std::size_t count = log.entries.size();
  const std::size_t first = query_.tail && *query_.tail < count ? count - *query_.tail : 0;
  std::string text;
  for (std::size_t i = first; i < count; ++i) text += text_of(log.entries[i]);
  return text;
}

std::string LogFollower::text_of(const LogEntry& entry) {
  if (entry.stamped && query_.since && entry.stamp < *query_.since) return "";
  std::string text = entry.stamped && query_.timestamps ? stamp_text(entry.stamp) + " " + entry.text : entry.text;
  if (query_.limit) text.resize(static_cast<std::size_t>(std::min<std::uint64_t>(text.size(), *query_.limit - sent_)));
  sent_ += text.size();
  return text;
}

}  // namespace ksr::testserver
