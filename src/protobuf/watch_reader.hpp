// `WatchReader` finds the events of a watch in protobuf in its bytes as they arrive, as json::WatchReader does in JSON;
// used by stream::WatchCall. Lives on the thread that feeds it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/expected.hpp"
#include "json/watch_reader.hpp"
#include "protobuf/schema.hpp"

namespace ksr::protobuf {

// How events are kept apart (apiserver pkg/endpoints/handlers/watch.go).
enum class Framing : std::uint8_t {
  lengths,   // HTTP: each event behind its length, 4 bytes, the highest first
  messages,  // WebSocket: each event a binary message
};

// After an error it stays in error. Status::unsupported: the server knows fields or types that the schema does not, and
// the same has to be asked for in JSON; the event at hand has not been reported.
class WatchReader {
 public:
  WatchReader(const json::ReaderOptions& options, Framing framing, json::WatchObserver& observer,
              const Schema& schema = built_in_schema());
  ~WatchReader();
  WatchReader(WatchReader&&) noexcept;
  WatchReader& operator=(WatchReader&&) noexcept;

  // Any split of the bytes gives the same events. An event that is not valid is dropped (on_bad_event). An error other
  // than Status::unsupported means that the place of the next event is lost.
  Expected<void> feed(std::string_view bytes);
  // WebSocket: a message ends here, and with it the event.
  Expected<void> end_message();
  // The stream ended. False: in the middle of an event (which is dropped).
  bool at_boundary() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::protobuf
