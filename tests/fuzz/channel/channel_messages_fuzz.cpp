// Messages of exec, attach and port-forward in each subprotocol: what is read can be written again, an exit code comes
// from a Status alone.
#include "channel/channel_codec.hpp"
#include "channel/exec_end.hpp"
#include "channel/port_codec.hpp"
#include "fuzz/fuzz.hpp"

using ksr::fuzz::require;
using namespace ksr::channel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto protocol = static_cast<ChannelProtocol>(data[0] % 5);
  const ChannelCodec codec(protocol);
  ExecEnd end(protocol);
  PortCodec port(80);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  // A message for each length that the input gives.
  while (!rest.empty()) {
    const std::size_t length = static_cast<unsigned char>(rest.front());
    const std::string_view message = rest.substr(1, length);
    rest.remove_prefix(1 + message.size());
    auto read = codec.decode(message);
    if (!read || !*read) continue;
    ChannelMessage& found = **read;
    if (found.closes) continue;
    require(found.payload.size() < message.size(), "a payload is longer than its message");
    if (codec.binary())
      require(codec.encode(found.channel, found.payload) == message, "a message is written otherwise");
    if (found.channel == kStatus) end.add_status(found.payload);
    const auto bytes = port.decode(std::move(found));
    if (bytes) require(bytes->size() <= message.size(), "more bytes than came");
    require(port.failure().size() <= 8'192, "an endless failure");
  }
  const ExecOutcome outcome = end.finish(std::nullopt);
  require(outcome.exit_code.has_value() != outcome.error.has_value(), "both or neither of exit code and error");
  if (outcome.exit_code) require(end.has_status(), "an exit code without a Status");
  return 0;
}
