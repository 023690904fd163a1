// A host that exits with open TLS exchanges, and one that exits while the first of them is begun, hundreds of times: no
// run may crash or hang. Started without arguments it serves, and starts itself as that host.
#include <openssl/ssl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.hpp"
#include "transport/network_thread.hpp"
#include "transport/real_transport.hpp"
#include "unit/transport/raw_server.hpp"

extern char** environ;

namespace {

using namespace ksr::transport;

constexpr int exchanges_open = 8;
// A sanitizer's run takes many times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRuns = 25;
constexpr int kSoonRuns = 50;
#else
constexpr int kRuns = 100;
constexpr int kSoonRuns = 200;
#endif
constexpr int kMaxPause = 5000;  // microseconds
// By which the careful host reports that it reached its end.
constexpr int kCarefulStatus = 3;

class Counter final : public ExchangeObserver {
 public:
  void on_head(const ResponseHead&) override {}
  void on_body(std::string_view bytes) override { bytes_ += bytes.size(); }
  void on_end(const std::optional<ksr::Error>&) override {}
  std::size_t bytes() const { return bytes_; }

 private:
  std::atomic<std::size_t> bytes_{0};
};

// Ends what is open when it is destroyed, and sees that the network thread still serves.
struct Host {
  ~Host() {
    std::atomic<bool> ended{false};
    network_thread().post([&] {
      exchanges.clear();
      connection.reset();
      ended = true;
    });
    while (!ended) std::this_thread::yield();
    std::_Exit(kCarefulStatus);
  }
  std::shared_ptr<Connection> connection;
  std::vector<std::unique_ptr<Exchange>> exchanges;
  Counter counter;
};

[[noreturn]] void exit_while_reading(const std::string& url) {
  static Host* const host = new Host;
  // Half of the hosts clean up in exit(). Registered before OpenSSL is first used, so it runs after OpenSSL's own
  // clean-up; on_exit, because the transport's link option swallows what atexit would register here.
  if (std::getenv("EXIT_RACE_CAREFUL") != nullptr) on_exit([](int, void*) { delete host; }, nullptr);
  network_thread().post([&] {
    ConnectionSettings settings;
    settings.server = *ksr::parse_server_url("server", url);
    settings.tls.skip_verify = true;
    host->connection = *real_transport().connect(settings);
    for (int i = 0; i < exchanges_open; ++i) {
      Request request;
      request.target = "/";
      host->exchanges.push_back(host->connection->send(request, host->counter));
    }
  });
  while (host->counter.bytes() < 100'000) std::this_thread::yield();
  std::exit(0);
}

// OpenSSL is taken into use on the network thread, with the system's CA certificates.
[[noreturn]] void exit_soon(const std::string& url, std::chrono::microseconds pause) {
  static Host* const host = new Host;
  network_thread().post([&] {
    ConnectionSettings settings;
    settings.server = *ksr::parse_server_url("server", url);
    auto connection = real_transport().connect(settings);
    // The process is exiting.
    if (!connection) return;
    host->connection = *std::move(connection);
    Request request;
    request.target = "/";
    host->exchanges.push_back(host->connection->send(request, host->counter));
  });
  std::this_thread::sleep_for(pause);
  std::exit(0);
}

int run_host(const std::string& program, const std::string& url, bool careful, std::string pause = {}) {
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  std::string flag = "EXIT_RACE_CAREFUL=1";
  if (careful) environment.push_back(flag.data());
  environment.push_back(nullptr);
  std::string name = program;
  std::string argument = url;
  char* arguments[] = {name.data(), argument.data(), pause.empty() ? nullptr : pause.data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment.data()) != 0) return -1;
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

int serve_hosts(const std::string& program, int runs) {
  const ksr::testing::CertificateAuthority authority;
  const ksr::testing::ServerContext context = ksr::testing::server_context(authority.issue("server", "IP:127.0.0.1"));
  test::RawServer server([&](test::Peer& peer) {
    if (!peer.start_tls(context.get())) return;
    peer.receive_head();
    if (!peer.send("HTTP/1.1 200 OK\r\n\r\n")) return;
    while (peer.send(std::string(8000, 'x'))) {
    }
  });
  int failed = 0;
  for (int run = 0; run < runs; ++run) {
    const bool careful = run % 2 == 1;
    const int status = run_host(program, server.tls_url(), careful);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != (careful ? kCarefulStatus : 0)) {
      std::printf("run %d ended with status %d\n", run, status);
      ++failed;
    }
  }
  std::printf("%d of %d runs failed\n", failed, runs);
  int failed_soon = 0;
  for (int pause = 0; pause < kMaxPause; pause += kMaxPause / kSoonRuns) {
    const int status = run_host(program, server.tls_url(), false, std::to_string(pause));
    if (status != 0) ++failed_soon;
  }
  std::printf("%d of %d runs that exit soon failed\n", failed_soon, kSoonRuns);
  return failed == 0 && failed_soon == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  // A host that hangs ends, and has failed.
  if (count > 1) alarm(60);
  if (count > 2) exit_soon(arguments[1], std::chrono::microseconds(std::atoi(arguments[2])));
  if (count > 1) exit_while_reading(arguments[1]);
  return serve_hosts(arguments[0], kRuns);
}
