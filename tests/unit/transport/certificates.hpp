// Certificates made on the spot.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace test {

struct Identity {
  std::string certificate_pem;
  std::string key_pem;
};

// A CA of its own.
class Authority {
 public:
  explicit Authority(const std::string& name = "test CA");
  const std::string& pem() const { return identity_.certificate_pem; }
  // `names`: a subjectAltName such as "DNS:example.test,IP:127.0.0.1"; empty for none.
  Identity issue(const std::string& common_name, const std::string& names) const;

 private:
  Identity identity_;
};

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ServerContext = std::unique_ptr<SSL_CTX, FreeContext>;

ServerContext server_context(const Identity& identity);
// Clients must show a certificate of that CA.
void require_client_certificate(SSL_CTX* context, const std::string& ca_pem);

}  // namespace test
