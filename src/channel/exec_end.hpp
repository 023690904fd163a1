// `ExecEnd` finds out how a command has ended, of what came on its status channel and how the connection ended; used by
// the channels of kind=exec and attach. Pure. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "channel/channel_codec.hpp"

namespace ksr::channel {

struct ExecOutcome {
  // Of the command; empty when it is not known.
  std::optional<int> exit_code;
  // Whether the code is the runtime's own word. A Success over v5 may be invented where the node has died
  // (kubernetes/kubernetes#137404).
  bool verified = false;
  // Empty: the end was orderly.
  std::optional<Error> error;
};

class ExecEnd {
 public:
  explicit ExecEnd(ChannelProtocol protocol) : protocol_(protocol) {}

  // Of channel 3, in any number of messages.
  void add_status(std::string_view payload);
  // A whole one.
  bool has_status() const;
  // The same, as a hint that the server should close now: of a large one not each message is looked at.
  bool may_end() const noexcept { return may_end_; }
  // The connection is over: in order, or with `error`. Without a Status it is not known how the command has ended,
  // whatever the close code says.
  ExecOutcome finish(const std::optional<Error>& error) const;

 private:
  std::string what_was_said() const;

  const ChannelProtocol protocol_;
  std::string status_;
  bool too_large_ = false;
  std::size_t looked_at_ = 0;  // of the size
  bool may_end_ = false;
};

}  // namespace ksr::channel
