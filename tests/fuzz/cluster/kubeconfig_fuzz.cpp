// Kubeconfigs: one or two files, separated by a line of four dashes, merged as kubectl does, then the connection of
// each context. No message repeats a secret: the word S3CRET stands for one.
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.hpp"
#include "cluster/find_connection_spec.hpp"
#include "cluster/kubeconfig.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace ksr::cluster;
using ksr::fuzz::require;

struct Log final : ksr::Logger {
  bool wants(ksr::LogLevel) const noexcept override { return true; }
  void log(ksr::LogLevel, std::string line) override {
    require(line == ksr::one_line(line, 4096), "a log line of several");
  }
};

// Names of entries, of contexts and of plugins may be shown; values may not.
void check_error(const ksr::Error& error, const std::string& text) {
  require(!ksr::has_control_characters(error.message), "a message of several lines: " + error.message);
  for (const char* key : {"token: S3CRET", "password: S3CRET", "client-key-data: S3CRET"}) {
    const bool only_there = text.find(key) == text.find("S3CRET") - std::string_view(key).size() + 6;
    const bool once = text.find("S3CRET") == text.rfind("S3CRET");
    if (text.find(key) != std::string::npos && only_there && once) {
      require(error.message.find("S3CRET") == std::string::npos, "a message with a secret: " + error.message);
    }
  }
}

ProcessEnvironment empty_environment() {
  ProcessEnvironment environment;
  environment.variable = [](const char*) { return std::optional<std::string>(); };
  environment.variables = [] { return std::vector<std::string>(); };
  environment.service_account_directory = "/nonexistent";
  environment.wall_clock = [] { return decltype(environment.wall_clock()){}; };
  environment.spawn_blocking = [](const std::function<void()>&) { return false; };
  return environment;
}

// A file that is on no disk.
std::string path_of(const std::string& text) {
  static const int file = ::memfd_create("kubeconfig", 0);
  require(file >= 0 && ::ftruncate(file, 0) == 0 && ::lseek(file, 0, SEEK_SET) == 0, "no memory for a file");
  require(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "no memory for a file");
  return "/proc/self/fd/" + std::to_string(file);
}

void find_spec(const std::string& path, const std::string& context, const std::string& text) {
  Log log;
  ConnectionOptions options;
  options.kubeconfig = path;
  options.context = context;
  const auto spec = find_connection_spec(options, empty_environment(), log);
  if (!spec) return check_error(spec.error(), text);
  options.server = "https://other";
  const auto overridden = find_connection_spec(options, empty_environment(), log);
  if (overridden) require(overridden->server.text == "https://other", "the key server is not used");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find("\n----\n");
  auto config = parse_kubeconfig("/home/jane/.kube/config", text.substr(0, cut));
  if (!config) {
    check_error(config.error(), text);
    return 0;
  }
  const std::string current = config->current_context;
  if (cut != std::string::npos) {
    auto later = parse_kubeconfig("/etc/config", text.substr(cut + 6));
    if (!later) return check_error(later.error(), text), 0;
    const std::size_t first = config->contexts.size();
    merge_kubeconfig(*config, *std::move(later));
    require(config->contexts.size() >= first && config->files.size() == 2, "merging has lost an entry");
    require(current.empty() || config->current_context == current, "the first current-context is not used");
  }
  const std::string path = path_of(text.substr(0, cut));
  find_spec(path, "", text);
  std::size_t contexts = 0;
  for (const auto& [name, entry] : config->contexts) {
    if (++contexts <= 4) find_spec(path, name, text);
  }
  return 0;
}
