#include "base/secrets.hpp"

#include <doctest/doctest.h>

#include <string>

#include "base/base64.hpp"

using namespace ksr;

namespace {

const std::string token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl";

std::string blanked(const std::string& secret, const std::string& text) {
  Secrets secrets;
  secrets.add(secret);
  return secrets.blanked(text);
}

}  // namespace

TEST_CASE("a secret is blanked wherever a text has it") {
  CHECK(blanked(token, "invalid bearer token " + token + ", sorry") == "invalid bearer token ***, sorry");
  CHECK(blanked(token, token) == "***");
  CHECK(blanked(token, token + token + " " + token) == "*** ***");
  CHECK(blanked("s3cr3t", "user jane:s3cr3t@host, xs3cr3tx") == "user jane:***@host, x***x");
  CHECK(blanked("s3cr3t", "nothing of it") == "nothing of it");
  CHECK(blanked("", "nothing") == "nothing");
  CHECK(Secrets().blanked("nothing") == "nothing");
}

TEST_CASE("a secret is blanked in other case, as base64, percent-encoded, as JSON and in quotes") {
  const std::string secret = "Pa ss/\"w\\ord?";
  CHECK(blanked(secret, "pA SS/\"W\\ORD?") == "***");
  CHECK(blanked(secret, "<" + base64_encode(secret) + ">") == "<***>");
  CHECK(blanked(secret, "<" + base64url_encode(secret) + ">") == "<***>");
  CHECK(blanked(secret, "<Pa%20ss%2F%22w%5Cord%3F>") == "<***>");
  CHECK(blanked(secret, "<Pa ss/\\\"w\\\\ord?>") == "<***>");
  CHECK(blanked(secret, "<Pa ss/?w\\ord?>") == "<***>");
}

TEST_CASE("a secret is blanked whichever of its characters are written as escape sequences") {
  const std::string secret = "p<ss&w\xc3\xb6rd>/42";
  for (const char* const written :
       {R"(p\u003css\u0026w\u00f6rd\u003e/42)", R"(p\u003Css&w\u00F6rd>\/42)", "p&lt;ss&amp;w\xc3\xb6rd&gt;/42",
        "p&#60;ss&#x26;w&#246;rd&gt;&#47;42", "p%3Css%26w%c3%B6rd%3e%2f42",
        R"(p\\u003css\\u0026w\\u00f6rd\\u003e\\/42)", R"(p&lt;ss&amp;w\u00f6rd\u0026gt;/42)",
        "p%26lt;ss%26amp;w%26%23246;rd%26gt;%2F42"}) {
    CAPTURE(written);
    CHECK(blanked(secret, std::string("{\"error\":\"login with ") + written + " failed\"}") ==
          R"({"error":"login with *** failed"})");
  }
  // What is no escape sequence, or one that is cut.
  for (const char* const text : {"\\", "\\u00", "\\uzzzz", "&", "&lt", "&;", "&#;", "&#xfffffff;", "&nothing;", "%",
                                 "%4", "%zz", "\\ud83d", "\\ud83d\\u0041", "&#55357;"}) {
    CAPTURE(text);
    CHECK(blanked(secret, text) == text);
    CHECK(blanked("s3cr3t", std::string("s3cr3t") + text + "s3cr3t") == std::string("***") + text + "***");
  }
  CHECK(blanked("100%41x", "is 100%41x") == "is ***");
  CHECK(blanked("a\\nb&lt;c", "is a\\nb&lt;c") == "is ***");
  CHECK(blanked(secret, R"(at the end p\u003css\u0026w\u00f6)") == "at the end ***");
}

TEST_CASE("parts of a secret are blanked: what is cut, broken into lines, or shown in its middle") {
  CHECK(blanked(token, "bad token: " + token.substr(0, 40)) == "bad token: ***");
  CHECK(blanked(token, "bad token: " + token.substr(0, 40) + "... of 80") == "bad token: ***... of 80");
  CHECK(blanked(token, "bad token: " + token.substr(20)) == "bad token: ***");
  CHECK(blanked(token, token.substr(0, 30) + " " + token.substr(30)) == "*** ***");
  CHECK(blanked(token, "ends with " + token.substr(0, 7)) == "ends with ***");
  CHECK(blanked(token, "ends with " + token.substr(0, 7) + "...") == "ends with ***...");
  CHECK(blanked(token, "a word " + token.substr(0, 7) + " of it") == "a word " + token.substr(0, 7) + " of it");
}

TEST_CASE("a short secret is blanked as a word, not inside of other words") {
  CHECK(blanked("list", "\"list\" listing list") == "\"***\" listing ***");
  CHECK(blanked("x", "x: axe") == "***: axe");
}

TEST_CASE("the key in PEM is blanked, line by line and in base64, the words around it are not") {
  const std::string pem =
      "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEH\nBG0wawIBAQQgabcdef\n-----END PRIVATE "
      "KEY-----\n";
  CHECK(blanked(pem, "got -----BEGIN PRIVATE KEY----- MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEH BG0wawIBAQQgabcdef") ==
        "got -----BEGIN PRIVATE KEY----- *** ***");
  CHECK(blanked(pem, base64_encode(pem)) == "***");
}

TEST_CASE("of fetched secrets the newest are remembered, and the constant ones always") {
  Secrets secrets;
  secrets.add("constant-secret");
  for (int i = 10; i < 40; ++i) secrets.add_fetched("fetched-secret-" + std::to_string(i));
  secrets.add_fetched("fetched-secret-39");
  CHECK(secrets.blanked("constant-secret") == "***");
  CHECK(secrets.blanked("fetched-secret-39") == "***");
  CHECK(secrets.blanked("fetched-secret-24") == "***");
}

TEST_CASE("an error is blanked in its message and its reason") {
  Secrets secrets;
  secrets.add(token);
  const Error error = secrets.blanked(Error{Status::auth, "no: " + token, "Bad" + token, 401});
  CHECK(error.message == "no: ***");
  CHECK(error.reason == "Bad***");
  CHECK(error.http_status == 401);
}

TEST_CASE("names of secrets") {
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "--client-secret", "token", "Password", "API_KEY", "key"}) {
    CHECK(names_secret(name));
  }
  for (const char* name : {"AWS_PROFILE", "--region", "monkey", "keyboard", "HOME"}) CHECK_FALSE(names_secret(name));
}

TEST_CASE("what looks like a secret is blanked although it is not known") {
  CHECK(without_likely_secrets("got " + token) == "got ***");
  CHECK(without_likely_secrets("password=abc next") == "password=*** next");
  CHECK(without_likely_secrets("--client-secret=abc") == "--client-secret=***");
  CHECK(without_likely_secrets("{\"token\": \"abc\", \"kind\": \"X\"}") == "{\"token\": \"***\", \"kind\": \"X\"}");
  CHECK(without_likely_secrets("Authorization: Bearer abc1") == "Authorization: Bearer ***");
  CHECK(without_likely_secrets("token: abc1 is bad") == "token: *** is bad");
  CHECK(without_likely_secrets("see https://u:p@h/x?a=1&access_token=abc#id_token=def") ==
        "see https://***@h/x?a=1&access_token=***#id_token=***");
  CHECK(without_likely_secrets("see http://h/" + token) == "see http://h/***");
  for (const char* plain :
       {"open https://login.example.com/authorize?client_id=0123456789012345678901234567890123456789&x=1",
        "no token: run the login again", "open https://example.com/device?code=ABCD", "",
        "/usr/local/share/ca-certificates/some/file.crt", "get-token: authentication error: x"}) {
    CHECK(without_likely_secrets(plain) == plain);
  }
}

TEST_CASE("a secret in the place of a path or a name is blanked, ordinary names are not") {
  CHECK(without_confused_secret(token) == "***");
  CHECK(without_confused_secret("/home/jane/" + token) == "/home/jane/***");
  CHECK(without_confused_secret("sha256~Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1") == "***");
  for (const char* plain : {"", "/home/jane/.kube/config", "gke_my-project-123456_us-central1-a_Production-Cluster-1",
                            "arn:aws:eks:us-east-1:123456789012:cluster/Prod1", "/tmp/ksr-cluster-AbC123/config",
                            "kubernetes-admin@cluster"}) {
    CHECK(without_confused_secret(plain) == plain);
  }
}
