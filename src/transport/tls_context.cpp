#include "transport/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/resource_exhaustion.hpp"
#include "base/server_name.hpp"
#include "base/standard_descriptors.hpp"
#include "transport/certificate_names.hpp"
#include "transport/failures.hpp"
#include "transport/pem.hpp"

namespace ksr::transport {
namespace {

constexpr std::size_t kReadBufferSize = std::size_t{64} * 1024;
constexpr int kMinSecurityLevel = 2;
// As Go's crypto/x509 (maxChainSignatureChecks): a server may show many CAs of one name.
constexpr std::size_t kMaxSignatureChecks = 100;

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

// What is_issued_by needs of the search that it is called for.
struct ChainSearch {
  std::size_t signature_checks = 0;
  // Where set, this chain alone is looked for.
  const std::vector<X509*>* only = nullptr;
};

bool follows_in(const std::vector<X509*>& chain, const X509* certificate, const X509* issuer) {
  const auto found = std::find(chain.begin(), chain.end(), certificate);
  return found != chain.end() && found + 1 != chain.end() && *(found + 1) == issuer;
}

// OpenSSL takes a candidate of the right name and fails when its key has not made the signature, as during the rotation
// of a cluster's CA, when two of one name are trusted. Go tries each, and key identifiers that differ exclude none
// (crypto/x509, findPotentialParents); here the signature decides. What it leaves in OpenSSL's error queue is removed
// by libssl, or says why a handshake that fails has failed.
int is_issued_by(X509_STORE_CTX* context, X509* certificate, X509* issuer) {
  auto* const search = static_cast<ChainSearch*>(X509_STORE_CTX_get_app_data(context));
  if (search == nullptr) return 0;
  if (search->only != nullptr) return follows_in(*search->only, certificate, issuer) ? 1 : 0;
  if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) != 0) return 0;
  if ((X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN) == 0) return 0;
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  if (key == nullptr || ++search->signature_checks > kMaxSignatureChecks) return 0;
  return X509_verify(certificate, key) == 1 ? 1 : 0;
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

// ---- which chain

// Name constraints would be applied to a common name that could be a host's. The flags of the SSL do not reach the
// search, since OpenSSL passes them on with a name to be checked only.
void ignore_common_name(X509_STORE_CTX* context) {
  X509_VERIFY_PARAM_set_hostflags(X509_STORE_CTX_get0_param(context), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

// OpenSSL tolerates a CA of version 3 without basicConstraints whose key usage has keyCertSign. RFC 5280,
// section 4.2.1.9, and Go (CheckSignatureFrom) do not.
bool issuers_are_cas(X509_STORE_CTX* context) {
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    X509* const issuer = sk_X509_value(chain, i);
    const bool is_ca =
        X509_get_version(issuer) != X509_VERSION_3 || (X509_get_extension_flags(issuer) & EXFLAG_BCONS) != 0;
    if (is_ca) continue;
    X509_STORE_CTX_set_error_depth(context, i);
    X509_STORE_CTX_set_error(context, X509_V_ERR_INVALID_CA);
    return false;
  }
  return true;
}

bool is_verified(X509_STORE_CTX* context) {
  return X509_verify_cert(context) == 1 && issuers_are_cas(context);
}

// OpenSSL builds one chain and never goes back: not from a CA that leads to nothing trusted, such as one that another
// has cross-signed, and not from one that is no longer valid, or not for servers or for this name, although another
// certificate of the same name and key is. Go tries each (crypto/x509, buildChains), as this does. Each chain is
// verified by OpenSSL as a whole, with nothing else to choose from, so that no certificate makes up for what is wrong
// with another chain.
class OtherChains {
 public:
  explicit OtherChains(X509_STORE_CTX* context) : context_(context), chain_{X509_STORE_CTX_get0_cert(context)} {
    X509_STORE_CTX_set_app_data(context, &search_);
  }
  ~OtherChains() { X509_STORE_CTX_set_app_data(context_, nullptr); }
  OtherChains(const OtherChains&) = delete;
  OtherChains& operator=(const OtherChains&) = delete;

  // Throws std::bad_alloc.
  bool have_valid_one() { return is_trusted_itself() || goes_on(); }
  // Of the first one that leads to something trusted.
  std::optional<int> error() const noexcept { return error_; }

 private:
  struct FreeTrusted {
    void operator()(STACK_OF(X509) * found) const { sk_X509_pop_free(found, X509_free); }
  };
  using Trusted = std::unique_ptr<STACK_OF(X509), FreeTrusted>;
  struct FreeStoreContext {
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  };

  Trusted trusted_of_name(const X509_NAME* name) { return Trusted(X509_STORE_CTX_get1_certs(context_, name)); }

  bool is_trusted_itself() {
    const Trusted trusted = trusted_of_name(X509_get_subject_name(chain_.back()));
    for (int i = 0; i < sk_X509_num(trusted.get()); ++i) {
      X509* const candidate = sk_X509_value(trusted.get(), i);
      if (X509_cmp(candidate, chain_.back()) == 0) return verifies_up_to(candidate);
    }
    return false;
  }

  // As Go's alreadyInChain: CAs may have signed each other.
  bool has_same_subject(X509* candidate) const {
    return std::any_of(chain_.begin(), chain_.end(), [&](X509* certificate) {
      return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_subject_name(candidate)) == 0 &&
             EVP_PKEY_eq(X509_get0_pubkey(certificate), X509_get0_pubkey(candidate)) == 1;
    });
  }

  bool may_come_next(X509* candidate) {
    return !has_same_subject(candidate) && is_issued_by(context_, chain_.back(), candidate) == 1;
  }

  // Ends with kMaxSignatureChecks, since each further certificate is one.
  bool goes_on() {
    const Trusted trusted = trusted_of_name(X509_get_issuer_name(chain_.back()));
    for (int i = 0; i < sk_X509_num(trusted.get()); ++i) {
      X509* const candidate = sk_X509_value(trusted.get(), i);
      if (!may_come_next(candidate)) continue;
      chain_.push_back(candidate);
      if (verifies_up_to(candidate)) return true;
      chain_.pop_back();
    }
    const STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(context_);
    for (int i = 0; i < sk_X509_num(shown); ++i) {
      X509* const candidate = sk_X509_value(shown, i);
      if (!may_come_next(candidate)) continue;
      chain_.push_back(candidate);
      if (goes_on()) return true;
      chain_.pop_back();
    }
    return false;
  }

  // `anchor` is the last of the chain as it is in the store, which knows what it is trusted for
  // (X509_add1_reject_object). OpenSSL checks each signature once more.
  bool verifies_up_to(X509* anchor) {
    repeated_checks_ += chain_.size() - 1;
    if (repeated_checks_ > kMaxSignatureChecks) return false;
    ChainSearch search;
    search.only = &chain_;
    const CertificateStack trusted(sk_X509_new_null());
    const CertificateStack between(sk_X509_new_null());
    const std::unique_ptr<X509_STORE_CTX, FreeStoreContext> context(X509_STORE_CTX_new());
    bool ready = trusted && between && context && sk_X509_push(trusted.get(), anchor) > 0;
    for (std::size_t i = 1; ready && i + 1 < chain_.size(); ++i) ready = sk_X509_push(between.get(), chain_[i]) > 0;
    ready =
        ready &&
        X509_STORE_CTX_init(context.get(), X509_STORE_CTX_get0_store(context_), chain_.front(), between.get()) == 1 &&
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(context.get()), X509_STORE_CTX_get0_param(context_)) == 1 &&
        X509_STORE_CTX_set_app_data(context.get(), &search) == 1;
    if (!ready) throw std::bad_alloc();
    X509_STORE_CTX_set0_trusted_stack(context.get(), trusted.get());
    X509_STORE_CTX_set_verify_cb(context.get(), take_any_usage);
    ignore_common_name(context.get());
    const bool verified = is_verified(context.get());
    if (!verified && !error_) error_ = X509_STORE_CTX_get_error(context.get());
    return verified;
  }

  X509_STORE_CTX* const context_;
  ChainSearch search_;
  std::vector<X509*> chain_;
  std::size_t repeated_checks_ = 0;
  std::optional<int> error_;
};

bool has_valid_chain(X509_STORE_CTX* context) {
  ignore_common_name(context);
  ChainSearch search;
  if (X509_STORE_CTX_set_app_data(context, &search) != 1) throw std::bad_alloc();
  const bool found = is_verified(context);
  X509_STORE_CTX_set_app_data(context, nullptr);
  if (found) return true;
  OtherChains others(context);
  const bool valid = others.have_valid_one();
  if (valid) X509_STORE_CTX_set_error(context, X509_V_OK);
  if (!valid && others.error()) X509_STORE_CTX_set_error(context, *others.error());
  return valid;
}

// A connection without a stream or a name is refused.
bool has_expected_name(X509_STORE_CTX* context) {
  const void* const ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
  TlsStream* const stream = ssl ? TlsStream::of(static_cast<const SSL*>(ssl)) : nullptr;
  const X509* const certificate = X509_STORE_CTX_get0_cert(context);
  if (stream != nullptr && is_certificate_for(*certificate, stream->server_name())) return true;
  const bool is_address = stream != nullptr && is_address_name(stream->server_name());
  X509_STORE_CTX_set_error_depth(context, 0);
  X509_STORE_CTX_set_error(context, is_address ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH);
  if (stream != nullptr) stream->set_names_of_server(certificate_names_text(*certificate));
  return false;
}

// Exceptions must not reach OpenSSL, which calls this.
int verify_server(X509_STORE_CTX* context, void*) noexcept {
  try {
    return has_valid_chain(context) && has_expected_name(context) ? 1 : 0;
  } catch (...) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_OUT_OF_MEM);
    return 0;
  }
}

// Without it OpenSSL would note what is wrong, and a handshake that fails for another reason would be said to fail for
// that.
int accept_server(X509_STORE_CTX* context, void*) noexcept {
  X509_STORE_CTX_set_error(context, X509_V_OK);
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
  made->settings_name_ = settings.server_name;
  made->verify_ = !settings.skip_verify;
  made->system_cas_ = made->verify_ && settings.ca_pem.empty();
  if (!settings.ca_pem.empty()) {
    if (auto trusted = trust_only(context, settings.ca_pem); !trusted) return std::move(trusted).error();
  }
  if (auto used = use_client_identity(context, settings); !used) return std::move(used).error();
  SSL_CTX_set_verify(context, made->verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, take_any_usage);
  SSL_CTX_set_cert_verify_callback(context, made->verify_ ? verify_server : accept_server, nullptr);
  return made;
}

void TlsContext::trust_system_cas() {
  SSL_CTX_set1_cert_store(context_.get(), system_store());
  has_store_ = true;
}

// A name goes into SNI, without its final dot, an address never does (RFC 6066, section 3).
std::shared_ptr<TlsStream> TlsContext::open(boost::asio::ip::tcp::socket socket, const std::string& host) {
  if (system_cas_ && !has_store_) trust_system_cas();
  const std::string& name = settings_name_.empty() ? host : settings_name_;
  std::shared_ptr<TlsStream> stream = TlsStream::create(std::move(socket), context_.get(), name);
  if (!is_address_name(name) && SSL_set_tlsext_host_name(stream->ssl(), without_final_dot(name).c_str()) != 1) {
    throw std::bad_alloc();
  }
  return stream;
}

}  // namespace ksr::transport
