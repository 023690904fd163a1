#include "request/api_call.hpp"

#include <doctest/doctest.h>

#include <new>
#include <utility>

#include "support/allocation_failure.hpp"
#include "unit/cluster/discovery_samples.hpp"
#include "unit/cluster/fakes.hpp"
#include "unit/request/keys.hpp"

using namespace ksr;
using namespace ksr::request;
using namespace ksr::request::testing;
using cluster::testing::Reply;

namespace {

constexpr const char* kPod = "/api/v1/namespaces/a/pods/web";

class Calls {
 public:
  Calls() {
    options.server = "http://api:8001";
    options.token = "t";
    access = world.open(options).value();
    world.run_all();
  }
  ~Calls() {
    call.reset();
    world.run_all();
  }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void start(Pairs pairs, const char* body = nullptr) {
    Params params;
    for (const auto& [key, value] : pairs) REQUIRE_MESSAGE(set_param(params, key, value), key << "=" << value);
    if (body != nullptr) set_body(params, body);
    REQUIRE(check_params(params));
    const std::string name_space = params.name_space;
    call =
        std::make_shared<ApiCall>(ApiCall::Environment{world.executor, std::make_shared<FixedRandom>(), access, counts},
                                  std::move(params), name_space, [this](Expected<ResponseRef> outcome) {
                                    ++outcomes;
                                    last.emplace(std::move(outcome));
                                  });
    world.executor.post([this] { call->start(); });
    world.run_all();
  }
  void get() { start({{"resource", "v1/pods"}, {"namespace", "a"}, {"name", "web"}}); }
  // Time passes until the call has ended.
  void finish() {
    for (int i = 0; i < 200 && !last; ++i) {
      world.pass(Milliseconds(500));
      world.run_all();
    }
    REQUIRE(last);
  }
  void reply(const std::string& target, int status, const std::string& body, const char* type = "application/json") {
    Reply made;
    made.status = status;
    made.body = body;
    made.content_type = type;
    world.transport.replies[target] = made;
  }
  const Error& error() { return last->error(); }
  std::size_t sent() const { return world.transport.requests.size(); }

  cluster::testing::World world;
  cluster::ConnectionOptions options;
  std::shared_ptr<cluster::Access> access;
  std::shared_ptr<CallCounts> counts = std::make_shared<CallCounts>();
  std::shared_ptr<ApiCall> call;
  std::optional<Expected<ResponseRef>> last;
  int outcomes = 0;
};

constexpr const char* kNotFound =
    R"({"kind":"Status","status":"Failure","message":"pods \"web\" not found","reason":"NotFound",)"
    R"("details":{"name":"web","kind":"pods"},"code":404})";

// False: nothing failed, since there are not as many allocations.
bool has_outcome_without_memory(const Reply& answer, std::size_t left) {
  Calls calls;
  calls.world.transport.replies = {{"/api", {200, cluster::testing::aggregated_core}},
                                   {"/apis", {200, cluster::testing::aggregated_groups}},
                                   {kPod, answer}};
  Params params;
  for (const auto& [key, value] : Pairs{{"resource", "pods"}, {"namespace", "a"}, {"name", "web"}, {"timeout", "0"}}) {
    REQUIRE(set_param(params, key, value));
  }
  calls.call = std::make_shared<ApiCall>(
      ApiCall::Environment{calls.world.executor, std::make_shared<FixedRandom>(), calls.access, calls.counts},
      std::move(params), "a", [&](const Expected<ResponseRef>&) { ++calls.outcomes; });
  calls.world.executor.post([&] { calls.call->start(); });
  const ksr::testing::FailingAllocation failing(left);
  for (int i = 0; i < 200 && calls.outcomes == 0; ++i) {
    calls.world.executor.run_despite_exceptions();
    calls.world.executor.pass(Milliseconds(1000));
  }
  const bool failed = failing.has_failed();
  const ksr::testing::WithMemory with_memory;
  CHECK_MESSAGE(calls.outcomes == 1, "after " << left << " allocations");
  return failed;
}

}  // namespace

TEST_CASE("a get has its answer, over the client's connection") {
  Calls calls;
  calls.reply(kPod, 200, R"({"kind":"Pod","metadata":{"name":"web"}})");
  calls.get();
  REQUIRE(calls.last);
  REQUIRE(*calls.last);
  CHECK((*calls.last)->get()->body() == R"({"kind":"Pod","metadata":{"name":"web"}})");
  CHECK(calls.outcomes == 1);
  // No discovery: the resource is named in full.
  REQUIRE(calls.sent() == 1);
  CHECK(calls.world.transport.requests[0].method == "GET");
  bool authorized = false;
  for (const auto& header : calls.world.transport.requests[0].headers) {
    authorized = authorized || (header.name == "Authorization" && header.value == "Bearer t");
  }
  CHECK(authorized);
}

TEST_CASE("a refusal has status, reason, details and context") {
  Calls calls;
  calls.reply(kPod, 404, kNotFound);
  calls.get();
  REQUIRE(calls.last);
  REQUIRE_FALSE(*calls.last);
  CHECK(calls.error().status == Status::not_found);
  CHECK(calls.error().reason == "NotFound");
  CHECK(calls.error().http_status == 404);
  CHECK(calls.error().details == kNotFound);
  CHECK(calls.error().text().find("get of v1/pods \"web\" in namespace a at http://api:8001: ") == 0);
  CHECK(calls.sent() == 1);
}

TEST_CASE("conflicts and rejections have codes of their own") {
  for (const auto& [code, status] : {std::pair{409, Status::conflict}, std::pair{422, Status::rejected}}) {
    Calls calls;
    calls.reply(kPod, code, "no", "text/plain");
    calls.get();
    REQUIRE(calls.last);
    CHECK(calls.error().status == status);
    CHECK(calls.error().details == "");
  }
}

TEST_CASE("a get is tried again, five times, within its time") {
  Calls calls;
  calls.reply(kPod, 503, "busy", "text/plain");
  calls.get();
  CHECK_FALSE(calls.last);
  calls.finish();
  CHECK(calls.sent() == 6);
  CHECK(calls.counts->retries == 5);
  CHECK(calls.error().http_status == 503);
  CHECK_FALSE(calls.error().maybe_done);
}

TEST_CASE("a get that succeeds at the second try is a success") {
  Calls calls;
  calls.world.transport.failure = Error{Status::transport, "reset", "", 502};
  calls.get();
  CHECK_FALSE(calls.last);
  calls.world.transport.failure.reset();
  calls.reply(kPod, 200, "{}");
  calls.finish();
  CHECK(calls.last->has_value());
  CHECK(calls.sent() == 2);
}

TEST_CASE("a write is sent once unless it was surely not carried out") {
  const Pairs create{{"verb", "create"}, {"resource", "v1/pods"}, {"namespace", "a"}, {"timeout", "0"}};
  const char* target = "/api/v1/namespaces/a/pods";
  SUBCASE("503: it may have been") {
    Calls calls;
    calls.reply(target, 503, "busy", "text/plain");
    calls.start(create, "{}");
    REQUIRE(calls.last);
    CHECK(calls.sent() == 1);
    CHECK(calls.error().maybe_done);
  }
  SUBCASE("cut: it may have been") {
    Calls calls;
    Error cut{Status::transport, "reset", "", 502};
    cut.maybe_done = true;
    calls.world.transport.failure = cut;
    calls.start(create, "{}");
    REQUIRE(calls.last);
    CHECK(calls.sent() == 1);
    CHECK(calls.error().maybe_done);
  }
  SUBCASE("not connected: it was not") {
    Calls calls;
    calls.world.transport.failure = Error{Status::transport, "refused", "", 502};
    calls.start(create, "{}");
    CHECK_FALSE(calls.last);
    calls.finish();
    CHECK(calls.sent() == 6);
    CHECK_FALSE(calls.error().maybe_done);
  }
  SUBCASE("409: it was not") {
    Calls calls;
    calls.reply(target, 409, R"({"kind":"Status","reason":"AlreadyExists","code":409})");
    calls.start(create, "{}");
    REQUIRE(calls.last);
    CHECK(calls.sent() == 1);
    CHECK(calls.error().status == Status::conflict);
    CHECK_FALSE(calls.error().maybe_done);
  }
  SUBCASE("401: once more with new credentials") {
    Calls calls;
    calls.reply(target, 401, "no", "text/plain");
    calls.start(create, "{}");
    calls.finish();
    CHECK(calls.sent() == 2);
    CHECK(calls.error().status == Status::auth);
    CHECK_FALSE(calls.error().maybe_done);
  }
  SUBCASE("an earlier try may have been, although the last one was not") {
    Calls calls;
    calls.reply(target, 503, "busy", "text/plain");
    calls.start({{"verb", "create"}, {"resource", "v1/pods"}, {"namespace", "a"}, {"timeout", "0"}, {"retries", "all"}},
                "{}");
    CHECK_FALSE(calls.last);
    calls.reply(target, 409, R"({"kind":"Status","reason":"AlreadyExists","code":409})");
    calls.finish();
    CHECK(calls.sent() == 2);
    CHECK(calls.error().status == Status::conflict);
    CHECK(calls.error().maybe_done);
  }
}

TEST_CASE("an eviction that a budget forbids is answered at once") {
  Calls calls;
  calls.reply("/api/v1/namespaces/a/pods/web/eviction", 429,
              R"({"kind":"Status","reason":"TooManyRequests","details":{"causes":[{"reason":"DisruptionBudget"}]}})");
  calls.start({{"verb", "create"},
               {"resource", "v1/pods"},
               {"namespace", "a"},
               {"name", "web"},
               {"subresource", "eviction"},
               {"timeout", "0"}},
              "{}");
  REQUIRE(calls.last);
  CHECK(calls.sent() == 1);
  CHECK(calls.error().status == Status::throttled);
  CHECK_FALSE(calls.error().maybe_done);
}

TEST_CASE("several resources are tried while the API is missing, never while the object is") {
  const Pairs both{{"resource", "old.io/v1/things,new.io/v1/things"}, {"name", "x"}};
  {
    Calls calls;
    calls.reply("/apis/new.io/v1/things/x", 200, "{}");
    calls.start(both);
    REQUIRE(calls.last);
    CHECK(calls.last->has_value());
    CHECK(calls.sent() == 2);
  }
  Calls calls;
  calls.reply("/apis/old.io/v1/things/x", 404, kNotFound);
  calls.reply("/apis/new.io/v1/things/x", 200, "{}");
  calls.start(both);
  REQUIRE(calls.last);
  CHECK_FALSE(calls.last->has_value());
  CHECK(calls.sent() == 1);
}

TEST_CASE("a version of a resource that is served no longer: its name is looked up again") {
  const auto serve = [](Calls& calls, const std::string& version) {
    calls.reply("/apis", 200,
                R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"x.io"},"versions":[{"version":")" +
                    version + R"(","resources":[{"resource":"things","scope":"Namespaced","verbs":["get"]}]}]}]})");
  };
  const Pairs by_name{{"resource", "things"}, {"namespace", "a"}, {"name", "x"}};
  const std::string v1 = "/apis/x.io/v1/namespaces/a/things/x", v2 = "/apis/x.io/v2/namespaces/a/things/x";
  Calls calls;
  serve(calls, "v1");
  calls.reply(v1, 200, "{}");
  calls.start(by_name);
  REQUIRE((calls.last && calls.last->has_value()));
  serve(calls, "v2");
  calls.reply(v1, 404, "404 page not found", "text/plain");
  calls.reply(v2, 200, "{}");
  // What was read just now is taken to be up to date.
  calls.start(by_name);
  REQUIRE((calls.last && !calls.last->has_value()));
  CHECK(calls.error().http_status == 404);
  CHECK(calls.sent() == 4);
  calls.world.pass(Milliseconds(1'000));
  calls.start(by_name);
  REQUIRE(calls.last);
  CHECK(calls.last->has_value());
  CHECK(calls.sent() == 8);
  // An object that is not there is no reason.
  calls.reply(v2, 404, kNotFound);
  calls.world.pass(Milliseconds(1'000));
  calls.start(by_name);
  REQUIRE((calls.last && !calls.last->has_value()));
  CHECK(calls.sent() == 9);
  // Once: the names are the same.
  calls.reply(v2, 404, "404 page not found", "text/plain");
  calls.start(by_name);
  REQUIRE((calls.last && !calls.last->has_value()));
  CHECK(calls.sent() == 12);
  CHECK(calls.error().message.find("404 page not found") != std::string::npos);
  // Nor is a name in full looked up.
  calls.world.pass(Milliseconds(1'000));
  calls.start({{"resource", "x.io/v1/things"}, {"namespace", "a"}, {"name", "x"}});
  REQUIRE((calls.last && !calls.last->has_value()));
  CHECK(calls.sent() == 13);
}

TEST_CASE("a name is looked up again: discovery that does not answer hides no answer of the server") {
  Calls calls;
  calls.world.transport.replies = {{"/api", {200, cluster::testing::aggregated_core}},
                                   {"/apis", {200, cluster::testing::aggregated_groups}}};
  calls.reply(kPod, 200, "{}");
  const char* timeout = "30s";
  Milliseconds limit{10'000};
  SUBCASE("its limit is shorter than that of the call") {}
  SUBCASE("so it is where the call has none") {
    timeout = "0";
  }
  SUBCASE("it is longer") {
    timeout = "6s";
    limit = Milliseconds(6'000);
  }
  const Pairs by_name{{"resource", "pods"}, {"namespace", "a"}, {"name", "web"}, {"timeout", timeout}};
  calls.start(by_name);
  REQUIRE((calls.last && calls.last->has_value()));
  calls.world.pass(Milliseconds(1'000));
  calls.last.reset();
  const Reply unknown{404, "404 page not found", "text/plain"};
  calls.world.transport.serve = [&](const transport::Request& request, transport::ExchangeObserver& observer,
                                    const std::shared_ptr<const bool>& alive) {
    if (request.target == kPod) cluster::testing::FakeTransport::deliver(unknown, observer, alive);
  };
  calls.start(by_name);
  calls.world.pass(limit - Milliseconds(1));
  CHECK_FALSE(calls.last);
  calls.world.pass(Milliseconds(1));
  REQUIRE(calls.last);
  CHECK(calls.error().status == Status::not_found);
  CHECK(calls.error().http_status == 404);
}

TEST_CASE("a warning that has what the request was sent with does not show it") {
  Calls calls;
  Reply answer{200, "{}"};
  answer.headers = {{"warning", R"(299 - "the key s3cret-key-of-a-proxy is old")"}};
  calls.world.transport.replies[kPod] = answer;
  calls.start(
      {{"resource", "v1/pods"}, {"namespace", "a"}, {"name", "web"}, {"header.X-Api-Key", "s3cret-key-of-a-proxy"}});
  REQUIRE((calls.last && calls.last->has_value()));
  const std::vector<std::string>& warnings = (*calls.last)->get()->warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("s3cret") == std::string::npos);
  CHECK(warnings[0].find("is old") != std::string::npos);
}

TEST_CASE("the time limit is that of the whole call") {
  Calls calls;
  calls.world.transport.silent = true;
  std::string what = "no answer within 30000 ms";
  SUBCASE("a server that says nothing") {}
  SUBCASE("one that is still being connected to, which is told") {
    calls.world.transport.connecting = "connecting to api.test:443 at 127.0.0.2";
    what = "connecting to api.test:443 at 127.0.0.2: not done within 30000 ms";
  }
  calls.get();
  CHECK_FALSE(calls.last);
  calls.world.pass(Milliseconds(29'999));
  CHECK_FALSE(calls.last);
  calls.world.pass(Milliseconds(1));
  REQUIRE(calls.last);
  CHECK(calls.error().status == Status::timeout);
  CHECK(calls.error().http_status == 408);
  CHECK(calls.error().message == what);
}

TEST_CASE("a write tells the server how long it waits") {
  Calls calls;
  calls.start({{"verb", "delete"}, {"resource", "v1/pods"}, {"namespace", "a"}, {"name", "web"}, {"timeout", "5s"}});
  REQUIRE(calls.sent() == 1);
  CHECK(calls.world.transport.requests[0].target == std::string(kPod) + "?timeout=5000ms");
}

TEST_CASE("an answer above max_body is none") {
  Calls calls;
  calls.reply(kPod, 200, std::string(1'025, 'x'));
  calls.start({{"resource", "v1/pods"}, {"namespace", "a"}, {"name", "web"}, {"max_body", "1Ki"}});
  REQUIRE(calls.last);
  CHECK(calls.error().status == Status::too_large);
  calls.last.reset();
  calls.reply(kPod, 200, std::string(1'024, 'x'));
  calls.start({{"resource", "v1/pods"}, {"namespace", "a"}, {"name", "web"}, {"max_body", "1Ki"}});
  REQUIRE(calls.last);
  CHECK(calls.last->has_value());
}

TEST_CASE("nothing comes after cancel") {
  Calls calls;
  calls.world.transport.silent = true;
  calls.get();
  calls.world.executor.post([&] { calls.call->cancel(); });
  calls.world.run_all();
  calls.world.pass(Milliseconds(60'000));
  CHECK_FALSE(calls.last);
}

TEST_CASE("an exception ends the call with an error") {
  Calls calls;
  calls.world.transport.thrown_by_get = std::make_exception_ptr(std::bad_alloc());
  calls.get();
  REQUIRE(calls.last);
  CHECK(calls.error().status == Status::out_of_memory);
  CHECK(calls.outcomes == 1);
}

TEST_CASE("whichever allocation of a call that looks a name up fails, it has an outcome") {
  for (const Reply& answer : {Reply{200, "{}"}, Reply{404, kNotFound}, Reply{404, "404 page not found"}}) {
    std::size_t left = 0;
    while (has_outcome_without_memory(answer, left)) ++left;
    // Otherwise nothing was tried.
    CHECK(left > 50);
  }
}
