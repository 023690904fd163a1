// Bodies of raw requests, and lists that are larger than what a request of the library takes by itself.
#include <signal.h>

#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
const std::vector<std::vector<std::string>> kBoth{{"raw", kPods}, {"get", "--raw", kPods}};

}  // namespace

TEST_CASE("the body is written as it comes") {
  CommandServer on;
  on.server.script("populate pods 20 ns=default\nfault list pods stall bytes=1000 times=forever");
  for (const std::vector<std::string>& command : kBoth) {
    const auto program = on.start(command);
    program->wait_for_output(R"("kind":"PodList")");
    CHECK(program->running());
    program->signal(SIGINT);
    CHECK(program->wait() == 128 + SIGINT);
  }
}

TEST_CASE("--request-timeout counts for all of it") {
  CommandServer on;
  on.server.script("populate pods 20 ns=default\nfault list pods stall bytes=1000 times=forever");
  for (const std::vector<std::string>& command : kBoth) {
    CommandEnd end;
    int seconds = 1;
    // On a busy machine the time may be over before anything has come.
    for (; seconds <= 64; seconds *= 4) {
      std::vector<std::string> limited = command;
      limited.push_back("--request-timeout=" + std::to_string(seconds) + "s");
      end = on.run(limited);
      CHECK(end.status == 1);
      if (!end.output.empty()) break;
    }
    CHECK(has(end.output, "PodList"));
    CHECK(end.errors == std::string("error: GET of ") + kPods + ": the answer has not ended within " +
                            std::to_string(seconds) + "000 ms\n");
  }
  on.server.script("clear\nfault list pods stall bytes=0 times=forever");
  const CommandEnd silent = on.run({"raw", kPods, "--request-timeout=1s"});
  CHECK(silent.status == 1);
  CHECK(silent.errors == std::string("error: GET of ") + kPods + ": no answer within 1000 ms\n");
  CHECK(on.run({"raw", kPods, "--request-timeout=soon"}).status == 1);
}

TEST_CASE("failures of a raw body") {
  CommandServer on;
  on.server.script("populate pods 20 ns=default");
  on.server.script("fault list pods answer 403 times=forever");
  for (const std::vector<std::string>& command : kBoth) {
    const CommandEnd end = on.run(command);
    CHECK(end.status == 1);
    CHECK(end.output == "");
    CHECK(is_one_line(end.errors));
    CHECK(end.errors.rfind("Error from server (Forbidden): ", 0) == 0);
  }
  on.server.script("clear\nfault list pods cut bytes=1000");
  const CommandEnd cut = on.run({"raw", kPods});
  CHECK(cut.status == 1);
  CHECK(has(cut.output, "PodList"));
  CHECK(is_one_line(cut.errors));
  CHECK(has(cut.errors, std::string("GET of ") + kPods));
}

TEST_CASE("a refusal that may pass is followed by other tries, and warnings are shown") {
  CommandServer on;
  on.server.script(
      "fault list pods answer 503 retry-after=1\n"
      R"(fault list pods answer 200 body={} header="Warning: 299 - \"old, very old\"" times=2)");
  const CommandEnd again = on.run({"raw", kPods});
  CHECK(again.status == 0);
  CHECK(again.output == "{}");
  CHECK(again.errors ==
        std::string("Warning: GET of ") + kPods + " has failed; trying again\nWarning: old, very old\n");
  const CommandEnd at_once = on.run({"raw", kPods});
  CHECK(at_once.output == "{}");
  CHECK(at_once.errors == "Warning: old, very old\n");
}

TEST_CASE("bodies and lists of more than 64 MiB") {
  constexpr std::size_t kSize = std::size_t{66} << 20;
  const std::string list =
      R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a"},"x":")" +
      std::string(kSize, 'x') + "\"}]}";
  CommandServer on;
  on.server.script("fault list pods answer 200 times=3 body=" + list);
  CHECK(on.run({"get", "pods", "-o", "name"}).output == "pod/a\n");
  for (const std::vector<std::string>& command : kBoth) {
    const CommandEnd end = on.run(command);
    CHECK(end.status == 0);
    CHECK(end.output.size() == list.size());
  }
}
