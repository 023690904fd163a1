// ksr-test-server: the scriptable API server as a program, for the demo and for hosts in other languages.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "server/api_server.hpp"
#include "server/words.hpp"

namespace {

using ksr::testserver::ApiServer;
using ksr::testserver::ServerOptions;

struct Arguments {
  ServerOptions options;
  std::string script;
  std::string ca_out;
  std::string port_file;
  bool stdin_eof = false;
  bool help = false;
};

constexpr const char* kUsage =
    "Usage: ksr-test-server [--port N] [--tls] [--ca-out FILE] [--token T]... [--script FILE]\n"
    "                       [--living pods=N] [--port-file FILE] [--bookmark-interval D] [--stdin-eof]\n";

constexpr const char* kHelp =
    "A Kubernetes API server for tests and demos, which behaves and misbehaves as a script says.\n"
    "\n"
    "  --port N               the port to listen on; without it a free one\n"
    "  --tls                  HTTPS, with a certificate of a CA of its own\n"
    "  --ca-out FILE          where to write that CA\n"
    "  --token T              a bearer token to accept, any number of times; without one requests need none\n"
    "  --script FILE          commands to run before it says that it listens, any number of times\n"
    "  --living pods=N        about N pods that start, run, crash, complete and are replaced\n"
    "  --port-file FILE       where to write the port\n"
    "  --bookmark-interval D  between two bookmarks of a watch, such as 60s\n"
    "  --stdin-eof            ends with its standard input\n"
    "\n"
    "It prints one line, \"listening on URL\", and ends at SIGTERM and SIGINT. More commands may be sent while it "
    "runs, as\n"
    "the body of POST /_ksr/script; tests/server/README.md lists them all.\n";

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text)) throw std::runtime_error("cannot write " + path);
}

std::string living_line(const std::string& value) {
  const auto equal = value.find('=');
  if (equal == std::string::npos) throw std::runtime_error("expected --living pods=N");
  return "living " + value.substr(0, equal) + " " + value.substr(equal + 1) + "\n";
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string name = values[i];
    const auto value = [&]() -> std::string {
      if (++i >= count) throw std::runtime_error(name + " needs a value");
      return values[i];
    };
    if (name == "--port")
      arguments.options.port = static_cast<std::uint16_t>(std::stoul(value()));
    else if (name == "--tls")
      arguments.options.tls = true;
    else if (name == "--ca-out")
      arguments.ca_out = value();
    else if (name == "--token")
      arguments.options.tokens.push_back({value(), "admin"});
    else if (name == "--script")
      arguments.script += read_file(value()) + "\n";
    else if (name == "--living")
      arguments.script += living_line(value());
    else if (name == "--port-file")
      arguments.port_file = value();
    else if (name == "--bookmark-interval")
      arguments.options.bookmark_interval = ksr::testserver::parse_duration(value());
    else if (name == "--stdin-eof")
      arguments.stdin_eof = true;
    else if (name == "--help" || name == "-h")
      arguments.help = true;
    else
      throw std::runtime_error("unknown option " + name + "\n" + kUsage);
  }
  return arguments;
}

// Returns at a signal to stop or at the end of standard input.
void wait_for_end(int signals, bool stdin_eof) {
  pollfd entries[] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (;;) {
    if (poll(entries, stdin_eof ? 2 : 1, -1) < 0) continue;
    if (entries[0].revents != 0) return;
    char bytes[256];
    if (entries[1].revents != 0 && read(STDIN_FILENO, bytes, sizeof bytes) <= 0) return;
  }
}

int serve(const Arguments& arguments) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const int signals = signalfd(-1, &ends, SFD_CLOEXEC);

  ApiServer server(arguments.options);
  if (!arguments.ca_out.empty()) write_file(arguments.ca_out, server.ca_pem());
  std::thread([&server, signals, eof = arguments.stdin_eof] {
    wait_for_end(signals, eof);
    server.stop();
  }).detach();
  // The script has run up to its first wait or sleep before the URL is printed.
  server.run([&](ksr::testserver::World& world) {
    world.run_script(arguments.script, [](const std::string& problem) {
      if (!problem.empty()) std::fprintf(stderr, "ksr-test-server: %s\n", problem.c_str());
    });
  });
  if (!arguments.port_file.empty()) write_file(arguments.port_file, std::to_string(server.port()) + "\n");
  std::printf("listening on %s\n", server.url().c_str());
  std::fflush(stdout);
  server.wait();
  // No destructors: the thread that waits for a signal may still be running.
  if (!server.ca_file().empty()) unlink(server.ca_file().c_str());
  std::_Exit(0);
}

}  // namespace

int main(int count, char** values) {
  try {
    const Arguments arguments = parse(count, values);
    if (!arguments.help) return serve(arguments);
    std::cout << kUsage << kHelp << std::flush;
    return std::cout ? 0 : 1;
  } catch (const std::exception& problem) {
    std::cerr << "ksr-test-server: " << problem.what() << '\n';
    return 2;
  }
}
