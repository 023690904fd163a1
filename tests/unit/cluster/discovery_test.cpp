// Names become resources, with aggregated discovery and without.
#include "cluster/discovery.hpp"

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "support/text.hpp"
#include "unit/cluster/discovery_samples.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

using Answer = Expected<std::vector<Resource>>;

struct DiscoveryWorld : World {
  DiscoveryWorld() {
    ConnectionOptions options;
    options.server = "https://h";
    options.token = "t";
    const auto opened = open(options);
    REQUIRE(opened.has_value());
    access = *opened;
  }
  void serve_aggregated() {
    transport.replies["/api"] = {200, aggregated_core};
    transport.replies["/apis"] = {200, aggregated_groups};
  }
  void serve_old() {
    transport.replies["/api"] = {200, old_core};
    transport.replies["/apis"] = {200, old_groups};
    transport.replies["/api/v1"] = {200, old_core_v1};
    transport.replies["/apis/apps/v1"] = {200, old_apps_v1};
    transport.replies["/apis/apps/v1beta1"] = {200, old_apps_v1};
    transport.replies["/apis/metrics.k8s.io/v1beta1"] = {503, "service unavailable", "text/plain"};
  }
  std::optional<Answer> resolve(std::vector<std::string> names, std::vector<std::string> namespaces = {}) {
    QueryOptions query;
    query.resources = std::move(names);
    query.namespaces = std::move(namespaces);
    std::optional<Answer> answer;
    const auto pending = access->resolve(query, [&](Answer found) { answer.emplace(std::move(found)); });
    CHECK(!answer);
    run_all();
    return answer;
  }
  std::string display(std::vector<std::string> names, std::vector<std::string> namespaces = {}) {
    const auto answer = resolve(std::move(names), std::move(namespaces));
    if (!answer) return "no answer";
    if (const Error* error = answer->if_error()) return "error: " + error->message;
    std::string all;
    for (const Resource& resource : **answer) all += (all.empty() ? "" : " ") + resource.display;
    return all;
  }
  std::shared_ptr<Access> access;
};

using ksr::testing::has;

}  // namespace

// RFC 9110, section 15.3.4.
TEST_CASE("documents that a proxy has transformed (203) are as good as those with 200") {
  DiscoveryWorld world;
  world.serve_old();
  for (auto& [target, reply] : world.transport.replies) {
    if (reply.status == 200) reply.status = 203;
  }
  CHECK(world.display({"deploy", "pods"}) == "apps/v1/deployments v1/pods");
}

TEST_CASE("aggregated discovery answers with two requests, which are remembered") {
  DiscoveryWorld world;
  world.serve_aggregated();
  CHECK(world.display({"deploy"}) == "apps/v1/deployments");
  REQUIRE(world.transport.requests.size() == 2);
  CHECK(world.transport.requests[0].target == "/api");
  CHECK(world.transport.requests[0].accept_gzip);
  const auto& headers = world.transport.requests[1].headers;
  CHECK(std::find(headers.begin(), headers.end(), transport::Header{"Authorization", "Bearer t"}) != headers.end());
  CHECK(std::find(headers.begin(), headers.end(), transport::Header{"Accept", kDiscoveryAccept}) != headers.end());
  CHECK(world.display({"po.example.com", "ing"}) == "example.com/v1/po networking.k8s.io/v1/ingresses");
  CHECK(world.transport.requests.size() == 2);
  world.pass(Milliseconds(11 * 60'000));
  CHECK(world.display({"pods"}) == "v1/pods");
  CHECK(world.transport.requests.size() == 4);
}

TEST_CASE("without aggregated discovery each document is fetched, and a group that is down hides no other") {
  DiscoveryWorld world;
  world.serve_old();
  const auto logger = std::make_shared<RecordingLogger>();
  world.access->add_logger(logger);
  CHECK(world.display({"deploy"}) == "apps/v1/deployments");
  CHECK(world.display({"po"}) == "v1/pods");
  CHECK(world.transport.requests.size() == 6);
  REQUIRE(logger->lines.size() == 1);
  CHECK(has(logger->lines[0], "/apis/metrics.k8s.io/v1beta1: the server answered 503"));
}

TEST_CASE("a missing name is looked up again each time, and found once its CRD exists") {
  DiscoveryWorld world;
  world.transport.replies["/api"] = {200, aggregated_core};
  world.transport.replies["/apis"] = {200, R"({"kind":"APIGroupDiscoveryList","items":[]})"};
  auto answer = world.resolve({"deploy"});
  REQUIRE((answer && !answer->has_value()));
  CHECK(answer->error().status == Status::not_found);
  CHECK(has(answer->error().message, "the server has no resource \"deploy\""));
  CHECK(world.transport.requests.size() == 2);
  world.serve_aggregated();
  world.pass(Milliseconds(800));
  CHECK(world.display({"deploy"}) == "apps/v1/deployments");
  CHECK(world.transport.requests.size() == 4);
}

TEST_CASE("of several candidates those that exist are returned, in order") {
  DiscoveryWorld world;
  world.serve_aggregated();
  CHECK(world.display({"gateways", "ingresses", "v1/pods", "deployments.v1beta1.apps"}) ==
        "networking.k8s.io/v1/ingresses v1/pods apps/v1beta1/deployments");
}

TEST_CASE("a namespace on a cluster-scoped resource is an error") {
  DiscoveryWorld world;
  world.serve_aggregated();
  CHECK(world.display({"nodes"}) == "v1/nodes");
  CHECK(has(world.display({"nodes"}, {"default"}), "error: namespace: is set, but v1/nodes is not namespaced"));
  CHECK(world.display({"pods"}, {"default", "kube-system"}) == "v1/pods");
  // What discovery knows already applies to full names too.
  CHECK(has(world.display({"v1/nodes"}, {"default"}), "not namespaced"));
  CHECK(has(world.display({"pods"}, {"Not A Namespace"}), "error: namespace: "));
}

TEST_CASE("lookups at the same time share one pass over the documents") {
  DiscoveryWorld world;
  world.serve_aggregated();
  QueryOptions query;
  query.resources = {"pods"};
  int answers = 0;
  std::vector<PendingCall> waiting;
  for (int i = 0; i < 10; ++i)
    waiting.push_back(world.access->resolve(query, [&](Answer a) { answers += a.has_value(); }));
  waiting.erase(waiting.begin());
  world.run_all();
  CHECK(answers == 9);
  CHECK(world.transport.requests.size() == 2);
}

TEST_CASE("a pass that had begun before the server answered 404 says nothing of what is served now") {
  DiscoveryWorld world;
  world.serve_aggregated();
  REQUIRE(world.display({"pods"}) == "v1/pods");
  QueryOptions query;
  query.resources = {"pods"};
  std::vector<std::function<void()>> held;
  world.transport.serve = [&](const transport::Request& request, transport::ExchangeObserver& observer,
                              const std::shared_ptr<const bool>& alive) {
    held.push_back([&world, target = request.target, &observer, alive] {
      FakeTransport::deliver(world.transport.replies.at(target), observer, alive);
    });
  };
  const auto answer_all = [&] {
    for (const auto& answer : std::exchange(held, {})) answer();
    world.run_all();
  };
  world.pass(Milliseconds(5'000));
  int answers = 0;
  const auto first = world.access->resolve_again(query, [&](Answer a) { answers += a.has_value(); });
  world.run_all();
  REQUIRE_FALSE(held.empty());
  world.pass(Milliseconds(2'000));
  const auto second = world.access->resolve_again(query, [&](Answer a) { answers += a.has_value(); });
  world.run_all();
  while (answers == 0 && !held.empty()) answer_all();
  CHECK(answers == 1);
  REQUIRE_FALSE(held.empty());
  while (!held.empty()) answer_all();
  CHECK(answers == 2);
}

TEST_CASE("refusals and failures of discovery are errors with the server's message") {
  DiscoveryWorld world;
  world.transport.replies["/api"] = {
      403,
      R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":"forbidden: x","reason":"Forbidden","code":403})"};
  auto answer = world.resolve({"pods"});
  REQUIRE((answer && !answer->has_value()));
  CHECK(answer->error().status == Status::forbidden);
  CHECK(answer->error().message == "GET https://h:443/api: the server answered 403 Forbidden - forbidden: x");
  CHECK(answer->error().reason == "Forbidden");

  world.transport.replies["/api"] = {500, "oops", "text/plain"};
  CHECK(has(world.display({"pods"}),
            "error: GET https://h:443/api: the server answered 500 Internal Server Error: oops"));
  world.transport.replies["/api"] = {200, "<html><title>Sign in</title></html>", "text/html"};
  const std::string page = world.display({"pods"});
  CHECK(has(page, "not a JSON object"));
  CHECK(has(page, "GET https://h:443/api: "));
  CHECK(has(page, "Sign in"));
  world.transport.replies["/api"] = {200, std::string((std::size_t{32} << 20) + 1, 'x')};
  CHECK(has(world.display({"pods"}), "larger than"));
  world.transport.failure = Error{Status::transport, "connection refused", "", 502};
  answer = world.resolve({"pods"});
  REQUIRE((answer && !answer->has_value()));
  CHECK(answer->error().status == Status::transport);
  CHECK(answer->error().http_status == 502);
  world.transport.failure.reset();
  world.serve_aggregated();
  CHECK(world.display({"pods"}) == "v1/pods");
}

TEST_CASE("one of the two roots may be kept from a user") {
  DiscoveryWorld world;
  world.serve_aggregated();
  world.transport.replies["/apis"] = {403, "no", "text/plain"};
  CHECK(world.display({"pods"}) == "v1/pods");
  CHECK(world.resolve({"deploy"})->error().status == Status::forbidden);
  world.serve_aggregated();
  world.transport.replies["/api"] = {403, "no", "text/plain"};
  world.pass(Milliseconds(1));
  CHECK(world.display({"deployments.apps"}) == "apps/v1/deployments");
  CHECK(world.resolve({"events"})->error().status == Status::forbidden);
  // It may exist, the other not.
  world.transport.replies["/apis"] = {404, "no", "text/plain"};
  world.pass(Milliseconds(11 * 60'000));
  CHECK(world.resolve({"events"})->error().status == Status::forbidden);
}

TEST_CASE("while the document of the core group fails, no other group's resource is taken for one of it") {
  const std::string metrics = R"({"kind":"APIResourceList","groupVersion":"metrics.k8s.io/v1beta1","resources":[
{"name":"pods","singularName":"","namespaced":true,"kind":"PodMetrics","verbs":["get","list"]}]})";
  const auto failed = [](int status, const char* body) { return Reply{status, body, "text/plain"}; };
  const std::pair<Reply, Status> cases[] = {
      {failed(503, "down"), Status::server},     {failed(500, "oops"), Status::server},
      {failed(401, "no"), Status::auth},         {failed(403, "no"), Status::forbidden},
      {failed(200, "<html>"), Status::protocol}, {failed(200, "null"), Status::protocol},
  };
  for (const auto& [reply, status] : cases) {
    CAPTURE(reply.status);
    CAPTURE(reply.body);
    DiscoveryWorld world;
    world.serve_old();
    world.transport.replies["/apis/metrics.k8s.io/v1beta1"] = {200, metrics};
    world.transport.replies["/api/v1"] = reply;
    for (std::vector<std::string> names :
         {std::vector<std::string>{"pods"}, {"po"}, {"nodes"}, {"pods", "deploy.apps"}}) {
      const auto answer = world.resolve(names);
      REQUIRE((answer && !answer->has_value()));
      CHECK(answer->error().status == status);
      CHECK(has(answer->error().message, "https://h:443/api/v1: "));
      world.pass(Milliseconds(1));
    }
    // What is named with its group does not depend on it.
    CHECK(world.display({"deploy.apps"}) == "apps/v1/deployments");
    CHECK(world.display({"pods.metrics.k8s.io"}) == "metrics.k8s.io/v1beta1/pods");
    CHECK(world.display({"deploy.apps", "pods"}) == "apps/v1/deployments");
    // It is read again once a name needs it.
    world.transport.replies["/api/v1"] = {200, old_core_v1};
    world.pass(Milliseconds(1));
    CHECK(world.display({"pods"}) == "v1/pods");
  }
}

TEST_CASE("a stale group version of aggregated discovery is one that could not be read, unless its document can be") {
  const std::string stale =
      R"({"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]},)";
  std::string groups = aggregated_groups;
  groups.insert(groups.find(R"({"metadata":{"name":"example.com"})"), stale);
  DiscoveryWorld world;
  world.serve_aggregated();
  world.transport.replies["/apis"] = {200, groups};
  world.transport.replies["/apis/metrics.k8s.io/v1beta1"] = {503, "service unavailable", "text/plain"};
  for (std::vector<std::string> names : {std::vector<std::string>{"po.metrics.k8s.io"},
                                         {"widgets"},
                                         {"widgets", "pods"},
                                         {"po.metrics.k8s.io", "pods"}}) {
    const auto answer = world.resolve(names);
    REQUIRE((answer && !answer->has_value()));
    CHECK(answer->error().status == Status::server);
    CHECK(has(answer->error().message, "GET https://h:443/apis/metrics.k8s.io/v1beta1: the server answered 503"));
    world.pass(Milliseconds(1));
  }
  // What is preferred to it, or named with its group, does not depend on it.
  CHECK(world.display({"pods", "ing", "po.example.com"}) == "v1/pods networking.k8s.io/v1/ingresses example.com/v1/po");
  world.transport.replies["/apis/metrics.k8s.io/v1beta1"] = {
      200, R"({"kind":"APIResourceList","resources":[{"name":"po","namespaced":true,"kind":"Po","verbs":["list"]}]})"};
  world.pass(Milliseconds(1));
  CHECK(world.display({"po.metrics.k8s.io"}) == "metrics.k8s.io/v1beta1/po");
  // In its place in the order.
  CHECK(world.display({"po"}) == "metrics.k8s.io/v1beta1/po");
}

TEST_CASE("a group that has been removed since the list of groups was read has no resources") {
  DiscoveryWorld world;
  world.serve_old();
  world.transport.replies["/apis/metrics.k8s.io/v1beta1"] = {404, "no", "text/plain"};
  CHECK(world.resolve({"widgets"})->error().status == Status::not_found);
}

TEST_CASE("a refusal of the credentials has them renewed") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  options.token_file = world.files.write("token", "one");
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  world.files.write("token", "two");
  world.transport.replies["/api"] = world.transport.replies["/apis"] = {401, "{}"};
  world.pass(Milliseconds(2'000));
  QueryOptions query;
  query.resources = {"pods"};
  std::optional<Answer> answer;
  const auto pending = (*access)->resolve(query, [&](Answer found) { answer.emplace(std::move(found)); });
  world.run_all();
  REQUIRE((answer && !answer->has_value()));
  CHECK(answer->error().status == Status::auth);
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Bearer two");
}

TEST_CASE("a callback may release the Access, which cancels the requests on their way") {
  DiscoveryWorld world;
  world.serve_aggregated();
  QueryOptions query;
  query.resources = {"pods"};
  int answers = 0;
  PendingCall first, second;
  first = world.access->resolve(query, [&](Answer) {
    ++answers;
    first.cancel();
    world.access.reset();
  });
  second = world.access->resolve(query, [&](Answer) { ++answers; });
  world.run_all();
  CHECK(answers >= 1);

  DiscoveryWorld other;
  other.transport.silent = true;
  const auto pending = other.access->resolve(query, [](Answer) { FAIL("answered"); });
  other.run_all();
  CHECK(other.transport.requests.size() == 2);
  other.access.reset();
  other.run_all();
}

TEST_CASE("a namespace on a resource that is named in full asks for one document, once") {
  DiscoveryWorld world;
  world.transport.replies["/api/v1"] = {200, old_core_v1};
  CHECK(has(world.display({"v1/nodes"}, {"shop"}), "error: namespace: is set, but v1/nodes is not namespaced"));
  CHECK(world.display({"v1/pods"}, {"shop"}) == "v1/pods");
  CHECK(world.display({"/api/v1/pods"}, {"shop"}) == "v1/pods");
  REQUIRE(world.transport.requests.size() == 1);
  CHECK(world.transport.requests[0].target == "/api/v1");
  CHECK(world.display({"v1/nodes"}) == "v1/nodes");
  CHECK(world.transport.requests.size() == 1);
  world.pass(Milliseconds(11 * 60'000));
  CHECK(world.display({"v1/pods"}, {"shop"}) == "v1/pods");
  CHECK(world.transport.requests.size() == 2);
}

TEST_CASE("a server that does not say what it serves does not prevent a request") {
  DiscoveryWorld world;
  CHECK(world.display({"example.com/v9/things", "v1/pods"}, {"shop"}) == "example.com/v9/things v1/pods");
  for (const Reply& reply : {Reply{403, "no"}, Reply{500, "oops"}, Reply{200, "<html>"}, Reply{401, "{}"}}) {
    world.transport.replies["/api/v1"] = reply;
    CHECK(world.display({"v1/pods"}, {"shop"}) == "v1/pods");
  }
  world.transport.failure = Error{Status::transport, "connection refused", "", 502};
  CHECK(world.display({"apps/v1/deployments"}, {"shop"}) == "apps/v1/deployments");
}

TEST_CASE("the namespace of the context binds what has namespaces, and nothing else") {
  DiscoveryWorld world;
  world.serve_aggregated();
  world.transport.replies["/api/v1"] = {200, old_core_v1};
  const auto scopes = [&](std::vector<std::string> names) {
    QueryOptions query;
    query.resources = std::move(names);
    query.namespaces = {"shop"};
    query.namespaces_of_context = true;
    std::optional<Answer> answer;
    const auto pending = world.access->resolve(query, [&](Answer found) { answer.emplace(std::move(found)); });
    world.run_all();
    REQUIRE(answer);
    if (const Error* error = answer->if_error()) return "error: " + error->message;
    std::string all;
    for (const Resource& resource : **answer) {
      all += resource.display + (resource.namespaced == false ? " cluster "
                                 : resource.namespaced        ? " namespaced "
                                                              : " ? ");
    }
    return all;
  };
  CHECK(scopes({"v1/nodes"}) == "v1/nodes cluster ");
  CHECK(scopes({"nodes"}) == "v1/nodes cluster ");
  CHECK(scopes({"v1/pods"}) == "v1/pods namespaced ");
  CHECK(scopes({"pods", "no"}) == "v1/pods namespaced ");
  CHECK(scopes({"no", "pods", "po.example.com"}) == "v1/nodes cluster example.com/v1/po cluster ");
  // What is not served yet may come with either scope.
  CHECK(has(scopes({"example.com/v9/things"}), "error: the server has no resource \"example.com/v9/things\""));
  CHECK(scopes({"example.com/v9/things", "v1/pods"}) == "v1/pods namespaced ");
  world.transport.replies["/apis/example.com/v9"] = {403, "no"};
  world.pass(Milliseconds(1));
  CHECK(scopes({"example.com/v9/things"}) == "example.com/v9/things ? ");
}

TEST_CASE("a full name waits for its own document, whatever becomes of the others") {
  DiscoveryWorld world;
  world.transport.replies["/api"] = {500, "oops"};
  world.transport.replies["/api/v1"] = {200, old_core_v1};
  QueryOptions by_name, in_full;
  by_name.resources = {"pods"};
  in_full.resources = {"v1/pods"};
  in_full.namespaces = {"shop"};
  std::optional<Answer> one, other;
  const auto first = world.access->resolve(by_name, [&](Answer found) { one.emplace(std::move(found)); });
  const auto second = world.access->resolve(in_full, [&](Answer found) { other.emplace(std::move(found)); });
  world.run_all();
  REQUIRE((one && other));
  CHECK(!one->has_value());
  CHECK(other->has_value());
}

TEST_CASE("a refused discovery says why in one line, with the server's Retry-After") {
  DiscoveryWorld world;
  Reply refused{403, R"({"kind":"Status","message":"a\nb\u0000c","reason":"For\nbidden","code":403})"};
  world.transport.replies["/api"] = world.transport.replies["/apis"] = refused;
  auto answer = world.resolve({"pods"});
  REQUIRE((answer && !answer->has_value()));
  CHECK(answer->error().status == Status::forbidden);
  CHECK(has(answer->error().message, "GET https://h:443/api: "));
  CHECK(has(answer->error().message, "403"));
  CHECK(has(answer->error().message, "a b?c"));
  CHECK(answer->error().reason == "For bidden");

  refused.body = R"({"kind":"Status","message":")" + std::string(900'000, 'x') + R"(","code":429})";
  refused.status = 429;
  refused.retry_after = "7";
  world.transport.replies["/api"] = world.transport.replies["/apis"] = refused;
  answer = world.resolve({"pods"});
  REQUIRE((answer && !answer->has_value()));
  CHECK(answer->error().status == Status::throttled);
  CHECK(answer->error().message.size() < 600);
  REQUIRE(answer->error().retry_after);
  CHECK(*answer->error().retry_after == Milliseconds(7'000));
}

TEST_CASE("a refusal of one discovery document is one line in the log") {
  DiscoveryWorld world;
  world.serve_old();
  world.transport.replies["/apis/apps/v1"] = {403, R"({"kind":"Status","message":"a\r\nb\u0000c","code":403})"};
  const auto logger = std::make_shared<RecordingLogger>();
  world.access->add_logger(logger);
  CHECK(world.display({"pods"}) == "v1/pods");
  REQUIRE(logger->lines.size() == 2);
  for (const std::string& line : logger->lines) CHECK(!has_control_characters(line));
  CHECK((has(logger->lines[0], "a  b?c") || has(logger->lines[1], "a  b?c")));
}

TEST_CASE("discovery has a limit as a whole: documents that drip do not extend it") {
  DiscoveryWorld world;
  std::vector<std::pair<transport::ExchangeObserver*, std::shared_ptr<const bool>>> asked;
  world.transport.serve = [&](const transport::Request&, transport::ExchangeObserver& observer,
                              const std::shared_ptr<const bool>& alive) {
    asked.emplace_back(&observer, alive);
    world.executor.post([&observer, alive] {
      Reply reply{200, "{"};
      reply.goes_on = true;
      FakeTransport::deliver(reply, observer, alive);
    });
  };
  QueryOptions query;
  query.resources = {"pods"};
  std::optional<Answer> answer;
  const auto pending = world.access->resolve(query, [&](Answer found) { answer.emplace(std::move(found)); });
  world.run_all();
  REQUIRE_FALSE(asked.empty());
  for (int second = 0; second < 120; ++second) {
    REQUIRE_FALSE(answer);
    for (const auto& [observer, alive] : asked) {
      if (*alive) observer->on_body(" ");
    }
    world.pass(Milliseconds(1'000));
  }
  REQUIRE(answer);
  REQUIRE_FALSE(answer->has_value());
  CHECK(answer->error().status == Status::timeout);
  CHECK(answer->error().http_status == 408);
  CHECK(has(answer->error().message, "did not end within 120000 ms"));
}
