#include "transport/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits>
#include <utility>

namespace ksr::transport {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

// The host may use the same OpenSSL on this thread: its error queue is left as it was.
class ErrorQueueScope {
 public:
  ErrorQueueScope() { ERR_set_mark(); }
  ~ErrorQueueScope() { ERR_pop_to_mark(); }
  ErrorQueueScope(const ErrorQueueScope&) = delete;
  ErrorQueueScope& operator=(const ErrorQueueScope&) = delete;
};

// OpenSSL's default asks on the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

Expected<Bio> open_text(const std::string& role, const std::string& text) {
  if (text.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    if (Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}) return bio;
  }
  return Error{Status::out_of_memory, role + ": no memory to read it"};
}

// Any other failure of PEM_read means a block that is broken.
bool at_end_of_pem() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

}  // namespace

Expected<std::vector<Certificate>> read_certificates(const std::string& role, const std::string& pem) {
  const ErrorQueueScope errors;
  const auto bio = open_text(role, pem);
  if (!bio) return bio.error();
  std::vector<Certificate> certificates;
  while (Certificate certificate{PEM_read_bio_X509(bio->get(), nullptr, no_pass_phrase, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  if (!at_end_of_pem()) {
    return Error{Status::invalid,
                 role + ": certificate " + std::to_string(certificates.size() + 1) + " does not parse; expected PEM"};
  }
  if (certificates.empty()) {
    return Error{Status::invalid, role + ": holds no certificate; expected PEM with at least one CERTIFICATE"};
  }
  return certificates;
}

Expected<PrivateKey> read_private_key(const std::string& role, const std::string& pem, X509* certificate) {
  const ErrorQueueScope errors;
  const auto bio = open_text(role, pem);
  if (!bio) return bio.error();
  PrivateKey key(PEM_read_bio_PrivateKey(bio->get(), nullptr, no_pass_phrase, nullptr));
  if (!key) {
    return Error{Status::invalid, role + ": holds no private key that parses; expected PEM without a pass phrase"};
  }
  if (X509_check_private_key(certificate, key.get()) != 1) {
    return Error{Status::invalid, role + ": is not the key of the client certificate"};
  }
  return key;
}

}  // namespace ksr::transport
