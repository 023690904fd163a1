// ksr-cluster: a real kube-apiserver with pods that keep changing, to try a client on.
#include <cstring>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include "cluster/demo/churn.hpp"
#include "cluster/demo/stop_signal.hpp"
#include "cluster/harness/cluster.hpp"

namespace {

using namespace ksr::clustertest;

constexpr const char* kUsage =
    "usage: ksr-cluster [--pods N] [--interval MS] [--bin-dir DIR] [--stdin-eof]\n"
    "Starts etcd and kube-apiserver on loopback, prints one line\n"
    "  listening on https://127.0.0.1:PORT ca=FILE token=TOKEN\n"
    "and changes a pod every MS milliseconds (300) among about N (12; 0: creates and changes nothing), until SIGTERM,\n"
    "Ctrl-C, or with --stdin-eof the end of standard input.\n";

struct Arguments {
  std::size_t pods = 12;
  std::chrono::milliseconds interval{300};
  std::string bin_dir;
  bool stdin_eof = false;
};

std::optional<long> number(const std::string& text) {
  constexpr long kMax = 100000;
  try {
    std::size_t used = 0;
    const long value = std::stol(text, &used);
    if (used == text.size() && value >= 0 && value <= kMax) return value;
  } catch (const std::logic_error&) {
  }
  return std::nullopt;
}

bool take(Arguments& arguments, const std::string& option, const std::string& value) {
  const std::optional<long> count = number(value);
  if (option == "--pods" && count) return arguments.pods = static_cast<std::size_t>(*count), true;
  if (option == "--interval" && count && *count > 0)
    return arguments.interval = std::chrono::milliseconds(*count), true;
  if (option == "--bin-dir") return arguments.bin_dir = value, true;
  return false;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--stdin-eof") == 0)
      arguments.stdin_eof = true;
    else if (i + 1 < argc && take(arguments, argv[i], argv[i + 1]))
      ++i;
    else
      return std::nullopt;
  }
  return arguments;
}

void run(const Arguments& arguments) {
  StopSignal stop(arguments.stdin_eof);
  Cluster cluster({arguments.bin_dir, {}, {}});
  std::cout << "listening on " << cluster.url() << " ca=" << cluster.ca_file() << " token=" << admin_user().token
            << std::endl;
  std::optional<PodChurn> pods;
  if (arguments.pods > 0) pods.emplace(cluster.admin(), arguments.pods);
  while (!stop.wait_for(arguments.interval)) {
    if (pods) pods->step();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = parse(argc, argv);
  if (!arguments) {
    std::cerr << kUsage;
    return 2;
  }
  try {
    run(*arguments);
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "ksr-cluster: " << failure.what() << '\n';
    return 1;
  }
}
