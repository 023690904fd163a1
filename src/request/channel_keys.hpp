// The keys of ksr_params that only channels have, and what can be said of a channel before it is opened; used by
// set_param() and Client. Pure, any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "request/params.hpp"

namespace ksr::request {

struct ChannelKey {
  ParamKey shown;
  // Those that it goes with, a bit each.
  unsigned kinds;
  bool list;
  Expected<void> (*set)(channel::ChannelOptions& options, std::string_view value);
  // A list loses its values.
  void (*clear)(channel::ChannelOptions& options);
};

// NULL: no such key.
const ChannelKey* find_channel_key(std::string_view key);
std::vector<ParamKey> channel_keys();

// The first contradiction between the keys of a channel. `params.channel` is completed by what follows from them.
Expected<void> check_channel(Params& params);

}  // namespace ksr::request
