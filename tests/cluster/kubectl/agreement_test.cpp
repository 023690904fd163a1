// kubectl and ksr-watch, run by hand as a user would, on the same files: both ask the same server for the same place as
// the same user, or both refuse, and ksr-watch says why in one line.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "cluster/harness/temp_dir.hpp"
#include "cluster/kubectl/places.hpp"
#include "cluster/kubectl/program.hpp"

using namespace ksr::clustertest;

namespace {

std::string path_of(const char* variable, const std::string& otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? given : otherwise;
}

// A HOME of its own for each program: kubectl keeps what discovery said there.
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

void check_says(const Fixture& fixture, const std::string& stderr_tail) {
  CHECK(std::count(stderr_tail.begin(), stderr_tail.end(), '\n') == 1);
  for (const std::string& words : fixture.says) {
    CAPTURE(words);
    CHECK(stderr_tail.find(words) != std::string::npos);
  }
  CHECK(stderr_tail.find("s3cret") == std::string::npos);
}

}  // namespace

TEST_CASE("kubectl and ksr-watch agree on server, user and namespace") {
  const std::string kubectl = std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl";
  const std::string ksr_watch = path_of("KSR_WATCH", "ksr-watch");
  TempDir directory("ksr-kubectl");
  Places places;
  std::size_t refused = 0;
  const std::vector<Fixture> fixtures = lay_out_fixtures(directory.path(), places.replacements());
  for (const Fixture& fixture : fixtures) {
    CAPTURE(fixture.name);
    const std::filesystem::path home = directory.path() / (fixture.name + ".home");
    std::filesystem::create_directories(home);
    const std::vector<std::string> environment = environment_of(fixture, home);

    const ProgramEnd theirs =
        run_to_end(command({kubectl, "get", fixture.resource, "-o", "name"}, fixture), environment, home);
    const std::string by_kubectl = joined(places.asked(fixture.resource));
    const ProgramEnd ours = run_to_end(
        command({ksr_watch, fixture.resource, "-o", "names", "--once", "--seconds", "40", "--set", "reconnect=false"},
                fixture),
        environment, home);
    const std::string by_ksr_watch = joined(places.asked(fixture.resource));
    CAPTURE(theirs.stderr_tail);
    CAPTURE(ours.stderr_tail);
    if (fixture.refused) {
      ++refused;
      CHECK(theirs.status != 0);
      CHECK(ours.status == 1);
      check_says(fixture, ours.stderr_tail);
      continue;
    }
    CHECK(theirs.status == 0);
    CHECK(ours.status == 0);
    CHECK(ours.stderr_tail.empty());
    CHECK_FALSE(by_kubectl.empty());
    CHECK(by_ksr_watch == by_kubectl);
  }
  CHECK(fixtures.size() - refused >= 12);
  CHECK(refused >= 12);
}
