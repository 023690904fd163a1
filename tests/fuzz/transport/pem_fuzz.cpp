// PEM from settings, credential plugins and files: certificates and keys.
#include "transport/pem.hpp"

#include "fuzz/fuzz.hpp"
#include "transport/exit_guard.hpp"

namespace {

using ksr::fuzz::require;

void check_error(const ksr::Error& error) {
  require(error.message.compare(0, 8, "ca_data:") == 0 && error.message.find('\n') == std::string::npos,
          "a message without its role, or of several lines: " + error.message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string pem(reinterpret_cast<const char*>(data), size);
  const ksr::transport::TlsUse use;
  const auto certificates = ksr::transport::read_certificates("ca_data", pem);
  if (!certificates) {
    check_error(certificates.error());
    return 0;
  }
  require(!certificates->empty(), "no certificate, and no error");
  const auto key = ksr::transport::read_private_key("ca_data", pem, certificates->front().get());
  if (!key) check_error(key.error());
  return 0;
}
