#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

TEST_CASE("a script runs line by line; the error names the line and the reason") {
  ApiServer server;
  server.script("# a comment\n\ncreate pods kube-system/a app=web {\"spec\": {\"nodeName\": \"n1\"}}\nsleep 1ms\n");
  const auto pod = ask(server, "/api/v1/namespaces/kube-system/pods/a").json();
  CHECK(pod.at("metadata").at("labels").at("app") == "web");
  CHECK(pod.at("spec").at("nodeName") == "n1");
  const std::pair<const char*, const char*> wrong[] = {
      {"dance", "unknown command dance"},
      {"create spaceships x", "a known resource"},
      {"create pods", "needs a name"},
      {"create pods kube-system/a", "already exists"},
      {"delete pods absent", "not found"},
      {"create pods x {\"a\":", "create pods x"},
      {"populate pods many", "populate pods many"},
      {"churn pods fast", "expected a rate"},
      {"fault list pods explode", "unknown fault action: explode"},
      {"fault list pods", "expected: fault VERB"},
      {"wait pods 1", "expected: wait watches"},
      {"deny jane list spaceships", "unknown resource spaceships"},
      {"living nodes 3", "living takes pods"},
      {"sleep long", "sleep long"},
  };
  for (const auto& [line, why] : wrong) {
    CAPTURE(line);
    CHECK_THROWS_WITH_AS(server.script(line), doctest::Contains(why), std::runtime_error);
  }
  CHECK_THROWS(server.script("create pods b\ndance\ncreate pods c"));
  CHECK(server.contents("pods").size() == 2);
}

TEST_CASE("scripts over HTTP are answered when all lines have run, even if they drop connections") {
  ApiServer server;
  const Answer done =
      ask(server, "/_ksr/script", {}, "POST", "populate pods 3\ndrop connections\nsleep 5ms\npopulate nodes 2");
  CHECK(done.status == 200);
  CHECK(server.contents("pods").size() == 3);
  CHECK(server.contents("nodes").size() == 2);
  const Answer wrong = ask(server, "/_ksr/script", {}, "POST", "dance");
  CHECK(wrong.status == 400);
  CHECK(wrong.body.find("dance") != std::string::npos);
  CHECK(server.requests().empty());
}

TEST_CASE("requests are recorded with their headers, and open watches counted") {
  ApiServer server;
  ask(server, "/api/v1/pods?limit=1", {{"X-Trace", "on"}});
  {
    const auto events = watch(server, "websocket", "/api/v1/pods?watch=1");
    server.script("wait watches pods 1");
    CHECK(server.open_watches("pods") == 1);
    CHECK(server.open_watches("nodes") == 0);
    CHECK(server.open_watches() == 1);
  }
  for (int i = 0; i < 2'000 && server.open_watches() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(server.open_watches() == 0);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].target == "/api/v1/pods?limit=1");
  CHECK(requests[0].header("x-trace") == "on");
  CHECK(requests[1].websocket);
  CHECK(server.count_requests("watch") == 1);
}

TEST_CASE("living pods start, run and end, and deleted ones are replaced") {
  ApiServer server;
  server.script("living pods 10");
  CHECK(server.contents("pods").size() == 10);
  const auto events =
      watch(server, "http", "/api/v1/pods?watch=1&resourceVersion=" + std::to_string(server.revision()));
  const boost::json::value list = ask(server, "/api/v1/pods").json();
  for (const auto& pod : list.at("items").as_array()) {
    const std::string ns = pod.at("metadata").at("namespace").as_string().c_str();
    const std::string name = pod.at("metadata").at("name").as_string().c_str();
    CHECK(boost::json::serialize(pod).size() > 3'000);
    CHECK(pod.at("status").at("phase") == "Running");
    CHECK(ask(server, "/api/v1/namespaces/" + ns + "/pods/" + name, {}, "DELETE").status == 200);
  }
  std::set<std::string> seen;
  while (seen.count("Running") == 0 || seen.count("Pending") == 0) {
    const auto [type, pod] = events->event();
    if (type != "DELETED") seen.insert(pod.at("status").at("phase").as_string().c_str());
  }
  CHECK(seen.size() >= 2);
}

TEST_CASE("churn creates, changes and deletes without end") {
  ApiServer server;
  server.script("churn configmaps 500/s");
  const auto events = watch(server, "http", "/api/v1/configmaps?watch=1");
  std::set<std::string> seen;
  while (seen.size() < 3) seen.insert(events->event().first);
  CHECK(seen == std::set<std::string>{"ADDED", "MODIFIED", "DELETED"});
}

TEST_CASE("quit ends wait()") {
  ApiServer server;
  server.script("quit");
  server.wait();
}
