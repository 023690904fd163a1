// `StreamPlan` is what a script makes of one exec, attach, port-forward or proxied WebSocket, step by step, and
// `StreamPlans` holds one for each; used by World, Script and PodStream. `RecordedStream` is what its client sent.
// Values: on any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ksr::testserver {

enum class StreamAction {
  message,      // on `channel`, `text`; fragmented: in three frames
  flood,        // on `channel`, `count` bytes in messages of 32 KiB
  frame,        // a whole WebSocket message as it is, `channel` 1: text, 2: binary
  status,       // a Status on the error channel; `count` messages
  echo,         // from here on, what is written comes back
  wait_bytes,   // until the client has written `count` bytes
  wait_eof,     // until it has ended its input
  wait_resize,  // until it has sent `count` resizes
  no_pong,
  deaf,  // reads no more: the client's window fills
  hear,
  sleep,
  close,  // a close frame with `count` as its code
  cut,    // the connection ends without one, with a FIN or (`count` 1) an RST
};

struct StreamStep {
  StreamAction action = StreamAction::message;
  int channel = 0;
  std::string text;
  std::uint64_t count = 0;
  bool fragmented = false;
  std::chrono::milliseconds length{0};
};

struct StreamPlan {
  std::vector<StreamStep> steps;
  bool opens = true;  // the first messages of an opened stream are sent

  // Words such as out=TEXT or exit=7; `kind` is exec, attach, portforward or proxy. Throws std::runtime_error.
  static StreamPlan parse(const std::string& kind, const std::vector<std::string>& words, std::size_t first);
};

struct RecordedStream {
  std::string kind;
  std::string target;
  std::string protocol;
  std::string written;                // to stdin, the port, or in messages
  std::vector<std::string> resizes;   // the JSON of each
  std::vector<std::string> messages;  // of a proxied WebSocket
  std::size_t largest_message = 0;
  std::size_t empty_messages = 0;
  std::size_t pings = 0;
  bool input_ended = false;
  int close_code = 0;  // of the client's close frame; 0: none came
  bool over = false;
  // What a client must not send: a fragment, a resize without tty…
  std::vector<std::string> violations;
};

// The plans by kind and pod; a stream without one echoes what is written to it.
class StreamPlans {
 public:
  void set(const std::string& kind, const std::string& pod_key, StreamPlan plan) {
    plans_[kind + " " + pod_key] = std::move(plan);
  }
  StreamPlan find(const std::string& kind, const std::string& pod_key) const;

  // The subprotocols of exec and attach that the server knows; the first of them that is offered is chosen.
  std::vector<std::string> known{"v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io",
                                 "base64.channel.k8s.io"};
  std::vector<std::shared_ptr<RecordedStream>> recorded;

 private:
  std::map<std::string, StreamPlan> plans_;
};

}  // namespace ksr::testserver
