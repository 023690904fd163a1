// `WatchReader` finds the events of a watch in its bytes as they arrive, over HTTP (one JSON object after another) or
// WebSocket (one message each); used by stream::WatchCall. Lives on the thread that feeds it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/expected.hpp"
#include "json/api_status.hpp"
#include "json/item.hpp"
#include "json/list_reader.hpp"

namespace ksr::json {

enum class EventType : std::uint8_t { added, modified, deleted };

// What an ERROR event that carries no Status says of itself, and one that is not read for its size.
inline constexpr std::string_view kErrorWithoutStatus = "the server sent an ERROR event without a Status";
inline constexpr std::string_view kErrorTooLarge = "the server sent an ERROR event larger than max_object_size";

// What is known of an event that was dropped.
struct BadEvent {
  // It says, or may say, that an object is gone, so that the view has one that is not there.
  bool may_be_deletion = false;
  // It is one, of a known type and with an object: nobody but the API sends that.
  bool is_event = false;
};

class WatchObserver {
 public:
  virtual ~WatchObserver() = default;
  // The object that is being read has this uid, as far as is known by now: hints, which may be missing or wrong. The
  // first comes as soon as the uid has been read, the other one with the end of the metadata.
  virtual void on_uid(std::string_view /*uid*/) {}
  virtual void on_metadata_end(std::string_view /*uid*/) {}
  virtual void on_event(EventType type, const Item& item) = 0;
  // `initial_events_end`: the annotation k8s.io/initial-events-end is "true". A bookmark without resourceVersion: "".
  virtual void on_bookmark(std::string_view resource_version, bool initial_events_end) = 0;
  virtual void on_error_event(const ApiStatus& status) = 0;
  virtual void on_unknown_event(std::string_view type) = 0;
  // One event was dropped and the reader continues after it: an object above max_object_size or max_depth (too_large),
  // an object without metadata, uid, name or resourceVersion (protocol). The message names what and where.
  virtual void on_bad_event(const Error& error, BadEvent event) = 0;
};

// Lives on one thread. After an error it stays in error.
class WatchReader {
 public:
  WatchReader(const ReaderOptions& options, WatchObserver& observer);
  ~WatchReader();
  WatchReader(WatchReader&&) noexcept;
  WatchReader& operator=(WatchReader&&) noexcept;

  // Any split of the bytes gives the same events. An error (text that is no JSON) means that the place of the next
  // event is lost.
  Expected<void> feed(std::string_view bytes);
  // WebSocket: a message ends here; an event must not continue in the next one.
  Expected<void> end_message();
  // The stream ended. False: in the middle of an event (which is dropped).
  bool at_boundary() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::json
