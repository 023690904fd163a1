// `is_certificate_for` says whether a certificate names a server, `certificate_names_text` which servers it names; used
// by TlsContext. Pure, any thread. Both may throw std::bad_alloc.
#pragma once

#include <openssl/x509.h>

#include <string>

namespace ksr::transport {

// An IP address in the form of a URL's host without brackets, so not the name of a host.
bool is_address_name(const std::string& name) noexcept;

// By the rules of Go's crypto/x509 (verify.go, VerifyHostname), which OpenSSL's X509_check_host does not have: "*" is a
// whole left-most label, of any domain; '_' is a letter; an IPv4 address is the same as the IPv6 address that maps it;
// and an address is matched by addresses alone. The subject's common name is not looked at.
bool is_certificate_for(const X509& certificate, const std::string& name);

// Such as "it is valid for example.test, 127.0.0.1", for a message.
std::string certificate_names_text(const X509& certificate);

}  // namespace ksr::transport
