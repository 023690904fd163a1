// Checks the PEM of settings before a connection is made; used where settings and credentials are read. Any thread.
#pragma once

#include <string>

#include "base/expected.hpp"

namespace ksr::cluster {

// Takes PEM, or base64 of PEM as in kubeconfigs, and returns PEM. `role` is the key it came from, and what the message
// of an error begins with.
Expected<std::string> decode_pem(const std::string& role, const std::string& text);
// Every certificate of `pem` parses, and there is at least one.
Expected<void> check_certificates(const std::string& role, const std::string& pem);
// The key parses without a pass phrase and belongs to the first certificate.
Expected<void> check_key(const std::string& role, const std::string& key_pem, const std::string& certificate_pem);

}  // namespace ksr::cluster
