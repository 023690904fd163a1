#include <algorithm>
#include <cstddef>

#include "base/text.hpp"
#include "cluster/access.hpp"

namespace ksr::cluster {

void authorize(transport::Request& request, const RequestAuth& auth) {
  request.headers.insert(request.headers.end(), auth.headers.begin(), auth.headers.end());
  for (const std::string& subprotocol : auth.subprotocols) {
    request.subprotocol += (request.subprotocol.empty() ? "" : ", ") + subprotocol;
  }
  request.accept_gzip = request.accept_gzip && auth.compression;
}

void add_headers(transport::Request& request, const RequestAuth& auth) {
  const auto own = static_cast<std::ptrdiff_t>(request.headers.size());
  for (const transport::Header& header : auth.headers) {
    const auto same = [&](const transport::Header& held) { return equal_ignoring_case(held.name, header.name); };
    const auto begin = request.headers.begin();
    if (std::none_of(begin, begin + own, same)) request.headers.push_back(header);
  }
}

void set_accept(transport::Request& request, const char* types) {
  std::vector<transport::Header>& headers = request.headers;
  const auto is_accept = [](const transport::Header& header) { return equal_ignoring_case(header.name, "accept"); };
  headers.erase(std::remove_if(headers.begin(), headers.end(), is_accept), headers.end());
  headers.push_back({"Accept", types});
}

Expected<void> send_to_headlamp(transport::Request& request, const RequestAuth& auth) {
  if (!auth.headlamp_prefix) {
    return Error{Status::invalid, "params key scope: is headlamp, but the client has no headlamp_url"};
  }
  request.prefix = auth.headlamp_prefix;
  return {};
}

}  // namespace ksr::cluster
