// ksr-test-server as hosts start it.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace {

struct Outcome {
  int status;
  std::string output;
};

Outcome run(const std::string& arguments, const std::string& before = "") {
  FILE* const pipe = popen((before + KSR_TEST_SERVER_PROGRAM " " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 512> bytes{};
  while (const std::size_t count = fread(bytes.data(), 1, bytes.size(), pipe)) output.append(bytes.data(), count);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text = "") {
    char path[] = "/tmp/ksr-server-self-XXXXXX";
    close(mkstemp(path));
    path_ = path;
    std::ofstream(path_) << text;
  }
  ~ScratchFile() { unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::string& path() const { return path_; }
  std::string text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("one line names its URL; the files exist by then; quit ends it") {
  const ScratchFile script("populate pods 3\nquit\n");
  const ScratchFile ca;
  const ScratchFile port;
  const Outcome outcome = run("--tls --token t --living pods=3 --ca-out " + ca.path() + " --port-file " + port.path() +
                              " --script " + script.path());
  CHECK(outcome.status == 0);
  CHECK(outcome.output == "listening on https://127.0.0.1:" + port.text());
  CHECK(ca.text().rfind("-----BEGIN CERTIFICATE-----", 0) == 0);
}

TEST_CASE("it ends with its standard input, and at SIGTERM") {
  CHECK(run("--stdin-eof </dev/null").status == 0);
  CHECK(run("</dev/null", "timeout --preserve-status -s TERM 1 ").status == 0);
}

TEST_CASE("errors in its arguments or script are printed") {
  CHECK(run("--dance").status == 2);
  CHECK(run("--dance").output.find("unknown option --dance") != std::string::npos);
  CHECK(run("--port").output.find("--port needs a value") != std::string::npos);
  CHECK(run("--living 3").status == 2);
  CHECK(run("--script /does/not/exist").output.find("/does/not/exist") != std::string::npos);
  const ScratchFile script("dance\n");
  CHECK(run("--stdin-eof --script " + script.path() + " </dev/null").output.find("unknown command dance") !=
        std::string::npos);
}
