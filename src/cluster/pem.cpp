#include "cluster/pem.hpp"

#include "base/base64.hpp"
#include "transport/exit_guard.hpp"
#include "transport/pem.hpp"

namespace ksr::cluster {
namespace {

constexpr const char* kBegin = "-----BEGIN ";

}  // namespace

Expected<std::string> decode_pem(const std::string& role, const std::string& text) {
  if (text.find(kBegin) != std::string::npos) return text;
  auto decoded = base64_decode(text);
  if (decoded && decoded->find(kBegin) != std::string::npos) return *std::move(decoded);
  return Error{Status::invalid, role + ": is neither PEM nor base64 of PEM"};
}

Expected<void> check_certificates(const std::string& role, const std::string& pem) {
  const transport::TlsUse use;
  if (!use) return transport::tls_unusable(role);
  const auto certificates = transport::read_certificates(role, pem);
  if (!certificates) return certificates.error();
  return {};
}

Expected<void> check_key(const std::string& role, const std::string& key_pem, const std::string& certificate_pem) {
  const transport::TlsUse use;
  if (!use) return transport::tls_unusable(role);
  const auto certificates = transport::read_certificates(role + ": its certificate", certificate_pem);
  if (!certificates) return certificates.error();
  const auto key = transport::read_private_key(role, key_pem, certificates->front().get());
  if (!key) return key.error();
  return {};
}

}  // namespace ksr::cluster
