// Which servers a certificate names, as Go's crypto/x509 says (VerifyHostname).
#include "transport/certificate_names.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/certificates.hpp"
#include "transport/exit_guard.hpp"
#include "transport/pem.hpp"

using namespace ksr;
using namespace ksr::testing;
using namespace ksr::transport;

namespace {

Certificate parsed_certificate(const std::string& alternative_names, const std::string& common_name = "") {
  auto read = read_certificates("server", self_signed(common_name, alternative_names).certificate_pem);
  REQUIRE(read);
  return std::move(read->front());
}

bool names(const std::string& alternative_names, const std::string& name) {
  const TlsUse use;
  return is_certificate_for(*parsed_certificate(alternative_names), name);
}

// One dNSName of these bytes, which OpenSSL's configuration could not write.
std::string dns_name_of_bytes(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::string name = std::string("\x82") + static_cast<char>(bytes.size()) + bytes;
  std::string text = "DER:";
  for (const char c : "\x30" + std::string(1, static_cast<char>(name.size())) + name) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string names_text(const std::string& alternative_names, const std::string& common_name = "") {
  const TlsUse use;
  return certificate_names_text(*parsed_certificate(alternative_names, common_name));
}

}  // namespace

TEST_CASE("a DNS name is for itself, whatever its case, and with the final dot of the host's name") {
  CHECK(names("DNS:api.test", "api.test"));
  CHECK(names("DNS:API.test", "api.TEST"));
  CHECK(names("DNS:api.test", "api.test."));
  CHECK(names("DNS:other.test,DNS:api.test", "api.test"));
  CHECK(names("DNS:localhost", "localhost"));
  CHECK(names("DNS:under_score.test", "under_score.test"));
  CHECK(names("DNS:dot.test.", "dot.test."));
  CHECK_FALSE(names("DNS:dot.test.", "dot.test"));
  CHECK_FALSE(names("DNS:api.test", "api.test.."));
  CHECK_FALSE(names("DNS:api.test", "test"));
  CHECK_FALSE(names("DNS:api.test", "x.api.test"));
  CHECK_FALSE(names("DNS:test", "api.test"));
  CHECK_FALSE(names("DNS:.test", "api.test"));
  CHECK_FALSE(names("DNS:api.test", ""));
  CHECK_FALSE(names("DNS:api.test", "."));
  CHECK_FALSE(names("DNS:.", "."));
}

TEST_CASE("a wildcard is the whole left-most label, of any domain") {
  CHECK(names("DNS:*.wild.test", "x.wild.test"));
  CHECK(names("DNS:*.WILD.test", "X.wild.TEST"));
  CHECK(names("DNS:*.wild.test", "x.wild.test."));
  CHECK(names("DNS:*.lan", "api.lan"));
  CHECK(names("DNS:*.wild.test", "x_y.wild.test"));
  CHECK(names("DNS:*.wild.test", "xn--fsq.wild.test"));
  CHECK_FALSE(names("DNS:*.wild.test", "wild.test"));
  CHECK_FALSE(names("DNS:*.wild.test", ".wild.test"));
  CHECK_FALSE(names("DNS:*.wild.test", "a.b.wild.test"));
  CHECK_FALSE(names("DNS:*.wild.test", "-x.wild.test"));
  CHECK_FALSE(names("DNS:*.wild.test", "x y.wild.test"));
  CHECK_FALSE(names("DNS:*.lan.", "api.lan."));
  CHECK_FALSE(names("DNS:*", "localhost"));
  CHECK_FALSE(names("DNS:*.", "localhost."));
  CHECK_FALSE(names("DNS:*.*.test", "a.b.test"));
  CHECK_FALSE(names("DNS:a.*.test", "a.b.test"));
  CHECK_FALSE(names("DNS:a*.test", "ab.test"));
  CHECK_FALSE(names("DNS:*a.test", "ba.test"));
  CHECK_FALSE(names("DNS:a*c.test", "abc.test"));
  CHECK_FALSE(names("DNS:xn--*.test", "xn--fsq.test"));
  CHECK_FALSE(names("DNS:**.test", "a.test"));
}

TEST_CASE("an address is for itself, in either form of an IPv4 address, and a DNS name is for none") {
  CHECK(names("IP:127.0.0.1", "127.0.0.1"));
  CHECK(names("IP:127.0.0.1", "::ffff:127.0.0.1"));
  CHECK(names("IP:127.0.0.1", "::ffff:7f00:1"));
  CHECK(names("IP:::ffff:127.0.0.1", "127.0.0.1"));
  CHECK(names("IP:::1", "0:0:0:0:0:0:0:1"));
  CHECK_FALSE(names("IP:127.0.0.1", "::127.0.0.1"));
  CHECK_FALSE(names("IP:127.0.0.1", "127.0.0.2"));
  CHECK_FALSE(names("IP:127.0.0.1", "127.0.0.1."));
  CHECK_FALSE(names("IP:127.0.0.1", std::string("127.0.0.1\0.test", 15)));
  CHECK_FALSE(names("IP:127.0.0.1", "localhost"));
  CHECK_FALSE(names("DNS:127.0.0.1", "127.0.0.1"));
  CHECK_FALSE(names("DNS:*.0.0.1", "127.0.0.1"));
  CHECK_FALSE(names("DNS:::1", "::1"));
  // Of five bytes: an address, and one more.
  CHECK_FALSE(names("DER:300787057f00000100", "127.0.0.1"));
}

TEST_CASE("what is behind a NUL belongs to the name, and other kinds of names do not count") {
  CHECK_FALSE(names(dns_name_of_bytes(std::string("api.test\0.evil", 14)), "api.test"));
  CHECK_FALSE(names(dns_name_of_bytes(std::string("*.test\0", 7)), "api.test"));
  CHECK_FALSE(names(dns_name_of_bytes(""), ""));
  CHECK(names(dns_name_of_bytes("api.test"), "api.test"));
  CHECK_FALSE(names("email:api.test,URI:https://api.test", "api.test"));
  CHECK_FALSE(names("DER:0500", "api.test"));
  const TlsUse use;
  CHECK_FALSE(is_certificate_for(*parsed_certificate("", "api.test"), "api.test"));
  CHECK_FALSE(is_certificate_for(*parsed_certificate("", "127.0.0.1"), "127.0.0.1"));
}

TEST_CASE("the names of a certificate are told in one line that has an end") {
  CHECK(names_text("DNS:api.test,email:x@y,IP:127.0.0.1,DNS:*.lan,IP:::1") ==
        "it is valid for api.test, 127.0.0.1, *.lan, ::1");
  CHECK(names_text("") == "it is valid for no name");
  CHECK(names_text("", "api.test") == "it is valid for no name, its common name \"api.test\" does not count");
  CHECK(names_text("email:x@y", "a\nb\x1b") == "it is valid for no name, its common name \"a b?\" does not count");
  CHECK(names_text("DER:0500") == "it is valid for no name");
  CHECK(names_text(dns_name_of_bytes(std::string("a\n\x1b[2J\0b\xff", 9))) == "it is valid for a ?[2J?b?");
  std::string many = "DNS:n0";
  for (int i = 1; i < 300; ++i) many += ",DNS:n" + std::to_string(i);
  const std::string text = names_text(many);
  CHECK(text.find("n0, n1, ") != std::string::npos);
  CHECK(text.find("n19 and 280 more") != std::string::npos);
  CHECK(names_text("DNS:" + std::string(5000, 'a') + ",DNS:b").size() < 600);
  CHECK(names_text("", std::string(60, 'c')).size() < 600);
}
