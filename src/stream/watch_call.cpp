#include "stream/watch_call.hpp"

#include <utility>

#include "base/text.hpp"

namespace ksr::stream {

WatchCall::WatchCall(CallOwner& owner, sync::RequestId id, ErrorContext context, const json::ReaderOptions& options,
                     json::FieldFilter* fields, const sync::WatchRequest& request, cluster::Accepted accepted,
                     sync::Reflector& reflector)
    : Call(owner, id, std::move(context)),
      reflector_(reflector),
      fields_(fields),
      options_(options),
      accepted_(accepted),
      websocket_(request.websocket),
      level_(request.poll || !request.name.empty() ? LogLevel::debug : LogLevel::info),
      beginning_(request.send_initial_events ? "with the initial events"
                                             : "from resourceVersion " + one_line(request.resource_version, 100)) {}

void WatchCall::opened() {
  opened_at_ = now();
  log_line(owner().logger(), level_,
           [&] { return context().text() + ": opened over " + (websocket_ ? "WebSocket " : "HTTP ") + beginning_; });
  if (!websocket_) {
    cluster::is_protobuf(head().content_type) ? read_protobuf() : read_json();
  } else if (accepted_ == cluster::Accepted::json) {
    read_json();
  }
  reflector_.on_watch_open(id(), now());
}

void WatchCall::read_json() {
  owner().note_encoding(false);
  json::WatchObserver& observer = *this;
  reader_.emplace(std::in_place_type<json::WatchReader>, options_, observer);
}

void WatchCall::read_protobuf() {
  owner().note_encoding(true);
  const auto framing = websocket_ ? protobuf::Framing::messages : protobuf::Framing::lengths;
  json::WatchObserver& observer = *this;
  reader_.emplace(std::in_place_type<protobuf::WatchReader>, options_, framing, observer);
}

bool WatchCall::at_boundary() const {
  return !reader_ || std::visit([](const auto& reader) { return reader.at_boundary(); }, *reader_);
}

void WatchCall::received(std::string_view bytes) {
  arrived_ = now();
  if (bytes.empty()) return;
  // The tag of a WatchEvent's type. JSON begins with a brace (apiserver pkg/endpoints/handlers/watch.go).
  if (!reader_) bytes.front() == '\x0a' ? read_protobuf() : read_json();
  const Expected<void> fed = std::visit([&](auto& reader) { return reader.feed(bytes); }, *reader_);
  if (!fed) return fail(fed.error());
  if (websocket_ || at_boundary() == !in_part_) return;
  in_part_ = !in_part_;
  if (in_part_ && !stopped()) reflector_.on_watch_event_begun(id(), arrived_);
}

void WatchCall::message_ended() {
  if (!reader_) return;
  const Expected<void> ended = std::visit([](auto& reader) { return reader.end_message(); }, *reader_);
  if (!ended) fail(ended.error());
}

// A stream that ends inside an event ends all the same: the event comes again from the last resourceVersion
// (client-go, apimachinery/pkg/watch/streamwatcher.go: io.ErrUnexpectedEOF).
void WatchCall::completed() {
  log_end("ended by the server", "");
  if (finish()) reflector_.on_watch_end(id(), now());
}

void WatchCall::failed(const Error& error, const std::optional<json::ApiStatus>& status) {
  if (opened_at_) {
    log_end("broken", ": " + error.message);
  } else {
    log_line(owner().logger(), LogLevel::info, [&] { return error.text(); });
  }
  reflector_.on_watch_failed(id(), error, status, now());
}

void WatchCall::on_event(json::EventType type, const json::Item& item) {
  if (stopped()) return;
  // Of what is deleted the last known state is told, not the text of the event.
  const bool cut = fields_ != nullptr && type != json::EventType::deleted;
  reflector_.on_watch_event(id(), type, cut ? fields_->apply(item) : item, arrived_);
}

void WatchCall::on_bookmark(std::string_view resource_version, bool initial_events_end) {
  if (!stopped()) reflector_.on_watch_bookmark(id(), resource_version, initial_events_end, arrived_);
}

void WatchCall::on_error_event(const json::ApiStatus& status) {
  if (stopped()) return;
  log_end("ERROR event", ": " + one_line(status.message.empty() ? status.reason : status.message));
  reflector_.on_watch_error_event(id(), status, arrived_);
}

void WatchCall::on_unknown_event(std::string_view type) {
  owner().logger().log(LogLevel::warning, context().text() + ": ignored an event of unknown type " + in_quotes(type));
}

void WatchCall::log_stop(const char* why) noexcept {
  log_end("closed", why);
}

void WatchCall::log_end(const char* what, std::string_view how) noexcept {
  if (!opened_at_) return;
  log_line(owner().logger(), level_, [&] {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now() - *opened_at_);
    return context().text() + ": " + what + " after " + std::to_string(age.count()) + " s" + std::string(how);
  });
}

void WatchCall::on_bad_event(const Error& error, json::BadEvent event) {
  if (!stopped()) reflector_.on_watch_bad_event(id(), error, event, arrived_);
}

}  // namespace ksr::stream
