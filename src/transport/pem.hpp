// Reads PEM (RFC 7468) as Go's encoding/pem does, and what is in it with OpenSSL; used by TlsContext, and by the checks
// of settings in cluster/ before a connection is made. Any thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/expected.hpp"

namespace ksr::transport {

struct FreeCertificate {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeKey>;

// The certificates of `pem` that parse, at least one (crypto/x509, AppendCertsFromPEM): blocks of other kinds, broken
// ones and text between the blocks are skipped. `role` is what the error message begins with. To be called, and the
// result destroyed, within a TlsUse. Throws std::bad_alloc, also where OpenSSL has too little memory.
Expected<std::vector<Certificate>> read_certificates(const std::string& role, const std::string& pem);

// The first private key of `pem`, which has to be without a pass phrase and that of `certificate`. The same rules.
Expected<PrivateKey> read_private_key(const std::string& role, const std::string& pem, X509* certificate);

}  // namespace ksr::transport
