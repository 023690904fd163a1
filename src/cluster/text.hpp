// Small questions about texts that come from outside, and how they are written into requests. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::cluster {

// RFC 3986 section 2.3: letters, digits and "-._~" stay, every other byte becomes %XX.
std::string percent_encode(std::string_view text);
// Empty where a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

// Bytes below 0x20, and DEL.
bool has_control_characters(std::string_view text) noexcept;
// A DNS label as RFC 1123 has it: what a namespace may be called.
bool is_dns_label(std::string_view text) noexcept;
// Labels joined by dots: what an API group may be called.
bool is_dns_subdomain(std::string_view text) noexcept;
// RFC 9110 section 5.6.2: what a header may be called.
bool is_header_name(std::string_view text) noexcept;

std::string_view trimmed(std::string_view text) noexcept;
std::string lower_case(std::string_view text);
// "a,,b" has three parts, the second one empty.
std::vector<std::string_view> split(std::string_view text, char separator);
// The text of the offender in an error: quoted, cut short, control characters replaced.
std::string in_quotes(std::string_view text);

}  // namespace ksr::cluster
