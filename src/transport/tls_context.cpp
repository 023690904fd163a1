#include "transport/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "base/resource_exhaustion.hpp"
#include "base/server_name.hpp"
#include "base/standard_descriptors.hpp"
#include "transport/failures.hpp"
#include "transport/pem.hpp"

namespace ksr::transport {
namespace {

constexpr std::size_t kReadBufferSize = std::size_t{64} * 1024;
constexpr int kMinSecurityLevel = 2;
// As Go's crypto/x509 (maxChainSignatureChecks): a server may show many CAs of one name.
constexpr int kMaxSignatureChecks = 100;

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};

// The certificates are not its own.
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using CertificateStack = std::unique_ptr<STACK_OF(X509), FreeStack>;

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  if (openssl_lacks_memory()) throw std::bad_alloc();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown reason";
}

Error invalid(const std::string& what, const std::string& reason) {
  return Error{Status::invalid, what + ": " + reason};
}

// Not Status::invalid: a file may be replaced by a better one, and a plugin may return another.
Error refused(const std::string& what) {
  return Error{Status::tls, what + ": " + openssl_reason(), {}, 502};
}

// ---- which certificate has issued another

// Counted in verify_chain.
bool may_check_signature(X509_STORE_CTX* search) {
  auto* const checks = static_cast<int*>(X509_STORE_CTX_get_app_data(search));
  return checks == nullptr || ++*checks <= kMaxSignatureChecks;
}

// OpenSSL takes a candidate of the right name and fails when its key has not made the signature, as during the rotation
// of a cluster's CA, when two of one name are trusted. Go tries each, and key identifiers that differ exclude none
// (crypto/x509, findPotentialParents); here the signature decides. What it leaves in OpenSSL's error queue is removed
// by libssl, or says why a handshake that fails has failed.
int is_issued_by(X509_STORE_CTX* search, X509* certificate, X509* issuer) {
  if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) != 0) return 0;
  if ((X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN) == 0) return 0;
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  return key != nullptr && may_check_signature(search) && X509_verify(certificate, key) == 1 ? 1 : 0;
}

bool has_equal_names(const STACK_OF(X509) * certificates) {
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    for (int k = 0; k < i; ++k) {
      if (X509_NAME_cmp(X509_get_subject_name(sk_X509_value(certificates, i)),
                        X509_get_subject_name(sk_X509_value(certificates, k))) == 0) {
        return true;
      }
    }
  }
  return false;
}

bool has_trusted_issuer(X509_STORE_CTX* search, const X509* certificate) {
  STACK_OF(X509)* const found = X509_STORE_CTX_get1_certs(search, X509_get_issuer_name(certificate));
  const bool is_trusted = sk_X509_num(found) > 0;
  sk_X509_pop_free(found, X509_free);
  return is_trusted;
}

// OpenSSL does not go back from a CA that leads to nothing trusted, such as one that another has cross-signed: of the
// certificates that the server shows, those whose issuer is trusted come first. Empty where the order is of no matter,
// or for lack of memory.
CertificateStack trusted_issuers_first(X509_STORE_CTX* search) {
  const STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(search);
  if (!has_equal_names(shown)) return nullptr;
  CertificateStack ordered(sk_X509_new_null());
  for (const bool trusted : {true, false}) {
    for (int i = 0; ordered && i < sk_X509_num(shown); ++i) {
      X509* const certificate = sk_X509_value(shown, i);
      if (has_trusted_issuer(search, certificate) != trusted) continue;
      if (sk_X509_push(ordered.get(), certificate) == 0) ordered.reset();
    }
  }
  return ordered;
}

int verify_chain(X509_STORE_CTX* search, void*) {
  int signature_checks = 0;
  X509_STORE_CTX_set_app_data(search, &signature_checks);
  STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(search);
  const CertificateStack ordered = trusted_issuers_first(search);
  if (ordered) X509_STORE_CTX_set0_untrusted(search, ordered.get());
  const int outcome = X509_verify_cert(search);
  X509_STORE_CTX_set0_untrusted(search, shown);
  X509_STORE_CTX_set_app_data(search, nullptr);
  return outcome;
}

// Called for each error. OpenSSL wants serverAuth wherever there is an extended key usage; RFC 5280, section 4.2.1.12,
// and Go (checkChainForKeyUsage) take anyExtendedKeyUsage as well, in each certificate of the chain.
int take_any_usage(int fine, X509_STORE_CTX* search) {
  if (fine == 1 || X509_STORE_CTX_get_error(search) != X509_V_ERR_INVALID_PURPOSE) return fine;
  X509* const certificate = X509_STORE_CTX_get_current_cert(search);
  const bool has_usage = (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0;
  if (!has_usage || (X509_get_extended_key_usage(certificate) & XKU_ANYEKU) == 0) return fine;
  X509_STORE_CTX_set_error(search, X509_V_OK);
  return 1;
}

// ---- settings

Expected<void> trust_only(SSL_CTX* context, const std::string& pem) {
  const auto certificates = read_certificates("CA certificates", pem);
  if (!certificates) return certificates.error();
  X509_STORE_set_check_issued(SSL_CTX_get_cert_store(context), is_issued_by);
  for (const Certificate& certificate : *certificates) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1) {
      return invalid("CA certificates", openssl_reason());
    }
  }
  return {};
}

Expected<void> use_client_identity(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.client_certificate_pem.empty() && settings.client_key_pem.empty()) return {};
  if (settings.client_key_pem.empty()) return invalid("client certificate", "is without its key");
  if (settings.client_certificate_pem.empty()) return invalid("client key", "is without its certificate");
  const auto chain = read_certificates("client certificate", settings.client_certificate_pem);
  if (!chain) return chain.error();
  const auto key = read_private_key("client key", settings.client_key_pem, chain->front().get());
  if (!key) return key.error();
  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1) return refused("client certificate");
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) return refused("client certificate chain");
  }
  if (SSL_CTX_use_PrivateKey(context, key->get()) != 1) return refused("client key");
  return {};
}

// One store for the process: reading the system's bundle takes about 20 ms and most of a megabyte.
X509_STORE* system_store() {
  static X509_STORE* const leaked = [] {
    const StandardDescriptorsReserved reserved;
    std::unique_ptr<X509_STORE, FreeStore> store(X509_STORE_new());
    // Missing files are not reported as a failure, nor are those that cannot be opened.
    errno = 0;
    const bool usable = store && X509_STORE_set_default_paths(store.get()) == 1;
    const int lacking = ksr::is_resource_exhaustion(errno) ? errno : lack_of_descriptors();
    ERR_clear_error();
    if (!usable) throw std::bad_alloc();
    X509_STORE_set_check_issued(store.get(), is_issued_by);
    if (lacking != 0) {
      throw std::system_error(lacking, std::generic_category(), "reading the system's CA certificates");
    }
    return store.release();
  }();
  return leaked;
}

std::optional<boost::asio::ip::address> address_of(const std::string& text) {
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(text, failed);
  return failed ? std::nullopt : std::optional(address);
}

// As bytes: the zone of an IPv6 address, which OpenSSL would not parse, selects the interface, and is no part of a
// certificate (RFC 5280, section 4.2.1.6).
int expect_address(X509_VERIFY_PARAM* param, const boost::asio::ip::address& address) {
  if (address.is_v6()) {
    const auto bytes = address.to_v6().to_bytes();
    return X509_VERIFY_PARAM_set1_ip(param, bytes.data(), bytes.size());
  }
  const auto bytes = address.to_v4().to_bytes();
  return X509_VERIFY_PARAM_set1_ip(param, bytes.data(), bytes.size());
}

// A name goes into SNI, an address never does (RFC 6066, section 3). Certificates are matched as Go does: by their
// subjectAltName alone, the subject's CN is not looked at.
void expect_peer(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const auto address = address_of(name);
  const int expected =
      address ? expect_address(param, *address) : X509_VERIFY_PARAM_set1_host(param, name.data(), name.size());
  // Without an expected name, a certificate of any name would be accepted.
  if (expected != 1) throw std::bad_alloc();
  if (!address && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) throw std::bad_alloc();
}

}  // namespace

// What OpenSSL cannot do for lack of memory it may call something else, such as a key that is too small: what is wrong
// with the settings fails again.
Expected<std::shared_ptr<TlsContext>> TlsContext::make(const TlsSettings& settings) {
  auto made = make_once(settings);
  return made ? std::move(made) : make_once(settings);
}

Expected<std::shared_ptr<TlsContext>> TlsContext::make_once(const TlsSettings& settings) {
  const TlsUse use;
  if (!use) return tls_unusable("TLS");
  if (!settings.server_name.empty() && !is_server_name(settings.server_name)) {
    return invalid("tls_server_name", "expected a DNS name or an IP address without a zone");
  }
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = made->context_.get();
  if (context == nullptr) return Error{Status::tls, "TLS: making a context: " + openssl_reason(), {}, 502};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // The host's openssl.cnf may have lowered it, or OpenSSL's build: 112 bits, and no SHA-1 in signatures.
  SSL_CTX_set_security_level(context, std::max(SSL_CTX_get_security_level(context), kMinSecurityLevel));
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // What is in the bundle is trusted, an intermediate or the server's own certificate too, as in Go's crypto/x509.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  // Several records are read at once; an idle connection keeps no buffer.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadBufferSize);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // OpenSSL would complete the client's chain with CAs that the server is checked against, and fail where one is weak.
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  // Returns 0 for success, unlike most of OpenSSL.
  if (SSL_CTX_set_alpn_protos(context, kHttp11, sizeof kHttp11 - 1) != 0) throw std::bad_alloc();
  made->settings_name_ = without_final_dot(settings.server_name);
  made->verify_ = !settings.skip_verify;
  made->system_cas_ = made->verify_ && settings.ca_pem.empty();
  if (!settings.ca_pem.empty()) {
    if (auto trusted = trust_only(context, settings.ca_pem); !trusted) return std::move(trusted).error();
  }
  if (auto used = use_client_identity(context, settings); !used) return std::move(used).error();
  SSL_CTX_set_verify(context, made->verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, take_any_usage);
  SSL_CTX_set_cert_verify_callback(context, verify_chain, nullptr);
  return made;
}

void TlsContext::trust_system_cas() {
  SSL_CTX_set1_cert_store(context_.get(), system_store());
  has_store_ = true;
}

std::string TlsContext::verified_name(const std::string& host) const {
  return settings_name_.empty() ? without_final_dot(host) : settings_name_;
}

std::shared_ptr<TlsStream> TlsContext::open(boost::asio::ip::tcp::socket socket, const std::string& host) {
  if (system_cas_ && !has_store_) trust_system_cas();
  std::shared_ptr<TlsStream> stream = TlsStream::create(std::move(socket), context_.get());
  expect_peer(stream->ssl(), verified_name(host));
  return stream;
}

}  // namespace ksr::transport
