#include "commands/kubeconfig_pipes.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/text.hpp"
#include "cluster/files.hpp"

namespace ksr::commands {
namespace {

// The path of the copy. Its descriptor stays open for as long as the program runs.
Expected<std::string> copy_of_pipe(const std::string& path) {
  const Expected<std::string> text = cluster::read_kubeconfig_file({"kubeconfig", path});
  if (!text) return text.error();
  const int file = memfd_create("kubeconfig", MFD_CLOEXEC);
  if (file < 0) return Error{Status::out_of_memory, "kubeconfig " + cluster::shown_path(path) + ": no memory for it"};
  for (std::size_t written = 0; written < text->size();) {
    const ssize_t count = ::write(file, text->data() + written, text->size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      ::close(file);
      return Error{Status::out_of_memory, "kubeconfig " + cluster::shown_path(path) + ": no memory for it"};
    }
    written += static_cast<std::size_t>(count);
  }
  return "/dev/fd/" + std::to_string(file);
}

Expected<void> replace_if_pipe(std::string& path) {
  if (path.empty() || !cluster::is_pipe(path)) return {};
  Expected<std::string> copy = copy_of_pipe(path);
  if (!copy) return copy.error();
  path = *std::move(copy);
  return {};
}

}  // namespace

Expected<void> replace_kubeconfig_pipes(Arguments& arguments) {
  // The last one counts.
  const auto given = std::find_if(arguments.settings.rbegin(), arguments.settings.rend(),
                                  [](const Setting& setting) { return setting.key == "kubeconfig"; });
  if (given != arguments.settings.rend() && !given->value.empty()) return replace_if_pipe(given->value);
  return replace_kubeconfig_pipes_of_environment();
}

Expected<void> replace_kubeconfig_pipes_of_environment() {
  const char* const list = std::getenv("KUBECONFIG");
  if (list == nullptr) return {};
  std::string replaced;
  for (const std::string_view one : split(std::string_view(list), ':')) {
    std::string path(one);
    if (Expected<void> done = replace_if_pipe(path); !done) return done;
    replaced += (replaced.empty() ? "" : ":") + path;
  }
  if (replaced != list) ::setenv("KUBECONFIG", replaced.c_str(), 1);
  return {};
}

}  // namespace ksr::commands
