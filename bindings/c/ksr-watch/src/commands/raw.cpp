#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/json_text.hpp"
#include "commands/manifests.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

// Also `get --raw PATH`, as kubectl has it.
Expected<void> run_raw(Session& session) {
  const Arguments& arguments = session.arguments();
  const bool of_get = arguments.has_text("--raw");
  std::vector<std::string> paths = arguments.words;
  if (of_get && (!paths.empty() || arguments.has_text("--output") || arguments.has("--filename"))) {
    return usage_error("arguments, --output and -f may not be passed when --raw is specified");
  }
  if (of_get) paths = {arguments.text("--raw")};
  if (paths.size() != 1) return usage_error("expected one path, such as /healthz");
  Request request{{{"path", paths.front()}, {"method", upper_case(arguments.text("--method", "GET"))}}, ""};
  if (arguments.has("--filename")) {
    const std::vector<std::string> files = arguments.all("--filename");
    if (files.size() != 1) return usage_error("only one -f can be given: the body");
    Expected<std::string> body = read_whole(files.front());
    if (!body) return body.error();
    request.body = *std::move(body);
    if (!request.body.empty() && !parse_json(request.body)) {
      request.keys.emplace_back("header.Content-Type", "application/yaml");
    }
  }
  // What the server prefers, as for kubectl.
  request.keys.emplace_back("accept", "application/json, */*");
  const Answer answer = session.client().call(request);
  if (answer.failed()) {
    session.report().failure(answer.failure());
  } else {
    session.output().write(answer.body());
  }
  return {};
}

}  // namespace ksr::commands
