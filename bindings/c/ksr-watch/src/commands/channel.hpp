// `Channel` is an open ksr_channel, `ChannelHost` what its bytes and events come to; used by logs, exec, attach and
// port-forward. Main thread: they come while the client is dispatched.
#pragma once

#include <ksr.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/expected.hpp"
#include "commands/client.hpp"
#include "commands/report.hpp"

namespace ksr::commands {

struct ChannelEvent {
  ksr_event kind = 0;
  ksr_part part = 0;
  std::optional<Failure> failure;
  // As ksr_error_retry_ms; of KSR_EVENT_INTERRUPTED.
  std::int64_t retry_ms = -1;
};

class ChannelHost {
 public:
  virtual ~ChannelHost() = default;
  // How many of them it has taken; the rest comes again after Channel::resume.
  virtual std::size_t take(ksr_part part, std::string_view bytes) = 0;
  virtual void on_event(const ChannelEvent& event) = 0;
};

// Of ksr_params; a list key occurs once for each of its values.
using ChannelKeys = std::vector<std::pair<std::string, std::string>>;

class Channel {
 public:
  // The host must live until the channel is destroyed, which must not happen inside one of its calls.
  static Expected<Channel> open(Client& client, const ChannelKeys& keys, ChannelHost& host);

  // How many of the bytes fit in; KSR_EVENT_WRITABLE follows where that are not all. Nothing is written to a channel
  // that has ended.
  std::size_t write(std::string_view bytes);
  // False: the protocol cannot tell the end.
  bool finish();
  void resume(ksr_part part) { ksr_channel_resume(channel_.get(), part); }
  void resize(std::uint32_t columns, std::uint32_t rows) { ksr_channel_resize(channel_.get(), columns, rows); }
  void cancel() { ksr_channel_cancel(channel_.get()); }
  // Written, and not sent yet.
  std::int64_t queued_bytes() const;
  // As ksr_channel_info.
  std::string info(const char* name) const;
  // Once it is closed in order.
  std::optional<std::int32_t> exit_code() const;

 private:
  struct Close {
    void operator()(ksr_channel* channel) const { ksr_channel_close(channel); }
  };

  explicit Channel(ksr_channel* channel) : channel_(channel) {}

  std::unique_ptr<ksr_channel, Close> channel_;
};

// "; trying again", "; trying again in 3 s", or nothing where it is not tried again.
std::string retry_text(std::int64_t retry_ms);

}  // namespace ksr::commands
