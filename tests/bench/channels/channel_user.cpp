// A host of channels that is measured: bench_channel_user MODE NUMBER, with the connection in the environment.
//   exec BYTES    what `head -c BYTES /dev/zero` says
//   log LINES     the log of the pod to its end, of so many lines
//   idle COUNT    so many sessions in which nothing happens, for two seconds
//   rest SECONDS  a command that writes without end, of which nothing is read for so long
// Prints what it cost, as `name value` on a line each.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ksr.h"

namespace {

using Clock = std::chrono::steady_clock;

void must(ksr_status status, const std::string& what) {
  if (status != KSR_OK) throw std::runtime_error(what + ": " + ksr_status_name(status));
}

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The value of a line of /proc/self/status, such as VmRSS (in KB) or Threads.
std::uint64_t of_process(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  }
  return 0;
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Host {
 public:
  explicit Host(bool manual) {
    ksr_config* config = nullptr;
    must(ksr_config_new(&config), "ksr_config_new");
    if (manual) must(ksr_config_set(config, "delivery", "manual", nullptr), "delivery");
    for (const auto& [key, name] :
         {std::pair("server", "URL"), std::pair("ca_file", "CA"), std::pair("token", "TOKEN")}) {
      must(ksr_config_set(config, key, from_environment(name).c_str(), nullptr), key);
    }
    must(ksr_client_open(config, nullptr, nullptr, &client_, nullptr), "ksr_client_open");
    ksr_config_free(config);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() { ksr_client_close(client_); }

  ksr_channel* open(const std::vector<std::pair<std::string, std::string>>& keys, ksr_data_fn on_data,
                    void* user_data) {
    ksr_params* params = nullptr;
    must(ksr_params_new(&params), "ksr_params_new");
    for (const auto& [key, value] : keys) {
      must(key == "command" ? ksr_params_add(params, key.c_str(), value.c_str(), nullptr)
                            : ksr_params_set(params, key.c_str(), value.c_str(), nullptr),
           key);
    }
    must(ksr_params_set(params, "namespace", "default", nullptr), "namespace");
    must(ksr_params_set(params, "name", from_environment("POD").c_str(), nullptr), "name");
    ksr_params_on_data(params, on_data);
    ksr_channel* channel = nullptr;
    must(ksr_channel_open(client_, params, user_data, nullptr, &channel, nullptr), "ksr_channel_open");
    ksr_params_free(params);
    return channel;
  }

 private:
  ksr_client* client_ = nullptr;
};

struct Count {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
};

std::size_t count(ksr_channel*, int32_t, const void* bytes, size_t len, void* user_data) {
  auto& total = *static_cast<Count*>(user_data);
  total.bytes += len;
  const char* at = static_cast<const char*>(bytes);
  const char* const end = at + len;
  while ((at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr) {
    ++total.lines;
    if (++at == end) break;
  }
  return len;
}

std::size_t take(ksr_channel*, int32_t, const void*, size_t len, void* user_data) {
  *static_cast<std::uint64_t*>(user_data) += len;
  return len;
}

std::size_t take_nothing(ksr_channel*, int32_t, const void*, size_t, void*) {
  return 0;
}

void run_nothing(Host& host) {
  ksr_channel* const warm = host.open({{"kind", "exec"}, {"command", "true"}}, take_nothing, nullptr);
  ksr_channel_wait(warm, -1, nullptr, nullptr);
  ksr_channel_close(warm);
}

void end_in_order(ksr_channel* channel) {
  ksr_error* error = nullptr;
  const ksr_status ended = ksr_channel_wait(channel, -1, nullptr, &error);
  if (ended != KSR_OK) throw std::runtime_error(ksr_error_message(error, nullptr));
  must(ksr_channel_close(channel), "ksr_channel_close");
}

void run(const std::string& mode, std::uint64_t number) {
  // Sessions that are idle are read when there is something: the library's one thread is that of its network.
  Host host(mode == "idle");
  const auto began = Clock::now();
  if (mode == "exec") {
    std::uint64_t bytes = 0;
    end_in_order(host.open({{"kind", "exec"},
                            {"command", "head"},
                            {"command", "-c"},
                            {"command", std::to_string(number)},
                            {"command", "/dev/zero"}},
                           take, &bytes));
    if (bytes != number) throw std::runtime_error("got " + std::to_string(bytes) + " bytes");
  } else if (mode == "log") {
    Count total;
    end_in_order(host.open({{"kind", "log"}}, count, &total));
    if (total.lines != number) throw std::runtime_error("got " + std::to_string(total.lines) + " lines");
    std::cout << "bytes " << total.bytes << "\n";
  } else if (mode == "idle") {
    // What the first connection of a process brings in once is not a session's.
    run_nothing(host);
    const std::uint64_t before = of_process("VmRSS");
    std::vector<ksr_channel*> channels;
    for (std::uint64_t i = 0; i < number; ++i) {
      channels.push_back(
          host.open({{"kind", "exec"}, {"container", "main"}, {"stdin", "true"}, {"tty", "true"}, {"command", "cat"}},
                    nullptr, nullptr));
    }
    for (ksr_channel* const channel : channels) {
      for (std::uint64_t state = 0; state != KSR_EVENT_OPEN;) {
        must(ksr_channel_stat(channel, "state", &state), "ksr_channel_stat");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));
    std::cout << "kb_each " << (of_process("VmRSS") - before) / number << "\nthreads " << of_process("Threads") << "\n";
    for (ksr_channel* const channel : channels) ksr_channel_close(channel);
  } else if (mode == "rest") {
    run_nothing(host);
    const std::uint64_t before = of_process("VmRSS");
    ksr_channel* const channel =
        host.open({{"kind", "exec"}, {"command", "cat"}, {"command", "/dev/zero"}}, take_nothing, nullptr);
    std::this_thread::sleep_for(std::chrono::seconds(number));
    std::cout << "kb_more " << of_process("VmRSS") - before << "\n";
    ksr_channel_close(channel);
  } else {
    throw std::runtime_error("unknown mode " + mode);
  }
  std::cout << "seconds " << std::chrono::duration<double>(Clock::now() - began).count() << "\nprocessor "
            << processor_seconds() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("expected MODE NUMBER");
    run(argv[1], std::strtoull(argv[2], nullptr, 10));
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "bench_channel_user: " << failure.what() << "\n";
    return 1;
  }
}
