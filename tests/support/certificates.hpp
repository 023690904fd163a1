// `CertificateAuthority` issues the certificates of a test, made at run time, so that they do not expire;
// used by the scriptable server, the cluster's harness and the unit tests of src/transport and src/cluster.
// Immutable once made: may be used on any thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ksr::testing {

struct CertificateAndKey {
  std::string certificate_pem;
  std::string key_pem;
};

class CertificateAuthority {
 public:
  // With neither a subject's nor an authority's key identifier.
  explicit CertificateAuthority(const std::string& common_name = "ksr test CA");

  // A CA whose certificate this one has issued.
  CertificateAuthority intermediate(const std::string& common_name, const std::string& extended_key_usage = "") const;
  // The certificate that `issuer` has issued for the same name and key.
  std::string cross_signed_pem(const CertificateAuthority& issuer) const;

  // A certificate of the same name and key, self-signed, with these extensions alone, such as
  // {NID_basic_constraints, "CA:TRUE"}.
  std::string reissued_pem(const std::vector<std::pair<int, std::string>>& extensions) const;

  const std::string& certificate_pem() const { return certificate_pem_; }
  // A certificate without extended key usage. `alternative_names` as OpenSSL's configuration writes them, such as
  // "DNS:example.test,IP:127.0.0.1"; where empty, the extension is absent.
  CertificateAndKey issue(const std::string& common_name, const std::string& alternative_names) const;
  // For a key of the caller's, otherwise as above.
  CertificateAndKey issue_for(EVP_PKEY& key, const std::string& common_name, const std::string& alternative_names,
                              const std::string& extended_key_usage = "") const;
  // Valid for these names and addresses.
  CertificateAndKey server(const std::vector<std::string>& names) const;
  // The API server takes the common name for the user's name.
  CertificateAndKey client(const std::string& user) const;

 private:
  // Of an issuer; NULL: self-signed.
  CertificateAuthority(const std::string& common_name, const CertificateAuthority* issuer,
                       const std::string& extended_key_usage);

  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };

  CertificateAndKey issue(const std::string& common_name, const std::string& alternative_names,
                          const std::string& extended_key_usage) const;

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
  std::string certificate_pem_;
};

// The one that the tests of a program share.
const CertificateAuthority& shared_authority();

// Valid for no name unless `alternative_names` has some, as for CertificateAuthority::issue.
CertificateAndKey self_signed(const std::string& common_name, const std::string& alternative_names = "");

struct FreeServerContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ServerContext = std::unique_ptr<SSL_CTX, FreeServerContext>;

// For a TLS server that shows this certificate.
ServerContext server_context(const CertificateAndKey& identity);
// The server shows this certificate after its own.
void add_to_chain(SSL_CTX& context, const std::string& certificate_pem);
// Clients have to show a certificate of this CA.
void require_client_certificate(SSL_CTX& context, const std::string& ca_pem);

}  // namespace ksr::testing
