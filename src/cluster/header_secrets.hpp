// `secrets_in` are the secrets among the headers of a connection, a request or a channel, which a server may repeat in
// what it says; used by resolve_connection, requests and channels. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// Not every header is a secret, but those that servers and gateways authenticate by have such names or values.
bool carries_secret(std::string_view name, std::string_view value);

// The values of those, and what stands behind "Bearer" and the like.
std::vector<std::string> secrets_in(const std::vector<transport::Header>& headers);

// A text or an error without what it repeats of them.
std::string without_secrets_in(const std::vector<transport::Header>& headers, std::string text);
Error without_secrets_in(const std::vector<transport::Header>& headers, Error error);

}  // namespace ksr::cluster
