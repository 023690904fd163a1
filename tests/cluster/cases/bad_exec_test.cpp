// exec plugins that hang, print garbage, print without end or fail: bounded in time and output, and no other stream is
// affected.
#include <fstream>

#include "cluster/cases/exec_script.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

namespace {

// Has a child process that hangs as well, and writes both process ids.
constexpr const char* kHangingPlugin = R"(
sleep 3600 &
echo $! >"$dir/grandchild"
echo $$ >"$dir/child"
wait
)";

std::string pid_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string pid;
  file >> pid;
  return pid;
}

// Ended; it may still be a zombie.
bool has_ended(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(") ");
  return name_end == std::string::npos || line[name_end + 2] == 'Z' || line[name_end + 2] == 'X';
}

void check_fails(const std::string& script, const std::string& words) {
  on_every_way([&](const Way& way) {
    ExecScript plugin(script);
    Recorder seen;
    REQUIRE(seen.open(with(plugin.on(way, "v1/configmaps", ""), "exec_timeout", "20s")) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_AUTH));
    const ksr::testing::SeenError error = seen.errors().front();
    CAPTURE(error.message);
    CHECK(error.retry_ms > 0);
    CHECK(error.message.find("exec of user \"me\" in " + plugin.file("config").string()) != std::string::npos);
    CHECK(error.message.find(words) != std::string::npos);
    CHECK(error.message.find('\n') == std::string::npos);
    check_no_secret(seen, "hunter2-hunter2-hunter2-hunter2");
    CHECK(seen.updates() == 0);
    // The stream recovers as soon as the plugin works.
    plugin.write("plugin",
                 "#!/bin/sh\nprintf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
                 "v1\",\"status\":{\"token\":\"" +
                     admin_user().token + "\"}}'\n");
    std::filesystem::permissions(plugin.file("plugin"), std::filesystem::perms::owner_all);
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    check_equals_list(seen, configmaps_path(""));
  });
}

}  // namespace

TEST_CASE("a plugin that hangs is killed with its child processes after exec_timeout") {
  on_every_way([](const Way& way) {
    ExecScript plugin(kHangingPlugin);
    Recorder seen;
    REQUIRE(seen.open(with(with(with(plugin.on(way, "v1/configmaps", ""), "exec_timeout", "2s"), "backoff_max", "1h"),
                           "backoff_initial", "1h")) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_AUTH));
    CHECK(seen.errors().front().message.find("did not end within 2000 ms and was killed") != std::string::npos);
    CHECK(has_ended(pid_in(plugin.file("child"))));
    wait_until("the end of the plugin's child", [&] { return has_ended(pid_in(plugin.file("grandchild"))); });
    CHECK(plugin.runs().size() == 1);
    Recorder other;
    REQUIRE(other.open(with(way.to("v1/namespaces", ""), "token", admin_user().token)) == KSR_OK);
    CHECK(other.wait_name("default"));
  });
}

TEST_CASE("while a plugin hangs, streams of other clusters continue and its own stream can be closed") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("meanwhile");
    ExecScript plugin(kHangingPlugin);
    Recorder waiting;
    REQUIRE(waiting.open(with(plugin.on(way, "configmaps", ns), "exec_timeout", "1h")) == KSR_OK);
    wait_until("the plugin", [&] { return !pid_in(plugin.file("grandchild")).empty(); });
    Recorder other;
    REQUIRE(other.open(with(way.to("configmaps", ns), "token", admin_user().token)) == KSR_OK);
    REQUIRE(other.wait_state(KSR_STATE_LIVE));
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "seen"));
    CHECK(other.wait_name("seen"));
    CHECK(waiting.states() == std::vector<ksr_state>{KSR_STATE_CONNECTING});
    CHECK_FALSE(has_ended(pid_in(plugin.file("grandchild"))));
    CHECK(waiting.close() == KSR_OK);
    wait_until("the end of the plugin of a closed stream",
               [&] { return has_ended(pid_in(plugin.file("grandchild"))); });
  });
}

TEST_CASE("a plugin that prints garbage") {
  check_fails("echo '{token: hunter2-hunter2-hunter2-hunter2'\n",
              "is not an object in JSON or YAML; expected an ExecCredential");
}

TEST_CASE("a plugin that prints another document") {
  check_fails("echo 'kind: Token'\necho 'token: hunter2-hunter2-hunter2-hunter2'\n",
              "is of another kind; expected ExecCredential");
}

TEST_CASE("a plugin that prints without end") {
  check_fails("exec yes hunter2-hunter2-hunter2-hunter2\n", "wrote more than 1048576 bytes and was killed");
}

TEST_CASE("a failing plugin is quoted without its secrets") {
  check_fails("echo 'first line' >&2\necho 'login expired for hunter2-hunter2-hunter2-hunter2' >&2\nexit 3\n",
              "failed with exit code 3: login expired for ***");
}
