// `TlsContext` is the TLS part of one ConnectionSettings, parsed once and shared by all its connections; used by Dial.
// Lives on the network thread.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "base/expected.hpp"
#include "transport/exit_guard.hpp"
#include "transport/tls_stream.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

class TlsContext {
 public:
  // Fails with Status::invalid on PEM that cannot work. Does no I/O.
  static Expected<std::shared_ptr<TlsContext>> make(const TlsSettings& settings);

  // Ready for the handshake with the server `host`: SNI and the name to verify are set. Throws
  // std::bad_alloc, and std::system_error where the system's CAs cannot be read for lack of descriptors. Called within
  // a TlsUse.
  std::shared_ptr<TlsStream> open(boost::asio::ip::tcp::socket socket, const std::string& host);
  // Certificates are checked against the system's CAs.
  bool system_cas() const noexcept { return system_cas_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept {
      const TlsUse use;
      use ? SSL_CTX_free(context) : keep_unreleased(context);
    }
  };

  TlsContext() = default;
  static Expected<std::shared_ptr<TlsContext>> make_once(const TlsSettings& settings);
  void trust_system_cas();

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::string settings_name_;
  bool verify_ = true;
  bool system_cas_ = false;
  bool has_store_ = false;
};

}  // namespace ksr::transport
