#include "control.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "process.hpp"

namespace ksr::bench {
namespace {

std::string read_all(int socket) {
  std::string answer;
  char part[4096];
  for (ssize_t got = 0; (got = recv(socket, part, sizeof part, 0)) > 0;)
    answer.append(part, static_cast<std::size_t>(got));
  close(socket);
  return answer;
}

std::uint64_t member(const std::string& json, const std::string& name) {
  const std::size_t at = json.find('"' + name + "\":");
  if (at == std::string::npos) throw std::runtime_error("the bench server's response lacks " + name);
  return std::stoull(json.substr(at + name.size() + 3));
}

}  // namespace

Control::Control(const std::string& url)
    : port_(static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)))) {}

int Control::open(const std::string& request) const {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    close(socket);
    throw std::runtime_error("the bench server cannot be reached");
  }
  return socket;
}

ServerState Control::ask(const std::string& path) const {
  const std::string answer = read_all(open("GET /control/" + path + " HTTP/1.0\r\n\r\n"));
  if (answer.compare(0, 12, "HTTP/1.0 200") != 0) throw std::runtime_error("the bench server refuses: " + answer);
  return {member(answer, "objects"), member(answer, "goal"), member(answer, "version_sum"), member(answer, "watchers")};
}

ServerState Control::state() const {
  return ask("state");
}

ServerState Control::go(std::uint64_t events, std::uint64_t rate, std::uint64_t newest) const {
  return ask("go?events=" + std::to_string(events) + "&rate=" + std::to_string(rate) +
             "&newest=" + std::to_string(newest));
}

void Control::wait_for_watchers(std::uint64_t count) const {
  const double deadline = now_seconds() + 120;
  while (state().watchers < count) {
    if (now_seconds() > deadline) throw std::runtime_error("no watch was opened within 120 s");
    sleep_seconds(0.01);
  }
}

}  // namespace ksr::bench
