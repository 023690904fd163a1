// The rules of HTTP header fields (RFC 9110, section 5): `check_request` says what may go into the header of a request,
// since neither cpprestsdk nor websocketpp would stop a CR or LF, `set_by` who sets a header, the others how the fields
// of a response are read. Used by the exchanges, by ResponseDecoder and, for header.NAME, by ksr_open. Pure, any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secrets.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

// A path with or without a query, percent-encoded (RFC 9112, section 3.2.1).
bool is_request_target(std::string_view text);
// RFC 9110, section 5.6.2.
bool is_token(std::string_view text);
// RFC 9110, section 5.5: no control characters but the tab.
bool is_field_value(std::string_view text);

// Who sets a request header. Of the host's own headers (header.NAME) only `host` ones are taken.
enum class HeaderSetter { host, library, transport };
HeaderSetter set_by(std::string_view name);

// The elements of a comma-separated list; empty ones are left out (RFC 9110, section 5.6.1).
std::vector<std::string> list_parts(std::string_view text);
bool has_list_token(std::string_view list, std::string_view token);

// The values of all fields of that (lower-case) name, joined with ", "; empty without one.
std::string joined_values(const ResponseHead& head, std::string_view name);

// The content coding of the body (RFC 9110, section 8.4); x-gzip is gzip.
enum class ContentCoding { identity, gzip, unsupported };
ContentCoding content_coding(const ResponseHead& head);

// Bodies of this type that are cut can be told from whole ones.
bool shows_its_end(std::string_view content_type);

// Adds the secrets of a header field: a whole value, and what stands after the scheme of "Bearer TOKEN" and "Basic
// BASE64" (RFC 9110, section 11.4), of the latter also the password (RFC 7617).
void add_credentials(std::string_view value, Secrets& secrets);

// The error has the name of the header at fault, never its value.
std::optional<Error> check_request(const Request& request, bool websocket);

}  // namespace ksr::transport
