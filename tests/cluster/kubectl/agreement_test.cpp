// kubectl and ksr-watch, run as a user runs them, on the same kubeconfig files: both request the same path from the
// same server as the same user, or both refuse, and ksr-watch reports why in one line.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "cluster/kubectl/fixture_servers.hpp"
#include "cluster/kubectl/program.hpp"
#include "support/temporary_directory.hpp"

using namespace ksr::clustertest;

namespace {

std::string path_of(const char* variable, const std::string& otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? given : otherwise;
}

// Each program has its own HOME: kubectl caches discovery there.
std::vector<std::string> environment_of(const Fixture& fixture, const std::filesystem::path& home) {
  std::vector<std::string> environment{"PATH=/usr/bin:/bin", "KUBECACHEDIR=" + (home / "cache").string()};
  environment.push_back("HOME=" + (fixture.home.empty() ? home.string() : fixture.home));
  if (!fixture.kubeconfig.empty()) environment.push_back("KUBECONFIG=" + fixture.kubeconfig);
  return environment;
}

std::vector<std::string> command(std::vector<std::string> words, const Fixture& fixture) {
  words.insert(words.end(), fixture.arguments.begin(), fixture.arguments.end());
  return words;
}

std::string joined(const std::set<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

void check_message(const Fixture& fixture, const std::string& errors) {
  // A plugin's own lines come before.
  const std::size_t own = errors.find("ksr-watch: ");
  REQUIRE(own != std::string::npos);
  CHECK(std::count(errors.begin() + static_cast<std::ptrdiff_t>(own), errors.end(), '\n') == 1);
  for (const std::string& words : fixture.says) {
    CAPTURE(words);
    CHECK(errors.find(words) != std::string::npos);
  }
  CHECK(errors.find("s3cret") == std::string::npos);
}

}  // namespace

TEST_CASE("kubectl and ksr-watch agree on server, user and namespace") {
  const std::string kubectl = std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl";
  const std::string ksr_watch = path_of("KSR_WATCH", "ksr-watch");
  const ksr::testing::TemporaryDirectory directory("ksr-kubectl");
  FixtureServers servers;
  std::size_t refused = 0;
  const std::vector<Fixture> fixtures = lay_out_fixtures(directory.root(), servers.replacements());
  for (const Fixture& fixture : fixtures) {
    CAPTURE(fixture.name);
    const std::filesystem::path home = directory.root() / (fixture.name + ".home");
    std::filesystem::create_directories(home);
    const std::vector<std::string> environment = environment_of(fixture, home);

    const ProgramEnd by_kubectl =
        run_to_end(command({kubectl, "get", fixture.resource, "-o", "name"}, fixture), environment, home);
    const std::string kubectl_requests = joined(servers.requests(fixture.resource));
    const ProgramEnd by_ksr_watch = run_to_end(
        command({ksr_watch, fixture.resource, "-o", "names", "--once", "--seconds", "40", "--set", "reconnect=false"},
                fixture),
        environment, home);
    const std::string ksr_watch_requests = joined(servers.requests(fixture.resource));
    CAPTURE(by_kubectl.errors);
    CAPTURE(by_ksr_watch.errors);
    if (fixture.refused) {
      ++refused;
      CHECK(by_kubectl.status != 0);
      CHECK(by_ksr_watch.status == 1);
      check_message(fixture, by_ksr_watch.errors);
      continue;
    }
    CHECK(by_kubectl.status == 0);
    CHECK(by_ksr_watch.status == 0);
    CHECK(by_ksr_watch.errors.empty());
    CHECK_FALSE(kubectl_requests.empty());
    CHECK(ksr_watch_requests == kubectl_requests);
  }
  CHECK(fixtures.size() - refused >= 12);
  CHECK(refused >= 12);
}
