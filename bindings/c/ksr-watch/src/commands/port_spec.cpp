#include "commands/port_spec.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"
#include "commands/json_text.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxPort = 0xffff;

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::optional<std::uint16_t> port_in(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<std::int64_t> number_at(const json::value& value, const char* name) {
  const json::value* number = value_at(value, {name});
  if (number == nullptr || !number->is_int64()) return std::nullopt;
  return number->get_int64();
}

Expected<std::uint16_t> valid(std::int64_t port, const std::string& of) {
  if (port < 1 || port > kMaxPort)
    return usage_error(of + " is port " + std::to_string(port) + "; expected 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

Expected<std::uint16_t> port_of_pod(const std::string& name, const PodView& pod) {
  for (const PodContainer& container : pod.containers) {
    for (const PodContainer::Port& port : container.ports) {
      if (port.name == name) return valid(port.number, "the port " + in_quotes(name) + " of pod " + one_line(pod.name));
    }
  }
  return usage_error("pod " + one_line(pod.name) + " has no port named " + in_quotes(name));
}

const json::value* port_of_service(const json::value& service, const std::string& remote) {
  const json::value* ports = value_at(service, {"spec", "ports"});
  if (ports == nullptr || !ports->is_array()) return nullptr;
  for (const json::value& port : ports->get_array()) {
    if (text_at(port, {"name"}) == remote) return &port;
    if (is_number(remote) && std::to_string(number_at(port, "port").value_or(0)) == remote) return &port;
  }
  return nullptr;
}

}  // namespace

Expected<PortSpec> parse_port_spec(const std::string& text) {
  PortSpec spec;
  const std::size_t colon = text.find(':');
  spec.remote = colon == std::string::npos ? text : text.substr(colon + 1);
  if (spec.remote.empty() || spec.remote.find(':') != std::string::npos) {
    return usage_error("expected REMOTE, LOCAL:REMOTE or :REMOTE in place of " + in_quotes(text));
  }
  if (is_number(spec.remote) && port_in(spec.remote).value_or(0) == 0) {
    return usage_error(in_quotes(text) + ": expected a remote port from 1 to 65535");
  }
  if (colon == std::string::npos) {
    spec.local = port_in(spec.remote).value_or(0);
    return spec;
  }
  const std::string local = text.substr(0, colon);
  spec.how = PortSpec::Local::any;
  if (local.empty()) return spec;
  const std::optional<std::uint16_t> port = port_in(local);
  if (!port) return usage_error(in_quotes(text) + ": expected a local port from 0 to 65535");
  if (*port == 0) return spec;
  spec.how = PortSpec::Local::given;
  spec.local = *port;
  return spec;
}

namespace {

Error no_udp(std::int64_t port) {
  return usage_error("UDP protocol is not supported for " + std::to_string(port));
}

// A port may have several protocols; TCP is one where none is named (k8s.io/kubectl/pkg/cmd/portforward,
// checkUDPPorts).
bool is_udp_alone(std::int64_t number, const PodView& pod) {
  bool udp = false;
  for (const PodContainer& container : pod.containers) {
    for (const PodContainer::Port& port : container.ports) {
      if (port.number != number) continue;
      if (port.protocol != "UDP") return false;
      udp = true;
    }
  }
  return udp;
}

bool is_udp_alone(std::int64_t number, const json::value& service) {
  bool udp = false;
  for (const json::value& port : value_at(service, {"spec", "ports"})->get_array()) {
    if (number_at(port, "port") != number) continue;
    if (text_at(port, {"protocol"}) != "UDP") return false;
    udp = true;
  }
  return udp;
}

}  // namespace

// k8s.io/kubectl/pkg/util, LookupContainerPortNumberByServicePort.
Expected<std::uint16_t> remote_port(const std::string& remote, const json::value* service, const PodView& pod) {
  if (service == nullptr) {
    const Expected<std::uint16_t> port = is_number(remote) ? *port_in(remote) : port_of_pod(remote, pod);
    if (port && is_udp_alone(*port, pod)) return no_udp(*port);
    return port;
  }
  const json::value* port = port_of_service(*service, remote);
  const std::string of = "service " + one_line(text_at(*service, {"metadata", "name"}));
  if (port == nullptr) return usage_error(of + " does not have a port " + in_quotes(remote));
  const std::int64_t number = number_at(*port, "port").value_or(0);
  if (is_udp_alone(number, *service)) return no_udp(number);
  // A headless one forwards nothing: its clients reach the pods themselves.
  if (text_at(*service, {"spec", "clusterIP"}) == "None") return valid(number, of);
  if (const std::string name = text_at(*port, {"targetPort"}); !name.empty()) return port_of_pod(name, pod);
  const std::int64_t target = number_at(*port, "targetPort").value_or(0);
  return valid(target == 0 ? number : target, "the target of " + of);
}

}  // namespace ksr::commands
