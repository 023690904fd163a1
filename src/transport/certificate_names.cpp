#include "transport/certificate_names.hpp"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "base/text.hpp"

namespace ksr::transport {
namespace {

constexpr std::size_t kMaxNamesShown = 20;

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using AlternativeNames = std::unique_ptr<GENERAL_NAMES, FreeNames>;
using AddressBytes = std::array<unsigned char, sizeof(in6_addr)>;

// NULL where there are none, more than one list of them, or one that does not parse.
AlternativeNames alternative_names(const X509& certificate) {
  return AlternativeNames(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string_view content_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// IPv4 addresses as RFC 4291, section 2.5.5.2 maps them.
std::optional<AddressBytes> address_of_bytes(std::string_view bytes) {
  AddressBytes address{};
  if (bytes.size() != sizeof(in_addr) && bytes.size() != address.size()) return std::nullopt;
  if (bytes.size() == sizeof(in_addr)) address[10] = address[11] = 0xff;
  std::memcpy(address.data() + address.size() - bytes.size(), bytes.data(), bytes.size());
  return address;
}

std::optional<AddressBytes> address_of_text(const std::string& text) noexcept {
  char bytes[sizeof(in6_addr)];
  if (text.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return address_of_bytes({bytes, sizeof(in_addr)});
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return address_of_bytes({bytes, sizeof(in6_addr)});
  return std::nullopt;
}

bool is_host_label(std::string_view label) {
  return !label.empty() && label.front() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_host_name(std::string_view name, bool may_have_wildcard) {
  const bool has_wildcard = may_have_wildcard && name.substr(0, 2) == "*.";
  if (has_wildcard) name.remove_prefix(2);
  for (;;) {
    const std::size_t dot = name.find('.');
    if (!is_host_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// From the first dot on.
std::string_view domain_of(std::string_view name) {
  return name.substr(std::min(name.find('.'), name.size()));
}

bool is_name_for(std::string_view pattern, std::string_view name) {
  std::string_view relative = name;
  if (!relative.empty() && relative.back() == '.') relative.remove_suffix(1);
  // As Go, which takes what is no host name where it is equal.
  if (!is_host_name(relative, false) || !is_host_name(pattern, true)) {
    return !relative.empty() && equal_ignoring_case(pattern, name);
  }
  if (pattern.front() == '*') return equal_ignoring_case(domain_of(pattern), domain_of(relative));
  return equal_ignoring_case(pattern, relative);
}

// Empty for what is neither a DNS name nor an address.
std::string text_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return std::string(content_of(name.d.dNSName));
  if (name.type != GEN_IPADD) return {};
  const std::string_view bytes = content_of(name.d.iPAddress);
  if (!address_of_bytes(bytes)) return {};
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
}

std::string common_name(const X509& certificate) {
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  return std::string(content_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))));
}

}  // namespace

bool is_address_name(const std::string& name) noexcept {
  return address_of_text(name).has_value();
}

bool is_certificate_for(const X509& certificate, const std::string& name) {
  const AlternativeNames names = alternative_names(certificate);
  const auto address = address_of_text(name);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME& candidate = *sk_GENERAL_NAME_value(names.get(), i);
    if (address && candidate.type == GEN_IPADD && address == address_of_bytes(content_of(candidate.d.iPAddress))) {
      return true;
    }
    if (!address && candidate.type == GEN_DNS && is_name_for(content_of(candidate.d.dNSName), name)) return true;
  }
  return false;
}

std::string certificate_names_text(const X509& certificate) {
  const AlternativeNames names = alternative_names(certificate);
  std::string list;
  std::size_t count = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string text = text_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (text.empty() || ++count > kMaxNamesShown) continue;
    list += (list.empty() ? "" : ", ") + text;
  }
  if (count > kMaxNamesShown)
    return "it is valid for " + one_line(list) + " and " + std::to_string(count - kMaxNamesShown) + " more";
  if (count > 0) return "it is valid for " + one_line(list);
  const std::string subject = common_name(certificate);
  if (subject.empty()) return "it is valid for no name";
  return "it is valid for no name, its common name " + in_quotes(subject) + " does not count";
}

}  // namespace ksr::transport
