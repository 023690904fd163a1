// --set with what ksr chooses itself, and with what raw leaves to its caller; options that are given several times.
#include <signal.h>

#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

namespace {

constexpr const char* kPodToSend = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

}  // namespace

TEST_CASE("a dry run is asked for with --dry-run alone") {
  CommandServer on;
  on.server.script("populate pods 1 ns=default");
  const std::string pod = on.run({"get", "pods", "-o", "name"}).output;
  const std::string name = pod.substr(0, pod.find('\n'));
  const std::vector<std::vector<std::string>> commands{{"delete", name},
                                                       {"delete", "pods", "--all"},
                                                       {"create", "-f", "-"},
                                                       {"apply", "-f", "-"},
                                                       {"patch", name, "--type", "merge", "-p", "{}"}};
  for (std::vector<std::string> command : commands) {
    for (const char* setting : {"dry_run=true", "query.dryRun=All"}) {
      CAPTURE(command.front());
      std::vector<std::string> whole = command;
      whole.insert(whole.end(), {"--set", setting});
      const CommandEnd end = on.run(whole, kPodToSend);
      CHECK(end.status == 1);
      CHECK(end.output == "");
      const std::string key(setting, std::string(setting).find('='));
      CHECK(end.errors == "error: --set " + key + ": is chosen by ksr\n");
    }
  }
  CHECK(on.run({"get", "pods", "-o", "name"}).output == pod);
}

TEST_CASE("what selects objects, and what is for watches, is not ignored") {
  CommandServer on;
  for (const char* setting : {"namespace=a", "limit=1", "label_selector=a=b", "field_selector=a=b", "resource=v1/pods",
                              "transport=http", "page_size=1", "header.Content-Type=a/b", "patch_type=json"}) {
    const CommandEnd end = on.run({"get", "pods", "--set", setting});
    CHECK(end.status == 1);
    CHECK(has(end.errors, ": is chosen by ksr\n"));
  }
}

TEST_CASE("get -w takes the keys of its stream") {
  CommandServer on;
  on.server.script("populate pods 3 ns=default");
  const CommandEnd end =
      on.run({"get", "pods", "-w", "--once", "-o", "name", "--set", "limit=1", "--set", "transport=http"});
  CHECK(end.errors == "");
  CHECK(is_one_line(end.output));
}

TEST_CASE("the type of a raw body") {
  CommandServer on;
  const std::string path = "/apis/example.com/v1/things/a";
  const auto sent = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"raw", path, "-f", "-"});
    on.server.script("clear\nfault any /apis/example.com/ answer 200 body={} times=forever");
    const CommandEnd end = on.run(more, "{}");
    CHECK(end.errors == "");
    return on.server.requests().back().header("content-type");
  };
  CHECK(sent({"-X", "PATCH"}) == "application/strategic-merge-patch+json");
  CHECK(sent({"-X", "PATCH", "--set", "patch_type=merge"}) == "application/merge-patch+json");
  CHECK(sent({"-X", "PATCH", "--set", "patch_type=json"}) == "application/json-patch+json");
  CHECK(sent({"-X", "PATCH", "--set", "header.Content-Type=application/apply-patch+yaml"}) ==
        "application/apply-patch+yaml");
  CHECK(sent({"-X", "POST"}) == "application/json");
  CHECK(sent({"-X", "PUT", "--set", "header.content-type=text/plain"}) == "text/plain");
}

TEST_CASE("all values of an extra field of the user are sent, also by the stream of get -w") {
  CommandServer on;
  const std::vector<std::string> who{
      "--as",       "bob", "--as-user-extra", "scopes=a", "--as-user-extra", "Scopes=b,c",
      "--as-group", "d,e", "--as-group",      "f"};
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"raw", "/version"}, {"get", "pods", "-w", "--once"}}) {
    std::vector<std::string> command = words;
    command.insert(command.end(), who.begin(), who.end());
    CHECK(on.run(command).status == 0);
    std::vector<std::string> extra;
    const auto last = on.server.requests().back();
    for (const auto& [name, value] : last.headers) {
      if (name == "Impersonate-Extra-scopes" || name == "Impersonate-Group") extra.push_back(value);
    }
    CHECK(extra == std::vector<std::string>{"a", "b,c", "d,e", "f"});
  }
}

TEST_CASE("port-forward listens on each --address") {
  CommandServer on;
  on.server.script(R"(create pods default/web {"spec":{"containers":[{"name":"main"}]},"status":{"phase":"Running"}})");
  const auto forwarded =
      on.start({"port-forward", "web", ":80", "--address", "127.0.0.3,127.0.0.1", "--address=127.0.0.2"});
  forwarded->wait_for_output("Forwarding from 127.0.0.2:");
  CHECK(has(forwarded->output(), "Forwarding from 127.0.0.3:"));
  CHECK(has(forwarded->output(), "Forwarding from 127.0.0.1:"));
  forwarded->signal(SIGINT);
  CHECK(forwarded->wait() == 0);
}
