// How a real kube-apiserver refuses, and what becomes of requests while it does not answer: evictions, priority and
// fairness, timeouts, aggregated APIs that are down, tokens that expire, and an apiserver that is killed.
#include <atomic>
#include <set>
#include <thread>

#include "cluster/cases/service_account.hpp"
#include "cluster/cases/ways.hpp"
#include "cluster/harness/wait.hpp"
#include "support/requester.hpp"
#include "support/temporary_directory.hpp"
#include "support/text.hpp"

using namespace ksr::clustertest;
using ksr::testing::Answer;
using ksr::testing::Params;
using ksr::testing::Requester;
using ksr::testing::Settings;

namespace {

Settings client_with(const std::string& key, const std::string& value) {
  Cluster& cluster = Cluster::shared();
  return {{"server", cluster.url()}, {"ca_file", cluster.ca_file()}, {key, value}};
}

Settings admin_client() {
  return client_with("token", admin_user().token);
}

Settings on(const std::string& verb, const std::string& resource, const std::string& ns, const std::string& name = "",
            Settings more = {}) {
  Settings settings{{"verb", verb}, {"resource", resource}};
  if (!ns.empty()) settings.emplace_back("namespace", ns);
  if (!name.empty()) settings.emplace_back("name", name);
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

using ksr::testing::has;

}  // namespace

TEST_CASE("status and scale of a custom resource") {
  Cluster& cluster = Cluster::shared();
  cluster.install_widget_crd();
  const std::string ns = cluster.fresh_namespace("scale");
  const Requester requester(admin_client());
  cluster.admin().create(widgets_path(ns), make_widget(ns, "w", 3));
  // By kind, short name and full name: discovery knows it.
  for (const char* resource : {"Widget", "wd", "widgets.ksr.test", "ksr.test/v1/widgets"}) {
    CAPTURE(resource);
    CHECK(requester.call(on("get", resource, ns, "w")).status == KSR_OK);
  }
  const Settings scale{{"subresource", "scale"}};
  const Answer read = requester.call(on("get", "ksr.test/v1/widgets", ns, "w", scale));
  CHECK(has(read.body, R"("kind":"Scale")"));
  CHECK(has(read.body, R"("replicas":3)"));
  CHECK(requester.call(on("patch", "ksr.test/v1/widgets", ns, "w", scale), R"({"spec":{"replicas":7}})").status ==
        KSR_OK);
  CHECK(has(requester.call(on("get", "ksr.test/v1/widgets", ns, "w")).body, R"("size":7)"));
  const Settings status{{"subresource", "status"}};
  CHECK(requester.call(on("patch", "ksr.test/v1/widgets", ns, "w", status), R"({"status":{"size":5}})").status ==
        KSR_OK);
  CHECK(has(requester.call(on("get", "ksr.test/v1/widgets", ns, "w", scale)).body, R"("status":{"replicas":5)"));
  const Answer strategic = requester.call(on("patch", "ksr.test/v1/widgets", ns, "w", {{"patch_type", "strategic"}}),
                                          R"({"spec":{"size":1}})");
  CHECK(strategic.status == KSR_E_REJECTED);
  CHECK(strategic.http_status == 415);
  CHECK(requester.call(on("delete", "ksr.test/v1/widgets", ns, "w", {{"precondition_uid", "another"}})).status ==
        KSR_E_CONFLICT);
  CHECK(requester.call(on("delete", "ksr.test/v1/widgets", ns, "w")).status == KSR_OK);
}

TEST_CASE("an eviction that a budget does not allow is answered at once, not tried again") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("evict");
  const Requester requester(admin_client());
  auto pod = make_pod(ns, "p", {{"app", "a"}});
  cluster.admin().create(pods_path(ns), pod);
  cluster.admin().patch_status(pods_path(ns, "p"), {{"phase", "Running"}});
  const char* budget = R"({"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"a"}}}})";
  REQUIRE(requester.call(on("create", "policy/v1/poddisruptionbudgets", ns), budget).status == KSR_OK);
  const Settings eviction{{"subresource", "eviction"}};
  const std::uint64_t before = requester.stat("retries");
  Answer refused;
  // The apiserver reads budgets from its own cache.
  wait_until("the budget to hold", [&] {
    refused = requester.call(on("create", "v1/pods", ns, "p", {{"subresource", "eviction"}, {"dry_run", "true"}}),
                             R"({"metadata":{"name":"p"}})");
    return refused.status != KSR_OK;
  });
  CHECK(refused.status == KSR_E_THROTTLED);
  CHECK(refused.http_status == 429);
  CHECK(refused.reason == "TooManyRequests");
  CHECK(has(refused.details, "DisruptionBudget"));
  CHECK(refused.maybe_done == 0);
  CHECK(requester.stat("retries") == before);
  CHECK(requester.call(on("delete", "policy/v1/poddisruptionbudgets", ns, "b")).status == KSR_OK);
  wait_until("the budget to be gone", [&] {
    return requester.call(on("create", "v1/pods", ns, "p", eviction), R"({"metadata":{"name":"p"}})").http_status ==
           201;
  });
}

TEST_CASE("priority and fairness refuses: what was not carried out is tried again, and carried out once") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("fair");
  const Requester admin(admin_client());
  const std::string user = reader_user().name;
  const std::string rbac = "rbac.authorization.k8s.io/v1/";
  REQUIRE(admin
              .call(on("create", rbac + "roles", ns),
                    R"({"metadata":{"name":"w"},"rules":[{"apiGroups":[""],"resources":["configmaps"],
                    "verbs":["create"]}]})")
              .status == KSR_OK);
  REQUIRE(admin
              .call(on("create", rbac + "rolebindings", ns),
                    R"({"metadata":{"name":"w"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role",
                    "name":"w"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":")" +
                        user + R"("}]})")
              .status == KSR_OK);
  // One seat for this user (apiserver util/flowcontrol/fairqueuing/queueset: a request is always let in alone).
  const char* level = R"({"metadata":{"name":"ksr-one"},"spec":{"type":"Limited","limited":
      {"nominalConcurrencyShares":0,"lendablePercent":0,"borrowingLimitPercent":0,"limitResponse":{"type":"Reject"}}}})";
  const std::string schema =
      R"({"metadata":{"name":"ksr-one"},"spec":{"priorityLevelConfiguration":{"name":"ksr-one"},
      "matchingPrecedence":2,"rules":[{"subjects":[{"kind":"User","user":{"name":")" +
      user +
      R"("}}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"namespaces":["*"],
      "clusterScope":true}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]}})";
  const std::string group = "flowcontrol.apiserver.k8s.io/v1/";
  REQUIRE(admin.call(on("create", group + "prioritylevelconfigurations", ""), level).status == KSR_OK);
  const Answer made = admin.call(on("create", group + "flowschemas", ""), schema);
  REQUIRE_MESSAGE(made.status == KSR_OK, made.message);
  const Requester reader(client_with("token", reader_user().token));
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> load;
  for (int i = 0; i < 6; ++i) {
    load.emplace_back([&] {
      while (!stop) {
        const Answer answer = reader.call({{"path", "/version"}, {"retries", "never"}});
        if (answer.http_status != 429) continue;
        ++refused;
        if (answer.status != KSR_E_THROTTLED || answer.maybe_done != 0) ++wrong;
      }
    });
  }
  wait_until("a request to be refused", [&] { return refused > 0; });
  const std::uint64_t before = reader.stat("retries");
  int created = 0;
  for (int i = 0; i < 2000 && (created < 5 || reader.stat("retries") == before); ++i) {
    const Answer answer = reader.call(on("create", "v1/configmaps", ns, "", {{"timeout", "20s"}}),
                                      R"({"metadata":{"name":"c-)" + std::to_string(i) + R"("}})");
    // The load may win five times in a row.
    CHECK_MESSAGE((answer.status == KSR_OK || answer.status == KSR_E_THROTTLED), answer.message);
    CHECK(answer.maybe_done == 0);
    if (answer.status == KSR_OK) ++created;
  }
  stop = true;
  for (std::thread& thread : load) thread.join();
  CHECK(wrong == 0);
  CHECK(reader.stat("retries") > before);
  CHECK(listed(configmaps_path(ns)).size() == static_cast<std::size_t>(created));
  CHECK(admin.call(on("delete", group + "flowschemas", "", "ksr-one")).status == KSR_OK);
  CHECK(admin.call(on("delete", group + "prioritylevelconfigurations", "", "ksr-one")).status == KSR_OK);
}

TEST_CASE("the apiserver gives up in time: 504, and a write may have been carried out") {
  const std::string ns = Cluster::shared().fresh_namespace("late");
  const Requester requester(admin_client());
  const Answer late =
      requester.call(on("create", "v1/configmaps", ns, "", {{"query.timeout", "1ns"}, {"retries", "never"}}),
                     R"({"metadata":{"name":"a"}})");
  CHECK(late.http_status == 504);
  CHECK(late.status == KSR_E_SERVER);
  CHECK(late.reason == "Timeout");
  CHECK(late.maybe_done == 1);
}

TEST_CASE("an aggregated API whose server is away") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("aggregated");
  const Requester requester(admin_client());
  const std::string service = R"({"metadata":{"name":"v1.away.ksr.test"},"spec":{"group":"away.ksr.test","version":"v1",
      "groupPriorityMinimum":100,"versionPriority":10,"insecureSkipTLSVerify":true,"service":{"name":"none","namespace":")" +
                              ns + R"("}}})";
  REQUIRE(requester.call(on("create", "apiregistration.k8s.io/v1/apiservices", ""), service).status == KSR_OK);
  Answer away;
  wait_until("the API to be known", [&] {
    away = requester.call(on("get", "away.ksr.test/v1/things", ns, "x", {{"retries", "never"}}));
    return away.http_status == 503;
  });
  CHECK(away.status == KSR_E_SERVER);
  CHECK(away.maybe_done == 0);
  const Answer write = requester.call(on("create", "away.ksr.test/v1/things", ns), R"({"metadata":{"name":"x"}})");
  CHECK(write.http_status == 503);
  CHECK(write.maybe_done == 1);
  // Other resources are found all the same, by their short names too.
  CHECK(requester.call(on("list", "cm", ns)).status == KSR_OK);
  CHECK(requester.call(on("delete", "apiregistration.k8s.io/v1/apiservices", "", "v1.away.ksr.test")).status == KSR_OK);
}

TEST_CASE("a token that expires between two calls is read again") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("expired");
  const ServiceAccount account(ns);
  const std::string old_token = account.new_token("old");
  const std::string new_token = account.new_token("new");
  const ksr::testing::TemporaryDirectory files("ksr-token");
  const std::string token_file = files.write("token", old_token + "\n");
  cluster.admin().create(configmaps_path(ns), make_configmap(ns, "a"));
  const Requester requester(client_with("token_file", token_file));
  CHECK(requester.call(on("get", "v1/configmaps", ns, "a")).status == KSR_OK);
  files.write("token", new_token + "\n");
  account.revoke("old", old_token);
  CHECK(requester.call(on("get", "v1/configmaps", ns, "a")).status == KSR_OK);
  account.revoke("new", new_token);
  const Answer refused = requester.call(on("get", "v1/configmaps", ns, "a"));
  CHECK(refused.status == KSR_E_AUTH);
  CHECK_FALSE(has(refused.message, new_token));
}

TEST_CASE("the apiserver is killed while 8 threads write: what is told is true") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("killed");
  const Requester requester(admin_client());
  std::atomic<bool> stop{false};
  std::atomic<int> doubtful{0};
  std::mutex mutex;
  std::set<std::string> created;
  std::set<std::string> surely_not;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; !stop; ++i) {
        const std::string name = "o-" + std::to_string(thread) + "-" + std::to_string(i);
        const Answer answer = requester.call(on("create", "v1/configmaps", ns, "", {{"timeout", "3s"}}),
                                             R"({"metadata":{"name":")" + name + R"("}})");
        const std::lock_guard<std::mutex> lock(mutex);
        if (answer.status == KSR_OK) {
          created.insert(name);
        } else if (answer.maybe_done == 0) {
          surely_not.insert(name);
        } else {
          ++doubtful;
        }
        // Never carried out twice: a second create of the same name would be a conflict.
        CHECK_MESSAGE(answer.status != KSR_E_CONFLICT, answer.message);
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cluster.kill_apiserver();
    cluster.start_apiserver();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> there;
  for (const auto& object : cluster.admin().list(configmaps_path(ns))) there.insert(metadata_of(object, "name"));
  for (const std::string& name : created) CHECK_MESSAGE(there.count(name) == 1, name << " is told, but not there");
  for (const std::string& name : surely_not) CHECK_MESSAGE(there.count(name) == 0, name << " is there");
  CHECK(created.size() > 10);
  MESSAGE(created.size() << " created, " << surely_not.size() << " surely not, " << doubtful.load() << " in doubt");
}
