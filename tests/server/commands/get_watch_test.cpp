// `ksr get -w`: the options of get, one type, and an end where no retry mends what keeps it from beginning.
#include <signal.h>

#include <fstream>

#include "server/commands/on_commands.hpp"
#include "support/temporary_directory.hpp"
#include "support/text.hpp"

using namespace ksr::testing;
using ksr::clustertest::StartedProgram;

TEST_CASE("get -w takes a single type, and a single name of it") {
  CommandServer on;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"cm,deploy"}, {"cm,deploy", "a"}, {"cm/a", "deploy/a"}}) {
    std::vector<std::string> command{"get", "-w"};
    command.insert(command.end(), words.begin(), words.end());
    const CommandEnd end = on.run(command);
    CAPTURE(words.front());
    CHECK(end.status == 1);
    CHECK(end.output == "");
    CHECK(end.errors == "error: you may only specify a single resource type\n");
  }
  const CommandEnd names = on.run({"get", "cm", "a", "b", "-w"});
  CHECK(names.status == 1);
  CHECK(names.errors == "error: you may only watch a single resource or type of resource at a time\n");
  on.server.script("create cm default/a");
  CHECK(on.run({"get", "cm,configmaps", "-w", "--once", "-o", "name"}).output == "configmap/a\n");
}

TEST_CASE("get -w is spelled as pflag takes it") {
  CommandServer on;
  on.server.script("create pods default/a");
  for (const char* spelling : {"-w", "-Aw", "-wA", "--watch", "--watch=true", "-w=true"}) {
    CAPTURE(spelling);
    const CommandEnd end = on.run({"get", "pods", spelling, "--once", "-o", "events"});
    CHECK(end.status == 0);
    CHECK(has(end.output, "ADDED default/a "));
    CHECK(end.errors == "");
  }
  const CommandEnd without = on.run({"get", "pods", "-w=false", "-o", "name"});
  CHECK(without.status == 0);
  CHECK(without.output == "pod/a\n");
  CHECK(has(on.run({"get", "pods", "--once"}).errors, "error: --once: goes with --watch alone"));
}

TEST_CASE("get -w has the options of get") {
  CommandServer on;
  on.server.script("create nodes n\ncreate pods default/a app=web");
  // The namespace that is given for it is ignored, as without -w.
  const CommandEnd nodes = on.run({"get", "nodes", "-w", "--once", "-o", "name"});
  CHECK(nodes.status == 0);
  CHECK(nodes.output == "node/n\n");
  const CommandEnd pods = on.run({"get", "pods", "-w", "--once", "-o", "NAME", "--request-timeout=20", "--chunk-size",
                                  "1", "--ignore-not-found", "-l", "app=web"});
  CHECK(pods.status == 0);
  CHECK(pods.output == "pod/a\n");
  CHECK(on.run({"get", "pods", "-w", "--once", "-o", "name", "--request-timeout=0"}).output == "pod/a\n");
  for (const char* command : {"get", "watch"}) {
    const CommandEnd wrong = on.run({command, "pods", "-w", "--once", "--request-timeout=soon"});
    CHECK(wrong.status == (std::string(command) == "get" ? 1 : 2));
    CHECK(is_one_line(wrong.errors));
    CHECK(has(wrong.errors, "--request-timeout"));
  }
  const CommandEnd file =
      on.run({"get", "-f", "-", "-w", "--once", "-o", "name"}, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
  CHECK(file.output == "pod/a\n");
  for (const std::vector<std::string>& with_yaml :
       {std::vector<std::string>{"get", "pods", "-w", "--once", "-o", "yaml"},
        {"get", "pods", "-w", "--once", "-o", "Yaml", "--show-managed-fields"}}) {
    CHECK(has(on.run(with_yaml).output, "kind: Pod"));
  }
}

TEST_CASE("wrong usage of get -w ends as that of get") {
  CommandServer on;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--no-such-option"},
                                                {"--limit", "many"},
                                                {"--set", "limit=many"},
                                                {"-o", "xml"},
                                                {"--sort-by", "{"},
                                                {"--seconds", "soon"},
                                                {"--chunk-size", "x"},
                                                {"--watch=perhaps"},
                                                {"--subresource", "status", "a"}}) {
    std::vector<std::string> command{"get", "pods", "-w"};
    command.insert(command.end(), words.begin(), words.end());
    const CommandEnd end = on.run(command);
    CAPTURE(words.front());
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(is_one_line(end.errors));
    CHECK(end.errors.rfind("error: ", 0) == 0);
    CHECK_FALSE(has(end.errors, "ksr-watch"));
  }
  CHECK(on.run({"get", "pods", "a", "-w", "--subresource", "status"}).errors ==
        "error: --subresource and --watch cannot be given together\n");
  CHECK(on.run({"watch", "pods", "--no-such-option"}).status == 2);
}

TEST_CASE("get -w ends at once on what no retry mends") {
  CommandServer on;
  // 407 is a proxy's: it wants other credentials.
  on.server.script(
      "fault list secrets answer 403 times=forever\nfault list events answer 404 times=forever\n"
      "fault list configmaps answer 407 times=forever");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"podz"},
                                                {"secrets"},
                                                {"events"},
                                                {"configmaps"},
                                                {"pods", "--token", "not-the-token"}}) {
    std::vector<std::string> command{"get", "-w"};
    command.insert(command.end(), words.begin(), words.end());
    const CommandEnd end = on.run(command);
    CAPTURE(words.front());
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(end.output == "");
    CHECK(is_one_line(end.errors));
    CHECK_FALSE(has(end.errors, "ksr-watch"));
  }
  // What passes by itself is waited for.
  on.server.script("create pods default/a\nfault list pods answer 503 times=2");
  const auto passing = on.start({"get", "pods", "-w"});
  passing->wait_for_errors("ksr get: ");
  passing->wait_for_output("a ");
  passing->signal(SIGINT);
  CHECK(passing->wait() == 0);
}

TEST_CASE("get NAME -w, and the wait of a deletion, of who may not list") {
  CommandServer on;
  on.server.script("create pods default/a\ncreate pods default/b\nwatchlist on\ndeny admin list pods");
  const CommandEnd watched = on.run({"get", "pod", "a", "-w", "--once", "-o", "name"});
  CHECK(watched.errors == "");
  CHECK(watched.output == "pod/a\n");
  CHECK(on.run({"get", "pods", "-w", "--once"}).status == 1);
  on.server.script("deny admin watch pods");
  const CommandEnd deleted = on.run({"delete", "pod", "b"});
  CHECK(deleted.errors == "");
  CHECK(deleted.status == 0);
}

TEST_CASE("get -w --seconds ends then, also while the types are asked for") {
  CommandServer on;
  on.server.script("create pods default/a");
  CHECK(on.run({"get", "pods", "-w", "--seconds=1.5", "-o", "name"}).output == "pod/a\n");
  on.server.script("fault discovery /api stall bytes=0 times=forever");
  const CommandEnd end = on.run({"get", "pods", "-w", "--seconds", "2", "--request-timeout=0"});
  CHECK(end.status == 1);
  CHECK(is_one_line(end.errors));
}

TEST_CASE("get NAME -w of who may not list shows each of many changes, and lists no more") {
  CommandServer on;
  const std::string table = R"(fault get pods answer 200 times=forever body={"kind":"Table","apiVersion":)"
                            R"("meta.k8s.io/v1","columnDefinitions":[{"name":"Name","type":"string","format":"name",)"
                            R"("priority":0}],"rows":[]})";
  on.server.script("create pods default/a n=0\nwatchlist on\ndeny admin list pods\n" + table);
  const auto watched = on.start({"get", "pod", "a", "-w", "--show-labels"});
  watched->wait_for_output("n=0");
  const std::size_t lists = on.server.count_requests("list");
  // The row of the first change comes when the others have been made.
  std::string changes = "clear\nfault get pods answer 503 retry-after=2\n" + table;
  for (int i = 1; i <= 150; ++i) changes += "\nupdate pods default/a n=" + std::to_string(i) + "\nsleep 4ms";
  on.server.script(changes);
  watched->wait_for_output("n=150");
  CHECK(on.server.count_requests("list") == lists);
  watched->signal(SIGINT);
  CHECK(watched->wait() == 0);
}

TEST_CASE("watch: a slow reader gets every change, and the newest view alone") {
  for (const char* output : {"json-events", "names"}) {
    CommandServer on;
    const ksr::testing::TemporaryDirectory directory("ksr-slow-reader");
    const std::string go = (directory.root() / "go").string();
    std::vector<std::string> words{"/bin/bash", "-c", R"("$@" | { until [[ -e $0 ]]; do sleep 0.1; done; cat; })", go};
    for (const std::string& word : on.command({"watch", "pods", "--seconds", "6", "-o", output})) words.push_back(word);
    // More than a pipe holds.
    const std::string fat = R"( {"metadata":{"annotations":{"fat":")" + std::string(300'000, 'x') + "\"}}}";
    on.server.script("create pods default/fat" + fat);
    std::string many;
    for (int i = 0; i < 3000; ++i) many += "create pods default/a-pod-with-a-long-name-" + std::to_string(i) + "\n";
    if (output == std::string("names")) on.server.script(many);
    StartedProgram program(words, StartedProgram::Input::content);
    on.server.script("wait watches pods 1");
    for (const char* change : {"update pods default/fat n=1", "update pods default/fat n=2",
                               "create pods default/brief", "delete pods default/brief"}) {
      on.server.script(std::string(change) + "\nsleep 200ms");
    }
    std::ofstream(go).put('\n');
    CHECK(program.wait() == 0);
    const std::string all = program.output();
    const auto count = [&](const std::string& text) {
      std::size_t found = 0;
      for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++found;
      return found;
    };
    if (output == std::string("names")) {
      CHECK(count("default/fat") == 2);
      continue;
    }
    CHECK(count(R"({"type":"ADDED")") == 2);
    CHECK(count(R"({"type":"MODIFIED")") == 2);
    CHECK(count(R"({"type":"DELETED")") == 1);
  }
}

TEST_CASE("get NAME -w --once names what is missing as kubectl does") {
  CommandServer on;
  CHECK(on.run({"get", "cm", "nope", "-w", "--once"}).errors == "error: configmaps \"nope\" not found\n");
  CHECK(on.run({"get", "deploy", "nope", "-w", "--once"}).errors == "error: deployments.apps \"nope\" not found\n");
  CHECK(on.run({"watch", "v1/pods", "nope", "--once"}).errors == "ksr-watch: pods \"nope\" not found\n");
}

TEST_CASE("what the command line itself chooses is not set with --set") {
  CommandServer on;
  for (const char* command : {"get", "watch"}) {
    for (const char* setting : {"resource=v1/nodes", "namespace=other"}) {
      const CommandEnd end = on.run({command, "pods", "-w", "--once", "--set", setting});
      CAPTURE(end.errors);
      CHECK(end.status != 0);
      CHECK(is_one_line(end.errors));
      CHECK(has(end.errors, ": is chosen by ksr"));
    }
  }
}
