// Whether texts are the PEM they should be, asked before any connection is made.
#pragma once

#include <string>

#include "base/expected.hpp"

namespace ksr::cluster {

// PEM as it stands, or base64 of PEM (what kubeconfigs hold). `role` is the key it came from. Any thread.
Expected<std::string> decode_pem(const std::string& role, const std::string& text);
// Every certificate of the text parses, and there is at least one.
Expected<void> check_certificates(const std::string& role, const std::string& pem);
// The key parses without a pass phrase and belongs to the first certificate.
Expected<void> check_key(const std::string& role, const std::string& key_pem, const std::string& certificate_pem);

}  // namespace ksr::cluster
