// Gets of one object over a warm connection, one after the other: time, processor time and memory of ksr_call.
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

struct Calls {
  ksr_client* client = nullptr;
  ksr_params* params = nullptr;
  ~Calls() {
    ksr_client_close(client);
    ksr_params_free(params);
  }
};

void must(ksr_status status, const char* what) {
  if (status != KSR_OK) throw std::runtime_error(what);
}

void open(const Settings& settings, const std::string& pod, Calls& calls) {
  ksr_config* config = nullptr;
  must(ksr_config_new(&config), "ksr_config_new");
  for (const auto& [key, value] : settings)
    must(ksr_config_set(config, key.c_str(), value.c_str(), nullptr), key.c_str());
  const ksr_status opened = ksr_client_open(config, nullptr, nullptr, &calls.client, nullptr);
  ksr_config_free(config);
  must(opened, "ksr_client_open");
  must(ksr_params_new(&calls.params), "ksr_params_new");
  const std::size_t slash = pod.find('/');
  const std::pair<const char*, std::string> keys[] = {
      {"verb", "get"}, {"resource", "v1/pods"}, {"namespace", pod.substr(0, slash)}, {"name", pod.substr(slash + 1)}};
  for (const auto& [key, value] : keys) must(ksr_params_set(calls.params, key, value.c_str(), nullptr), key);
}

// The size of the answer.
std::size_t call(const Calls& calls) {
  const ksr_response* response = nullptr;
  must(ksr_call(calls.client, calls.params, &response, nullptr), "ksr_call");
  std::size_t size = 0;
  ksr_response_body(response, &size);
  ksr_response_release(response);
  return size;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

void run_calls(const Settings& settings, const std::string& pod, std::uint64_t count, Report& report) {
  Calls calls;
  open(settings, pod, calls);
  const std::uint64_t warm = std::max<std::uint64_t>(count / 10, 1);
  std::size_t size = 0;
  for (std::uint64_t i = 0; i < warm; ++i) size = call(calls);
  const std::uint64_t resident = resident_bytes();
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  std::vector<double> times;
  times.reserve(count);
  bool right = true;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double begin = now_seconds();
    right = call(calls) == size && right;
    times.push_back(now_seconds() - begin);
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const std::uint64_t later = resident_bytes();
  std::sort(times.begin(), times.end());
  const double each = 1e6 / static_cast<double>(count);
  report.add("calls", count);
  report.add("bytes", static_cast<std::uint64_t>(size));
  report.add("call_us", times[times.size() / 2] * 1e6);
  report.add("call_p99_us", times[times.size() * 99 / 100] * 1e6);
  report.add("user_us_per_call", (seconds_of(after.ru_utime) - seconds_of(before.ru_utime)) * each);
  report.add("kernel_us_per_call", (seconds_of(after.ru_stime) - seconds_of(before.ru_stime)) * each);
  report.add("growth_bytes", static_cast<double>(later) - static_cast<double>(resident));
  report.add_json("correct", right ? "true" : "false");
}

}  // namespace ksr::bench
