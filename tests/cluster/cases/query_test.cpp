// What a stream requests: pages, selectors, limits, and what it may not read.
#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("2,000 objects in pages") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("many");
  for (int i = 0; i < 2'000; ++i) {
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "map-" + std::to_string(i)));
  }
  for (const char* page_size : {"500", "77", "0"}) {
    CAPTURE(page_size);
    Recorder seen;
    REQUIRE(seen.open(with(with(on_cluster("v1/configmaps", ns, "auto"), "page_size", page_size), "initial", "list")) ==
            KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.deltas().size() >= 2'000);
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, std::string("after-") + page_size));
    check_equals_list(seen, configmaps_path(ns));
    CHECK(seen.stat("lists") == 1);
  }
}

TEST_CASE("selectors filter, and objects that stop matching are removed") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("select");
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "blue", {}, {{"app", "web"}, {"tier", "front"}}));
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "red", {}, {{"app", "db"}}));
    Recorder labels;
    Recorder fields;
    REQUIRE(labels.open(with(on_cluster("v1/configmaps", ns, transport), "label_selector",
                             "app in (web, api),app!=db,!example.com/hidden")) == KSR_OK);
    REQUIRE(fields.open(with(on_cluster("v1/configmaps", ns, transport), "field_selector", "metadata.name=red")) ==
            KSR_OK);
    CHECK(labels.wait_name("blue"));
    CHECK(fields.wait_name("red"));
    CHECK(labels.wait_state(KSR_STATE_LIVE));
    cluster.admin().patch(configmaps_path(ns, "blue"), {{"metadata", {{"labels", {{"app", "db"}}}}}});
    cluster.admin().patch(configmaps_path(ns, "red"), {{"metadata", {{"labels", {{"app", "api"}}}}}});
    CHECK(labels.wait_name("blue", false));
    CHECK(labels.wait_name("red"));
    check_equals_list(labels, configmaps_path(ns) + "?labelSelector=app%3Dapi");
    check_equals_list(fields, configmaps_path(ns) + "?fieldSelector=metadata.name%3Dred");
  });
}

TEST_CASE("a limit keeps the most recent of all objects, over several pages") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("recent");
  // Names in the reverse order of time: the first page alone would hold the oldest.
  for (int i = 0; i < 30; ++i) {
    const std::string number = std::to_string(100 + i);
    cluster.admin().create(events_path(ns), make_event(ns, "event-" + std::to_string(999 - i),
                                                       "2026-01-01T00:" + number.substr(1) + ":00Z"));
  }
  on_both_transports([&](const std::string& transport) {
    Recorder seen;
    REQUIRE(seen.open(with(with(with(on_cluster("v1/events", ns, transport), "limit", "3"), "page_size", "10"),
                           "initial", "list")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    // The second transport finds the objects of the first one.
    std::vector<std::string> expected{"event-970", "event-971", "event-972"};
    if (transport == "http") expected = {"newest-websocket", "event-970", "event-971"};
    CHECK(seen.names() == expected);
    const std::string newest = "newest-" + transport;
    cluster.admin().create(
        events_path(ns), make_event(ns, newest, transport == "http" ? "2026-01-02T00:01:00Z" : "2026-01-02T00:00:00Z"));
    CHECK(seen.wait_name(newest));
    CHECK(seen.names().front() == newest);
    CHECK(seen.names().size() == 3);
    CHECK(seen.stat("objects") >= 31);
    CHECK(seen.violations().empty());
  });
}

TEST_CASE("a reader sees what it is bound to, and is refused elsewhere with the apiserver's message") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("rbac");
    cluster.allow_reading(reader_user(), ns, "", "configmaps");
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "mine"));
    Recorder allowed;
    Recorder refused;
    Recorder unknown;
    REQUIRE(allowed.open(on_cluster("v1/configmaps", ns, transport, reader_user())) == KSR_OK);
    REQUIRE(refused.open(on_cluster("v1/pods", ns, transport, unprivileged_user())) == KSR_OK);
    auto wrong_token = on_cluster("v1/pods", ns, transport);
    wrong_token[2].second = "no-such-token";
    REQUIRE(unknown.open(wrong_token) == KSR_OK);
    CHECK(allowed.wait_name("mine"));
    check_equals_list(allowed, configmaps_path(ns));
    REQUIRE(refused.wait_error(KSR_E_FORBIDDEN));
    const ksr::testing::SeenError error = refused.errors().front();
    CHECK(error.http_status == 403);
    CHECK(error.reason == "Forbidden");
    CHECK(error.retry_ms > 0);
    CHECK(error.message.find("pods is forbidden") != std::string::npos);
    REQUIRE(unknown.wait_error(KSR_E_AUTH));
    CHECK(unknown.errors().front().http_status == 401);
    CHECK(refused.updates() == 0);
    for (const auto* seen : {&refused, &unknown}) {
      for (const ksr::testing::SeenError& reported : seen->errors())
        CHECK(reported.message.find("no-such-token") == std::string::npos);
    }
  });
}

TEST_CASE("a missing resource is reported, and the next candidate is tried") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("absent");
  Recorder absent;
  REQUIRE(absent.open(on_cluster("example.com/v9/things", ns, "auto")) == KSR_OK);
  REQUIRE(absent.wait_error(KSR_E_NOT_FOUND));
  cluster.admin().create(configmaps_path(ns), make_configmap(ns, "found"));
  Recorder second;
  REQUIRE(second.open(on_cluster("example.com/v9/things,v1/configmaps", ns, "auto")) == KSR_OK);
  CHECK(second.wait_name("found"));
  check_equals_list(second, configmaps_path(ns));
}

TEST_CASE("several namespaces in one stream form one view") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    const std::string one = cluster.fresh_namespace("left");
    const std::string two = cluster.fresh_namespace("right");
    const std::string other = cluster.fresh_namespace("other");
    for (const std::string& ns : {one, two, other}) {
      cluster.admin().create(configmaps_path(ns), make_configmap(ns, "in-" + ns));
    }
    Recorder seen;
    REQUIRE(seen.open(on_cluster("v1/configmaps", one + "," + two, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.names() == std::vector<std::string>{"in-" + one, "in-" + two});
    cluster.admin().create(configmaps_path(two), make_configmap(two, "late"));
    cluster.admin().erase(configmaps_path(one, "in-" + one));
    CHECK(seen.wait_name("late"));
    CHECK(seen.wait_name("in-" + one, false));
    ksr::testing::Contents expected = listed(configmaps_path(one));
    expected.merge(listed(configmaps_path(two)));
    CHECK(seen.contents() == expected);
    CHECK(seen.stat("watches") == 2);
    CHECK(seen.violations().empty());
  });
}
