// `PodStream` is the server's end of one exec, attach, port-forward or proxied WebSocket: it plays a StreamPlan and
// records what the client sends; used by Connection. Lives on the server's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "server/frames.hpp"
#include "server/request.hpp"
#include "server/stream_plan.hpp"

namespace ksr::testserver {

// What a stream does to its connection.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void send_frames(std::string bytes) = 0;
  virtual void close_stream(std::uint16_t code, const std::string& reason) = 0;
  virtual void cut_stream(bool reset) = 0;
  virtual void hear_client(bool hear) = 0;
};

// How a request for a stream is answered.
struct StreamChoice {
  std::optional<Reply> refusal;
  std::string protocol;  // empty: none
};
// As kube-apiserver 1.36 and the CRI streaming server choose.
StreamChoice choose_stream(const ApiRequest& request, const StreamPlans& plans);

class PodStream : public std::enable_shared_from_this<PodStream> {
 public:
  PodStream(boost::asio::io_context& io, const ApiRequest& request, std::string protocol, StreamPlans& plans,
            StreamSink& sink);

  void begin();
  void on_frame(const Frame& frame);
  // The connection is gone.
  void stop();
  bool answers_pings() const { return answers_pings_; }

 private:
  void play();
  // False: the steps go on when something has happened.
  bool play_step(const StreamStep& step);
  bool waits(const StreamStep& step) const;
  void send_message(int channel, const std::string& payload, bool fragmented = false);
  void send_status(const StreamStep& step);
  void flood(const StreamStep& step);
  void on_message(const Frame& frame);
  void on_channel_message(int channel, const std::string& payload);
  void on_resize(const std::string& payload);
  void echo(const std::string& payload);
  bool base64() const;
  bool asked(int channel) const;

  const ApiRequest request_;
  const std::string protocol_;
  const StreamPlan plan_;
  const std::shared_ptr<RecordedStream> record_;
  StreamSink& sink_;
  boost::asio::steady_timer timer_;
  std::size_t at_ = 0;
  std::size_t ports_ = 0;
  bool echoes_ = false;
  bool answers_pings_ = true;
  bool sleeping_ = false;
  bool over_ = false;
};

}  // namespace ksr::testserver
