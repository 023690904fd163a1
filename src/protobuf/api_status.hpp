// `status_as_json` turns a meta.v1.Status in protobuf into the JSON that the server would have sent; used by
// read_call_refusal, for requests that ask for protobuf, and by WatchReader. Pure. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ksr::protobuf {

// `body`: with its envelope. Empty when it is no Status in protobuf.
std::optional<std::string> status_as_json(std::string_view body);

}  // namespace ksr::protobuf
