// ksr watch: the rows that it shows, their order and the characters in them.
#include <signal.h>

#include <algorithm>
#include <initializer_list>

#include "cluster/harness/wait_until.hpp"
#include "server/commands/on_commands.hpp"
#include "support/text.hpp"

using namespace ksr::testing;
using ksr::clustertest::StartedProgram;
using ksr::clustertest::TerminalSize;

namespace {

// The server makes the uids.
std::string uid_of(const CommandServer& on, const std::string& name) {
  const std::string object = on.run({"get", "pod", name, "-o", "json"}).output;
  const std::string member = "\"uid\": \"";
  const std::size_t begin = object.find(member) + member.size();
  return object.substr(begin, object.find('"', begin) - begin);
}

struct PodRow {
  std::string name;
  std::string uid;
  std::string cell = "x";
};

// As the body of an answer.
std::string table_of(const std::string& title, const std::vector<PodRow>& rows) {
  std::string text;
  for (const PodRow& row : rows) {
    text += (text.empty() ? "" : ",") + (R"({"cells":[")" + row.name + R"(",")" + row.cell + "\"]") +
            R"(,"object":{"metadata":{"namespace":"default","name":")" + row.name + R"(","uid":")" + row.uid + "\"}}}";
  }
  return R"({"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":[{"name":"Name",)"
         R"("type":"string","format":"name"},{"name":")" +
         title + R"(","type":"string"}],"rows":[)" + text + "]}";
}

std::string answer(const std::string& table, const std::string& times) {
  return "fault list pods answer 200 times=" + times + " body=" + table;
}

// The first list is that of the stream.
constexpr const char* kTablesOnly = " skip=1";

std::string last_view(const std::string& output) {
  const std::size_t end = output.rfind("\n\n");
  return end == std::string::npos ? output : output.substr(end + 2);
}

std::string first_words(const std::string& lines) {
  std::string words;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    const std::string line = lines.substr(begin, end - begin);
    words += line.substr(0, line.find(' ')) + " ";
    begin = end == std::string::npos ? lines.size() : end + 1;
  }
  return words;
}

// Whether the parts are there in that order.
bool has_in_order(const std::string& text, std::initializer_list<const char*> parts) {
  std::size_t at = 0;
  for (const char* part : parts) {
    at = text.find(part, at);
    if (at == std::string::npos) return false;
    at += 1;
  }
  return true;
}

void end(StartedProgram& program) {
  program.signal(SIGINT);
  CHECK(program.wait() == 0);
}

}  // namespace

TEST_CASE("watch: no row has cells of the columns that the server had before") {
  CommandServer on;
  on.server.script("create pods default/a\ncreate pods default/b");
  const std::string a = uid_of(on, "a"), b = uid_of(on, "b");
  on.server.script(answer(table_of("Old", {{"a", a, "a-old"}, {"b", b, "b-old"}}), "1") + kTablesOnly);
  const auto program = on.start({"watch", "pods"});
  program->wait_for_output("b-old");
  on.server.script(answer(table_of("New", {{"a", a, "a-new"}}), "1") + "\n" +
                   answer(table_of("New", {{"a", a, "a-new"}, {"b", b, "b-new"}}), "forever") +
                   "\nupdate pods default/a");
  program->wait_for_output("b-new");
  CHECK(program->output() == "NAME   OLD\na      a-old\nb      b-old\n\nNAME   NEW\na      a-new\nb      b-new\n");
  end(*program);
}

TEST_CASE("watch: what two servers with other columns show is printed") {
  CommandServer on;
  on.server.script("create pods default/a\ncreate pods default/b");
  const std::string a = uid_of(on, "a"), b = uid_of(on, "b");
  on.server.script(answer(table_of("Old", {{"a", a}, {"b", b}}), "1") + kTablesOnly);
  const auto program = on.start({"watch", "pods"});
  program->wait_for_output("b      x\n");
  std::string faults;
  for (int i = 0; i < 50; ++i) faults += answer(table_of(i % 2 == 0 ? "New" : "Old", {{"a", a}}), "1") + "\n";
  on.server.script(faults + "update pods default/a");
  program->wait_for_errors("the server's table did not come: the server's columns change from answer to answer");
  CHECK(first_words(last_view(program->output())) == "NAME a b ");
  end(*program);
}

TEST_CASE("watch: the order of every view is that of the server's keys") {
  CommandServer on;
  on.server.script(
      "create pods a/pod-1\ncreate pods a/pod-3\ncreate pods a-b/pod-0\ncreate pods default/pod-4\n"
      "create pods kube-system/pod-5");
  CHECK(on.run({"watch", "pods", "-A", "--once", "-o", "names"}).output ==
        "a-b/pod-0\na/pod-1\na/pod-3\ndefault/pod-4\nkube-system/pod-5\n");
  CHECK(on.run({"watch", "pods", "-A", "--once", "-o", "name"}).output ==
        "pod/pod-0\npod/pod-1\npod/pod-3\npod/pod-4\npod/pod-5\n");
  for (const char* output : {"table", "json", "json-events", "yaml", "events"}) {
    CAPTURE(output);
    const std::string all = on.run({"watch", "pods", "-A", "--once", "-o", output}).output;
    CHECK(has_in_order(all, {"pod-0", "pod-1", "pod-3", "pod-4", "pod-5"}));
    const std::string named =
        on.run({"watch", "pods", "-n", "kube-system,default,a,a-b", "--once", "-o", output}).output;
    CHECK(has_in_order(named, {"pod-5", "pod-4", "pod-1", "pod-3", "pod-0"}));
  }
  const std::string lines = on.run({"watch", "pods", "-n", "kube-system,a", "--once", "-w"}).output;
  CHECK(has_in_order(lines, {"pod-5", "pod-1", "pod-3"}));
  const std::string sorted =
      on.run({"watch", "pods", "-n", "kube-system,a,a-b", "--once", "-o", "names", "--sort-by", "/kind"}).output;
  CHECK(sorted == "kube-system/pod-5\na/pod-1\na/pod-3\na-b/pod-0\n");
  const auto program = on.start({"watch", "pods", "-A", "-o", "names"});
  program->wait_for_output("kube-system/pod-5\n");
  on.server.script("create pods a-b/pod-9");
  program->wait_for_output("a-b/pod-9\n");
  on.server.script("create pods a/pod-2");
  program->wait_for_output("a/pod-2\n");
  CHECK(last_view(program->output()) ==
        "a-b/pod-0\na-b/pod-9\na/pod-1\na/pod-2\na/pod-3\ndefault/pod-4\nkube-system/pod-5\n");
  end(*program);
}

TEST_CASE("watch: objects that come with a later list of rows are in their places") {
  CommandServer on;
  on.server.script("create pods default/b\ncreate pods default/c");
  std::vector<PodRow> rows{{"b", uid_of(on, "b")}, {"c", uid_of(on, "c")}};
  on.server.script(answer(table_of("Some", rows), "1") + kTablesOnly);
  const auto program = on.start({"watch", "pods"});
  program->wait_for_output("c      x\n");
  std::string creates = "fault list pods answer 503 times=forever\n", words = "NAME ";
  for (int i = 0; i < 10; ++i) creates += "create pods default/a" + std::to_string(i) + "\n";
  on.server.script(creates);
  std::vector<PodRow> all;
  for (int i = 0; i < 10; ++i) all.push_back({"a" + std::to_string(i), uid_of(on, "a" + std::to_string(i)), "new"});
  all.insert(all.end(), rows.begin(), rows.end());
  for (const PodRow& row : all) words += row.name + " ";
  on.server.script("clear\n" + answer(table_of("Some", all), "forever") + "\nupdate pods default/b");
  program->wait_for_output("a9     new\n");
  CHECK(first_words(last_view(program->output())) == words);
  end(*program);
}

TEST_CASE("watch: an order that the server's tables alone have is followed") {
  CommandServer on;
  on.server.script("create pods default/a\ncreate pods default/b\ncreate pods default/c");
  const PodRow a{"a", uid_of(on, "a")}, b{"b", uid_of(on, "b")}, c{"c", uid_of(on, "c")};
  on.server.script(answer(table_of("Some", {c, a, b}), "1") + kTablesOnly);
  const auto program = on.start({"watch", "pods"});
  program->wait_for_output("b      x\n");
  CHECK(first_words(program->output()) == "NAME c a b ");
  on.server.script(answer(table_of("Other", {b, c, a}), "forever") + "\nupdate pods default/b");
  program->wait_for_output("OTHER");
  program->wait_for_output("a      x\n");
  CHECK(first_words(last_view(program->output())) == "NAME b c a ");
  end(*program);
}

TEST_CASE("titles are capitals outside ASCII too, and an empty -L adds none") {
  CommandServer on;
  on.server.script(
      answer(table_of("\u00dcn\u00ef \u0142\u0131\u00ff \u03c3\u03ad \u044f\u0451", {{"a", "u"}}), "forever"));
  CHECK(on.run({"get", "pods", "-L", ""}).output ==
        "NAME   \u00dcN\u00cf \u0141I\u0178 \u03a3\u0388 \u042f\u0401\na      x\n");
}

TEST_CASE("watch: cells that have not come leave no wide column behind") {
  CommandServer on;
  on.server.script("create pods default/a");
  const PodRow a{"a", uid_of(on, "a"), "y"};
  on.server.script(answer(table_of("S", {a}), "forever") + kTablesOnly);
  StartedProgram program(on.command({"watch", "pods", "-L", "none,last"}), TerminalSize{80, 24});
  program.wait_for_output("NAME   S   NONE   LAST");
  on.server.script("clear\nfault list pods answer 503 times=forever\ncreate pods default/b");
  program.wait_for_output("<unknown>");
  on.server.script("clear\n" + answer(table_of("S", {a, {"b", uid_of(on, "b"), "z"}}), "forever"));
  program.wait_for_output("b      z");
  program.write("q");
  CHECK(program.wait() == 0);
  CHECK(program.output().rfind("NAME   S   NONE   LAST") > program.output().rfind("<unknown>"));
}

TEST_CASE("watch: the server's warnings are above a table on a terminal, and below it at the end") {
  CommandServer on;
  on.server.script("create pods default/a");
  on.server.script(
      R"(fault list pods answer 200 header="Warning: 299 - \"is deprecated\"" times=forever skip=1 body=)" +
      table_of("Some", {{"a", uid_of(on, "a")}}));
  StartedProgram program(on.command({"watch", "pods"}), TerminalSize{80, 24});
  program.wait_for_output("Warning: is deprecated");
  program.write("q");
  CHECK(program.wait() == 0);
  CHECK(has(program.output(), "a      x\r\nWarning: is deprecated\r\n"));
}

TEST_CASE("watch: that there is nothing is said on standard error, of a missing object once") {
  CommandServer on;
  for (const char* titles : {"--show-labels", "--no-headers"}) {
    const CommandEnd none = on.run({"watch", "pods", "--once", titles});
    CHECK(none.status == 0);
    CHECK(none.output == "");
    CHECK(none.errors == "No resources found\n");
  }
  CHECK(is_one_line(on.run({"watch", "pods", "none", "--once"}).errors));
}

TEST_CASE("watch: objects without a uid have the rows of their names") {
  const std::string list =
      R"(fault list pods answer 200 times=1 body={"kind":"PodList","apiVersion":"v1","metadata":{},"items":[)"
      R"({"metadata":{"namespace":"default","name":"a"}},{"metadata":{"namespace":"default","name":"b"}}]})";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "pods", "-w", "--once"}, {"watch", "pods", "--once"}}) {
    CommandServer on;
    on.server.script(list + "\n" + answer(table_of("Some", {{"a", "", "of-a"}, {"b", "", "of-b"}}), "forever"));
    CHECK(on.run(words).output == "NAME   SOME\na      of-a\nb      of-b\n");
  }
}

TEST_CASE("watch: a column named Age that is not the object's age is the server's, on a terminal too") {
  CommandServer on;
  on.server.script("create pods default/a");
  on.server.script(answer(table_of("Age", {{"a", uid_of(on, "a"), "thirty"}}), "forever") + kTablesOnly);
  StartedProgram program(on.command({"watch", "pods"}), TerminalSize{80, 24});
  program.wait_for_output("thirty");
  program.write("q");
  CHECK(program.wait() == 0);
}

namespace {

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Of a pod that changes more often than its row may be asked for.
struct ChangingPod {
  ChangingPod() {
    on.server.script("create pods default/a");
    on.server.script(answer(table_of("Some", {{"a", uid_of(on, "a")}}), "forever") + kTablesOnly);
  }

  CommandServer on;
};

}  // namespace

TEST_CASE("watch: changes are printed while others keep coming") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "pods", "-w", "--show-labels"}, {"watch", "pods"}}) {
    ChangingPod pod;
    const auto program = pod.on.start(words);
    program->wait_for_output("a      ");
    pod.on.server.script("every 1ms update pods default/a\nevery 1ms update pods default/a");
    ksr::clustertest::wait_until("lines", [&] { return lines_of(program->output()) > 12; });
    end(*program);
  }
}

TEST_CASE("watch: --once ends with the first view while changes keep coming") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "pods", "-w", "--once"}, {"watch", "pods", "--once"}}) {
    ChangingPod pod;
    pod.on.server.script("every 2ms update pods default/a");
    const CommandEnd once = pod.on.run(words);
    CHECK(once.status == 0);
    CHECK(lines_of(once.output) == 2);
  }
}

TEST_CASE("watch: what has changed before the end of --seconds is printed once its row has come") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "pods", "-w", "--show-labels"}, {"watch", "pods", "--show-labels"}}) {
    ChangingPod pod;
    std::vector<std::string> command = words;
    command.insert(command.end(), {"--seconds", "2"});
    const auto program = pod.on.start(command);
    program->wait_for_output("a      ");
    pod.on.server.script("clear\nfault list pods answer 503 retry-after=3\n" +
                         answer(table_of("Some", {{"a", uid_of(pod.on, "a"), "late"}}), "forever") +
                         "\nupdate pods default/a n=1");
    CHECK(program->wait() == 0);
    CHECK(has(program->output(), words[0] == "get" ? "n=1" : "late"));
  }
}

namespace {

// A control character of C1, CSI; DEL; a mark that turns the direction of text.
constexpr const char* kEvil =
    R"(create pods default/evil {"metadata":{"annotations":{"note":"<\u009b2J\u007f\u202eend"}}})";
constexpr const char* kRaw =
    "\xc2\x9b"
    "2J\x7f\xe2\x80\xae"
    "end";

bool drives_a_terminal(const std::string& text) {
  return has(text, "\xc2\x9b") || has(text, "\x7f") || has(text, "\xe2\x80\xae");
}

std::string on_terminal(const CommandServer& on, std::vector<std::string> arguments) {
  StartedProgram program(on.command(std::move(arguments)), TerminalSize{200, 24});
  CHECK(program.wait() == 0);
  return program.output();
}

}  // namespace

TEST_CASE("no character reaches a terminal that it obeys, or that turns text") {
  CommandServer on;
  on.server.script(kEvil);
  const char* const shown =
      "<\xef\xbf\xbd"
      "2J^?\xef\xbf\xbd"
      "end";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"get", "pods", "-w"}, {"watch", "pods", "-w"}, {"watch", "pods"}}) {
    std::vector<std::string> words = command;
    words.insert(words.end(), {"--once", "--columns", "NOTE=/metadata/annotations/note"});
    CHECK(has(on.run(words).output, shown));
  }
  for (const char* format : {"json", "yaml"}) {
    CAPTURE(format);
    CHECK_FALSE(drives_a_terminal(on_terminal(on, {"get", "pods", "-o", format})));
    CHECK_FALSE(drives_a_terminal(on_terminal(on, {"get", "pod", "evil", "-o", format})));
    CHECK_FALSE(drives_a_terminal(on_terminal(on, {"watch", "pods", "--once", "-o", format})));
    CHECK_FALSE(drives_a_terminal(on_terminal(on, {"patch", "pod", "evil", "-p", "{}", "--type=merge", "-o", format})));
  }
  CHECK(has(on_terminal(on, {"get", "pod", "evil", "-o", "json"}), R"(\u003c\u009b2J\u007f\u202eend")"));
  CHECK(has(on_terminal(on, {"get", "pod", "evil", "-o", "yaml"}), R"("<\x9B2J\x7F\u202Eend")"));
  // What is no terminal has the object as it is.
  CHECK(has(on.run({"get", "pod", "evil", "-o", "json"}).output, kRaw));
}

TEST_CASE("no such character of a Table or of an error reaches standard output or standard error") {
  CommandServer on;
  on.server.script(R"(fault list pods answer 200 body={"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},)"
                   R"("columnDefinitions":[{"name":"Na\u202eme","type":"string"}],"rows":[{"cells":["\u009b\u2066a"]},)"
                   R"({"cells":[["\u202e"]]}]})");
  const CommandEnd table = on.run({"get", "pods"});
  CHECK(table.output ==
        "NA\xef\xbf\xbdME\n\xef\xbf\xbd\xef\xbf\xbd"
        "a\n[\"\xef\xbf\xbd\"]\n");
  on.server.script(
      R"(fault list pods answer 403 body={"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden",)"
      R"("message":"one\u202etwo\u009b"})");
  const CommandEnd error = on.run({"get", "pods"});
  CHECK(error.status == 1);
  CHECK(is_one_line(error.errors));
  CHECK(has(error.errors, "one\xef\xbf\xbdtwo"));
  CHECK_FALSE(drives_a_terminal(error.errors));
}

TEST_CASE("watch: a terminal has all columns that it is wide enough for") {
  CommandServer on;
  on.server.script("create pods default/a l35=last");
  std::vector<std::string> arguments{"watch", "pods"};
  for (int i = 1; i <= 35; ++i) {
    arguments.emplace_back("-L");
    arguments.push_back("l" + std::to_string(i));
  }
  StartedProgram program(on.command(arguments), TerminalSize{400, 24});
  program.wait_for_output("L35");
  program.wait_for_output("last");
  program.write("q");
  CHECK(program.wait() == 0);
}
