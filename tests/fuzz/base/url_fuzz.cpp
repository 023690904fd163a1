// URLs of servers and proxies: what is taken reads the same when it is written and read again, and no message of an
// error has a part of the password. The word S3CRET stands for one.
#include "base/url.hpp"

#include "base/server_name.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using ksr::Expected;
using ksr::Url;
using ksr::fuzz::require;

void check_error(const ksr::Error& error, const std::string& text) {
  require(error.status == ksr::Status::invalid, "an error of another kind");
  require(error.message == ksr::one_line(error.message), "a message that is not one short line: " + error.message);
  const std::size_t scheme = text.find("://");
  const bool secret = scheme != std::string::npos && text.find("S3CRET") == scheme + 3;
  require(!secret || error.message.find("S3CRET") == std::string::npos, "a message with a secret: " + error.message);
}

void check_parts(const Url& url) {
  std::string name = url.host;
  if (name.back() == '.') name.pop_back();
  require(ksr::is_server_name(name) && url.host == ksr::lower_case(url.host), "a host that is none: " + url.host);
  require(url.port != 0, "port 0");
  require(ksr::is_percent_encoded(url.prefix), "a prefix that is not percent-encoded");
  require(url.prefix.empty() || (url.prefix.front() == '/' && url.prefix.back() != '/'), "a prefix that is none");
  require(url.prefix.find("//") == std::string::npos, "a prefix with an empty segment");
  require(!ksr::has_control_characters(url.text() + url.authority()), "control characters in a URL");
}

void check_server(const std::string& text) {
  const Expected<Url> url = ksr::parse_server_url("server", text);
  if (!url) return check_error(url.error(), text);
  check_parts(*url);
  require(url->userinfo.empty(), "a server URL with a user name");
  const Expected<Url> again = ksr::parse_server_url("server", url->text());
  require(again.has_value() && again->text() == url->text(), "reads differently when written: " + url->text());
}

void check_proxy(const std::string& text) {
  const Expected<Url> url = ksr::parse_proxy_url("proxy_url", text);
  if (!url) return check_error(url.error(), text);
  check_parts(*url);
  require(url->scheme == "http" && url->prefix.empty(), "a proxy URL of another form");
  const Expected<Url> again = ksr::parse_proxy_url("proxy_url", "http://" + url->userinfo + "@" + url->host_port());
  require(again.has_value() && again->userinfo == url->userinfo && again->host_port() == url->host_port(),
          "reads differently when written: " + url->host_port());
  require(!ksr::has_control_characters(url->basic_authorization()), "control characters in a header");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ksr::fuzz::Input input(data, size);
  // The corpus has texts with a scheme and without.
  const bool needs_scheme = input.below(2) != 0;
  const std::string text(input.rest());
  check_server(text);
  if (needs_scheme) check_server("https://" + text);
  check_proxy(text);
  require(ksr::percent_decode(ksr::percent_encode(text)) == text, "percent-encoding loses bytes");
  require(ksr::is_percent_encoded(ksr::percent_encode(text)), "percent-encoding leaves bytes");
  if (ksr::is_percent_encoded(text)) require(ksr::percent_decode(text).has_value(), "encoded, and cannot be decoded");
  return 0;
}
