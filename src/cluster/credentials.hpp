// `Credentials` is what one credential source contributes to the requests of a connection; used by the sources, by exec
// plugins and by SharedAccess. Plain values; may be copied between threads.
#pragma once

#include <optional>
#include <string>

#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// An empty string: nothing is contributed to that part.
struct Credentials {
  std::string authorization;  // the value of the header
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  std::optional<WallTime> expires;
};

// The value of Authorization (RFC 6750, section 2.1).
inline std::string bearer(const std::string& token) {
  return "Bearer " + token;
}

}  // namespace ksr::cluster
