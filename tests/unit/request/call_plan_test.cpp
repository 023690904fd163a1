#include "request/call_plan.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "unit/request/keys.hpp"

using namespace ksr;
using namespace ksr::request;
using namespace ksr::request::testing;

namespace {

const cluster::Resource kPods{"/api/v1", "pods", true, "v1/pods"};

CallPlan plan_of(Pairs pairs, const char* body = nullptr, const std::string& name_space = "default") {
  const Params params = params_of(pairs, body);
  CHECK(contradiction(check_params(params)).empty());
  return plan_call(params, verb_of(params) == Verb::raw ? nullptr : &kPods, name_space).value();
}

std::string line(const CallPlan& plan) {
  return plan.method + " " + plan.target;
}

std::string header(const CallPlan& plan, const std::string& name) {
  for (const transport::Header& one : plan.headers) {
    if (one.name == name) return one.value;
  }
  return "";
}

constexpr const char* kObject = R"({"metadata":{"name":"a"}})";

}  // namespace

TEST_CASE("each verb has its method and path") {
  CHECK(line(plan_of({{"name", "a"}, {"resource", "v1/pods"}})) == "GET /api/v1/namespaces/default/pods/a");
  CHECK(line(plan_of({{"name", "a b"}, {"resource", "v1/pods"}}, nullptr, "")) == "GET /api/v1/pods/a%20b");
  CHECK(line(plan_of({{"verb", "list"}, {"resource", "v1/pods"}, {"label_selector", "a=b"}})) ==
        "GET /api/v1/namespaces/default/pods?labelSelector=a%3Db");
  CHECK(line(plan_of({{"verb", "create"}, {"resource", "v1/pods"}}, kObject)) ==
        "POST /api/v1/namespaces/default/pods");
  CHECK(line(plan_of({{"verb", "update"}, {"resource", "v1/pods"}, {"name", "a"}}, kObject)) ==
        "PUT /api/v1/namespaces/default/pods/a");
  CHECK(line(plan_of({{"verb", "delete"}, {"resource", "v1/pods"}, {"name", "a"}})) ==
        "DELETE /api/v1/namespaces/default/pods/a");
  CHECK(line(plan_of({{"verb", "deletecollection"}, {"resource", "v1/pods"}, {"field_selector", "x=y"}})) ==
        "DELETE /api/v1/namespaces/default/pods?fieldSelector=x%3Dy");
  CHECK(line(plan_of({{"verb", "create"}, {"resource", "v1/pods"}, {"name", "a"}, {"subresource", "eviction"}},
                     "{}")) == "POST /api/v1/namespaces/default/pods/a/eviction");
  CHECK(line(plan_of({{"verb", "update"}, {"resource", "v1/pods"}, {"name", "a"}, {"subresource", "status"}}, "{}")) ==
        "PUT /api/v1/namespaces/default/pods/a/status");
}

TEST_CASE("patches and apply have their media types") {
  const auto patch = [](const char* type, const char* body) {
    return plan_of({{"verb", "patch"}, {"resource", "v1/pods"}, {"name", "a"}, {"patch_type", type}}, body);
  };
  CHECK(header(patch("json", "[]"), "Content-Type") == "application/json-patch+json");
  CHECK(header(patch("merge", "{}"), "Content-Type") == "application/merge-patch+json");
  CHECK(header(patch("strategic", "{}"), "Content-Type") == "application/strategic-merge-patch+json");
  const CallPlan apply = plan_of({{"verb", "apply"},
                                  {"resource", "v1/pods"},
                                  {"name", "a"},
                                  {"field_manager", "me & you"},
                                  {"force", "true"},
                                  {"dry_run", "true"},
                                  {"field_validation", "strict"}},
                                 "{}");
  CHECK(line(apply) ==
        "PATCH /api/v1/namespaces/default/pods/"
        "a?fieldManager=me%20%26%20you&fieldValidation=Strict&force=true&dryRun=All");
  CHECK(header(apply, "Content-Type") == "application/apply-patch+yaml");
}

TEST_CASE("the options of a deletion are in its body, where the server looks first") {
  const CallPlan plan = plan_of({{"verb", "delete"},
                                 {"resource", "v1/pods"},
                                 {"name", "a"},
                                 {"propagation", "foreground"},
                                 {"grace_period", "5s"},
                                 {"precondition_uid", "u\"1"},
                                 {"dry_run", "true"}});
  CHECK(line(plan) == "DELETE /api/v1/namespaces/default/pods/a");
  CHECK(plan.body ==
        R"({"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground","gracePeriodSeconds":5,)"
        R"("preconditions":{"uid":"u\"1"},"dryRun":["All"]})");
  CHECK(header(plan, "Content-Type") == "application/json");
  CHECK(plan_of({{"verb", "delete"}, {"resource", "v1/pods"}, {"name", "a"}}).body == "");
  // An empty body is none: a dry run stays one.
  CHECK(plan_of({{"verb", "delete"}, {"resource", "v1/pods"}, {"name", "a"}, {"dry_run", "true"}}, "").body ==
        R"({"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"]})");
}

TEST_CASE("accept forms") {
  const auto accept = [](const char* verb, const char* form) {
    const bool named = std::string(verb) == "get";
    return header(named ? plan_of({{"resource", "v1/pods"}, {"name", "a"}, {"accept", form}})
                        : plan_of({{"verb", verb}, {"resource", "v1/pods"}, {"accept", form}}),
                  "Accept");
  };
  CHECK(accept("get", "json") == "application/json");
  CHECK(accept("list", "table") == "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  CHECK(accept("get", "metadata") == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
  CHECK(accept("list", "metadata") ==
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json");
  CHECK(accept("get", "yaml") == "application/yaml");
  CHECK(accept("get", "protobuf") == "application/vnd.kubernetes.protobuf,application/json");
  CHECK(accept("get", "text/csv;q=1") == "text/csv;q=1");
  CHECK(header(plan_of({{"path", "/x"}, {"header.Accept", "text/plain"}}), "Accept") == "text/plain");
}

TEST_CASE("raw requests keep their path and get the query") {
  CHECK(line(plan_of({{"path", "/healthz"}})) == "GET /healthz");
  CHECK(line(plan_of({{"path", "/x?a=b"}, {"query.c", "d e"}, {"method", "DELETE"}})) == "DELETE /x?a=b&c=d%20e");
  const CallPlan post = plan_of({{"path", "/x"}, {"method", "POST"}, {"header.X-A", "b"}}, "bytes");
  CHECK(post.body == "bytes");
  CHECK(header(post, "X-A") == "b");
  CHECK_FALSE(post.tell_timeout);
  CHECK_FALSE(post.safe);
}

TEST_CASE("writes tell the server when to give up, unless the host does") {
  const CallPlan create = plan_of({{"verb", "create"}, {"resource", "v1/pods"}}, kObject);
  CHECK(create.tell_timeout);
  CHECK(target_with_timeout(create, Milliseconds(1'500)) == "/api/v1/namespaces/default/pods?timeout=1500ms");
  CHECK(target_with_timeout(create, Milliseconds(0)) == "/api/v1/namespaces/default/pods?timeout=1ms");
  CHECK_FALSE(plan_of({{"verb", "create"}, {"resource", "v1/pods"}, {"query.timeout", "3s"}}, kObject).tell_timeout);
  CHECK_FALSE(plan_of({{"verb", "list"}, {"resource", "v1/pods"}}).tell_timeout);
}

TEST_CASE("a parameter is set once") {
  const Params params =
      params_of({{"verb", "create"}, {"resource", "v1/pods"}, {"dry_run", "true"}, {"query.dryRun", "x"}}, kObject);
  const auto plan = plan_call(params, &kPods, "");
  REQUIRE_FALSE(plan);
  CHECK(plan.error().status == Status::invalid);
}

TEST_CASE("the name of a new object is that of the body") {
  CHECK(plan_call(params_of({{"verb", "create"}, {"resource", "v1/pods"}, {"name", "a"}}, kObject), &kPods, ""));
  CHECK_FALSE(plan_call(params_of({{"verb", "create"}, {"resource", "v1/pods"}, {"name", "b"}}, kObject), &kPods, ""));
  CHECK_FALSE(plan_call(params_of({{"verb", "create"}, {"resource", "v1/pods"}, {"name", "b"}}, "{}"), &kPods, ""));
}

TEST_CASE("an error says what was asked of whom, without a query") {
  CHECK(context_of(params_of({{"resource", "v1/pods"}, {"name", "a"}, {"subresource", "status"}}, nullptr), &kPods,
                   "ns", "https://api:6443")
            .text() == "get of v1/pods/status \"a\" in namespace ns at https://api:6443");
  CHECK(context_of(params_of({{"path", "/x?token=secret"}}, nullptr), nullptr, "", "https://api:6443").text() ==
        "GET of /x at https://api:6443");
}
