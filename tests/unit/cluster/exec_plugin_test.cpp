// exec plugins: real programs, bounded in time and output.
#include "cluster/exec_plugin.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>

#include <condition_variable>
#include <iostream>
#include <sstream>
#include <thread>

#include "support/certificates.hpp"
#include "support/emulator.hpp"
#include "support/grouped_locale.hpp"
#include "support/text.hpp"
#include "support/wait_limit.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;
using namespace ksr::testing;

namespace {

constexpr const char* v1 = "client.authentication.k8s.io/v1";

std::string credential(const std::string& status, const std::string& version = v1) {
  return R"({"kind":"ExecCredential","apiVersion":")" + version + R"(","status":)" + status + "}";
}

struct Plugin {
  explicit Plugin(const std::string& script) {
    plan.role = "exec of user \"jane\" in /k";
    plan.stanza.api_version = v1;
    plan.stanza.command = files.write("plugin", "#!/bin/sh\n" + script);
    REQUIRE(::chmod(plan.stanza.command.c_str(), 0700) == 0);
    plan.environment = {"PATH=/usr/bin:/bin", "FROM_HOST=host", "KUBERNETES_EXEC_INFO=old"};
    plan.search_path = "/usr/bin:/bin";
    plan.timeout = Milliseconds(20'000);
  }
  Expected<Credentials> run() { return run_exec_plugin(plan, stop, logger); }
  std::string message() {
    const auto outcome = run();
    REQUIRE(!outcome.has_value());
    CHECK(outcome.error().message.find("exec of user \"jane\" in /k: ") == 0);
    CHECK(outcome.error().message.find('\n') == std::string::npos);
    return outcome.error().message;
  }
  TemporaryDirectory files;
  ExecPlan plan;
  std::atomic<bool> stop{false};
  RecordingLogger logger;
};

using ksr::testing::has;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool alive(const std::string& pid_file) {
  const int pid = std::stoi(contents(pid_file));
  return ::kill(pid, 0) == 0;
}

// A killed process stays for a moment, until its new parent has reaped it.
bool gone_soon(const std::string& pid_file) {
  for (int turn = 0; turn < 500; ++turn) {
    if (!alive(pid_file)) return true;
    const std::string state = contents("/proc/" + std::to_string(std::stoi(contents(pid_file))) + "/stat");
    if (has(state, ") Z ")) return true;
    std::this_thread::sleep_for(Milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("a plugin's token is a bearer token, with or without an expiry") {
  Plugin plain("echo '" + credential(R"({"token":"t1"})") + "'");
  auto outcome = plain.run();
  REQUIRE(outcome.has_value());
  CHECK(outcome->authorization == "Bearer t1");
  CHECK(!outcome->expires);

  Plugin expiring("echo '" + credential(R"({"token":"t2","expirationTimestamp":"2030-01-01T00:00:00Z"})") + "'");
  outcome = expiring.run();
  REQUIRE(outcome.has_value());
  CHECK(outcome->expires);
}

TEST_CASE("a plugin may bring a certificate and its key") {
  const CertificateAndKey pair = self_signed("jane");
  boost::json::object status{{"clientCertificateData", pair.certificate_pem}, {"clientKeyData", pair.key_pem}};
  Plugin plugin("");
  plugin.files.write("answer", credential(boost::json::serialize(status)));
  plugin.files.write("plugin", "#!/bin/sh\ncat " + plugin.files.path("answer"));
  const auto outcome = plugin.run();
  REQUIRE(outcome.has_value());
  CHECK(outcome->certificate_pem == pair.certificate_pem);
  CHECK(outcome->key_pem == pair.key_pem);
  CHECK(outcome->authorization.empty());
}

TEST_CASE("a plugin gets its arguments as they are, its variables over the host's, and KUBERNETES_EXEC_INFO") {
  Plugin plugin(
      "printf '%s|' \"$@\" > \"$OUT\"; printf '%s|%s' \"$FROM_HOST\" \"$KUBERNETES_EXEC_INFO\" >> \"$OUT\"\n"
      "echo '" +
      credential(R"({"token":"t"})") + "'");
  const std::string out = plugin.files.path("out");
  plugin.plan.stanza.arguments = {"a b", "$HOME; rm -rf /", "'\"`id`", ""};
  plugin.plan.stanza.variables = {{"OUT", out}, {"FROM_HOST", "mine"}};
  REQUIRE(plugin.run().has_value());
  CHECK(contents(out) == "a b|$HOME; rm -rf /|'\"`id`||mine|" + exec_info(v1, nullptr));
}

TEST_CASE("KUBERNETES_EXEC_INFO describes the cluster to a plugin that asks") {
  ExecCluster cluster{"https://h", "name", false, "PEM", "http://p:1", true, R"({"audience":["a"]})"};
  CHECK(boost::json::parse(exec_info(v1, &cluster)) == boost::json::parse(R"({
    "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
    "spec": {"interactive": false, "cluster": {"server": "https://h", "tls-server-name": "name",
      "certificate-authority-data": "UEVN", "proxy-url": "http://p:1", "disable-compression": true,
      "config": {"audience": ["a"]}}}})"));
  CHECK(boost::json::parse(exec_info(v1, nullptr)) == boost::json::parse(R"({
    "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": {"interactive": false}})"));
}

TEST_CASE("a bare command is looked up in PATH, and the error has the install hint") {
  Plugin plugin("echo '" + credential(R"({"token":"t"})") + "'");
  plugin.plan.stanza.command = "plugin";
  plugin.files.write("other/plugin/readme", "a directory of that name is no program");
  plugin.plan.search_path = "relative:/no/such:" + plugin.files.path("other") + ":" + plugin.files.path("");
  CHECK(plugin.run().has_value());
  plugin.plan.search_path = "relative:.:";
  plugin.plan.stanza.install_hint = "first line\nget it from example.com";
  CHECK(has(plugin.message(), "\"plugin\" was not found in PATH: first line get it from example.com"));
}

TEST_CASE("the error of a failed plugin has its exit code and the last line of stderr, without what looks secret") {
  Plugin plugin("echo first >&2; echo 'you must log in' >&2; exit 3");
  CHECK(has(plugin.message(), "failed with exit code 3: you must log in"));
  Plugin secret("echo 'bad token eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJpc3MiOiJrdWJlcm5ldGVzL3N' >&2; exit 1");
  const std::string message = secret.message();
  CHECK(has(message, "bad token ***"));
  CHECK(!has(message, "eyJ"));
  Plugin killed("kill -TERM $$");
  CHECK(has(killed.message(), "was terminated by signal 15"));
}

TEST_CASE("the error of a plugin that is no program says why it cannot be run") {
  if (ksr::testing::under_emulator()) return;
  Plugin missing("");
  missing.plan.stanza.command = "/no/such/plugin";
  CHECK(has(missing.message(), "cannot be run: No such file"));
  Plugin no_program("");
  no_program.plan.stanza.command = no_program.files.write("data", "not a program");
  CHECK(has(no_program.message(), "cannot be run: Permission denied"));
}

TEST_CASE("output that is no credential is refused without being repeated") {
  const CertificateAndKey one = self_signed("one"), two = self_signed("two");
  const auto pair = [](const std::string& certificate, const std::string& key) {
    return boost::json::serialize(boost::json::object{{"clientCertificateData", certificate}, {"clientKeyData", key}});
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", "it printed nothing; expected an ExecCredential"},
      {" \r\n\t\n", "it printed nothing; expected an ExecCredential"},
      {"hunter2", "not an object in JSON or YAML"},
      {"[]", "not an object in JSON or YAML"},
      {std::string(1000, '['), "not an object in JSON or YAML"},
      // YAML that has no form in JSON as it is read here: too deep, or not UTF-8.
      {"a: " + std::string(40, '[') + std::string(40, ']'), "not an object in JSON or YAML"},
      {"a: \xff\xfe", "not an object in JSON or YAML"},
      {credential(R"({"token":"hunter2"})") + "}", "not an object in JSON or YAML"},
      // What begins as JSON has to be JSON to its end.
      {credential(R"({"token":"hunter2"})") + "\nbye\n", "not an object in JSON or YAML"},
      {credential(R"({"token":"hunter2"})") + "\n" + credential(R"({"token":"t"})"), "not an object in JSON or YAML"},
      {credential(R"({"token":"hunter2"})") + "\n---\n" + credential(R"({"token":"t"})"),
       "not an object in JSON or YAML"},
      {"\n {kind: ExecCredential, apiVersion: client.authentication.k8s.io/v1, status: {token: hunter2}}",
       "not an object in JSON or YAML"},
      {R"({"kind":7,"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"hunter2"}})", "another kind"},
      {R"({"status":{"token":"hunter2"}})", "another apiVersion"},
      {R"({"kind":"Status","apiVersion":"v1","message":"hunter2"})", "another kind"},
      {credential(R"({"token":"hunter2"})", "client.authentication.k8s.io/v1beta1"), "another apiVersion"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})", "no status"},
      {credential("null"), "no status"},
      {credential("{}"), "neither a token nor a certificate"},
      {credential(R"({"token":""})"), "neither a token nor a certificate"},
      {credential(R"({"token":7})"), "token that is not a string"},
      {credential(R"({"token":"hunter2\nX: y"})"), "control characters"},
      {credential(R"({"token":"hunter2","expirationTimestamp":"soon"})"), "not an RFC 3339 time"},
      {credential(R"({"clientCertificateData":"hunter2"})"), "only one of"},
      {credential(pair("hunter2", "hunter2")), "holds no certificate"},
      {credential(pair(one.certificate_pem, two.key_pem)), "is not the key"},
  };
  for (const auto& [output, part] : cases) {
    CAPTURE(part);
    const auto outcome = parse_exec_credential(output, v1);
    REQUIRE(!outcome.has_value());
    CHECK(has(outcome.error().message, part));
    CHECK(!has(outcome.error().message, "hunter2"));
  }
}

TEST_CASE("a lack of descriptors keeps a plugin from running, and is no failure of its credentials") {
  Plugin plugin("echo '" + credential(R"({"token":"t"})") + "'");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int lowest_free = ::dup(0);
  REQUIRE(lowest_free >= 0);
  ::close(lowest_free);
  // Not one pipe, one, and not the second one.
  for (const int left : {0, 1, 2, 3}) {
    CAPTURE(left);
    rlimit less = before;
    less.rlim_cur = static_cast<rlim_t>(lowest_free + left);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &less) == 0);
    const auto outcome = plugin.run();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(!outcome.has_value());
    CHECK(outcome.error().status == Status::out_of_memory);
    CHECK(has(outcome.error().message, "/plugin: cannot make a pipe: Too many open files"));
  }
  CHECK(plugin.run().has_value());
}

TEST_CASE("a plugin that hangs is killed with all that it started") {
  Plugin plugin("sleep 1000 & echo $! > \"$CHILD\"; echo $$ > \"$SELF\"; wait");
  plugin.plan.stanza.variables = {{"CHILD", plugin.files.path("child")}, {"SELF", plugin.files.path("self")}};
  plugin.plan.timeout = Milliseconds(500);
  CHECK(has(plugin.message(), "did not end within 500 ms and was killed"));
  CHECK(gone_soon(plugin.files.path("child")));
  CHECK(gone_soon(plugin.files.path("self")));
}

TEST_CASE("a plugin has its time as a whole: output that drips does not extend it") {
  Plugin plugin("while :; do printf x; printf y >&2; sleep 0.02; done");
  plugin.plan.timeout = Milliseconds(500);
  CHECK(has(plugin.message(), "did not end within 500 ms and was killed"));
}

TEST_CASE("a plugin that floods is killed, on standard output as well as silently on standard error") {
  Plugin output("exec cat /dev/zero");
  CHECK(has(output.message(), "wrote more than 1048576 bytes and was killed"));
  Plugin errors("head -c 3000000 /dev/zero >&2; echo; echo the end >&2; exit 1");
  CHECK(has(errors.message(), "failed with exit code 1"));
}

TEST_CASE("a plugin that leaves something running in the background does not hold up its answer") {
  Plugin plugin("sleep 1000 & echo $! > \"$CHILD\"; echo '" + credential(R"({"token":"t"})") + "'");
  plugin.plan.stanza.variables = {{"CHILD", plugin.files.path("child")}};
  CHECK(plugin.run().has_value());
  ::kill(std::stoi(contents(plugin.files.path("child"))), SIGKILL);
}

TEST_CASE("a plugin that is cancelled is killed") {
  Plugin plugin("echo $$ > \"$SELF\"; exec sleep 1000");
  const std::string self = plugin.files.path("self");
  plugin.plan.stanza.variables = {{"SELF", self}};
  std::thread stopper([&] {
    while (contents(self).empty()) std::this_thread::sleep_for(Milliseconds(1));
    plugin.stop = true;
  });
  const auto outcome = plugin.run();
  stopper.join();
  REQUIRE(!outcome.has_value());
  CHECK(outcome.error().status == Status::cancelled);
  CHECK(gone_soon(self));
}

TEST_CASE("a plugin may print YAML, and a byte order mark first") {
  const std::string yaml =
      "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus:\n  token: t\n"
      "  expirationTimestamp: 2030-01-01T00:00:00Z\n";
  for (const std::string& output :
       {yaml, "---\n" + yaml, "\xef\xbb\xbf" + yaml, "\xef\xbb\xbf" + credential(R"({"token":"t"})") + "\n"}) {
    const auto outcome = parse_exec_credential(output, v1);
    REQUIRE(outcome.has_value());
    CHECK(outcome->authorization == "Bearer t");
  }
  const auto number = parse_exec_credential(
      "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus: {token: 7}\n", v1);
  REQUIRE(!number.has_value());
  CHECK(has(number.error().message, "token that is not a string"));
}

TEST_CASE("a plugin may leave out the kind") {
  for (const char* kind : {"", R"("kind":"",)", R"("kind":null,)"}) {
    CAPTURE(kind);
    const auto outcome = parse_exec_credential(
        std::string("\n {") + kind + R"("apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}})", v1);
    REQUIRE(outcome.has_value());
    CHECK(outcome->authorization == "Bearer t");
  }
}

TEST_CASE("a plugin whose child prints after its end has printed nothing") {
  Plugin plugin("(sleep 1000; echo '" + credential(R"({"token":"t"})") + "') & echo $! > \"$CHILD\"");
  plugin.plan.stanza.variables = {{"CHILD", plugin.files.path("child")}};
  CHECK(has(plugin.message(), "/plugin: it printed nothing; expected an ExecCredential"));
  ::kill(std::stoi(contents(plugin.files.path("child"))), SIGKILL);
}

TEST_CASE("each line of a plugin's standard error is logged as it comes, also one without its end") {
  Plugin plugin(
      "echo 'open https://login.example.com/device?code=AB-CD' >&2; printf 'code: ' >&2; "
      "while [ ! -e \"$GO\" ]; do sleep 0.01; done; echo done >&2; echo '" +
      credential(R"({"token":"t"})") + "'");
  const std::string go = plugin.files.path("go");
  plugin.plan.stanza.variables = {{"GO", go}};
  class Answering final : public Logger {
   public:
    explicit Answering(std::string path) : path_(std::move(path)) {}
    bool wants(LogLevel level) const noexcept override { return level <= LogLevel::notice; }
    void log(LogLevel level, std::string line) override {
      CHECK(level == LogLevel::notice);
      lines.push_back(std::move(line));
      if (lines.size() == 2) std::ofstream(path_) << "go";
    }
    std::vector<std::string> lines;

   private:
    std::string path_;
  } logger(go);
  CHECK(run_exec_plugin(plugin.plan, plugin.stop, logger).has_value());
  const std::string role = "exec of user \"jane\" in /k: ";
  CHECK(logger.lines == std::vector<std::string>{role + "open https://login.example.com/device?code=AB-CD",
                                                 role + "code:", role + "done"});
}

TEST_CASE("a plugin may have the standard error of the host, and then nothing of it is logged") {
  Plugin plugin("printf 'code: ' >&2; exit 3");
  plugin.plan.inherits_stderr = true;
  const int kept = ::dup(STDERR_FILENO);
  const std::string file = plugin.files.write("errors", "");
  const int errors = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  ::dup3(errors, STDERR_FILENO, O_CLOEXEC);
  const auto outcome = plugin.run();
  ::dup2(kept, STDERR_FILENO);
  ::close(errors);
  REQUIRE_FALSE(outcome.has_value());
  CHECK(has(outcome.error().message, " failed with exit code 3"));
  CHECK_FALSE(has(outcome.error().message, "code:"));
  CHECK(contents(file) == "code: ");
  CHECK(plugin.logger.lines.empty());
  // Where the host has none, it is read and dropped as ever.
  ::close(STDERR_FILENO);
  const auto without = plugin.run();
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  CHECK(has(without.error().message, " failed with exit code 3"));
}

TEST_CASE("secrets that a plugin was given or printed are not in the log or the error, however short") {
  Plugin plugin(
      "echo \"using $CLIENT_SECRET and $2 and $3\" >&2; echo '\033[1mred\033[0m' >&2; "
      "echo '{\"token\": \"t0k3n\"}'; sleep 0.1; echo 'token t0k3n is bad' >&2; exit 1");
  plugin.plan.stanza.variables = {{"CLIENT_SECRET", "s3cr3t"}};
  plugin.plan.stanza.arguments = {"--password", "hunter2", "--client-key=k3y"};
  const std::string message = plugin.message();
  CHECK(has(message, "failed with exit code 1: token *** is bad"));
  std::string all = message;
  for (const std::string& line : plugin.logger.lines) all += "\n" + line;
  for (const char* secret : {"s3cr3t", "hunter2", "k3y", "t0k3n"}) CHECK(!has(all, secret));
  CHECK(!has(all, "\033"));
  CHECK(has(all, "using *** and *** and --client-key=***"));
}

TEST_CASE("a token that a plugin prints is in no log line and no error, in whatever way it is written") {
  const auto said = [](const std::string& output, const std::string& words, const std::string& end) {
    Plugin plugin("printf '%s\\n' '" + output + "'; sleep 0.1; echo '" + words + "' >&2; " + end);
    const auto outcome = plugin.run();
    std::string all = outcome ? "" : outcome.error().message;
    for (const std::string& line : plugin.logger.lines) all += "\n" + line;
    CAPTURE(output);
    CHECK(has(all, "debug ***"));
    return all;
  };
  for (const std::string end : {"exit 0", "exit 1"}) {
    CHECK(!has(said(credential(R"({"token":"OnlyLettersToken"})"), "debug OnlyLettersToken", end), "Letters"));
    CHECK(!has(said(credential(R"({"token":"abc"})"), "debug abc", end), "abc"));
    CHECK(!has(said(credential(R"({"token":"ab\/cd\/ef1"})"), "debug ab/cd/ef1", end), "ef1"));
    CHECK(!has(said(credential(R"({"token":"abcdef\u003d"})"), "debug abcdef=", end), "abcdef"));
    CHECK(!has(said(credential(R"({"token":"two words"})"), "debug two words", end), "words"));
    CHECK(!has(said(credential(R"({"token":"t","clientKeyData":"KeyOfLetters"})"), "debug KeyOfLetters", end),
               "Letters"));
    CHECK(!has(
        said("apiVersion: " + std::string(v1) + "\nstatus:\n  token: OnlyLettersToken", "debug OnlyLettersToken", end),
        "Letters"));
    // What cannot be parsed.
    CHECK(!has(said(R"({"status": {"token": "OnlyLettersToken")", "debug OnlyLettersToken", end), "Letters"));
    CHECK(!has(said(R"({"status": {"token": "ab\/cd\/ef1")", "debug ab/cd/ef1", end), "ef1"));
  }
}

TEST_CASE("a flood of lines on standard error is cut in the log") {
  Plugin plugin("i=0; while [ $i -lt 1000 ]; do echo line >&2; i=$((i+1)); done; exit 1");
  CHECK(has(plugin.message(), ": line"));
  CHECK(plugin.logger.lines.size() == 102);
  CHECK(has(plugin.logger.lines[100], "more lines are not logged"));
  CHECK(has(plugin.logger.lines.back(), "900 lines of its standard error were not logged"));
}

TEST_CASE("the timeout holds for a plugin that leaves its process group, and for one whose pipes stay open") {
  Plugin leaves(
      "exec perl -e 'setpgrp(0, getpgrp(getppid())); open(F, \">\", $ENV{SELF}); print F $$; close(F); sleep 1000'");
  const std::string self = leaves.files.path("self");
  leaves.plan.stanza.variables = {{"SELF", self}};
  leaves.plan.timeout = Milliseconds(1'000);
  CHECK(has(leaves.message(), "did not end within 1000 ms and was killed"));
  CHECK(gone_soon(self));

  Plugin holds("setsid sleep 1000 & echo $! > \"$CHILD\"; sleep 1000");
  holds.plan.stanza.variables = {{"CHILD", holds.files.path("child")}};
  holds.plan.timeout = Milliseconds(500);
  CHECK(has(holds.message(), "did not end within 500 ms and was killed"));
  ::kill(std::stoi(contents(holds.files.path("child"))), SIGKILL);
}

TEST_CASE("exit() ends a plugin that runs, with its process group") {
  Plugin plugin("sleep 1000 & echo $! > \"$CHILD\"; echo $$ > \"$SELF\"; wait");
  const std::string child = plugin.files.path("child"), self = plugin.files.path("self");
  plugin.plan.stanza.variables = {{"CHILD", child}, {"SELF", self}};
  // What is buffered would be written twice.
  std::cout.flush();
  const pid_t host = ::fork();
  REQUIRE(host >= 0);
  if (host == 0) {
    std::thread([&] { static_cast<void>(plugin.run()); }).detach();
    for (int turn = 0; turn < 1000 && contents(self).empty(); ++turn) {
      std::this_thread::sleep_for(Milliseconds(10));
    }
    ::exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(host, &status, 0) == host);
  CHECK(status == 0);
  REQUIRE_FALSE(contents(self).empty());
  CHECK(gone_soon(self));
  CHECK(gone_soon(child));
}

TEST_CASE("a plugin sees no signal mask, no ignored signals, no descriptors and no terminal of the host") {
  Plugin plugin(
      "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2 > \"$OUT\"; ls /proc/self/fd >> \"$OUT\"; cat >> \"$OUT\"\n"
      "echo '" +
      credential(R"({"token":"t"})") + "'");
  const std::string out = plugin.files.path("out");
  plugin.plan.stanza.variables = {{"OUT", out}};
  std::ofstream inherited(plugin.files.path("inherited"));
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  void (*handler)(int) = ::signal(SIGPIPE, SIG_IGN);
  const auto outcome = plugin.run();
  ::signal(SIGPIPE, handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(outcome.has_value());
  std::istringstream lines(contents(out));
  unsigned long long blocked_there = ~0ull, ignored_there = ~0ull;
  std::string descriptors;
  lines >> std::hex >> blocked_there >> ignored_there;
  std::getline(lines, descriptors, '\0');
  CHECK(blocked_there == 0);
  // The two that the C library keeps for itself, 32 and 33, are its own affair.
  CHECK((ignored_there & 0x7fffffff) == 0);
  // ls has its own descriptor 3, for the directory.
  CHECK(descriptors == "\n0\n1\n2\n3\n");
}

TEST_CASE("a host that ignores its children's ends gets the answer all the same") {
  Plugin plugin("echo '" + credential(R"({"token":"t"})") + "'");
  void (*handler)(int) = ::signal(SIGCHLD, SIG_IGN);
  const auto outcome = plugin.run();
  ::signal(SIGCHLD, handler);
  REQUIRE(outcome.has_value());
  CHECK(outcome->authorization == "Bearer t");
}

namespace {

// A world whose user has a plugin that counts its runs; answer_N says what run N answers, else answer.
struct PluginWorld : World {
  PluginWorld() {
    files.write("plugin", "#!/bin/sh\nn=$(($(cat " + files.path("runs") + " 2>/dev/null || echo 0)+1)); echo $n > " +
                              files.path("runs") + "\ncat " + files.path("answer") + "\n");
    REQUIRE(::chmod(files.path("plugin").c_str(), 0700) == 0);
    variables["PATH"] = "/usr/bin:/bin";
    variables["KUBECONFIG"] = files.write(
        "config",
        "clusters: [{name: c, cluster: {server: 'https://h'}}]\n"
        "users: [{name: jane, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, "
        "interactiveMode: IfAvailable}}}]\ncontexts: [{name: c, context: {cluster: c, user: jane}}]\n"
        "current-context: c\n");
  }
  void answer(const std::string& status) { files.write("answer", credential(status)); }
  void answer_token(const std::string& token, Milliseconds life) {
    const auto expiry = std::chrono::system_clock::to_time_t(wall + life);
    char text[32];
    std::tm parts{};
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", ::gmtime_r(&expiry, &parts));
    answer(R"({"token":")" + token + R"(","expirationTimestamp":")" + text + "\"}");
  }
  std::string token(Access& access) {
    const auto auth = authenticate(access);
    REQUIRE(auth);
    if (const Error* error = auth->if_error()) return "error: " + error->message;
    return header(**auth, "Authorization");
  }
  int runs() const { return std::atoi(contents(files.path("runs")).c_str()); }
};

// The plugin gives "two" from now on.
std::shared_ptr<Access> opened_with_token_one(PluginWorld& world) {
  world.answer(R"({"token":"one"})");
  const auto access = world.open({});
  REQUIRE(access.has_value());
  CHECK(world.token(**access) == "Bearer one");
  world.answer(R"({"token":"two"})");
  return *access;
}

}  // namespace

TEST_CASE("a plugin runs at the first request, once for all who wait, and again when its token is about to expire") {
  PluginWorld world;
  world.answer_token("one", Milliseconds(100'000));
  const auto opened = world.open({});
  const auto other = world.open({});
  REQUIRE((opened.has_value() && other.has_value()));
  CHECK(opened->get() == other->get());
  CHECK(world.runs() == 0);
  int answers = 0;
  std::vector<PendingCall> waiting;
  for (int i = 0; i < 10; ++i)
    waiting.push_back(
        (*opened)->authenticate(Purpose::request, [&](Expected<RequestAuth> auth) { answers += auth.has_value(); }));
  world.run_all();
  CHECK(answers == 10);
  CHECK(world.runs() == 1);
  world.pass(Milliseconds(89'000));
  CHECK(world.token(**opened) == "Bearer one");
  CHECK(world.runs() == 1);
  world.answer_token("two", Milliseconds(5'000));
  world.pass(Milliseconds(1'000));
  CHECK(world.token(**opened) == "Bearer two");
  // A short life is used for the most part of it.
  world.pass(Milliseconds(3'000));
  CHECK(world.token(**opened) == "Bearer two");
  CHECK(world.runs() == 2);
}

// kubectl runs it again at once: a cached token may have been revoked.
TEST_CASE("a plugin whose first token is refused at once runs at once") {
  PluginWorld world;
  const auto access = opened_with_token_one(world);
  CHECK(access->reject_credentials());
  CHECK(world.token(*access) == "Bearer two");
  world.answer(R"({"token":"three"})");
  CHECK(!access->reject_credentials());
  CHECK(world.token(*access) == "Bearer two");
  CHECK(world.runs() == 2);
}

TEST_CASE("a refused token makes the plugin run again, but not for each refusal") {
  PluginWorld world;
  const auto access = opened_with_token_one(world);
  world.pass(Milliseconds(2'000));
  access->reject_credentials();
  CHECK(world.token(*access) == "Bearer two");
  access->reject_credentials();
  CHECK(world.token(*access) == "Bearer two");
  CHECK(world.runs() == 2);
}

TEST_CASE("a plugin that fails runs once for all, and again after a backoff of its own") {
  PluginWorld world;
  world.answer("{}");
  const auto access = world.open({});
  REQUIRE(access.has_value());
  const std::string message = world.token(**access);
  CHECK(has(message, "error: exec of user \"jane\" in " + world.files.path("config")));
  CHECK(has(message, "neither a token nor a certificate"));
  for (int i = 0; i < 30; ++i) CHECK(world.token(**access) == message);
  CHECK(world.runs() == 1);
  const auto refused = world.authenticate(**access);
  REQUIRE((refused && !refused->has_value()));
  CHECK(refused->error().retry_after == Milliseconds(1'000));
  for (int second = 0; second < 90; ++second) {
    world.pass(Milliseconds(1'000));
    for (int i = 0; i < 30; ++i) world.token(**access);
  }
  CHECK(world.runs() == 7);
  world.answer(R"({"token":"now"})");
  world.pass(Milliseconds(60'000));
  CHECK(world.token(**access) == "Bearer now");
  world.pass(Milliseconds(2'000));
  world.answer("{}");
  (*access)->reject_credentials();
  CHECK(has(world.token(**access), "neither a token nor a certificate"));
  const auto again = world.authenticate(**access);
  REQUIRE((again && !again->has_value()));
  CHECK(again->error().retry_after == Milliseconds(1'000));
}

TEST_CASE("a plugin whose tokens are refused is not run for each refusal") {
  PluginWorld world;
  world.answer(R"({"token":"bad"})");
  const auto access = world.open({});
  REQUIRE(access.has_value());
  for (int second = 0; second < 90; ++second) {
    world.token(**access);
    world.pass(Milliseconds(1'000));
    (*access)->reject_credentials();
  }
  CHECK(world.runs() < 10);
}

TEST_CASE("requests do not wait for a plugin beyond its timeout, whatever keeps its thread") {
  PluginWorld world;
  world.answer(R"({"token":"late"})");
  const auto access = world.open({});
  REQUIRE(access.has_value());
  std::optional<Expected<RequestAuth>> answer;
  const auto pending =
      (*access)->authenticate(Purpose::request, [&](Expected<RequestAuth> auth) { answer.emplace(std::move(auth)); });
  world.executor.run();
  REQUIRE(world.blocking_tasks.size() == 1);
  world.pass(Milliseconds(65'000));
  REQUIRE(answer);
  REQUIRE(!answer->has_value());
  CHECK(has(answer->error().message, "did not end within 65000 ms"));
  // The late outcome is dropped, and the next fetch is another one.
  world.run_all();
  CHECK(has(world.token(**access), "did not end within 65000 ms"));
  world.pass(Milliseconds(1'000));
  CHECK(world.token(**access) == "Bearer late");
}

TEST_CASE("another certificate of a plugin is another connection") {
  PluginWorld world;
  const auto answer_certificate = [&](const CertificateAndKey& pair) {
    world.answer(boost::json::serialize(
        boost::json::object{{"clientCertificateData", pair.certificate_pem}, {"clientKeyData", pair.key_pem}}));
  };
  const CertificateAndKey one = self_signed("one"), two = self_signed("two");
  answer_certificate(one);
  const auto access = world.open({});
  REQUIRE(access.has_value());
  const auto first = world.authenticate(**access);
  REQUIRE((first && first->has_value()));
  answer_certificate(two);
  world.pass(Milliseconds(2'000));
  (*access)->reject_credentials();
  const auto second = world.authenticate(**access);
  REQUIRE((second && second->has_value()));
  CHECK((*first)->connection != (*second)->connection);
  CHECK(world.transport.connects.back().tls.client_certificate_pem == two.certificate_pem);
}

TEST_CASE("credentials in keys, or static ones in the file, disable the plugin") {
  PluginWorld world;
  ConnectionOptions options;
  options.kubeconfig = world.variables["KUBECONFIG"];
  options.token = "mine";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  CHECK(world.token(**access) == "Bearer mine");
  CHECK(world.runs() == 0);
}

TEST_CASE("a plugin with provideClusterInfo gets the cluster of the kubeconfig, its extension included") {
  PluginWorld world;
  world.files.write("plugin", "#!/bin/sh\nprintf '%s' \"$KUBERNETES_EXEC_INFO\" > \"$OUT\"; echo '" +
                                  credential(R"({"token":"t"})", "client.authentication.k8s.io/v1beta1") + "'");
  world.files.write(
      "config",
      "clusters: [{name: c, cluster: {server: 'https://h/prefix', tls-server-name: inner, insecure-skip-tls-verify: "
      "true, "
      "extensions: [{name: other, extension: {no: 1}}, {name: client.authentication.k8s.io/exec, extension: "
      "{audience: '7', deep: [46807, 2.5, true, null, text]}}]}}]\n"
      "users: [{name: jane, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin, "
      "provideClusterInfo: true, env: [{name: OUT, value: " +
          world.files.path("out") +
          "}]}}}]\ncontexts: [{name: c, context: {cluster: c, user: jane}}]\ncurrent-context: c\n");
  // The host's locale decides nothing about numbers.
  const ksr::testing::GroupedLocale grouped;
  const auto access = world.open({});
  REQUIRE(access.has_value());
  CHECK(world.token(**access) == "Bearer t");
  CHECK(boost::json::parse(contents(world.files.path("out"))) == boost::json::parse(R"({
    "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1",
    "spec": {"interactive": false, "cluster": {"server": "https://h/prefix", "tls-server-name": "inner",
      "insecure-skip-tls-verify": true, "config": {"audience": "7", "deep": [46807, 2.5, true, null, "text"]}}}})"));
}

TEST_CASE("plugins and files are fetched on threads of their own while requests go on") {
  std::atomic<int> threads{0};
  PluginWorld world;
  world.process_env.spawn_blocking = [&](std::function<void()> task) {
    ++threads;
    return process_environment().spawn_blocking([&threads, task = std::move(task)]() mutable {
      task();
      task = nullptr;
      --threads;
    });
  };
  world.answer(R"({"token":"one"})");
  const auto access = world.open({});
  ConnectionOptions with_file;
  with_file.server = "https://other";
  with_file.token_file = world.files.write("token", "two");
  const auto other = world.open(with_file);
  REQUIRE((access.has_value() && other.has_value()));
  world.pass(Milliseconds(60'000));
  int answers = 0;
  std::vector<PendingCall> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(
        (*access)->authenticate(Purpose::request, [&](Expected<RequestAuth> auth) { answers += auth.has_value(); }));
    waiting.push_back(
        (*other)->authenticate(Purpose::request, [&](Expected<RequestAuth> auth) { answers += auth.has_value(); }));
  }
  for (int turn = 0; turn < 3000 && (answers < 40 || threads > 0); ++turn) {
    world.executor.run();
    std::this_thread::sleep_for(Milliseconds(10));
  }
  CHECK(answers == 40);
  CHECK(world.runs() == 1);
}

TEST_CASE("spawn_blocking of the process runs a task on another thread, which receives no signal") {
  const ProcessEnvironment& process_env = process_environment();
  std::mutex done_mutex;
  std::condition_variable done_changed;
  bool done = false;
  sigset_t mask;
  sigemptyset(&mask);
  const auto caller = std::this_thread::get_id();
  REQUIRE(process_env.spawn_blocking([&] {
    CHECK(std::this_thread::get_id() != caller);
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    const std::lock_guard lock(done_mutex);
    done = true;
    done_changed.notify_one();
  }));
  std::unique_lock lock(done_mutex);
  REQUIRE(done_changed.wait_for(lock, ksr::testing::kWaitLimit, [&] { return done; }));
  CHECK(sigismember(&mask, SIGTERM) == 1);
  CHECK(sigismember(&mask, SIGCHLD) == 1);
  CHECK(process_env.variable("PATH").has_value());
  CHECK(!process_env.variable("KSR_NO_SUCH_VARIABLE"));
  CHECK(!process_env.variables().empty());
}
