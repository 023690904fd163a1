// Channels beside kubectl (client-go's executors), on one kube-apiserver and kubelet's server, in one run:
//   bench_channels [--bytes N] [--lines N] [--rest SECONDS]
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/container_log.hpp"
#include "cluster/harness/node.hpp"
#include "cluster/harness/node_pod.hpp"

using namespace ksr::clustertest;

namespace {

struct Cost {
  double seconds = 0;
  double processor = 0;
  std::map<std::string, double> said;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Its output is read when `reads`, and goes to /dev/null else.
Cost run(const std::vector<std::string>& argv, bool reads) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  int ends[2] = {-1, -1};
  if (reads && pipe(ends) != 0) throw std::runtime_error("pipe");
  const auto began = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    dup2(reads ? ends[1] : open("/dev/null", O_WRONLY), 1);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  std::string output;
  if (reads) {
    close(ends[1]);
    char block[4096];
    for (ssize_t got = 0; (got = read(ends[0], block, sizeof block)) > 0;)
      output.append(block, static_cast<std::size_t>(got));
    close(ends[0]);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || status != 0) throw std::runtime_error(argv[0] + " failed");
  Cost cost;
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  cost.processor = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  std::istringstream lines(output);
  for (std::string name; lines >> name;) lines >> cost.said[name];
  return cost;
}

void compare(const char* what, double megabytes, const Cost& ours, const Cost& theirs) {
  std::printf("%-24s libksr %7.1f MB/s %6.2f s CPU   kubectl %7.1f MB/s %6.2f s CPU   speed x %.2f, CPU 1/%.1f\n", what,
              megabytes / ours.seconds, ours.processor, megabytes / theirs.seconds, theirs.processor,
              theirs.seconds / ours.seconds, theirs.processor / ours.processor);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t bytes = 1'000'000'000;
  std::size_t lines = 10'000'000;
  std::string rest = "60";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--bytes") == 0) bytes = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--lines") == 0) lines = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--rest") == 0) rest = argv[i + 1];
  }
  Cluster& cluster = Cluster::shared();
  Node node(cluster);
  NodePod pod(node, "default", "bench");
  setenv("URL", cluster.url().c_str(), 1);
  setenv("CA", cluster.ca_file().c_str(), 1);
  setenv("TOKEN", admin_user().token.c_str(), 1);
  setenv("POD", "bench", 1);
  const std::string user = KSR_BENCH_CHANNEL_USER;
  std::vector<std::string> kubectl{cluster_program("kubectl").string(), "--server=" + cluster.url(),
                                   "--certificate-authority=" + cluster.ca_file(), "--token=" + admin_user().token};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), kubectl.begin(), kubectl.end());
    return more;
  };

  // Each twice, of which the second counts: the first fills caches.
  const double exec_megabytes = static_cast<double>(bytes) / 1e6;
  for (int round = 0; round < 2; ++round) {
    const Cost ours = run({user, "exec", std::to_string(bytes)}, true);
    const Cost theirs = run(with({"exec", "bench", "--", "head", "-c", std::to_string(bytes), "/dev/zero"}), false);
    compare("exec, output", exec_megabytes, ours, theirs);
  }
  std::string text(69, 'x');
  for (std::size_t i = 0; i < lines; i += 1000) {
    std::string block;
    const std::string stamp = log_stamp(stamp_of_now());
    for (std::size_t k = i; k < std::min(lines, i + 1000); ++k) {
      block += stamp + " stdout F " + std::to_string(10'000'000 + k) + " " + text + "\n";
    }
    pod.log().raw(block);
  }
  for (int round = 0; round < 2; ++round) {
    const Cost ours = run({user, "log", std::to_string(lines)}, true);
    const Cost theirs = run(with({"logs", "bench"}), false);
    const double log_megabytes = ours.said.at("bytes") / 1e6;
    compare("log with resume", log_megabytes, ours, theirs);
    // What the servers give to a program that looks at nothing; libksr asks for the times too, to resume by.
    for (const std::string query : {"", "?timestamps=true"}) {
      const Cost floor = run({"curl", "--silent", "--fail", "--noproxy", "*", "--cacert", cluster.ca_file(), "--header",
                              "Authorization: Bearer " + admin_user().token,
                              cluster.url() + "/api/v1/namespaces/default/pods/bench/log" + query},
                             false);
      std::printf("log%-21s curl   %7.1f MB/s %6.2f s CPU\n", query.c_str(), log_megabytes / floor.seconds,
                  floor.processor);
      std::fflush(stdout);
    }
  }
  const Cost idle = run({user, "idle", "200"}, true);
  std::printf("200 idle sessions        %.0f KB each, %.0f threads (the program's own included)\n",
              idle.said.at("kb_each"), idle.said.at("threads"));
  const Cost rested = run({user, "rest", rest}, true);
  std::printf("a reader that rests %s s %.0f KB more\n", rest.c_str(), rested.said.at("kb_more"));
  return 0;
}
