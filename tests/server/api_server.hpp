// `ApiServer` is the scriptable API server; used by test programs and by ksr-test-server.
// It has its own thread; every member may be called on any other thread.
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
  // The CA's certificate, as PEM and as a file that is removed with the server; empty without TLS.
  const std::string& ca_pem() const;
  std::string ca_file() const;
  testing::CertificateAndKey client_certificate(const std::string& user) const;

  // Runs script lines; throws std::runtime_error with the reason.
  void script(const std::string& lines);
  // Runs `work` on the server's thread and waits for it.
  void run(const std::function<void(World&)>& work);

  std::vector<RecordedRequest> requests();
  std::size_t count_requests(const std::string& verb);
  // What the clients of exec, attach, port-forward and proxies have sent, in the order they came.
  std::vector<RecordedStream> streams();
  std::size_t open_watches(const std::string& plural = "*");
  std::uint64_t revision();
  // uid -> resourceVersion of all objects of that resource, as a list would return them now.
  std::map<std::string, std::string> contents(const std::string& resource);

  // Returns after a script ran quit or stop() was called.
  void wait();
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::testserver
