#include "stream/list_call.hpp"

#include <utility>

#include "cluster/query.hpp"

namespace ksr::stream {

ListCall::ListCall(CallOwner& owner, sync::RequestId id, ErrorContext context, const json::ReaderOptions& options,
                   json::FieldFilter* fields, sync::Reflector& reflector)
    : Call(owner, id, std::move(context)), reflector_(reflector), fields_(fields), options_(options) {}

void ListCall::opened() {
  const bool protobuf = cluster::is_protobuf(head().content_type);
  owner().note_encoding(protobuf);
  json::ListObserver& observer = *this;
  if (protobuf) {
    reader_.emplace(std::in_place_type<protobuf::ListReader>, options_, observer);
  } else {
    reader_.emplace(std::in_place_type<json::ListReader>, options_, observer);
  }
}

void ListCall::received(std::string_view bytes) {
  const Expected<void> fed = std::visit([&](auto& reader) { return reader.feed(bytes); }, *reader_);
  if (!fed) fail(fed.error());
}

void ListCall::completed() {
  const Expected<json::ListMeta> meta = std::visit([](auto& reader) { return reader.finish(); }, *reader_);
  if (!meta) return fail(meta.error());
  if (finish()) reflector_.on_list_end(id(), *meta, now());
}

void ListCall::failed(const Error& error, const std::optional<json::ApiStatus>& status) {
  log_line(owner().logger(), LogLevel::info, [&] { return error.text(); });
  reflector_.on_list_failed(id(), error, status, now());
}

void ListCall::on_continue_token(std::string_view token) {
  if (!stopped() && !std::exchange(next_page_told_, true)) owner().on_next_page(token);
}

void ListCall::on_item(const json::Item& item) {
  if (!stopped()) reflector_.on_list_item(id(), fields_ != nullptr ? fields_->apply(item) : item, now());
}

void ListCall::on_bad_item(const Error& error) {
  if (!stopped()) reflector_.on_list_bad_item(id(), error.within(context()));
}

}  // namespace ksr::stream
