#include "cluster/refusal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

#include "base/civil_time.hpp"
#include "base/secrets.hpp"
#include "base/text.hpp"
#include "cluster/yaml_document.hpp"
#include "protobuf/api_status.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxBodyLine = 200;
constexpr std::size_t kMaxBodyRead = 2'000;
// Of a Status in YAML, which is a few KB: reading takes about a millisecond for each, on the network thread.
constexpr std::size_t kMaxYamlStatus = std::size_t{32} * 1024;
constexpr std::size_t kMaxYamlNodes = 2'000;

using std::chrono::system_clock;

// net/http answers a request without TLS with a line without a Content-Type.
bool is_text(std::string_view content_type) {
  const std::string type = lower_case(trimmed(content_type.substr(0, content_type.find(';'))));
  return type.empty() || type.rfind("text/", 0) == 0 || type == "application/json" || type == "application/xml";
}

// The beginning of a text for people, without the tags of HTML.
std::string beginning_of(std::string_view body) {
  std::string text;
  bool in_tag = false;
  for (const char c : body.substr(0, kMaxBodyRead)) {
    if (c == '<' || (in_tag && c == '>')) {
      in_tag = c == '<';
      if (!in_tag && !text.empty() && text.back() != ' ') text += ' ';
    } else if (!in_tag &&
               (kBlanksAndLineEnds.find(c) == std::string_view::npos || (!text.empty() && text.back() != ' '))) {
      text += kBlanksAndLineEnds.find(c) == std::string_view::npos ? c : ' ';
    }
  }
  return one_line(without_likely_secrets(text), kMaxBodyLine);
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// More than any server means, and far from where it would overflow.
std::int64_t saturated_seconds(std::string_view digits) {
  std::int64_t number = 0;
  const std::errc failure = std::from_chars(digits.data(), digits.data() + digits.size(), number).ec;
  return failure == std::errc() ? number : std::numeric_limits<std::int64_t>::max();
}

// net/http, status.go: what Kubernetes' servers send, and what Headlamp shows before the message of a Status.
const char* phrase(int http_status) {
  switch (http_status) {
    case 304:
      return " Not Modified";
    case 400:
      return " Bad Request";
    case 401:
      return " Unauthorized";
    case 403:
      return " Forbidden";
    case 404:
      return " Not Found";
    case 405:
      return " Method Not Allowed";
    case 406:
      return " Not Acceptable";
    case 407:
      return " Proxy Authentication Required";
    case 408:
      return " Request Timeout";
    case 409:
      return " Conflict";
    case 410:
      return " Gone";
    case 413:
      return " Request Entity Too Large";
    case 415:
      return " Unsupported Media Type";
    case 422:
      return " Unprocessable Entity";
    case 429:
      return " Too Many Requests";
    case 500:
      return " Internal Server Error";
    case 501:
      return " Not Implemented";
    case 502:
      return " Bad Gateway";
    case 503:
      return " Service Unavailable";
    case 504:
      return " Gateway Timeout";
    default:
      return "";
  }
}

}  // namespace

std::optional<Milliseconds> parse_retry_after(std::string_view text, system_clock::time_point now) {
  std::int64_t seconds = 0;
  if (all_digits(text)) {
    seconds = saturated_seconds(text);
  } else if (const std::optional<UnixTime> date = parse_http_date(text, now)) {
    seconds = date->seconds - std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  } else {
    return std::nullopt;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, json::kMaxRetryAfter.count()));
}

namespace {

// A Status comes in the form that the request asks for (apiserver pkg/endpoints/handlers/responsewriters).
std::string in_json(const transport::ResponseHead& head, std::string_view body) {
  if (lower_case(head.content_type).find("yaml") == std::string::npos) {
    return protobuf::status_as_json(body).value_or(std::string(body));
  }
  std::string text(body);
  if (text.size() > kMaxYamlStatus) return text;
  YamlLimits limits;
  limits.max_nodes = kMaxYamlNodes;
  try {
    return yaml_as_json(YamlDocument(text, limits).root(), "the Status");
  } catch (const YamlMismatch&) {
    return text;
  }
}

Refusal refusal_of_json(const transport::ResponseHead& head, std::string_view body, system_clock::time_point now) {
  Refusal refusal;
  refusal.status = json::parse_api_status(body);
  Error& error = refusal.error;
  error.status = status_of_http(head.status);
  error.http_status = head.status;
  error.retry_after = parse_retry_after(head.retry_after, now);
  // Of other answers it is not known whose they are.
  const bool of_proxy = head.status == 407 && !head.proxy.empty();
  error.message = (of_proxy ? "the proxy " + head.proxy : "the server") + " answered " + std::to_string(head.status) +
                  phrase(head.status);
  if (!of_proxy && !head.proxy.empty()) error.message += " through proxy " + head.proxy;
  if (refusal.status) {
    error.reason = refusal.status->reason;
    if (!refusal.status->message.empty()) error.message += " - " + refusal.status->message;
    if (!error.retry_after && refusal.status->retry_after_seconds) {
      error.retry_after = std::chrono::seconds(*refusal.status->retry_after_seconds);
    }
  } else if (is_text(head.content_type)) {
    if (const std::string beginning = beginning_of(body); !beginning.empty()) error.message += ": " + beginning;
  }
  if (head.status == 304) {
    error.status = Status::protocol;
    error.message += ", expected a response with a body; the request is conditional";
  } else if (head.status >= 300 && head.status < 400) {
    error.status = Status::protocol;
    error.message += ": redirects are not followed; set server to the URL of the API";
  } else if (head.status < 300) {
    error.status = Status::protocol;
    error.message += ", expected another status";
  }
  return refusal;
}

}  // namespace

Refusal read_refusal(const transport::ResponseHead& head, std::string_view body, system_clock::time_point now) {
  return refusal_of_json(head, in_json(head, body), now);
}

Refusal read_call_refusal(const transport::ResponseHead& head, std::string_view body, system_clock::time_point now) {
  const std::string text = in_json(head, body);
  Refusal refusal = refusal_of_json(head, text, now);
  if (head.status >= 400) refusal.error.status = status_of_refused_call(head.status);
  if (refusal.status) refusal.error.details = std::string(trimmed(text));
  return refusal;
}

}  // namespace ksr::cluster
