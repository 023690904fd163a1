// What credential plugins print: only a valid ExecCredential is taken, and no message repeats any of it.
#include "cluster/exec_credential.hpp"

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using ksr::fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string output(reinterpret_cast<const char*>(data), size);
  const auto credentials = ksr::cluster::parse_exec_credential(output, "client.authentication.k8s.io/v1");
  if (!credentials) {
    const std::string& message = credentials.error().message;
    require(credentials.error().status == ksr::Status::auth, "an error of another kind");
    require(!ksr::has_control_characters(message), "a message of several lines: " + message);
    require(message.find("S3CRET") == std::string::npos, "a message with a secret: " + message);
    return 0;
  }
  require(!credentials->authorization.empty() || !credentials->certificate_pem.empty(), "no credentials, and no error");
  require(!ksr::has_control_characters(credentials->authorization), "a header with control characters");
  require(credentials->certificate_pem.empty() == credentials->key_pem.empty(), "a certificate without its key");
  const ksr::cluster::ExecCluster cluster{output, output, true, output, output, true, output};
  ksr::cluster::exec_info("client.authentication.k8s.io/v1", &cluster);
  return 0;
}
