// `ListCall` requests one page of a list and feeds its items to the reflector; used by Session. Lives on the network
// thread.
#pragma once

#include <optional>
#include <variant>

#include "json/field_filter.hpp"
#include "json/list_reader.hpp"
#include "protobuf/list_reader.hpp"
#include "stream/call.hpp"
#include "sync/reflector.hpp"

namespace ksr::stream {

// `fields`: what is kept of each object; nullptr: all.
class ListCall final : public Call, private json::ListObserver {
 public:
  ListCall(CallOwner& owner, sync::RequestId id, ErrorContext context, const json::ReaderOptions& options,
           json::FieldFilter* fields, sync::Reflector& reflector);

 private:
  bool accepts(int http_status) const override { return transport::is_success(http_status); }
  void opened() override;
  void received(std::string_view bytes) override;
  void message_ended() override {}
  void completed() override;
  void failed(const Error& error, const std::optional<json::ApiStatus>& status) override;
  void on_item(const json::Item& item) override;
  void on_bad_item(const Error& error) override;
  void on_continue_token(std::string_view token) override;

  sync::Reflector& reflector_;
  json::FieldFilter* const fields_;
  const json::ReaderOptions options_;
  bool next_page_told_ = false;
  // Chosen by the answer; empty before.
  std::optional<std::variant<json::ListReader, protobuf::ListReader>> reader_;
};

}  // namespace ksr::stream
