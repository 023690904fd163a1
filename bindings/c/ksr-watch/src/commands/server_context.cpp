#include <cstddef>
#include <string>
#include <string_view>

#include "cluster/kubeconfig.hpp"
#include "commands/kubeconfig_pipes.hpp"
#include "commands/no_log.hpp"

extern "C" {
#include "server_context.h"
}

namespace ksr::commands {
namespace {

// The last one counts. `--set server` is the library's key.
bool merges_server(const setting* settings, std::size_t count) {
  const setting* server = nullptr;
  for (const setting* one = settings; one != settings + count; ++one) {
    const std::string_view key = one->key;
    if (key == "server") server = one;
    const bool names_context = key == "kubeconfig" || key == "context" || key == "headlamp_url";
    if (names_context && *one->value != '\0') return false;
  }
  return server != nullptr && *server->value != '\0' && std::string_view(server->option) == "--server";
}

}  // namespace

}  // namespace ksr::commands

int server_context_find(const struct setting* settings, size_t count, struct text* context, struct text* problem) {
  using namespace ksr;
  if (!commands::merges_server(settings, count)) return 1;
  const auto failed = [problem](const Error& error) {
    text_add(problem, {error.message.data(), error.message.size()});
    return 0;
  };
  // The library reads them again.
  if (const Expected<void> replaced = commands::replace_kubeconfig_pipes_of_environment(); !replaced) {
    return failed(replaced.error());
  }
  commands::NoLog log;
  const auto config = cluster::load_kubeconfig("", cluster::process_environment(), log);
  if (!config) return failed(config.error());
  text_add(context, {config->current_context.data(), config->current_context.size()});
  return 1;
}
