// `WatchFeed` produces what one watch sends: events from a revision on, bookmarks, and its end; used by Connection.
// Lives on the server's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "server/list_handler.hpp"
#include "server/request.hpp"
#include "server/revision_log.hpp"
#include "server/server_options.hpp"

namespace ksr::testserver {

// Receives the events of a feed.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // One event, with its newline.
  virtual void send_event(const std::string& line) = 0;
  virtual void end_stream() = 0;
};

class WatchFeed {
 public:
  // nullopt: the watch may open. Otherwise the refusal of its request.
  static std::optional<ApiStatus> refusal(const ApiRequest& request, const RevisionLog& log,
                                          const ServerOptions& options);

  WatchFeed(const ApiRequest& request, const RevisionLog& log, EventSink& sink);

  // What exists already: the state, the changes since the requested revision, or an ERROR event when that is compacted.
  void begin();
  void on_change(const ResourceType& type, const Change& change);
  void bookmark(bool initial_events_end = false);
  // Stops sending; safe while an event is being sent.
  void stop() { over_ = true; }

  const ResourceType& type() const { return *request_.type; }
  bool wants_bookmarks() const { return wants_bookmarks_; }
  // timeoutSeconds, if requested.
  std::optional<std::chrono::seconds> timeout() const;

 private:
  void send_state();
  void send_since(std::uint64_t revision);
  void send_change(const Change& change);
  void send(const char* type, const StoredObject& object);

  const ApiRequest request_;
  const RevisionLog& log_;
  EventSink& sink_;
  const Scope scope_;
  const bool wants_bookmarks_;
  const bool metadata_only_;
  std::uint64_t sent_up_to_ = 0;
  bool over_ = false;
};

}  // namespace ksr::testserver
