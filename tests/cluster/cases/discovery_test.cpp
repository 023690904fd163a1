// Resources that the cluster starts to serve while streams wait for them.
#include <boost/json.hpp>
#include <thread>

#include "cluster/cases/ways.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

namespace {

namespace json = boost::json;

constexpr const char* kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

// A separate CRD for each call: plural "PREFIXs", kind "PREFIX", short name "PREFIXx".
json::object crd_of(const std::string& name, const char* scope) {
  json::object crd = make_widget_crd();
  crd["metadata"] = {{"name", name + "s.ksr.test"}};
  json::object& spec = crd["spec"].as_object();
  std::string kind = name;
  kind[0] = static_cast<char>(kind[0] - 'a' + 'A');
  spec["names"] = {{"plural", name + "s"}, {"singular", name}, {"kind", kind}, {"shortNames", json::array{name + "x"}}};
  spec["scope"] = scope;
  return crd;
}

json::object thing(const std::string& name, const std::string& object, const std::string& ns) {
  json::object made = make_widget(ns, object, 1);
  std::string kind = name;
  kind[0] = static_cast<char>(kind[0] - 'a' + 'A');
  made["kind"] = kind;
  return made;
}

void create_when_served(const std::string& collection, const json::object& object) {
  ApiClient& admin = Cluster::shared().admin();
  for (int attempt = 0; attempt < 600; ++attempt) {
    const json::value body = object;
    if (admin.request("POST", collection, &body).status == 201) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  FAIL("not served: " << collection);
}

int number = 0;

}  // namespace

TEST_CASE("a CRD is installed while streams wait for it by each of its names") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("late");
    const std::string name = std::string("gadget") + static_cast<char>('a' + number++);
    Recorder knows_others;
    REQUIRE(knows_others.open(with(way.to("cm", ns), "token", admin_user().token)) == KSR_OK);
    REQUIRE(knows_others.wait_state(KSR_STATE_LIVE));

    const std::string names[] = {name + "s", name, name + "x", name + "s.ksr.test", name + "s.v1.ksr.test"};
    Recorder waiting[5];
    for (int i = 0; i < 5; ++i) {
      REQUIRE(waiting[i].open(with(way.to(names[i], ns), "token", admin_user().token)) == KSR_OK);
    }
    for (int i = 0; i < 5; ++i) {
      CAPTURE(names[i]);
      REQUIRE(waiting[i].wait_error(KSR_E_NOT_FOUND));
      CHECK(waiting[i].errors().front().message.find("the server has no resource \"" + names[i]) != std::string::npos);
      CHECK(waiting[i].errors().front().retry_ms > 0);
    }
    cluster.admin().create(kCrds, crd_of(name, "Namespaced"));
    create_when_served("/apis/ksr.test/v1/namespaces/" + ns + "/" + name + "s", thing(name, "first", ns));
    for (int i = 0; i < 5; ++i) {
      CAPTURE(names[i]);
      CHECK(waiting[i].wait_name("first"));
      CHECK(waiting[i].wait_state(KSR_STATE_LIVE));
    }
    check_equals_list(waiting[0], "/apis/ksr.test/v1/namespaces/" + ns + "/" + name + "s");
    CHECK(knows_others.errors().empty());
  });
}

TEST_CASE("a namespace for a cluster-scoped resource is refused; the context's namespace does not apply to it") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string name = std::string("planet") + static_cast<char>('a' + number++);
    cluster.admin().create(kCrds, crd_of(name, "Cluster"));
    create_when_served("/apis/ksr.test/v1/" + name + "s", thing(name, "first", ""));
    for (const std::string& resource : {std::string("v1/nodes"), std::string("/api/v1/nodes"), std::string("nodes"),
                                        name, "ksr.test/v1/" + name + "s"}) {
      CAPTURE(resource);
      Recorder refused;
      REQUIRE(refused.open(with(way.to(resource, "default"), "token", admin_user().token)) == KSR_OK);
      REQUIRE(refused.wait_error(KSR_E_INVALID));
      REQUIRE(refused.errors().size() == 1);
      CHECK(refused.errors().front().retry_ms == -1);
      CHECK(refused.errors().front().message.find("is not namespaced; expected no namespace") != std::string::npos);
    }
    for (const std::string& resource : {name, "ksr.test/v1/" + name + "s"}) {
      Recorder seen;
      REQUIRE(seen.open(with(way.to(resource, "@context"), "token", admin_user().token)) == KSR_OK);
      CHECK(seen.wait_name("first"));
      CHECK(seen.wait_state(KSR_STATE_LIVE));
      check_equals_list(seen, "/apis/ksr.test/v1/" + name + "s");
    }
  });
}
