// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as Go's net/http and kubectl read them (golang.org/x/net/http/httpproxy and
// k8s.io/apimachinery/pkg/util/net, NewProxierWithNoProxyCIDR).
#pragma once

#include "base/url.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// The proxy on the way to that server, with the variable it came from; not set where there is none.
ValueWithOrigin proxy_from_environment(const Url& server, const ProcessEnvironment& process_env);

// localhost, 127.0.0.0/8 and ::1.
bool is_loopback(const Url& server);

// Whether a NO_PROXY list keeps the server from being reached through a proxy.
bool bypasses_proxy(const Url& server, std::string_view no_proxy);

}  // namespace ksr::cluster
