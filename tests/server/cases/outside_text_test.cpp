// What servers and plugins say, under a host that has set a locale and with credentials that must not come back.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "server/cases/on_server.hpp"
#include "support/grouped_locale.hpp"
#include "support/temporary_directory.hpp"
#include "support/text.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::RecordedRequest;

namespace {

// A kubeconfig whose user has the plugin in the same directory.
std::string with_plugin(const TemporaryDirectory& directory, const ApiServer& server, const std::string& script) {
  directory.write("plugin", "#!/bin/sh\n" + script);
  REQUIRE(::chmod(directory.path("plugin").c_str(), 0700) == 0);
  return directory.write("config",
                         "clusters: [{name: c, cluster: {server: '" + server.url() + "', certificate-authority: '" +
                             server.ca_file() +
                             "'}}]\nusers: [{name: u, user: {exec: {apiVersion: "
                             "client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}}}]\n"
                             "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n");
}

std::string everything_told(const Recorder& seen) {
  std::string all = seen.open_error();
  for (const SeenError& error : seen.errors()) all += "\n" + error.message + " " + error.reason;
  for (const std::string& line : seen.log()) all += "\n" + line;
  return all;
}

using ksr::testing::has;

}  // namespace

TEST_CASE("the locale of the host changes nothing of a request") {
  for (const std::string transport : {"http", "websocket"}) {
    CAPTURE(transport);
    ApiServer server(with_token());
    server.script("populate pods 3");
    const std::string authority = "127.0.0.1:" + std::to_string(server.port());
    const Settings settings = on_server(server, transport);
    Recorder seen;
    {
      const GroupedLocale grouped;
      REQUIRE(seen.open(settings) == KSR_OK);
      CHECK(seen.wait_count(3));
      CHECK(seen.wait_state(KSR_STATE_LIVE));
    }
    REQUIRE_FALSE(server.requests().empty());
    for (const RecordedRequest& request : server.requests()) CHECK(request.header("Host") == authority);
    CHECK(seen.close() == KSR_OK);
  }
}

TEST_CASE("a token that a server repeats does not reach the host") {
  const std::string token = kTestToken;
  const std::string status = "{\\\"kind\\\":\\\"Status\\\",\\\"message\\\":\\\"bad " + token +
                             "\\\",\\\"reason\\\":\\\"Bad" + token + "\\\",\\\"code\\\":500}";
  const std::string faults[] = {"fault list pods answer 500 times=3 body=\"" + status + "\"",
                                "fault list pods answer 500 times=3 type=text/plain body=\"" + token + " is bad\"",
                                "fault list pods answer 500 times=3 type=text/html body=\"<p>" + token + "</p>\"",
                                "fault list pods content-type times=3 text=" + token,
                                "fault list pods answer 200 times=3 header=\"Content-Encoding: " + token + "\" body=x"};
  for (const std::string& fault : faults) {
    CAPTURE(fault);
    ApiServer server(with_token());
    server.script("populate pods 3\n" + fault);
    Recorder seen;
    REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
    CHECK(seen.wait_count(3));
    CHECK(!has(everything_told(seen), token));
    CHECK(!has(everything_told(seen), token.substr(4, 16)));
  }
}

TEST_CASE("a status that can never change while a name is resolved is fatal, with the URL and the body") {
  for (const std::string status : {"400", "405", "406", "415", "422"}) {
    CAPTURE(status);
    ApiServer server(with_token());
    server.script("fault discovery * answer " + status +
                  " times=forever type=text/plain body=\"Client sent an HTTP request to an HTTPS server.\"");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, "http", "pods")) == KSR_OK);
    CHECK(seen.wait_state(KSR_STATE_CLOSED));
    REQUIRE(seen.errors().size() == 1);
    const SeenError error = seen.errors()[0];
    CHECK(error.retry_ms == -1);
    CHECK(error.http_status == std::stoi(status));
    CHECK(has(error.message, "GET " + server.url() + "/api"));
    CHECK(has(error.message, "Client sent an HTTP request to an HTTPS server."));
  }
}

TEST_CASE("a plugin that fails at once is run once for all streams, and its words are in their logs without secrets") {
  ksr::testserver::ServerOptions options = with_token();
  options.tls = true;
  ApiServer server(options);
  server.script("populate pods 3");
  const TemporaryDirectory directory;
  const std::string config = with_plugin(
      directory, server,
      "echo run >> runs\n[ -e token ] || { echo 'password=hunter2: sign in at https://login.example.com' >&2; "
      "exit 1; }\nprintf '\\357\\273\\277kind: ExecCredential\\napiVersion: "
      "client.authentication.k8s.io/v1\\nstatus: {token: %s}\\n' \"$(cat token)\"\n");
  directory.write("plugin", "#!/bin/sh\ncd '" + directory.path("") + "'\n" +
                                directory.content("plugin").substr(std::string("#!/bin/sh\n").size()));
  Recorder seen[10];
  for (Recorder& one : seen) {
    REQUIRE(
        one.open(
            {{"kubeconfig", config}, {"resource", "v1/pods"}, {"backoff_initial", "20ms"}, {"backoff_max", "40ms"}}) ==
        KSR_OK);
  }
  for (Recorder& one : seen) {
    CHECK(one.wait_error(KSR_E_AUTH));
    CHECK(has(everything_told(one), "sign in at https://login.example.com"));
    CHECK(!has(everything_told(one), "hunter2"));
  }
  CHECK(directory.content("runs") == "run\n");
  directory.write("token", kTestToken);
  for (Recorder& one : seen) CHECK(one.wait_count(3));
  const auto lines = directory.content("runs").size() / 4;
  CHECK(lines < 8);
}
