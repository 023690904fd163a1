// The scriptable API server, for use inside a test program or by ksr-test-server. Its thread is its own; every member
// may be called on any other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/server_options.hpp"
#include "server/world.hpp"
#include "support/certificates.hpp"

namespace ksr::testserver {

class ApiServer {
 public:
  explicit ApiServer(ServerOptions options = {});
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  std::uint16_t port() const;
  std::string url() const;  // http(s)://127.0.0.1:PORT, with the path prefix
  // The CA's certificate, as text and as a file that lives as long as the server; empty without TLS.
  const std::string& ca_pem() const;
  std::string ca_file() const;
  testing::CertificateAndKey client_certificate(const std::string& user) const;

  // Runs script lines; throws std::runtime_error with what was wrong.
  void script(const std::string& lines);
  // Runs on the server's thread, and waits for it.
  void run(const std::function<void(World&)>& work);

  std::vector<RecordedRequest> requests();
  std::size_t count_requests(const std::string& verb);
  std::size_t open_watches(const std::string& plural = "*");
  std::uint64_t revision();
  // uid -> resourceVersion of all objects of that resource, as a list would show them now.
  std::map<std::string, std::string> contents(const std::string& resource);

  // Returns when a script says quit, or stop() was called.
  void wait();
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::testserver
