// `ExecCall` is a command in a container, or an attach to one: kind=exec and attach; used by make_channel_call. Lives
// on the network thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "channel/channel_codec.hpp"
#include "channel/document_fetch.hpp"
#include "channel/exec_end.hpp"
#include "channel/websocket_call.hpp"

namespace ksr::channel {

class ExecCall final : public WebSocketCall {
 public:
  ExecCall(Environment environment, ChannelOptions options, ChannelTarget target);

 private:
  void begin() override;
  void stop() override;
  void resumed() override;
  void take_size(std::uint16_t columns, std::uint16_t rows) override;
  Handshake handshake() override;
  void opened(const std::string& subprotocol) override;
  void received(std::string message, transport::MessageType type) override;
  bool begin_stream(std::string_view bytes) override;
  void receive_more(std::string_view bytes) override { give(stream_, bytes); }
  void closed(const std::optional<Error>& error) override;
  void refused(Refusal refusal) override;
  std::optional<Message> next_message() override;
  std::string keepalive() const override;

  bool wants_v5() const;
  bool gives(int channel) const;
  Message message(std::string bytes, std::size_t payload = 0) const;
  void await_close();
  void finish(const std::optional<Error>& error);

  std::unique_ptr<DocumentFetch> fetch_;
  std::string container_;
  // The other protocol was refused.
  std::optional<bool> use_v5_;
  std::optional<ChannelCodec> codec_;
  std::optional<ExecEnd> exec_end_;
  int stream_ = 0;
  std::optional<std::pair<std::uint16_t, std::uint16_t>> size_to_send_;
  // The server has said how it ended, and has not closed yet.
  std::unique_ptr<Timer> end_timer_;
};

}  // namespace ksr::channel
