#include "cluster/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <limits>
#include <memory>

#include "base/base64.hpp"
#include "transport/exit_guard.hpp"

namespace ksr::cluster {
namespace {

struct Free {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

// The host may use the same OpenSSL: its error queue is left as it was. False when OpenSSL cannot be called.
class OpensslScope {
 public:
  OpensslScope() {
    if (use_) ERR_set_mark();
  }
  ~OpensslScope() {
    if (use_) ERR_pop_to_mark();
  }
  OpensslScope(const OpensslScope&) = delete;
  OpensslScope& operator=(const OpensslScope&) = delete;
  explicit operator bool() const noexcept { return static_cast<bool>(use_); }

 private:
  const transport::TlsUse use_;
};

Error gone(const std::string& role) {
  return Error{Status::tls, role + ": cannot be checked while the process is exiting"};
}

// OpenSSL's default asks on the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

Bio reader_of(const std::string& text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate next_certificate(BIO* bio) {
  return Certificate(PEM_read_bio_X509(bio, nullptr, no_pass_phrase, nullptr));
}

bool at_end_of_pem() {
  return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

}  // namespace

Expected<std::string> decode_pem(const std::string& role, const std::string& text) {
  if (text.find("-----BEGIN ") != std::string::npos) return text;
  auto decoded = base64_decode(text);
  if (decoded && decoded->find("-----BEGIN ") != std::string::npos) return std::move(*decoded);
  return Error{Status::invalid, role + ": is neither PEM nor base64 of PEM"};
}

Expected<void> check_certificates(const std::string& role, const std::string& pem) {
  const OpensslScope scope;
  if (!scope) return gone(role);
  const Bio bio = reader_of(pem);
  if (!bio) return Error{Status::out_of_memory, role + ": no memory to read it"};
  int count = 0;
  while (next_certificate(bio.get())) ++count;
  if (!at_end_of_pem()) {
    return Error{Status::invalid,
                 role + ": certificate " + std::to_string(count + 1) + " does not parse; expected PEM"};
  }
  if (count == 0) return Error{Status::invalid, role + ": holds no certificate; expected PEM (BEGIN CERTIFICATE)"};
  return {};
}

Expected<void> check_key(const std::string& role, const std::string& key_pem, const std::string& certificate_pem) {
  const OpensslScope scope;
  if (!scope) return gone(role);
  const Bio key_bio = reader_of(key_pem);
  const Bio certificate_bio = reader_of(certificate_pem);
  if (!key_bio || !certificate_bio) return Error{Status::out_of_memory, role + ": no memory to read it"};
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!key) {
    return Error{Status::invalid, role + ": holds no private key that parses; expected PEM without a pass phrase"};
  }
  const Certificate certificate = next_certificate(certificate_bio.get());
  if (!certificate || X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Error{Status::invalid, role + ": is not the key of the client certificate"};
  }
  return {};
}

}  // namespace ksr::cluster
