// Dates and times as Kubernetes and HTTP write them; used by the order of objects, the expiry of credentials and
// Retry-After. Pure, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ksr {

// Since 1970-01-01T00:00:00Z, without leap seconds.
struct UnixTime {
  std::int64_t seconds = 0;  // of the years 0 to 9999
  std::int32_t nanoseconds = 0;
};

// RFC 3339, section 5.6: "2026-01-02T03:04:05Z", with or without a fraction (finer digits than nanoseconds are cut
// off), with Z or an offset such as +02:00. A leap second is the second that follows it.
std::optional<UnixTime> parse_rfc3339(std::string_view text) noexcept;

// "2026-01-02T03:04:05Z": the whole seconds.
std::string rfc3339_text(const UnixTime& time);
// The same, kRfc3339Size characters from `to` on.
inline constexpr std::size_t kRfc3339Size = 20;
void write_rfc3339(std::int64_t seconds, char* to) noexcept;
// Whether UnixTime has it.
bool has_four_digit_year(std::int64_t seconds) noexcept;

// RFC 9110, section 5.6.7, in any of its forms: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" (the
// last such year up to 50 years after `now`), "Sun Nov  6 08:49:37 1994". The name of the day is not checked.
std::optional<UnixTime> parse_http_date(std::string_view text, std::chrono::system_clock::time_point now) noexcept;

// To the second. The clock counts nanoseconds in 64 bits; times before 1684 and after 2255 are those years.
std::chrono::system_clock::time_point to_time_point(const UnixTime& time) noexcept;

}  // namespace ksr
