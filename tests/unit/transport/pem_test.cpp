// PEM as Go's encoding/pem takes it.
#include "transport/pem.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/certificates.hpp"
#include "transport/exit_guard.hpp"

using namespace ksr;
using namespace ksr::testing;
using namespace ksr::transport;

namespace {

std::size_t count(const std::string& pem) {
  const TlsUse use;
  REQUIRE(use);
  const auto certificates = read_certificates("ca", pem);
  return certificates ? certificates->size() : 0;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

const CertificateAndKey& one() {
  static const CertificateAndKey pair = self_signed("one");
  return pair;
}

}  // namespace

TEST_CASE("PEM is taken with text around it, blank lines, blanks, CR LF, headers and without a final line end") {
  const std::string& pem = one().certificate_pem;
  REQUIRE(pem.back() == '\n');
  CHECK(count(pem) == 1);
  CHECK(count(pem.substr(0, pem.size() - 1)) == 1);
  CHECK(count(replaced(pem, "-----END", "\n-----END")) == 1);
  CHECK(count(replaced(pem, "-----END", "\n \t\n\n-----END")) == 1);
  CHECK(count(replaced(pem, "\n", "\r\n")) == 1);
  CHECK(count(replaced(pem, "\n", " \t\n")) == 1);
  CHECK(count(replaced(pem, "\n", "\n\n")) == 1);
  CHECK(count("subject: CN=one\n\n" + pem + "\ntrailing text\n") == 1);
  CHECK(count("\xef\xbb\xbf" + pem) == 1);
  CHECK(count(pem + pem) == 2);
  CHECK(count(pem + "\n" + one().key_pem + "# the next one\r\n" + pem) == 2);
  CHECK(count(replaced(pem, "CERTIFICATE-----\nMII", "CERTIFICATE-----\nName: one\n\nMII")) == 1);
}

TEST_CASE("what is broken is text, and a bundle without a certificate that parses is refused") {
  const std::string& pem = one().certificate_pem;
  const std::string bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(count(bad + pem) == 1);
  CHECK(count(pem + bad) == 1);
  CHECK(count(pem.substr(0, 100) + "\n" + pem) == 1);
  CHECK(count(pem + pem.substr(0, 100)) == 1);
  CHECK(count("-----BEGIN CERTIFICATE-----\n" + pem) == 1);
  CHECK(count("-----BEGIN CERTIFICATE\n" + pem) == 1);
  for (const std::string& none : {std::string(), std::string("text"), bad, one().key_pem, pem.substr(0, 100), " " + pem,
                                  replaced(pem, "-----END CERTIFICATE", "-----END OTHER"), replaced(pem, "MII", "M*II"),
                                  replaced(pem, "-----END CERTIFICATE-----", "-----END CERTIFICATE----- x"),
                                  std::string("-----BEGIN CERTIFICATE-----"),
                                  std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")}) {
    CAPTURE(none);
    CHECK(count(none) == 0);
  }
  std::string hostile;
  for (int i = 0; i < 50'000; ++i) hostile += "-----BEGIN X-----\na:b\n";
  CHECK(count(hostile + "-----END Y-----\n") == 0);
}

TEST_CASE("a key is taken in the same way, beside its parameters and without a pass phrase") {
  const TlsUse use;
  REQUIRE(use);
  const auto certificates = read_certificates("certificate", one().certificate_pem);
  REQUIRE(certificates);
  X509* const certificate = certificates->front().get();
  const std::string& key = one().key_pem;
  const auto taken = [&](const std::string& pem) { return read_private_key("key", pem, certificate).has_value(); };
  CHECK(taken(key));
  CHECK(taken(replaced(replaced(key, "-----END", "\n-----END"), "\n", "\r\n")));
  CHECK(taken("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + key));
  CHECK(taken(one().certificate_pem + key));
  CHECK_FALSE(taken(one().certificate_pem));
  CHECK_FALSE(taken(self_signed("two").key_pem));
  CHECK_FALSE(taken(replaced(key, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY").substr(0, 120)));
}
