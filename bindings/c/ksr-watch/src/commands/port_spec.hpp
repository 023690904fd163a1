// `PortSpec` is [LOCAL:]REMOTE of port-forward, `remote_port` the port of a pod that REMOTE means; used by
// port-forward. Pure, any thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>

#include "base/expected.hpp"
#include "commands/pods.hpp"

namespace ksr::commands {

struct PortSpec {
  enum class Local : std::uint8_t { given, any, as_remote };
  Local how = Local::as_remote;
  // 0: any, or that of the pod which a name as REMOTE stands for.
  std::uint16_t local = 0;
  // A number or a name.
  std::string remote;
};

Expected<PortSpec> parse_port_spec(const std::string& text);

// `service` NULL: REMOTE is a port of the pod; else one of the Service, which leads to one of the pod.
Expected<std::uint16_t> remote_port(const std::string& remote, const boost::json::value* service, const PodView& pod);

}  // namespace ksr::commands
