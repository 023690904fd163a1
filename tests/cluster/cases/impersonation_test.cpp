// Impersonation: which users may be impersonated, and what the stream shows then.
#include <boost/json.hpp>

#include "cluster/cases/ways.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;
using ksr::testing::Settings;

namespace {

namespace json = boost::json;

constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1";

json::object binding_of_group(const std::string& ns, const std::string& group) {
  json::object object = make_role_binding(ns, "read-configmaps", group);
  object["subjects"] = json::array{{{"kind", "Group"}, {"name", group}, {"apiGroup", "rbac.authorization.k8s.io"}}};
  return object;
}

json::object impersonate(const char* group, const char* resource, const char* name) {
  return {{"apiGroups", json::array{group}},
          {"resources", json::array{resource}},
          {"resourceNames", json::array{name}},
          {"verbs", json::array{"impersonate"}}};
}

// The reader may impersonate jane of the group qa with this uid and this scope, and no other user.
void allow_reader_to_impersonate_jane() {
  Cluster& cluster = Cluster::shared();
  const std::string path = std::string(kRbac) + "/clusterroles/impersonate-jane";
  if (cluster.admin().find(path)) return;
  const json::object role{{"apiVersion", "rbac.authorization.k8s.io/v1"},
                          {"kind", "ClusterRole"},
                          {"metadata", {{"name", "impersonate-jane"}}},
                          {"rules", json::array{impersonate("", "users", "jane"), impersonate("", "groups", "qa"),
                                                impersonate("authentication.k8s.io", "uids", "uid-of-jane"),
                                                impersonate("authentication.k8s.io", "userextras/scopes", "view")}}};
  cluster.admin().create(std::string(kRbac) + "/clusterroles", role);
  json::object binding = make_role_binding("", "impersonate-jane", reader_user().name);
  binding["kind"] = "ClusterRoleBinding";
  binding["metadata"] = {{"name", "impersonate-jane"}};
  binding["roleRef"] = {
      {"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "impersonate-jane"}};
  cluster.admin().create(std::string(kRbac) + "/clusterrolebindings", binding);
}

std::string namespace_of_qa() {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("qa");
  const std::string path = std::string(kRbac) + "/namespaces/" + ns;
  cluster.admin().create(path + "/roles", make_reader_role(ns, "read-configmaps", "", "configmaps"));
  cluster.admin().create(path + "/rolebindings", binding_of_group(ns, "qa"));
  cluster.admin().create(configmaps_path(ns), make_configmap(ns, "of-qa"));
  return ns;
}

void check_refused(const Settings& settings, const std::string& words) {
  Recorder seen;
  REQUIRE(seen.open(settings) == KSR_OK);
  REQUIRE(seen.wait_error(KSR_E_FORBIDDEN));
  CHECK(seen.errors().front().http_status == 403);
  const std::string message = seen.errors().front().message;
  CAPTURE(message);
  CHECK(message.find(words) != std::string::npos);
  CHECK(seen.updates() == 0);
}

}  // namespace

TEST_CASE("an impersonated user sees what its groups may see") {
  on_every_way([](const Way& way) {
    const std::string ns = namespace_of_qa();
    const Settings as_jane =
        with(with(way.to("v1/configmaps", ns), "token", admin_user().token), "impersonate_user", "jane");
    Recorder seen;
    // The apiserver applies the role binding after a moment.
    REQUIRE(seen.open(with(as_jane, "impersonate_groups", "devs, qa")) == KSR_OK);
    CHECK(seen.wait_name("of-qa"));
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    check_equals_list(seen, configmaps_path(ns));
    check_refused(as_jane, "configmaps is forbidden: User \"jane\" cannot ");
    check_refused(with(as_jane, "impersonate_groups", "devs"), "configmaps is forbidden: User \"jane\" cannot ");
  });
}

TEST_CASE("user, uid, groups and extra are all sent: each is allowed or refused by its own rule") {
  on_every_way([](const Way& way) {
    allow_reader_to_impersonate_jane();
    const std::string ns = namespace_of_qa();
    const Settings reader = with(way.to("v1/configmaps", ns), "token", reader_user().token);
    const Settings jane = with(with(reader, "impersonate_user", "jane"), "impersonate_groups", "qa");
    Recorder seen;
    REQUIRE(seen.open(with(with(jane, "impersonate_uid", "uid-of-jane"), "impersonate_extra.scopes", "view")) ==
            KSR_OK);
    CHECK(seen.wait_name("of-qa"));
    check_equals_list(seen, configmaps_path(ns));
    check_refused(with(reader, "impersonate_user", "admin"), "cannot impersonate resource \"users\"");
    check_refused(with(jane, "impersonate_groups", "qa,system:masters"), "cannot impersonate resource \"groups\"");
    check_refused(with(jane, "impersonate_uid", "another"), "cannot impersonate resource \"uids\"");
    check_refused(with(jane, "impersonate_extra.scopes", "edit"), "cannot impersonate resource \"userextras/scopes\"");
  });
}
