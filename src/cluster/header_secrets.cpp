#include "cluster/header_secrets.hpp"

#include <utility>

#include "base/secrets.hpp"
#include "base/text.hpp"

namespace ksr::cluster {
namespace {

bool begins_with(std::string_view text, std::string_view beginning) {
  return equal_ignoring_case(text.substr(0, beginning.size()), beginning);
}

template <class Said>
Said blanked_in(const std::vector<transport::Header>& headers, Said said) {
  const std::vector<std::string> found = secrets_in(headers);
  if (found.empty()) return said;
  Secrets secrets;
  for (const std::string& secret : found) secrets.add(secret);
  return secrets.blanked(std::move(said));
}

}  // namespace

bool carries_secret(std::string_view name, std::string_view value) {
  const std::string lower = lower_case(name);
  return names_secret(lower) || lower.find("cookie") != std::string::npos || lower.find("auth") != std::string::npos ||
         lower.find("jwt") != std::string::npos || lower.find("session") != std::string::npos ||
         begins_with(value, "bearer ") || begins_with(value, "basic ");
}

std::vector<std::string> secrets_in(const std::vector<transport::Header>& headers) {
  std::vector<std::string> secrets;
  for (const transport::Header& header : headers) {
    if (!carries_secret(header.name, header.value)) continue;
    secrets.push_back(header.value);
    if (const std::size_t blank = header.value.find(' '); blank != std::string::npos) {
      secrets.push_back(header.value.substr(blank + 1));
    }
  }
  return secrets;
}

std::string without_secrets_in(const std::vector<transport::Header>& headers, std::string text) {
  return blanked_in(headers, std::move(text));
}

Error without_secrets_in(const std::vector<transport::Header>& headers, Error error) {
  return blanked_in(headers, std::move(error));
}

}  // namespace ksr::cluster
