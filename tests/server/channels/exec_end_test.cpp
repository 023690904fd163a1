// How a command ended (rules 9 to 11): only a Status tells, nothing is run twice, and no success is made up.
#include <string>
#include <vector>

#include "server/channels/on_channels.hpp"

using namespace ksr::testing;
using ksr::testserver::RecordedRequest;

namespace {

constexpr int kCutsAtMost = 700;

struct Outcome {
  ChannelEnd end;
  std::string out;
  std::string err;
  std::size_t closed = 0;
  std::uint64_t verified = 0;
};

Outcome run(const Requester& client, const Settings& settings = exec_of()) {
  ChannelUser user;
  REQUIRE(user.open(client.client(), settings) == KSR_OK);
  Outcome outcome;
  outcome.end = user.wait();
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  outcome.verified = user.stat("exit_verified");
  outcome.out = user.bytes(KSR_PART_STDOUT);
  outcome.err = user.bytes(KSR_PART_STDERR);
  outcome.closed = user.count(KSR_EVENT_CLOSED);
  // The event says the same as the wait.
  CHECK(user.events().back().status == outcome.end.status);
  user.close();
  CHECK(user.violations() == std::vector<std::string>{});
  return outcome;
}

std::vector<std::string> handshakes(ChannelServer& on) {
  std::vector<std::string> offered;
  for (const RecordedRequest& request : on.server.requests()) {
    if (request.websocket) offered.push_back(request.header(kProtocols));
  }
  return offered;
}

}  // namespace

TEST_CASE("an exit code is the command's own, with all of its output before it") {
  ChannelServer on;
  const Requester client(on.client_settings());
  for (const int code : {0, 1, 7, 137, 255}) {
    CAPTURE(code);
    on.server.script("stream exec web out=one err=two out=three exit=" + std::to_string(code));
    const Outcome outcome = run(client);
    CHECK(outcome.end.status == KSR_OK);
    CHECK(outcome.end.exit_code == code);
    CHECK(outcome.out == "onethree");
    CHECK(outcome.err == "two");
    CHECK(outcome.closed == 1);
    CHECK(outcome.verified == 1);
  }
}

TEST_CASE("a Status that came in two messages, behind fragments, empty messages and unknown channels") {
  ChannelServer on;
  const Requester client(on.client_settings());
  for (const char* steps : {"out=text split-status=0 close=1000", "fragment=text exit=0", "empty out=text empty exit=0",
                            "message=9:x message=200:y out=text exit=0", "message=0:x out=text exit=0",
                            // The server closes at once; whether its close frame arrives is a matter of luck.
                            "out=text status=0 cut", "out=text status=0 reset", "out=text status=0 close=1001"}) {
    CAPTURE(steps);
    on.server.script(std::string("stream exec web ") + steps);
    const Outcome outcome = run(client);
    CHECK(outcome.end.status == KSR_OK);
    CHECK(outcome.end.exit_code == 0);
    CHECK(outcome.out == "text");
  }
}

TEST_CASE("without a Status it is not known how the command ended: KSR_E_LOST, never a success") {
  ChannelServer on;
  const Requester client(on.client_settings());
  for (const char* protocol : {"v4", "v5"}) {
    for (const char* steps : {"out=text close=1000", "out=text close=1001", "out=text close=1011:oops", "out=text cut",
                              "out=text reset", "out=text message=3: close=1000", "out=text message=\"3:{\" close=1000",
                              "out=text message=3:garbage close=1000",
                              "out=text message=\"3:{\\\"metadata\\\":{},\\\"status\\\":\\\"Succ\" cut",
                              "out=text message=\"3:[\\\"Success\\\"]\" close=1000",
                              "out=text message=\"9:{\\\"status\\\":\\\"Success\\\"}\" "
                              "close=1000",
                              "out=text err=\"{\\\"status\\\":\\\"Success\\\"}\" close=1000"}) {
      CAPTURE(protocol);
      CAPTURE(steps);
      on.server.script(std::string("stream exec web ") + steps);
      const std::size_t before = on.server.streams().size();
      const Outcome outcome = run(client, exec_of({{"exec_protocol", protocol}}));
      CHECK(outcome.end.status == KSR_E_LOST);
      CHECK(outcome.end.maybe_done == 1);
      CHECK_FALSE(outcome.end.exit_code.has_value());
      CHECK(outcome.out == "text");
      CHECK(outcome.verified == 0);
      CHECK(on.server.streams().size() == before + 1);
    }
  }
}

TEST_CASE("a Status that tells no success and no code is an error with the Status") {
  ChannelServer on;
  const Requester client(on.client_settings());
  for (const char* steps :
       {"exit=internal", "message=3:{} close=1000", "message=\"3:{\\\"status\\\":\\\"Failure\\\"}\" close=1000",
        "message=\"3:{\\\"status\\\":\\\"Failure\\\",\\\"reason\\\":\\\"NonZeroExitCode\\\"}\" close=1000",
        "message=\"3:{\\\"status\\\":\\\"Failure\\\",\\\"reason\\\":\\\"NonZeroExitCode\\\",\\\"details\\\":{"
        "\\\"causes\\\":[{\\\"reason\\\":\\\"ExitCode\\\",\\\"message\\\":\\\"seven\\\"}]}}\" close=1000",
        "message=\"3:{\\\"status\\\":\\\"Failure\\\",\\\"reason\\\":\\\"NonZeroExitCode\\\",\\\"details\\\":{"
        "\\\"causes\\\":[{\\\"reason\\\":\\\"ExitCode\\\",\\\"message\\\":\\\"99999999999\\\"}]}}\" close=1000",
        "message=\"3:{\\\"status\\\":\\\"success\\\"}\" close=1000"}) {
    CAPTURE(steps);
    on.server.script(std::string("stream exec web ") + steps);
    const Outcome outcome = run(client);
    CHECK(outcome.end.status < KSR_OK);
    CHECK(outcome.end.maybe_done == 1);
    CHECK_FALSE(outcome.end.exit_code.has_value());
  }
  on.server.script("stream exec web exit=internal");
  const Outcome outcome = run(client);
  CHECK(outcome.end.http_status == 500);
  CHECK(has(outcome.end.message, "no such file or directory"));
  CHECK(has(outcome.end.details, "InternalError"));
}

TEST_CASE("a code of 0 that is told as a failure is none") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script(
      "stream exec web "
      "message=\"3:{\\\"status\\\":\\\"Failure\\\",\\\"reason\\\":\\\"NonZeroExitCode\\\",\\\"details\\\":{"
      "\\\"causes\\\":[{\\\"reason\\\":\\\"ExitCode\\\",\\\"message\\\":\\\"0\\\"}]}}\" close=1000");
  CHECK(run(client).end.status < KSR_OK);
}

TEST_CASE("cut at each byte: the whole Status, or KSR_E_LOST; one command a channel") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out=hello exit=0");
  int lost = 0;
  int known = 0;
  for (int bytes = 1; bytes < kCutsAtMost; bytes += bytes < 100 ? 20 : 1) {
    CAPTURE(bytes);
    on.server.script("clear\nfault stream pods cut bytes=" + std::to_string(bytes) +
                     (bytes % 2 == 0 ? " reset=true" : ""));
    const std::size_t before = on.server.streams().size();
    const Outcome outcome = run(client);
    CHECK(on.server.streams().size() == before + 1);
    CHECK(outcome.closed == 1);
    if (outcome.end.status != KSR_OK) {
      // What the handshake's answer said is not known either: the command may have been run.
      CHECK(outcome.end.maybe_done == 1);
      CHECK_FALSE(outcome.end.exit_code.has_value());
      CHECK(known == 0);
      ++lost;
      continue;
    }
    CHECK(outcome.end.exit_code == 0);
    CHECK(outcome.out == "hello");
    if (++known == 3) break;
  }
  CHECK(lost > 100);
  CHECK(known == 3);
}

TEST_CASE("v4 alone is asked for, but for stdin without a terminal; a v5 Success is not verified") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web exit=0");
  CHECK(run(client).verified == 1);
  CHECK(run(client, exec_of({{"stdin", "true"}})).verified == 0);
  CHECK(run(client, exec_of({{"stdin", "true"}, {"tty", "true"}})).verified == 1);
  CHECK(run(client, exec_of({{"exec_protocol", "v5"}})).verified == 0);
  CHECK(run(client, exec_of({{"exec_protocol", "v4"}, {"stdin", "true"}})).verified == 1);
  on.server.script("stream exec web exit=3");
  CHECK(run(client, exec_of({{"stdin", "true"}})).verified == 1);
  CHECK(handshakes(on) == std::vector<std::string>{"v4.channel.k8s.io", "v5.channel.k8s.io, v4.channel.k8s.io",
                                                   "v4.channel.k8s.io", "v5.channel.k8s.io", "v4.channel.k8s.io",
                                                   "v5.channel.k8s.io, v4.channel.k8s.io"});
}

TEST_CASE("a server that knows only the other protocol is asked for that, and remembered") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web exit=4\nprotocols v5.channel.k8s.io");
  for (int i = 0; i < 2; ++i) CHECK(run(client).end.exit_code == 4);
  CHECK(handshakes(on).size() == 3);
  CHECK(on.server.streams().size() == 2);
  const Outcome refused = run(client, exec_of({{"exec_protocol", "v4"}}));
  CHECK(refused.end.status == KSR_E_FORBIDDEN);
  CHECK(on.server.streams().size() == 2);
}

TEST_CASE("a server that refuses both protocols for a while is asked for the first one again") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web exit=0\nprotocols other.example");
  for (const char* input : {"false", "true"}) {
    CHECK(run(client, exec_of({{"stdin", input}})).end.status == KSR_E_FORBIDDEN);
  }
  on.server.script("protocols v5.channel.k8s.io v4.channel.k8s.io");
  CHECK(run(client).verified == 1);
  CHECK(run(client, exec_of({{"stdin", "true"}})).verified == 0);
}

TEST_CASE("a refusal is told with its Status; only what surely ran nothing is tried again") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web exit=0");
  SUBCASE("403, 404, 500") {
    on.server.script(
        "fault stream pods answer 403\nfault stream pods answer 404\nfault stream pods answer 500\n"
        "fault stream pods answer 504");
    CHECK(run(client).end.status == KSR_E_FORBIDDEN);
    CHECK(run(client).end.status == KSR_E_NOT_FOUND);
    const Outcome failed = run(client);
    CHECK(failed.end.status == KSR_E_SERVER);
    CHECK(failed.end.http_status == 500);
    CHECK(has(failed.end.details, "\"code\":500"));
    CHECK(run(client).end.status == KSR_E_SERVER);
    CHECK(handshakes(on).size() == 4);
  }
  SUBCASE("429 and 503") {
    on.server.script("fault stream pods answer 429 retry-after=1\nfault stream pods answer 503");
    CHECK(run(client).end.exit_code == 0);
    CHECK(handshakes(on).size() == 3);
  }
  SUBCASE("a gateway's answers, which may come when the command has begun") {
    for (const char* code : {"500", "502", "503", "504", "408"}) {
      CAPTURE(code);
      on.server.script(std::string("fault stream pods answer ") + code +
                       " type=text/plain body=\"upstream connect error\"");
      const Outcome outcome = run(client);
      CHECK(outcome.end.status < KSR_OK);
      CHECK(outcome.end.maybe_done == 1);
    }
    CHECK(handshakes(on).size() == 5);
    CHECK(on.server.streams().empty());
  }
  SUBCASE("a silent end of the handshake") {
    on.server.script("fault stream pods cut bytes=0");
    const Outcome outcome = run(client);
    CHECK(outcome.end.status < KSR_OK);
    CHECK(outcome.end.maybe_done == 1);
    CHECK(handshakes(on).size() == 1);
  }
  SUBCASE("get or create alone") {
    for (const char* verb : {"get", "create"}) {
      on.server.script(std::string("allow\ndeny admin ") + verb + " pods/exec");
      const Outcome outcome = run(client);
      CHECK(outcome.end.status == KSR_E_FORBIDDEN);
      CHECK(outcome.end.http_status == 403);
      CHECK(outcome.end.maybe_done == 0);
    }
    CHECK(on.server.streams().empty());
  }
}

TEST_CASE("attach has no code, and is not opened again") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream attach web out=hello exit=0");
  const Settings attach = of_pod("attach", {{"container", "main"}});
  const Outcome orderly = run(client, attach);
  CHECK(orderly.end.status == KSR_OK);
  CHECK_FALSE(orderly.end.exit_code.has_value());
  CHECK(orderly.out == "hello");
  on.server.script("stream attach web out=hello cut");
  const Outcome lost = run(client, attach);
  CHECK(lost.end.status == KSR_E_LOST);
  CHECK(lost.end.maybe_done == 1);
  CHECK(on.server.streams().size() == 2);
}
