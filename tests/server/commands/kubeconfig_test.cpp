// A kubeconfig that is a pipe: what it held comes once, and is needed by the library and for the namespace.
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
