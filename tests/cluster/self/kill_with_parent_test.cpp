#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "cluster/harness/child_process.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"
#include "cluster/harness/wait.hpp"
#include "support/temporary_directory.hpp"

using namespace ksr::clustertest;

namespace {

// A shell that writes its own process id into its output and then sleeps.
const std::vector<std::string> kSleeper{"/bin/sh", "-c", "echo $$; exec sleep 600"};

pid_t written_pid(const std::filesystem::path& log) {
  wait_until("the sleeper's pid", [&] { return tail_of_file(log, 64).find('\n') != std::string::npos; });
  return static_cast<pid_t>(std::stol(tail_of_file(log, 64)));
}

// A zombie, which its new parent has not reaped yet, counts as gone too.
bool gone(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return true;
  return line.find(") Z ") != std::string::npos;
}

}  // namespace

TEST_CASE("a child ends with its owner") {
  const ksr::testing::TemporaryDirectory directory("ksr-kill-with-parent");
  pid_t sleeper = -1;
  {
    ChildProcess child(kSleeper, directory.root() / "log");
    sleeper = written_pid(directory.root() / "log");
    CHECK(child.running());
    CHECK_FALSE(gone(sleeper));
  }
  CHECK(gone(sleeper));
}

TEST_CASE("a child ends when its owner is killed, even when it was started on a thread that has ended") {
  const ksr::testing::TemporaryDirectory directory("ksr-kill-with-parent");
  const auto log = directory.root() / "log";
  const pid_t owner = fork();
  if (owner == 0) {
    std::optional<ChildProcess> child;
    std::thread([&] { child.emplace(kSleeper, log); }).join();
    pause();
    _exit(0);
  }
  const pid_t sleeper = written_pid(log);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(gone(sleeper));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  wait_until("the orphan to end", [&] { return gone(sleeper); });
}

TEST_CASE("a child that ignores SIGTERM is killed") {
  const ksr::testing::TemporaryDirectory directory("ksr-kill-with-parent");
  const auto log = directory.root() / "log";
  ChildProcess child({"/bin/sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done"}, log);
  const pid_t shell = written_pid(log);
  child.stop(std::chrono::seconds(1));
  CHECK_FALSE(child.running());
  CHECK(gone(shell));
}

TEST_CASE("the end of a child is noticed") {
  const ksr::testing::TemporaryDirectory directory("ksr-kill-with-parent");
  ChildProcess child({"/bin/sh", "-c", "exit 3"}, directory.root() / "log");
  wait_until("the child's end", [&] { return !child.running(); });
  child.stop(std::chrono::seconds(1));
  child.kill();
}

TEST_CASE("a missing program is named") {
  const ksr::testing::TemporaryDirectory directory("ksr-kill-with-parent");
  CHECK_THROWS_AS(ChildProcess({"/no/such/program"}, directory.root() / "log"), HarnessError);
}
