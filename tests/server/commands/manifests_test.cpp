// Manifests as the server gets them.
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

std::string pod_with(const std::string& note) {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    note: " + note;
}

}  // namespace

TEST_CASE("the last line of a file needs no line feed, also in a block scalar") {
  for (const char* end : {"", "\n", "\n\n"}) {
    CommandServer on;
    const CommandEnd made = on.run({"create", "-f", "-", "-o", "json"}, pod_with("|\n      text") + end);
    CHECK(made.errors == "");
    CHECK(has(made.output, R"("note": "text\n")"));
  }
}

TEST_CASE("a manifest that is cut off is not sent") {
  for (const char* note : {"\"text\n", "'text\n  more: 1\n", "text\n    other\n", "text\n  labels\n", "\"text\n---\n"}) {
    CommandServer on;
    for (const char* command : {"create", "apply"}) {
      const CommandEnd end = on.run({command, "-f", "-"}, pod_with(note));
      CHECK(end.status == 1);
      CHECK(end.output == "");
      CHECK(is_one_line(end.errors));
      CHECK(has(end.errors, "error parsing STDIN"));
      CHECK(has(end.errors, "is not valid YAML at line "));
    }
    CHECK(on.run({"get", "pods", "-o", "name"}).output == "");
    CHECK(on.run({"patch", "pod", "a", "-p", pod_with(note)}).status == 1);
  }
}
