// `ProxyTunnel` asks an HTTP proxy for a tunnel (CONNECT, RFC 9110, section 9.3.6); used by Dial. Lives on the network
// thread.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/secrets.hpp"
#include "transport/response_decoder.hpp"

namespace ksr::transport {

class ProxyTunnel : public std::enable_shared_from_this<ProxyTunnel>, private ResponseDecoder::Sink {
 public:
  using Done = std::function<void(const std::optional<Error>&)>;

  // `authorization` is a secret. `proxy` must outlive the tunnel, or `abandon` be called.
  ProxyTunnel(boost::asio::ip::tcp::socket& proxy, const std::string& target, const std::string& authorization);
  void start(Done done);
  void abandon() { done_ = nullptr; }

 private:
  // Runs `step`; an exception of it is the outcome.
  template <class Step>
  void guarded(Step&& step);
  void read();
  void on_read(std::size_t size);
  bool take_head(ResponseHead head) override;
  bool take_body(std::string_view) override { return false; }
  void check();
  std::string read_problem(const boost::system::error_code& reason);
  std::string problem() const;
  void finish(const std::optional<Error>& error);

  boost::asio::ip::tcp::socket& proxy_;
  std::string request_;
  Secrets secrets_;
  ResponseDecoder decoder_{*this, false, true};
  int status_ = 0;
  std::array<char, 2048> buffer_;
  Done done_;
};

}  // namespace ksr::transport
