// The server's side of a WebSocket, frame by frame, so that tests can break every rule.
#pragma once

#include <string>
#include <vector>

#include "unit/transport/raw_server.hpp"

namespace test {

struct Frame {
  int opcode = -1;  // -1: the stream ended.
  bool masked = false;
  std::string payload;
};

constexpr int continuation_frame = 0;
constexpr int text_frame = 1;
constexpr int binary_frame = 2;
constexpr int close_frame = 8;
constexpr int ping_frame = 9;
constexpr int pong_frame = 10;

// Reads the request and accepts it; returns the request.
std::string accept_websocket(Peer& peer);
std::string accept_key(const std::string& request);
std::string header_value(const std::string& head, const std::string& name);
std::string frame(int opcode, const std::string& payload, bool final = true);
std::string close_payload(int code, const std::string& reason = "");
Frame read_frame(Peer& peer);
// The whole frames in `bytes`, one after the other.
std::vector<Frame> frames_of(const std::string& bytes);

}  // namespace test
