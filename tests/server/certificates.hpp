// Certificates made at start: a CA, the server's, and clients'. Nothing is read from disk.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace ksr::testserver {

struct Credential {
  std::string certificate_pem;
  std::string key_pem;
};

// A value once made; may be used on any thread.
class CertificateAuthority {
 public:
  CertificateAuthority();

  const std::string& certificate_pem() const { return certificate_pem_; }
  // Good for these names and addresses.
  Credential server(const std::vector<std::string>& names) const;
  // Its common name is the user's.
  Credential client(const std::string& user) const;

 private:
  struct KeyFree {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct CertificateFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
  using Certificate = std::unique_ptr<X509, CertificateFree>;

  static Key new_key();
  static Certificate blank(const std::string& common_name, EVP_PKEY& key);
  static std::string pem_of(X509& certificate);
  static std::string pem_of(EVP_PKEY& key);
  Credential issue(const std::string& common_name, const std::string& alternative_names, const char* usage) const;

  Key key_;
  Certificate certificate_;
  std::string certificate_pem_;
};

}  // namespace ksr::testserver
