// `RawServer` is a loopback server that runs a script for each accepted connection, on a thread of its own; used by the
// transport's tests.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace test {

// One end of a connection, blocking. Plain, or TLS after `start_tls`.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool start_tls(ssl_ctx_st* context);
  // False when the other side is gone.
  bool send(const std::string& bytes);
  // Empty at the end of the stream.
  std::string receive();
  // Reads up to and with `end`; what came after it is kept for the next read.
  std::string receive_until(const std::string& end);
  std::string receive_head() { return receive_until("\r\n\r\n"); }
  // Exactly `size` bytes, or fewer at the end of the stream.
  std::string receive_exactly(std::size_t size);
  void wait_for_close();
  // RST instead of FIN.
  void reset();
  void shut_down();
  const std::string& sni() const { return sni_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  ssl_st* ssl_ = nullptr;
  std::string kept_;
  std::string sni_;
};

// As of a machine that is gone: no segment of the connection `fd` reaches it from now on.
bool drop_all(int fd);
// It is back.
bool drop_nothing(int fd);

class RawServer {
 public:
  using Script = std::function<void(Peer&)>;

  // `number` counts the connections from 0.
  explicit RawServer(std::function<void(Peer&, int number)> script, bool ipv6 = false);
  explicit RawServer(Script script, bool ipv6 = false)
      : RawServer([script = std::move(script)](Peer& peer, int) { script(peer); }, ipv6) {}
  // Cuts what is still connected, and waits for the scripts.
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  int port() const { return port_; }
  std::string authority() const { return (ipv6_ ? "[::1]:" : "127.0.0.1:") + std::to_string(port_); }
  std::string url() const { return "http://" + authority(); }
  std::string tls_url() const { return "https://" + authority(); }
  int connections() const { return connections_; }

 private:
  void accept_all();

  std::function<void(Peer&, int)> script_;
  bool ipv6_;
  int port_ = 0;
  int listener_;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  bool stopping_ = false;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A port of 127.0.0.1 without a listener.
int closed_port();

// Takes no connection: a SYN to `address` and its port is dropped.
class SilentAddress {
 public:
  // 0: any port.
  explicit SilentAddress(const std::string& address, int port = 0);
  ~SilentAddress();
  SilentAddress(const SilentAddress&) = delete;
  SilentAddress& operator=(const SilentAddress&) = delete;

  int port() const { return port_; }

 private:
  int fd_;
  int port_;
};

}  // namespace test
