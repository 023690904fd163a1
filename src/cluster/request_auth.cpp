#include <algorithm>
#include <cstddef>

#include "base/text.hpp"
#include "cluster/access.hpp"

namespace ksr::cluster {

void add_headers(transport::Request& request, const RequestAuth& auth) {
  const auto own = static_cast<std::ptrdiff_t>(request.headers.size());
  for (const transport::Header& header : auth.headers) {
    const auto same = [&](const transport::Header& held) { return equal_ignoring_case(held.name, header.name); };
    const auto begin = request.headers.begin();
    if (std::none_of(begin, begin + own, same)) request.headers.push_back(header);
  }
}

Expected<void> send_to_headlamp(transport::Request& request, const RequestAuth& auth) {
  if (!auth.headlamp_prefix) {
    return Error{Status::invalid, "params key scope: is headlamp, but the client has no headlamp_url"};
  }
  request.prefix = auth.headlamp_prefix;
  return {};
}

}  // namespace ksr::cluster
