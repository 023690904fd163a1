// Tests of the scriptable server, on which the other tests rely.
#include <doctest/doctest.h>

#include "server/self/raw_client.hpp"

using namespace ksr::testserver;

namespace {

const std::string kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::string continue_of(const std::string& answer) {
  const std::string key = "\"continue\":\"";
  const std::size_t at = answer.find(key);
  if (at == std::string::npos) return "";
  return answer.substr(at + key.size(), answer.find('"', at + key.size()) - at - key.size());
}

}  // namespace

TEST_CASE("lists are paged until their revision is compacted") {
  ApiServer server;
  server.script("populate pods 5");
  const std::string first = answer_to(server, "/api/v1/pods?limit=2");
  CHECK(has(first, "\"remainingItemCount\":3"));
  CHECK(has(first, "\"kind\":\"PodList\""));
  CHECK_FALSE(has(first, "\"kind\":\"Pod\""));
  const std::string token = continue_of(first);
  server.script("delete pods pod-4");
  CHECK(has(answer_to(server, "/api/v1/pods?limit=9&continue=" + token), "\"name\":\"pod-4\""));
  server.script("compact");
  const std::string expired = answer_to(server, "/api/v1/pods?limit=9&continue=" + token);
  CHECK(has(expired, "HTTP/1.1 410"));
  CHECK(has(expired, "\"reason\":\"Expired\""));
  const std::string inconsistent = continue_of(expired);
  CHECK_FALSE(inconsistent.empty());
  CHECK(has(answer_to(server, "/api/v1/pods?limit=9&continue=" + inconsistent), "\"name\":\"pod-3\""));
}

TEST_CASE("a CRD's list has its keys in alphabetical order and kinds in its items") {
  ApiServer server;
  server.script("create widgets one");
  const std::string answer = answer_to(server, "/apis/example.ksr.dev/v1/widgets");
  CHECK(has(answer, "{\"apiVersion\":\"example.ksr.dev/v1\",\"items\":[{\"apiVersion\":\"example.ksr.dev/v1\""));
  CHECK(has(answer, "\"kind\":\"WidgetList\",\"metadata\":"));
}

TEST_CASE("selectors and namespaces filter") {
  ApiServer server;
  server.script("create pods a app=web\ncreate pods b app=db\ncreate pods other/c app=web");
  const std::string labels = answer_to(server, "/api/v1/pods?labelSelector=app%3Dweb");
  CHECK(has(labels, "\"name\":\"a\""));
  CHECK(has(labels, "\"name\":\"c\""));
  CHECK_FALSE(has(labels, "\"name\":\"b\""));
  CHECK_FALSE(has(answer_to(server, "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb"), "\"name\":\"c\""));
  CHECK(has(answer_to(server, "/api/v1/pods?fieldSelector=metadata.name%3Db"), "\"name\":\"b\""));
  CHECK(has(answer_to(server, "/api/v1/pods?labelSelector=a%20in%20(b"), "HTTP/1.1 400"));
}

TEST_CASE("a watch sends changes, objects that start and stop matching, bookmarks, and its end") {
  ApiServer server;
  server.script("create pods a app=web");
  RawClient client(server);
  client.get("/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=1&labelSelector=app%3Dweb&resourceVersion=" +
             std::to_string(server.revision()));
  server.script(
      "wait watches pods 1\nupdate pods a x=y\ncreate pods b app=db\nupdate pods b app=web\nupdate pods a app=no\n"
      "delete pods b\nbookmark pods");
  const std::string all = client.read_until("0\r\n\r\n");
  std::size_t at = 0;
  for (const char* type : {"MODIFIED", "ADDED", "DELETED", "DELETED", "BOOKMARK"}) {
    CAPTURE(type);
    at = all.find(std::string("{\"type\":\"") + type, at);
    REQUIRE(at != std::string::npos);
    ++at;
  }
  // The connection takes another request.
  client.get("/readyz");
  CHECK(has(client.read_until("ok"), "200 OK"));
}

TEST_CASE("a compacted revision: an ERROR event, and for core/v1 events a clean end") {
  ApiServer server;
  server.script("create pods a\ncreate events e\ncreate pods b\ncompact");
  const std::string pods = answer_to(server, "/api/v1/pods?watch=1&resourceVersion=1001");
  CHECK(has(pods, "200 OK"));
  CHECK(has(pods, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\""));
  CHECK(has(pods, "\"code\":410"));
  const std::string events = answer_to(server, "/api/v1/events?watch=1&resourceVersion=1001");
  CHECK(has(events, "200 OK"));
  CHECK_FALSE(has(events, "ERROR"));
}

TEST_CASE("sendInitialEvents ends with its bookmark, or is refused") {
  ApiServer server;
  server.script("populate pods 2");
  const std::string target =
      "/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1";
  const std::string answer = answer_to(server, target + "&allowWatchBookmarks=true");
  CHECK(answer.find("pod-1") < answer.find("\"k8s.io/initial-events-end\":\"true\""));
  server.script("watchlist off");
  CHECK(has(answer_to(server, target), "HTTP/1.1 422"));
}

TEST_CASE("WebSocket handshakes follow the rules of the apiserver's library") {
  ApiServer server;
  server.script("create pods a");
  const std::string target = "/api/v1/pods?watch=1&timeoutSeconds=1";
  CHECK(has(answer_to(server, target, kUpgrade), "HTTP/1.1 403"));
  const std::string origin = "Origin: http://x\r\n";
  CHECK(has(answer_to(server, target, kUpgrade + origin + "Sec-WebSocket-Protocol: a, b\r\n"), "HTTP/1.1 400"));
  RawClient client(server);
  client.get(target, kUpgrade + origin + "Sec-WebSocket-Protocol: a\r\n");
  const std::string head = client.read_until("\r\n\r\n");
  CHECK(has(head, "101 Switching Protocols"));
  CHECK(has(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  CHECK(has(head, "Sec-WebSocket-Protocol: a\r\n"));
  const std::string message = client.read_until("\n");
  CHECK(message[0] == '\x81');
  CHECK(has(message, "{\"type\":\"ADDED\""));
  const std::string close = client.read_until("\x03\xe8");
  CHECK(close[0] == '\x88');
}

TEST_CASE("access: tokens, denials, unknown paths") {
  ServerOptions options;
  options.tokens.push_back({"good", "jane"});
  ApiServer server(options);
  CHECK(has(answer_to(server, "/api/v1/pods"), "\"message\":\"Unauthorized\""));
  const std::string good = "Authorization: Bearer good\r\n";
  CHECK(has(answer_to(server, "/api/v1/pods", good), "HTTP/1.1 200"));
  server.script("deny jane list pods");
  CHECK(has(answer_to(server, "/api/v1/pods", good),
            "pods is forbidden: User \\\"jane\\\" cannot list resource \\\"pods\\\""));
  CHECK(has(answer_to(server, "/apis/no/v1/things", good), "404 page not found\n"));
}

TEST_CASE("faults apply as configured, once") {
  ApiServer server;
  server.script(
      "populate pods 50\nfault list pods answer 503 retry-after=7\nfault list pods cut bytes=100\n"
      "fault list pods garbage");
  const std::string refused = answer_to(server, "/api/v1/pods");
  CHECK(has(refused, "503 Service Unavailable"));
  CHECK(has(refused, "Retry-After: 7"));
  CHECK(answer_to(server, "/api/v1/pods").size() == 100);
  CHECK(has(answer_to(server, "/api/v1/pods"), "not json"));
  CHECK(has(answer_to(server, "/api/v1/pods"), "\"name\":\"pod-49\""));
}

TEST_CASE("scripts are accepted over HTTP too, and their errors are returned") {
  ApiServer server;
  const auto post = [&](const std::string& lines) {
    RawClient client(server);
    client.send("POST /_ksr/script HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                std::to_string(lines.size()) + "\r\n\r\n" + lines);
    return client.read_to_end();
  };
  CHECK(has(post("create pods a\nsleep 1ms\ncreate pods b"), "200 OK"));
  CHECK(server.contents("pods").size() == 2);
  CHECK(has(post("create pods a"), "HTTP/1.1 400"));
  CHECK(has(post("dance"), "unknown command dance"));
  CHECK_THROWS(server.script("fault list pods explode"));
}

TEST_CASE("large lists are compressed for clients that accept it; discovery lists what is served") {
  ApiServer server;
  server.script("populate pods 2000");
  CHECK(has(answer_to(server, "/api/v1/pods", "Accept-Encoding: gzip\r\n"), "Content-Encoding: gzip"));
  CHECK_FALSE(has(answer_to(server, "/api/v1/pods"), "Content-Encoding"));
  CHECK(has(answer_to(server, "/api/v1"), "\"name\":\"pods\""));
  CHECK(has(answer_to(server, "/apis"), "example.ksr.dev"));
}
