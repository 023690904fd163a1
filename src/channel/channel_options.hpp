// `ChannelOptions` is what one channel is asked to do, as typed values; used by request::Params, which fills it, and by
// the channels. A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "sync/call_retries.hpp"
#include "transport/transport.hpp"

namespace ksr::channel {

enum class ChannelKind : std::uint8_t { none, log, exec, attach, portforward, websocket, http };
enum class ExecProtocol : std::uint8_t { automatic, v4, v5 };

// The numbers of the parts that a host reads and writes (ksr.h, KSR_PART_*).
inline constexpr int kPartData = 0;
inline constexpr int kPartStdin = 0;
inline constexpr int kPartStdout = 1;
inline constexpr int kPartStderr = 2;
inline constexpr int kPartText = 16;
inline constexpr int kPartBinary = 17;

struct ChannelOptions {
  ChannelKind kind = ChannelKind::none;
  // Empty: the only one, or the pod's annotation kubectl.kubernetes.io/default-container.
  std::string container;

  // log
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  std::optional<std::uint64_t> tail;
  std::optional<std::uint64_t> since_seconds;
  std::string since_time;
  std::optional<std::uint64_t> limit_bytes;
  bool resume = true;
  bool follow_restarts = false;
  std::string from_cursor;

  // exec, attach
  std::vector<std::string> command;
  bool wants_stdin = false;
  bool wants_stdout = true;
  bool wants_stderr = true;
  bool tty = false;
  std::uint16_t columns = 0;
  std::uint16_t rows = 0;
  ExecProtocol exec_protocol = ExecProtocol::automatic;

  // portforward
  std::uint16_t port = 0;

  // websocket
  std::vector<std::string> subprotocols;
  bool reconnect = false;
  Milliseconds reconnect_delay{3'000};
  std::size_t max_message = std::size_t{16} << 20;

  // http
  Milliseconds head_timeout{30'000};
  sync::Retries retries = sync::Retries::never;

  std::size_t receive_buffer = std::size_t{1} << 20;
  std::size_t send_buffer = std::size_t{256} << 10;
  Milliseconds ping_interval{30'000};
  Milliseconds pong_timeout{15'000};
};

// What a channel is opened to.
struct ChannelTarget {
  // The pod, of all kinds but websocket and http, and what the host adds to the query.
  std::string name_space;
  std::string name;
  std::vector<std::pair<std::string, std::string>> query;
  // websocket and http: what is sent.
  std::string method = "GET";
  std::string target;
  std::vector<transport::Header> headers;
  std::string body;
  bool below_headlamp_url = false;
};

}  // namespace ksr::channel
