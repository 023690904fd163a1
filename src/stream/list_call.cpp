#include "stream/list_call.hpp"

#include <utility>

namespace ksr::stream {

ListCall::ListCall(CallOwner& owner, sync::RequestId id, ErrorContext context, const json::ReaderOptions& options,
                   json::FieldFilter* fields, sync::Reflector& reflector)
    : Call(owner, id, std::move(context)), reflector_(reflector), fields_(fields), reader_(options, *this) {}

void ListCall::received(std::string_view bytes) {
  if (Expected<void> fed = reader_.feed(bytes); !fed) fail(fed.error());
}

void ListCall::completed() {
  const Expected<json::ListMeta> meta = reader_.finish();
  if (!meta) return fail(meta.error());
  if (finish()) reflector_.on_list_end(id(), *meta, now());
}

void ListCall::failed(const Error& error, const std::optional<json::ApiStatus>& status) {
  log_line(owner().logger(), LogLevel::info, [&] { return error.text(); });
  reflector_.on_list_failed(id(), error, status, now());
}

void ListCall::on_item(const json::Item& item) {
  if (!stopped()) reflector_.on_list_item(id(), fields_ != nullptr ? fields_->apply(item) : item, now());
}

}  // namespace ksr::stream
