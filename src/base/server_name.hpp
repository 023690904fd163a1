// `is_server_name` says whether a certificate can be checked against a name; used by the configuration and by
// TLS. Any thread.
#pragma once

#include <string>

namespace ksr {

// A DNS name of labels of letters, digits, '-' and '_' (RFC 1123, section 2.1, with the '_' that Kubernetes' own names
// may have), or an IP address. A certificate has no IPv6 zone (RFC 5280, section 4.2.1.6), so an address with one is
// not a server name, and neither is a name with a wildcard, an empty label or a final dot.
bool is_server_name(const std::string& text) noexcept;

}  // namespace ksr
