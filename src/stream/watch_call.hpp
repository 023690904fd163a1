// `WatchCall` opens one watch, over HTTP or WebSocket, and feeds its events to the reflector; used by Session. Lives on
// the network thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cluster/query.hpp"
#include "json/field_filter.hpp"
#include "json/watch_reader.hpp"
#include "protobuf/watch_reader.hpp"
#include "stream/call.hpp"
#include "sync/reflector.hpp"

namespace ksr::stream {

// `fields`: what is kept of each object; nullptr: all.
class WatchCall final : public Call, private json::WatchObserver {
 public:
  WatchCall(CallOwner& owner, sync::RequestId id, ErrorContext context, const json::ReaderOptions& options,
            json::FieldFilter* fields, const sync::WatchRequest& request, cluster::Accepted accepted,
            sync::Reflector& reflector);
  bool is_stalled(Milliseconds time) const override { return !at_boundary() && now() - arrived_ >= time; }
  void log_stop(const char* why) noexcept override;

 private:
  bool accepts(int http_status) const override {
    return websocket_ ? http_status == 101 : transport::is_success(http_status);
  }
  void opened() override;
  void received(std::string_view bytes) override;
  void message_ended() override;
  void completed() override;
  void failed(const Error& error, const std::optional<json::ApiStatus>& status) override;

  void on_uid(std::string_view uid) override { owner().expect(uid); }
  void on_metadata_end(std::string_view uid) override { owner().expect_soon(uid); }
  void on_event(json::EventType type, const json::Item& item) override;
  void on_bookmark(std::string_view resource_version, bool initial_events_end) override;
  void on_error_event(const json::ApiStatus& status) override;
  void on_unknown_event(std::string_view type) override;
  void on_bad_event(const Error& error, json::BadEvent event) override;
  // "<request>: ended after 5 s" and `how`; when it had opened.
  void log_end(const char* who, std::string_view how) noexcept;

  void read_json();
  void read_protobuf();
  bool at_boundary() const;

  sync::Reflector& reflector_;
  json::FieldFilter* const fields_;
  const json::ReaderOptions options_;
  const cluster::Accepted accepted_;
  // Chosen by the answer; over WebSocket, whose head does not say it, by the first byte of the first message. Empty
  // before.
  std::optional<std::variant<json::WatchReader, protobuf::WatchReader>> reader_;
  const bool websocket_;
  // Of the lines of one that opens and ends each second.
  const LogLevel level_;
  // What the watch was asked to begin with, for the log.
  const std::string beginning_;
  std::optional<Instant> opened_at_;
  // When the bytes at hand arrived: one reading of the clock serves all events in them.
  Instant arrived_{};
  // Over HTTP: what has come ends within an event.
  bool in_part_ = false;
};

}  // namespace ksr::stream
