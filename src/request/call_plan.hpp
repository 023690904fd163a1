// `plan_call` says what a request sends: method, target, headers and body for its verb and keys; used by ApiCall. Pure,
// any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/expected.hpp"
#include "base/instant.hpp"
#include "cluster/resource.hpp"
#include "request/params.hpp"
#include "transport/transport.hpp"

namespace ksr::request {

struct CallPlan {
  std::string method;
  // Without the time limit for the server.
  std::string target;
  // Without those of the connection.
  std::vector<transport::Header> headers;
  std::string body;
  // Carrying it out twice changes nothing more (RFC 9110, section 9.2.1).
  bool safe = true;
  // The server is told to give up in time: `timeout` in the query, which writes of resources have.
  bool tell_timeout = false;
};

// `resource`: NULL for a raw request. `params` has passed check_params.
Expected<CallPlan> plan_call(const Params& params, const cluster::Resource* resource, const std::string& name_space);

// The target with timeout=…, at least a millisecond.
std::string target_with_timeout(const CallPlan& plan, Milliseconds left);

// Whether the method of such a request is safe, which does not depend on the resource.
bool is_safe(const Params& params);

// For the errors of the call: "create of v1/pods in namespace default at SERVER".
ErrorContext context_of(const Params& params, const cluster::Resource* resource, const std::string& name_space,
                        const std::string& server);

}  // namespace ksr::request
