#include <doctest/doctest.h>
#include <zlib.h>

#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using Names = std::vector<std::string>;

namespace {

std::string gunzipped(const std::string& body) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(16 * 1024 * 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string next_of(const Answer& page) {
  const auto json = page.json();
  const auto* next = json.at("metadata").as_object().if_contains("continue");
  return next != nullptr ? next->as_string().c_str() : "";
}

}  // namespace

TEST_CASE("pages show one revision and remainingItemCount, whatever changes meanwhile") {
  ApiServer server;
  server.script("populate pods 5");
  const Answer first = ask(server, "/api/v1/pods?limit=2");
  CHECK(names_of(first.json()) == Names{"pod-0", "pod-1"});
  CHECK(first.json().at("metadata").at("remainingItemCount").as_int64() == 3);
  server.script("delete pods pod-3\ncreate pods pod-31");
  const Answer second = ask(server, "/api/v1/pods?limit=2&continue=" + next_of(first));
  CHECK(names_of(second.json()) == Names{"pod-2", "pod-3"});
  const Answer last = ask(server, "/api/v1/pods?limit=2&continue=" + next_of(second));
  CHECK(names_of(last.json()) == Names{"pod-4"});
  CHECK(next_of(last).empty());
  CHECK(last.json().at("metadata").at("resourceVersion") == first.json().at("metadata").at("resourceVersion"));
  CHECK(names_of(ask(server, "/api/v1/pods").json()) == Names{"pod-0", "pod-1", "pod-2", "pod-31", "pod-4"});
}

TEST_CASE("a compacted continue token: 410 with a token for an inconsistent continuation") {
  ApiServer server;
  server.script("populate pods 3");
  const std::string token = next_of(ask(server, "/api/v1/pods?limit=2"));
  server.script("create pods pod-9\ncompact");
  const Answer gone = ask(server, "/api/v1/pods?limit=2&continue=" + token);
  CHECK(gone.status == 410);
  CHECK(gone.json().at("reason") == "Expired");
  CHECK(names_of(ask(server, "/api/v1/pods?continue=" + next_of(gone)).json()) == Names{"pod-2", "pod-9"});
  CHECK(ask(server, "/api/v1/pods?continue=invalid").status == 400);
  CHECK(ask(server, "/api/v1/pods?resourceVersion=1001&resourceVersionMatch=Exact").status == 410);
  CHECK(ask(server, "/api/v1/pods?resourceVersion=99999999").status == 504);
}

TEST_CASE("items of typed lists have no kind; a CRD's list is in alphabetical order with kinds inside") {
  ApiServer server;
  server.script("create pods a\ncreate widgets w {\"spec\":{\"size\":3}}");
  const Answer pods = ask(server, "/api/v1/pods");
  CHECK(pods.body.rfind(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")", 0) == 0);
  CHECK(pods.body.find(R"("items":[{"metadata":{"name":"a","namespace":"default")") != std::string::npos);
  const Answer widgets = ask(server, "/apis/example.ksr.dev/v1/widgets");
  CHECK(widgets.body.rfind(R"({"apiVersion":"example.ksr.dev/v1","items":[{"apiVersion":)", 0) == 0);
  CHECK(widgets.json().at("items").at(0).at("kind") == "Widget");
  CHECK(widgets.json().at("items").at(0).at("spec").at("size").as_int64() == 3);
}

TEST_CASE("selectors and namespaces") {
  ApiServer server;
  server.script(
      "create pods a app=web tier=1\ncreate pods b app=db\ncreate pods other/c app=web\n"
      "create pods d app=web {\"spec\":{\"nodeName\":\"n1\"}}");
  CHECK(names_of(ask(server, "/api/v1/pods?labelSelector=app%3Dweb").json()) == Names{"a", "d", "c"});
  CHECK(names_of(ask(server, "/api/v1/pods?labelSelector=app+in+(db,x),!tier").json()) == Names{"b"});
  CHECK(names_of(ask(server, "/api/v1/namespaces/other/pods").json()) == Names{"c"});
  CHECK(names_of(ask(server, "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1").json()) == Names{"d"});
  const Answer page = ask(server, "/api/v1/pods?labelSelector=app%3Dweb&limit=1");
  CHECK_FALSE(next_of(page).empty());
  CHECK(page.json().at("metadata").as_object().if_contains("remainingItemCount") == nullptr);
  CHECK(ask(server, "/api/v1/pods?labelSelector=a+in+b((").status == 400);
}

TEST_CASE("large bodies are compressed for clients that accept it, small ones never") {
  ApiServer server;
  server.script("populate pods 2000\ncreate nodes n");
  const std::string plain = ask(server, "/api/v1/pods").body;
  const Answer packed = ask(server, "/api/v1/pods", {{"Accept-Encoding", "gzip"}});
  CHECK(packed.header("Content-Encoding") == "gzip");
  CHECK(packed.body.size() < plain.size());
  CHECK(gunzipped(packed.body) == plain);
  CHECK(ask(server, "/api/v1/nodes", {{"Accept-Encoding", "gzip"}}).header("Content-Encoding").empty());
}

TEST_CASE("metadata only, discovery and the version") {
  ApiServer server;
  server.script("create pods a {\"spec\":{\"x\":1}}");
  const Fields partial{{"Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}};
  const auto list = ask(server, "/api/v1/pods", partial).json();
  CHECK(list.at("kind") == "PartialObjectMetadataList");
  CHECK(list.at("items").at(0).at("kind") == "PartialObjectMetadata");
  CHECK(list.at("items").at(0).as_object().if_contains("spec") == nullptr);
  CHECK(ask(server, "/version").json().at("major") == "1");
  CHECK(ask(server, "/readyz").body == "ok");
  CHECK(ask(server, "/api/v1").json().at("resources").at(0).at("kind") == "Pod");
  CHECK(ask(server, "/apis").json().at("kind") == "APIGroupList");
  const Fields aggregated{{"Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}};
  CHECK(ask(server, "/apis", aggregated).json().at("kind") == "APIGroupDiscoveryList");
}

TEST_CASE("objects are written, read and deleted over HTTP as well") {
  ApiServer server;
  const std::string pods = "/api/v1/namespaces/default/pods";
  CHECK(ask(server, pods, {}, "POST", R"({"metadata":{"name":"a"}})").status == 201);
  CHECK(ask(server, pods, {}, "POST", R"({"metadata":{"name":"a"}})").status == 409);
  CHECK(ask(server, pods, {}, "POST", "no json").status == 400);
  CHECK(ask(server, pods + "/a", {}, "PATCH", R"({"spec":{"x":1}})").json().at("spec").at("x").as_int64() == 1);
  CHECK(ask(server, pods + "/a", {}, "DELETE").status == 200);
  CHECK(ask(server, pods + "/a").message() == "pods \"a\" not found");
  CHECK(server.contents("pods").empty());
}
