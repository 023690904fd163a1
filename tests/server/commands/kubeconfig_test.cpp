// A kubeconfig that is a pipe: what it held comes once, and is needed by the library and for the namespace. A
// kubeconfig beside --server.
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;

TEST_CASE("a kubeconfig may be a pipe") {
  CommandServer on;
  on.server.script(
      "create pods shop/a\n"
      R"(fault any /apis/authorization.k8s.io answer 201 body={"kind":"SelfSubjectAccessReview","status":{"allowed":true}} times=forever)");
  struct Case {
    const char* words;
    const char* output;
    const char* errors;
  };
  for (const Case& one : {Case{"can-i get pods", "yes\n", ""},
                          {"get pods -o name", "pod/a\n", ""},
                          {"get pods -w --once -o name", "pod/a\n", ""},
                          {"watch pods --once -o name", "pod/a\n", ""},
                          {"delete pod d --wait=false", "pod \"d\" deleted from shop namespace\n", ""},
                          {"get pods -l none=none", "", "No resources found in shop namespace.\n"}}) {
    const std::string words = one.words + std::string(" --token \"$2\"");
    const std::size_t command = words.find(' ');
    for (const std::string& line : {"\"$0\" " + words + " --kubeconfig <(printf %s \"$1\")",
                                    "KUBECONFIG=/no/such/file:<(printf %s \"$1\") \"$0\" " + words,
                                    "mkfifo config && { printf %s \"$1\" >config & } && \"$0\" " +
                                        words.substr(0, command) + " --kubeconfig=config" + words.substr(command),
                                    "printf %s \"$1\" | \"$0\" " + words + " --set kubeconfig=/dev/stdin"}) {
      if (words.rfind("delete", 0) == 0) on.server.script("create pods shop/d");
      const CommandEnd end = on.run_in_shell(line);
      CAPTURE(line);
      CAPTURE(end.errors);
      CHECK(end.status == 0);
      CHECK(end.output == one.output);
      CHECK(end.errors == one.errors);
    }
  }
}

TEST_CASE("a token may come through a pipe") {
  CommandServer on;
  on.server.script("create pods shop/a");
  for (const std::string words : {"get pods -o name", "get pods -w --once -o name", "watch pods --once -o name"}) {
    const CommandEnd end =
        on.run_in_shell("\"$0\" " + words + " -n shop -s " + on.server.url() + " --token-file <(printf %s \"$2\")");
    CAPTURE(end.errors);
    CHECK(end.output == "pod/a\n");
    CHECK(end.errors.empty());
  }
}

TEST_CASE("--server is merged over the current context of the kubeconfig") {
  CommandServer on;
  on.server.script("create pods shop/a\ncreate pods default/b");
  const std::string elsewhere = R"({"clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:1"}}],)"
                                R"("contexts":[{"name":"x","context":{"cluster":"c","namespace":"shop"}}])";
  const std::string current = elsewhere + R"(,"current-context":"x"})";
  for (const std::string words : {"get pods -o name", "get pods -w --once -o name", "watch pods --once -o name"}) {
    const std::string line = "\"$0\" " + words + " --token \"$2\" -s " + on.server.url();
    const auto check = [&](const std::string& before, const std::string& after, const std::string& output) {
      const CommandEnd end = on.run_in_shell(before + line + after);
      CAPTURE(before + line + after);
      CAPTURE(end.errors);
      CHECK(end.output == output);
      CHECK(end.errors.empty());
    };
    const std::string in_file = "printf %s '" + current + "' >config; export KUBECONFIG=config; ";
    check(in_file, "", "pod/a\n");
    check("mkdir -p ~/.kube; printf %s '" + current + "' >~/.kube/config; ", "; rm ~/.kube/config", "pod/a\n");
    check("KUBECONFIG=/no/such/file:<(printf %s '" + current + "') ", "", "pod/a\n");
    // Without a current one, or where the key of the library is set, it stands for itself.
    check("printf %s '" + elsewhere + "}' >config; export KUBECONFIG=config; ", "", "pod/b\n");
    check("", "", "pod/b\n");
    check(in_file, " --set server=" + on.server.url(), "pod/b\n");

    for (const std::string& text : {elsewhere + R"(,"current-context":"gone"})", std::string("[")}) {
      const CommandEnd end = on.run_in_shell("printf %s '" + text + "' >config; export KUBECONFIG=config; " + line);
      CAPTURE(end.errors);
      CHECK(end.status == 1);
      CHECK(is_one_line(end.errors));
      CHECK(end.errors.find("kubeconfig ") != std::string::npos);
    }
  }
}
