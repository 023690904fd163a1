// `IdleHost` is a ChannelHost that takes everything and has nothing to send; used by the tests of channel. Lives on the
// test's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channel/channel_call.hpp"

namespace ksr::channel::testing {

class IdleHost : public ChannelHost {
 public:
  void on_connecting() override {}
  void on_open() override {}
  void on_interrupted(const Error&, std::optional<Milliseconds>) override {}
  void on_resumed() override {}
  bool on_bytes(int, std::string_view) override { return true; }
  bool on_message(int, std::string) override { return true; }
  void on_drained() override {}
  void on_mark(int, Mark) override {}
  std::uint64_t taken_bytes() const override { return 0; }
  std::optional<Outgoing> take_outgoing() override { return std::nullopt; }
  void release_outgoing(std::size_t) override {}
  void set_info(const char*, std::string) override {}
  void on_end(Ending) override {}
};

}  // namespace ksr::channel::testing
