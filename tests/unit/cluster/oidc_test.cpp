// The tokens of `auth-provider: oidc`, with a scripted issuer and a clock by hand.
#include "cluster/oidc_token.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "base/base64.hpp"
#include "support/text.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

using ksr::testing::has;

// A provider with a kubeconfig, an issuer of which each answer is at hand, and a clock.
struct Provider {
  // An issuer of its own for each part of a test: what was refreshed is remembered for the process.
  Provider() : issuer("https://issuer.test/" + std::to_string(++providers)) {}

  std::string jwt(std::chrono::seconds life) const {
    const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()) + life;
    return base64url_encode(R"({"alg":"none"})") + "." +
           base64url_encode("{\"exp\":" + std::to_string(expiry.count()) + "}") + ".c2ln";
  }
  void write(const std::string& id_token, const std::string& refresh_token, const std::string& more = "") {
    files.write(
        "config",
        "users: [{name: u, user: {auth-provider: {name: oidc, config: {client-id: 'my app', id-token: " + id_token +
            ", refresh-token: " + refresh_token + ", idp-issuer-url: '" + issuer + "'" + more + "}}}}]\n");
  }
  void answers(int http_status, const std::string& body) { answered.push_back({http_status, body}); }
  void gives(const std::string& id_token, const std::string& refresh_token = "") {
    answers(200, "{\"token_endpoint\":\"https://issuer.test/token?tenant=1\"}");
    answers(200, "{\"id_token\":\"" + id_token + "\"" +
                     (refresh_token.empty() ? "" : ",\"refresh_token\":\"" + refresh_token + "\"") + "}");
  }
  // The token, or the message of the error.
  std::string fetch() {
    const OidcPlan plan{"auth-provider of user \"u\"", files.path("config"), "u"};
    const IssuerCall call = [this](const transport::ConnectionSettings& settings, transport::Request request,
                                   const std::string&) -> Expected<FetchedAnswer> {
      asked.push_back(request.method + " " + settings.server.address() + request.target);
      bodies.push_back(request.body);
      authorizations.emplace_back();
      for (const auto& header : request.headers) {
        if (header.name == "Authorization") authorizations.back() = header.value;
      }
      if (failure) return *failure;
      REQUIRE(!answered.empty());
      FetchedAnswer answer;
      answer.head.status = answered.front().first;
      answer.body = answered.front().second;
      answered.pop_front();
      return answer;
    };
    const auto credentials = fetch_id_token(
        plan, [this] { return now; }, call, logger);
    status = credentials ? Status::ok : credentials.error().status;
    return credentials ? credentials->authorization.substr(7) : credentials.error().message;
  }

  static inline int providers = 0;
  const std::string issuer;
  TemporaryDirectory files;
  WallTime now{std::chrono::hours(24 * 365 * 56)};
  std::deque<std::pair<int, std::string>> answered;
  std::vector<std::string> asked, bodies, authorizations;
  std::optional<Error> failure;
  Status status = Status::ok;
  RecordingLogger logger;
};

}  // namespace

TEST_CASE("an id-token of the file that is valid is used, and the issuer is not asked") {
  Provider provider;
  const std::string token = provider.jwt(std::chrono::hours(1));
  provider.write(token, "refresh-1");
  CHECK(provider.fetch() == token);
  CHECK(provider.asked.empty());
}

// k8s.io/client-go/plugin/pkg/client/auth/oidc/oidc.go, jsonTime: a json.Number.
TEST_CASE("the expiry of an id-token may be a number in quotes") {
  Provider provider;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(provider.now.time_since_epoch()).count();
  const auto fetched = [&](const std::string& expiry) {
    const std::string token =
        base64url_encode(R"({"alg":"none"})") + "." + base64url_encode("{\"exp\":" + expiry + "}") + ".c2ln";
    provider.write(token, "''");
    return provider.fetch() == token;
  };
  CHECK(fetched("\"" + std::to_string(now + 60) + "\""));
  CHECK(fetched("\"" + std::to_string(now + 60) + ".5\""));
  // Beyond what a clock counts in nanoseconds.
  CHECK(fetched("10000000000"));
  CHECK(fetched("1000000000000000000"));
  CHECK_FALSE(fetched("\"" + std::to_string(now - 60) + "\""));
  for (const char* text : {"\"\"", "\"-\"", "\" 9999999999\"", "\"9999999999 \"", "\"9999999999s1\"", "\"soon\"",
                           "\"+9999999999\"", "\"1e999\"", "\"-1\"", "true"}) {
    CAPTURE(text);
    CHECK_FALSE(fetched(text));
  }
}

TEST_CASE("an id-token that has expired is refreshed, and again with the refresh-token that came with it") {
  Provider provider;
  provider.write(provider.jwt(std::chrono::seconds(9)), "refresh-1");
  const std::string first = provider.jwt(std::chrono::minutes(5));
  provider.gives(first, "refresh-2");
  CHECK(provider.fetch() == first);
  CHECK(provider.asked ==
        std::vector<std::string>{
            "GET https://issuer.test:443/" + std::to_string(Provider::providers) + "/.well-known/openid-configuration",
            "POST https://issuer.test:443/token?tenant=1"});
  CHECK(provider.bodies.back() == "grant_type=refresh_token&refresh_token=refresh-1&client_id=my%20app");
  CHECK(provider.authorizations.back().empty());
  // It is in memory for all connections.
  CHECK(provider.fetch() == first);
  CHECK(provider.asked.size() == 2);
  CHECK(!has(provider.files.content("config"), "refresh-2"));

  provider.now += std::chrono::minutes(5);
  const std::string second = provider.jwt(std::chrono::minutes(5));
  provider.gives(second);
  CHECK(provider.fetch() == second);
  CHECK(has(provider.bodies.back(), "&refresh_token=refresh-2&"));
  // Of the two, one has said that the file is out of date now.
  const auto& lines = provider.logger.lines;
  CHECK(std::count_if(lines.begin(), lines.end(), [](const auto& line) { return has(line, "kept in memory"); }) == 1);

  // kubectl has refreshed it, or somebody has logged in again.
  provider.now += std::chrono::minutes(5);
  const std::string third = provider.jwt(std::chrono::minutes(5));
  provider.write(third, "refresh-9");
  CHECK(provider.fetch() == third);
  CHECK(provider.asked.size() == 4);
  provider.now += std::chrono::minutes(5);
  provider.gives(provider.jwt(std::chrono::minutes(5)));
  provider.fetch();
  CHECK(has(provider.bodies.back(), "&refresh_token=refresh-9&"));
}

// The clock of this machine may be wrong.
TEST_CASE("a token that the issuer has just given is used whatever it is") {
  for (const bool is_jwt : {true, false}) {
    Provider provider;
    provider.write("''", "refresh-1");
    const std::string first = is_jwt ? provider.jwt(std::chrono::seconds(-60)) : "opaque-1";
    provider.gives(first, "refresh-2");
    CHECK(provider.fetch() == first);
    CHECK(provider.status == Status::ok);
    CHECK(has(provider.logger.lines.front(), is_jwt ? "the issuer gave an id-token that has expired; it is used until"
                                                    : "the issuer gave an id-token that is not a JWT"));
    // Fetched again after the server has refused it.
    provider.gives("opaque-2");
    CHECK(provider.fetch() == "opaque-2");
    CHECK(has(provider.bodies.back(), "refresh_token=refresh-2&"));
  }
}

TEST_CASE("a client secret goes into Authorization, and into the body for an issuer that wants it there") {
  Provider provider;
  provider.write("''", "refresh-1", ", client-secret: 'a secret/of:theirs'");
  const std::string token = provider.jwt(std::chrono::minutes(5));
  SUBCASE("basic") {
    provider.gives(token);
    CHECK(provider.fetch() == token);
    CHECK(provider.authorizations.back() == "Basic " + base64_encode("my%20app:a%20secret%2Fof%3Atheirs"));
    CHECK(provider.bodies.back() == "grant_type=refresh_token&refresh_token=refresh-1");
  }
  SUBCASE("post") {
    provider.answers(200, "{\"token_endpoint\":\"https://other.test/token\"}");
    provider.answers(401, "{\"error\":\"invalid_client\"}");
    provider.answers(200, "{\"id_token\":\"" + token + "\"}");
    CHECK(provider.fetch() == token);
    CHECK(provider.authorizations.back().empty());
    CHECK(provider.bodies.back() ==
          "grant_type=refresh_token&refresh_token=refresh-1&client_id=my%20app&client_secret=a%20secret%2Fof%3Atheirs");
  }
}

TEST_CASE("why a token cannot be refreshed is said without a secret, and can pass") {
  Provider provider;
  provider.write("''", "refresh-token-that-is-long-enough");
  std::string telling;
  SUBCASE("refused") {
    provider.answers(200, "{\"token_endpoint\":\"https://issuer.test/token\"}");
    provider.answers(
        400, "{\"error\":\"invalid_grant\",\"error_description\":\"no refresh-token-that-is-long-enough\\nhere\"}");
    telling = "invalid_grant: no ***";
  }
  SUBCASE("no document") {
    provider.answers(404, "<html>");
    telling = "answered 404 at " + provider.issuer + "/.well-known/openid-configuration";
  }
  SUBCASE("no endpoint") {
    provider.answers(200, "{}");
    telling = "no token_endpoint";
  }
  SUBCASE("an endpoint without TLS") {
    provider.answers(200, "{\"token_endpoint\":\"http://issuer.test/token\"}");
    telling = "without TLS";
  }
  SUBCASE("no id_token") {
    provider.answers(200, "{\"token_endpoint\":\"https://issuer.test/token\"}");
    provider.answers(200, "{\"access_token\":\"x\"}");
    telling = "scope openid";
  }
  SUBCASE("one with control characters") {
    provider.gives("a\\u0001b");
    telling = "the issuer gave an id-token with control characters";
  }
  SUBCASE("unreachable") {
    provider.failure = Error{Status::transport, "connecting to issuer.test:443: Connection refused", {}, 502};
    telling = "Connection refused";
  }
  SUBCASE("a CA that is none") {
    provider.write("''", "refresh-token-that-is-long-enough", ", idp-certificate-authority-data: bm9uZQ==");
    telling = "idp-certificate-authority-data";
  }
  SUBCASE("a file that is being written") {
    provider.files.write("config", "users: [");
    telling = "config";
  }
  const std::string message = provider.fetch();
  CAPTURE(message);
  CHECK(has(message, telling));
  CHECK(!has(message, "refresh-token-that-is-long-enough"));
  // KSR_E_INVALID would end the stream.
  CHECK(provider.status == Status::auth);

  provider.failure.reset();
  provider.answered.clear();
  provider.write("''", "refresh-token-that-is-long-enough");
  const std::string token = provider.jwt(std::chrono::seconds(30));
  provider.gives(token);
  CHECK(provider.fetch() == token);
}

TEST_CASE("a lack of descriptors on the way to the issuer is no refusal of it") {
  Provider provider;
  provider.write("''", "refresh-1");
  provider.failure = Error{Status::out_of_memory, "connecting to issuer.test:443: Too many open files"};
  CHECK(has(provider.fetch(), "Too many open files"));
  CHECK(provider.status == Status::out_of_memory);
}
