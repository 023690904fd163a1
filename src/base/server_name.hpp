// `is_server_name` says whether a certificate can be checked against a name; used by the configuration and by
// TLS. Any thread.
#pragma once

#include <string>

namespace ksr {

// A DNS name of labels of letters, digits, '-' and '_' (RFC 1123, section 2.1, with the '_' that Kubernetes' own names
// may have), or an IP address. A certificate has no IPv6 zone (RFC 5280, section 4.2.1.6), so an address with one is
// not a server name, and neither is a name with a wildcard or an empty label. A final dot, which makes a DNS name
// absolute, is taken.
bool is_server_name(const std::string& text);

// The DNS name as it stands in SNI (RFC 6066, section 3) and in certificates, where all names are absolute.
std::string without_final_dot(std::string name);

}  // namespace ksr
