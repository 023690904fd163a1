// Logs, exec, attach, port-forward and proxied WebSockets of the scriptable server, with clients that share no code
// with it.
#include <doctest/doctest.h>

#include <boost/beast/core/buffers_to_string.hpp>

#include "server/query.hpp"
#include "server/self/client.hpp"
#include "server/self/raw_client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::has;
using ksr::testserver::RecordedStream;

namespace {

namespace beast = boost::beast;

constexpr const char* kExec = "/api/v1/namespaces/default/pods/web/exec?command=sh&stdin=1&stdout=1&stderr=1";
constexpr const char* kForward = "/api/v1/namespaces/default/pods/web/portforward?ports=28080";
constexpr const char* kLog = "/api/v1/namespaces/default/pods/web/log";

struct Line {
  explicit Line(const ApiServer& server, const std::string& target, const std::string& protocols)
      : hands(shake_hands(server, target, {{kProtocols, protocols}})) {
    if (hands->socket) hands->socket->binary(true);
  }

  // The next message; nullopt at a close frame. Throws system_error where the connection ends without one.
  std::optional<std::string> next() {
    beast::flat_buffer buffer;
    boost::system::error_code failure;
    hands->socket->read(buffer, failure);
    if (failure == beast::websocket::error::closed || (failure && hands->socket->reason().code != 0)) {
      return std::nullopt;
    }
    if (failure) throw boost::system::system_error(failure);
    return beast::buffers_to_string(buffer.data());
  }
  void write(const std::string& message) { hands->socket->write(boost::asio::buffer(message)); }
  unsigned status() const { return hands->answer.status; }
  std::string protocol() const { return hands->answer.header(kProtocols); }
  int close_code() const { return hands->socket->reason().code; }

  std::unique_ptr<Handshake> hands;
};

std::string on(int channel, const std::string& payload) {
  return static_cast<char>(channel) + payload;
}

void with_pod(ApiServer& server) {
  server.script("create pods web");
}

}  // namespace

TEST_CASE("the subprotocol of exec is chosen as by kube-apiserver 1.36") {
  ApiServer server;
  with_pod(server);
  CHECK(Line(server, kExec, "v4.channel.k8s.io, v5.channel.k8s.io").protocol() == "v5.channel.k8s.io");
  CHECK(Line(server, kExec, "base64.binary.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io, channel.k8s.io").protocol() ==
        "v4.channel.k8s.io");
  const Line unknown(server, kExec, "v3.channel.k8s.io");
  CHECK(unknown.status() == 403);
  CHECK(unknown.hands->answer.body.empty());
  server.script("protocols v4.channel.k8s.io");
  CHECK(Line(server, kExec, "v5.channel.k8s.io").status() == 403);
  CHECK(ask(server, kExec).status == 400);
  CHECK(Line(server, "/api/v1/namespaces/default/pods/none/exec?command=a&stdout=1", "v4.channel.k8s.io").status() ==
        404);
}

TEST_CASE("exec needs get and create") {
  ksr::testserver::ServerOptions options;
  options.tokens = {{"t", "jane"}};
  ApiServer server(options);
  with_pod(server);
  const Fields fields{{kProtocols, "v4.channel.k8s.io"}, {"Authorization", "Bearer t"}};
  CHECK(shake_hands(server, kExec, fields)->answer.status == 101);
  server.script("deny jane create pods/exec");
  CHECK(shake_hands(server, kExec, fields)->answer.status == 403);
  CHECK(ask(server, kLog, {{"Authorization", "Bearer t"}}).status == 200);
  server.script("allow\ndeny jane get pods/exec");
  CHECK(shake_hands(server, kExec, fields)->answer.status == 403);
}

TEST_CASE("exec plays its steps: an empty message, output, a Status, a close") {
  ApiServer server;
  with_pod(server);
  server.script("stream exec web out=hello err=\"oops\\n\" message=9:x empty split-status=7 close=1000");
  Line line(server, kExec, "v4.channel.k8s.io");
  CHECK(line.next() == on(1, ""));
  CHECK(line.next() == on(1, "hello"));
  CHECK(line.next() == on(2, "oops\n"));
  CHECK(line.next() == on(9, "x"));
  CHECK(line.next() == "");
  const std::string status = line.next()->substr(1) + line.next()->substr(1);
  CHECK(has(status, R"("reason":"NonZeroExitCode")"));
  CHECK(has(status, R"({"reason":"ExitCode","message":"7"})"));
  CHECK(line.next() == std::nullopt);
  CHECK(line.close_code() == 1000);
}

TEST_CASE("exec without a plan echoes; what the client sends is recorded") {
  ApiServer server;
  with_pod(server);
  Line line(server, kExec, "v5.channel.k8s.io");
  line.next();
  line.write(on(0, "typed"));
  CHECK(line.next() == on(1, "typed"));
  line.write(std::string("\xFF\0", 2));
  line.write(on(4, R"({"Width":80,"Height":24})"));
  line.hands->socket->close(beast::websocket::close_code::normal);
  const RecordedStream seen = server.streams().at(0);
  CHECK(seen.written == "typed");
  CHECK(seen.input_ended);
  CHECK(seen.close_code == 1000);
  CHECK(seen.violations == std::vector<std::string>{"a resize without tty"});
}

TEST_CASE("base64 messages are text with a digit, v1 tells no Status") {
  ApiServer server;
  with_pod(server);
  server.script("stream exec web out=hi exit=7");
  Line line(server, kExec, "v4.base64.channel.k8s.io");
  CHECK(line.next() == "1");
  CHECK(line.next() == "1aGk=");
  CHECK(line.next()->substr(0, 1) == "3");
  Line v1(server, kExec, "channel.k8s.io");
  CHECK(v1.next() == on(1, ""));
  CHECK(v1.next() == on(1, "hi"));
  CHECK(v1.next() == on(3, "command terminated with non-zero exit code: exit status 7"));
}

TEST_CASE("steps wait for the client, and the end may be a cut") {
  ApiServer server;
  with_pod(server);
  server.script("stream exec web wait-bytes=3 out=three wait-eof out=over cut");
  Line line(server, kExec, "v5.channel.k8s.io");
  line.next();
  line.write(on(0, "ab"));
  line.write(on(0, "c"));
  CHECK(line.next() == on(1, "three"));
  line.write(std::string("\xFF\0", 2));
  CHECK(line.next() == on(1, "over"));
  CHECK_THROWS_AS(line.next(), boost::system::system_error);
}

TEST_CASE("a fault cuts within a message, and a fragmented one is one message") {
  ApiServer server;
  with_pod(server);
  server.script("stream exec web fragment=abcdef exit=0\nfault stream pods cut bytes=178");
  Line cut(server, kExec, "v4.channel.k8s.io");
  CHECK(cut.next() == on(1, ""));
  CHECK_THROWS_AS(cut.next(), boost::system::system_error);
  Line line(server, kExec, "v4.channel.k8s.io");
  line.next();
  CHECK(line.next() == on(1, "abcdef"));
}

TEST_CASE("port-forward tells the port on both channels, and carries bytes") {
  ApiServer server;
  with_pod(server);
  Line line(server, kForward, "v4.channel.k8s.io");
  CHECK(line.next() == on(0, "\xb0\x6d"));
  CHECK(line.next() == on(1, "\xb0\x6d"));
  line.write(on(0, "GET /"));
  CHECK(line.next() == on(0, "GET /"));
  server.script("stream portforward web err=\"connection refused\" close=1000");
  Line refused(server, kForward, "v4.channel.k8s.io");
  refused.next();
  refused.next();
  CHECK(refused.next() == on(1, "connection refused"));
  CHECK(refused.next() == std::nullopt);
  CHECK(Line(server, kForward, "v5.channel.k8s.io").status() == 403);
  CHECK(Line(server, "/api/v1/namespaces/default/pods/web/portforward", "v4.channel.k8s.io").status() == 400);
}

TEST_CASE("a proxied WebSocket passes messages, subprotocols and close codes") {
  ApiServer server;
  with_pod(server);
  server.script("stream proxy web text=hello binary=bytes wait-bytes=1 close=4321:enough");
  Line line(server, "/api/v1/namespaces/default/pods/web/proxy", "chat.example, other");
  CHECK(line.protocol() == "chat.example");
  CHECK(line.next() == "hello");
  CHECK(line.next() == "bytes");
  line.write("x");
  CHECK(line.next() == std::nullopt);
  CHECK(line.close_code() == 4321);
  CHECK(line.hands->socket->reason().reason == "enough");
}

TEST_CASE("a log obeys timestamps, sinceTime without its fraction, tailLines and limitBytes") {
  ApiServer server;
  with_pod(server);
  server.script(
      "log web stamp=2026-11-29T10:00:00.9Z line=one stamp=2026-11-29T10:00:01.1Z line=two stamp=2026-11-29T10:00:02Z "
      "line=three");
  CHECK(ask(server, kLog).body == "one\ntwo\nthree\n");
  CHECK(ask(server, std::string(kLog) + "?timestamps=true&sinceTime=2026-11-29T10:00:01.8Z").body ==
        "2026-11-29T10:00:01.100000000Z two\n2026-11-29T10:00:02.000000000Z three\n");
  CHECK(ask(server, std::string(kLog) + "?tailLines=1").body == "three\n");
  CHECK(ask(server, std::string(kLog) + "?limitBytes=5").body == "one\nt");
  CHECK(ask(server, std::string(kLog) + "?previous=true").status == 400);
  server.script("log web raw=\"failed to open log file\"");
  CHECK(ask(server, std::string(kLog) + "?timestamps=true&tailLines=1").body == "failed to open log file");
}

TEST_CASE("a followed log gets what comes, until the container ends; a restart makes it the previous one") {
  ApiServer server;
  with_pod(server);
  server.script("log web line=one");
  ksr::testserver::RawClient client(server);
  client.get(std::string(kLog) + "?follow=true");
  CHECK(has(client.read_until("one\n"), "200 OK"));
  server.script("log web line=two");
  CHECK(has(client.read_until("two\n"), "two"));
  server.script("log web restart line=next");
  CHECK(has(client.read_until("0\r\n\r\n"), "0\r\n\r\n"));
  CHECK(ask(server, std::string(kLog) + "?previous=true").body == "one\ntwo\n");
  CHECK(ask(server, kLog).body == "next\n");
  client.get(std::string(kLog) + "?follow=true");
  client.read_until("next\n");
  server.script("log web cut");
  CHECK_FALSE(has(client.read_to_end(), "0\r\n\r\n"));
}

TEST_CASE("a log over a WebSocket: an empty message, pieces of 2048 bytes, 1000") {
  ApiServer server;
  with_pod(server);
  server.script("log web line=" + std::string(3'000, 'x'));
  Line line(server, kLog, "base64.binary.k8s.io");
  CHECK(line.next() == "");
  CHECK(ksr::testserver::base64_decoded(*line.next()) == std::string(2'048, 'x'));
  CHECK(ksr::testserver::base64_decoded(*line.next()) == std::string(952, 'x') + "\n");
  CHECK(line.next() == std::nullopt);
  CHECK(line.close_code() == 1000);
  CHECK(Line(server, kLog, "v4.channel.k8s.io").status() == 403);
}

TEST_CASE("exec and logs behind Headlamp, with its subprotocols") {
  ksr::testserver::ServerOptions options;
  options.headlamp.emplace();
  options.headlamp->clusters = {"prod"};
  options.headlamp->backend_token = "desk";
  ApiServer server(options);
  with_pod(server);
  server.script("stream exec web out=hi exit=0\nlog web line=one");
  const std::string token = ", base64url.headlamp.backend.authorization.k8s.io.ZGVzaw";
  Line line(server, std::string("/clusters/prod") + kExec,
            "base64.binary.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io, v2.channel.k8s.io, channel.k8s.io" + token);
  CHECK(line.status() == 101);
  CHECK(line.protocol() == "v4.channel.k8s.io");
  line.next();
  CHECK(line.next() == on(1, "hi"));
  Line log(server, std::string("/clusters/prod") + kLog + "?follow=true", "base64.binary.k8s.io" + token);
  CHECK(log.next() == "");
  CHECK(log.next() == "b25lCg==");
}
