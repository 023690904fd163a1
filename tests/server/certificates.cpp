#include "server/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <stdexcept>

namespace ksr::testserver {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

void must(bool done, const char* step) {
  if (!done) throw std::runtime_error(std::string("making a certificate: ") + step);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

void extend(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  must(extension != nullptr, value.c_str());
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

CertificateAuthority::Key CertificateAuthority::new_key() {
  Key key(EVP_EC_gen("P-256"));
  must(key != nullptr, "key");
  return key;
}

CertificateAuthority::Certificate CertificateAuthority::blank(const std::string& common_name, EVP_PKEY& key) {
  Certificate certificate(X509_new());
  must(certificate != nullptr, "X509_new");
  X509_set_version(certificate.get(), 2);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 7 * 24 * 3600);
  X509_set_pubkey(certificate.get(), &key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return certificate;
}

CertificateAuthority::CertificateAuthority() : key_(new_key()), certificate_(blank("ksr test CA", *key_)) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  extend(*certificate_, *certificate_, NID_basic_constraints, "critical,CA:TRUE");
  extend(*certificate_, *certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  must(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "signing the CA");
  certificate_pem_ = pem_of(*certificate_);
}

Credential CertificateAuthority::issue(const std::string& common_name, const std::string& alternative_names,
                                       const char* usage) const {
  const Key key = new_key();
  const Certificate certificate = blank(common_name, *key);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  extend(*certificate, *certificate_, NID_ext_key_usage, usage);
  if (!alternative_names.empty()) extend(*certificate, *certificate_, NID_subject_alt_name, alternative_names);
  must(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "signing");
  return {pem_of(*certificate), pem_of(*key)};
}

Credential CertificateAuthority::server(const std::vector<std::string>& names) const {
  std::string alternative_names;
  for (const std::string& name : names) {
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(name, not_an_address);
    alternative_names += alternative_names.empty() ? "" : ",";
    alternative_names += (not_an_address ? "DNS:" : "IP:") + name;
  }
  return issue("ksr test server", alternative_names, "serverAuth");
}

Credential CertificateAuthority::client(const std::string& user) const {
  return issue(user, "", "clientAuth");
}

std::string CertificateAuthority::pem_of(X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(bio.get(), &certificate);
  return text_of(bio.get());
}

std::string CertificateAuthority::pem_of(EVP_PKEY& key) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

}  // namespace ksr::testserver
