#include "base/server_name.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "base/text.hpp"

namespace ksr {
namespace {

// RFC 1035, section 2.3.4.
constexpr std::size_t kMaxLabelLength = 63;
constexpr std::size_t kMaxNameLength = 253;

bool is_address(const std::string& text) noexcept {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), address) == 1 || inet_pton(AF_INET6, text.c_str(), address) == 1;
}

bool is_label_character(char c) noexcept {
  return is_alphanumeric(c) || c == '-' || c == '_';
}

bool is_label(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxLabelLength || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), is_label_character);
}

}  // namespace

std::string without_final_dot(std::string name) {
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

bool is_server_name(const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;
  if (is_address(text)) return true;
  const std::string relative = without_final_dot(text);
  if (relative.size() > kMaxNameLength || (relative != text && is_address(relative))) return false;
  std::string_view rest = relative;
  for (;;) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace ksr
