// Lists that would not end.
#include <algorithm>

#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

const std::vector<std::vector<std::string>> kListing{{"get", "pods"},
                                                     {"get", "pods", "-o", "name"},
                                                     {"delete", "pods", "--all"},
                                                     {"wait", "pods", "--all", "--for=delete"}};

void check_error(CommandServer& on, const std::string& error) {
  for (const std::vector<std::string>& command : kListing) {
    const CommandEnd end = on.run(command);
    CAPTURE(command.front());
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(has(end.errors, "error: v1/pods: " + error));
  }
}

}  // namespace

TEST_CASE("a page that names itself as the next one") {
  CommandServer on;
  on.server.script(R"(fault list pods answer 200 times=forever body={"kind":"PodList","apiVersion":"v1",)"
                   R"("metadata":{"continue":"again"},"items":[]})");
  check_error(on, "page 2 of the list has its own continue token");
}

TEST_CASE("empty pages for ever") {
  CommandServer on;
  std::string script;
  for (int i = 0; i < 100; ++i) {
    script += R"(fault list pods answer 200 body={"kind":"PodList","apiVersion":"v1","metadata":{"continue":"token-)" +
              std::to_string(i) + "\"},\"items\":[]}\n";
  }
  on.server.script(script);
  check_error(on, "page 17 of the list is empty, like the 16 pages before it, and has a continue token");
}

TEST_CASE("a list that comes in pages is whole") {
  CommandServer on;
  on.server.script("populate pods 23 ns=default");
  const CommandEnd end = on.run({"get", "pods", "-o", "name", "--chunk-size=5"});
  CHECK(end.status == 0);
  CHECK(std::count(end.output.begin(), end.output.end(), '\n') == 23);
}

TEST_CASE("ksr watch: a Table whose pages do not end") {
  CommandServer on;
  on.server.script(
      "populate pods 20 ns=default\n"
      R"(fault list pods answer 200 times=forever skip=1 body={"kind":"Table","apiVersion":"meta.k8s.io/v1",)"
      R"("metadata":{"continue":"again"},"columnDefinitions":[{"name":"Name","type":"string"}],"rows":[]})");
  const CommandEnd end = on.run({"watch", "pods", "--once"});
  CHECK(has(end.errors, "page 2 of the list has its own continue token"));
}
