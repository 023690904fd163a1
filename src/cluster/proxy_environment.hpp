// `proxy_from_environment` reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go's net/http and kubectl do
// (golang.org/x/net/http/httpproxy and k8s.io/apimachinery/pkg/util/net, NewProxierWithNoProxyCIDR); used by
// resolve_connection. Any thread.
#pragma once

#include "base/url.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// The proxy to that server, with the variable that has it; not set without one.
ValueWithOrigin proxy_from_environment(const Url& server, const ProcessEnvironment& process_env);

// localhost, 127.0.0.0/8 and ::1.
bool is_loopback(const Url& server);

// Whether a NO_PROXY list says that the server is reached without a proxy.
bool bypasses_proxy(const Url& server, std::string_view no_proxy);

}  // namespace ksr::cluster
