#include "support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>

namespace ksr::testing {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(ASN1_OCTET_STRING* string) const { ASN1_OCTET_STRING_free(string); }
};
template <class Type>
using Owned = std::unique_ptr<Type, Free>;

constexpr long kSecondsValidBefore = 3600;
constexpr long kSecondsValid = 7 * 24 * 3600;

void require(bool done, const std::string& step) {
  if (!done) throw std::runtime_error("cannot make a test certificate: " + step + " failed");
}

EVP_PKEY* new_key() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  require(key != nullptr, "EVP_EC_gen");
  return key;
}

// Unsigned, without an issuer.
X509* new_certificate(const std::string& common_name, EVP_PKEY& key) {
  Owned<X509> certificate(X509_new());
  require(certificate != nullptr, "X509_new");
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kSecondsValidBefore);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kSecondsValid);
  X509_set_pubkey(certificate.get(), &key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return certificate.release();
}

void add_extension(X509& certificate, X509& issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr, "the extension " + value);
  X509_add_ext(&certificate, extension.get(), -1);
}

void sign(X509& certificate, const X509& issuer, EVP_PKEY& issuer_key) {
  X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer));
  require(X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0, "X509_sign");
}

std::string content_of(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(const X509& certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), &certificate) == 1, "PEM_write_bio_X509");
  return content_of(*bio);
}

std::string pem_of(const EVP_PKEY& key) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "PEM_write_bio_PrivateKey");
  return content_of(*bio);
}

Owned<BIO> reader(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Owned<X509> certificate_of(const std::string& pem) {
  return Owned<X509>(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& common_name)
    : CertificateAuthority(common_name, nullptr, "") {}

CertificateAuthority::CertificateAuthority(const std::string& common_name, const CertificateAuthority* issuer,
                                           const std::string& extended_key_usage)
    : key_(new_key()), certificate_(new_certificate(common_name, *key_)) {
  X509& issued_by = issuer != nullptr ? *issuer->certificate_ : *certificate_;
  add_extension(*certificate_, issued_by, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(*certificate_, issued_by, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!extended_key_usage.empty()) add_extension(*certificate_, issued_by, NID_ext_key_usage, extended_key_usage);
  sign(*certificate_, issued_by, issuer != nullptr ? *issuer->key_ : *key_);
  certificate_pem_ = pem_of(*certificate_);
}

CertificateAuthority CertificateAuthority::intermediate(const std::string& common_name,
                                                        const std::string& extended_key_usage) const {
  return {common_name, this, extended_key_usage};
}

std::string CertificateAuthority::cross_signed_pem(const CertificateAuthority& issuer) const {
  const Owned<X509> certificate(X509_dup(certificate_.get()));
  require(certificate != nullptr, "X509_dup");
  sign(*certificate, *issuer.certificate_, *issuer.key_);
  return pem_of(*certificate);
}

std::string CertificateAuthority::reissued_pem(const std::vector<std::pair<int, std::string>>& extensions) const {
  const Owned<X509> certificate(new_certificate("", *key_));
  X509_set_subject_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  for (const auto& [nid, value] : extensions) add_extension(*certificate, *certificate, nid, value);
  sign(*certificate, *certificate, *key_);
  return pem_of(*certificate);
}

CertificateAndKey CertificateAuthority::issue_for(EVP_PKEY& key, const std::string& common_name,
                                                  const std::string& alternative_names,
                                                  const std::string& extended_key_usage) const {
  const Owned<X509> certificate(new_certificate(common_name, key));
  if (!extended_key_usage.empty()) add_extension(*certificate, *certificate_, NID_ext_key_usage, extended_key_usage);
  if (!alternative_names.empty()) add_extension(*certificate, *certificate_, NID_subject_alt_name, alternative_names);
  sign(*certificate, *certificate_, *key_);
  return {pem_of(*certificate), pem_of(key)};
}

CertificateAndKey CertificateAuthority::issue(const std::string& common_name, const std::string& alternative_names,
                                              const std::string& extended_key_usage) const {
  const Owned<EVP_PKEY> key(new_key());
  return issue_for(*key, common_name, alternative_names, extended_key_usage);
}

CertificateAndKey CertificateAuthority::issue(const std::string& common_name,
                                              const std::string& alternative_names) const {
  return issue(common_name, alternative_names, "");
}

CertificateAndKey CertificateAuthority::server(const std::vector<std::string>& names) const {
  std::string alternative_names;
  for (const std::string& name : names) {
    const Owned<ASN1_OCTET_STRING> address(a2i_IPADDRESS(name.c_str()));
    alternative_names += alternative_names.empty() ? "" : ",";
    alternative_names += (address != nullptr ? "IP:" : "DNS:") + name;
  }
  return issue("ksr test server", alternative_names, "serverAuth");
}

CertificateAndKey CertificateAuthority::client(const std::string& user) const {
  return issue(user, "", "clientAuth");
}

const CertificateAuthority& shared_authority() {
  static const CertificateAuthority authority;
  return authority;
}

CertificateAndKey self_signed(const std::string& common_name, const std::string& alternative_names) {
  const Owned<EVP_PKEY> key(new_key());
  const Owned<X509> certificate(new_certificate(common_name, *key));
  if (!alternative_names.empty()) add_extension(*certificate, *certificate, NID_subject_alt_name, alternative_names);
  sign(*certificate, *certificate, *key);
  return {pem_of(*certificate), pem_of(*key)};
}

ServerContext server_context(const CertificateAndKey& identity) {
  ServerContext context(SSL_CTX_new(TLS_server_method()));
  require(context != nullptr, "SSL_CTX_new");
  // What is too weak is for the client to say.
  SSL_CTX_set_security_level(context.get(), 0);
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reader(identity.key_pem).get(), nullptr, nullptr, nullptr));
  require(SSL_CTX_use_certificate(context.get(), certificate_of(identity.certificate_pem).get()) == 1,
          "SSL_CTX_use_certificate");
  require(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1, "SSL_CTX_use_PrivateKey");
  return context;
}

void add_to_chain(SSL_CTX& context, const std::string& certificate_pem) {
  require(SSL_CTX_add1_chain_cert(&context, certificate_of(certificate_pem).get()) == 1, "SSL_CTX_add1_chain_cert");
}

void require_client_certificate(SSL_CTX& context, const std::string& ca_pem) {
  require(X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), certificate_of(ca_pem).get()) == 1,
          "X509_STORE_add_cert");
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace ksr::testing
