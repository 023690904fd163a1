// bench_libksr real --server URL --resource RESOURCE [--KEY VALUE]...
// bench_libksr calls --server URL [--pod NAMESPACE/NAME] [--events N] [--KEY VALUE]...
// bench_libksr CASE --control URL [--events N] [--newest N] [--settle SECONDS] [--KEY VALUE]...
// Every other --KEY VALUE is a key of the stream's configuration, such as --server URL or --transport http.
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>

#include "cases.hpp"

namespace {

using Case = void (*)(const ksr::bench::Setup&, ksr::bench::Report&);

const std::map<std::string, Case> kCases = {
    {"watch", ksr::bench::run_watch},     {"growth", ksr::bench::run_growth},   {"million", ksr::bench::run_million},
    {"keep", ksr::bench::run_keep},       {"latency", ksr::bench::run_latency}, {"blocked", ksr::bench::run_blocked},
    {"streams", ksr::bench::run_streams}, {"drain", ksr::bench::run_drain},     {"handover", ksr::bench::run_handover},
    {"shared", ksr::bench::run_shared},
};

std::string take(ksr::bench::Settings& settings, const std::string& key, const std::string& otherwise) {
  const auto found = settings.find(key);
  if (found == settings.end()) return otherwise;
  std::string value = found->second;
  settings.erase(found);
  return value;
}

void read(int argc, char** argv, ksr::bench::Settings& settings) {
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key.compare(0, 2, "--") != 0) throw std::runtime_error("expected --KEY VALUE, not " + key);
    settings[key.substr(2)] = argv[i + 1];
  }
}

ksr::bench::Setup setup_of(int argc, char** argv) {
  ksr::bench::Settings settings = {{"resource", "v1/pods"}, {"initial", "list"}, {"transport", "http"}};
  read(argc, argv, settings);
  const std::string control = take(settings, "control", "");
  if (control.empty()) throw std::runtime_error("--control URL is missing");
  const std::uint64_t events = std::stoull(take(settings, "events", "200000"));
  const std::uint64_t newest = std::stoull(take(settings, "newest", "0"));
  const double settle = std::stod(take(settings, "settle", "2"));
  return {std::move(settings), ksr::bench::Control(control), events, newest, settle};
}

int run(int argc, char** argv) {
  const std::string name = argv[1];
  ksr::bench::Settings settings;
  ksr::bench::Report report;
  if (name == "real") {
    read(argc, argv, settings);
    ksr::bench::run_real(settings);
    return 0;
  }
  if (name == "calls") {
    read(argc, argv, settings);
    take(settings, "control", "");
    const std::string pod = take(settings, "pod", "default/pod");
    const std::uint64_t count = std::stoull(take(settings, "events", "10000"));
    ksr::bench::run_calls(settings, pod, count, report);
  } else {
    kCases.at(name)(setup_of(argc, argv), report);
  }
  report.print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name != "real" && name != "calls" && kCases.count(name) == 0) {
    std::fprintf(stderr, "usage: bench_libksr CASE --control URL --server URL [--KEY VALUE]...\ncases: real calls");
    for (const auto& each : kCases) std::fprintf(stderr, " %s", each.first.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_libksr %s: %s\n", argv[1], error.what());
    return 1;
  }
}
