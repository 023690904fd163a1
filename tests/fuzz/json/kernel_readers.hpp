// `Transcript` is all that the readers of src/json report of one input; the same for each way of skipping (wide
// registers where the machine has them, narrow ones, byte by byte). The library of each is built under a namespace of
// its own. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace json_fuzz {

struct Settings {
  bool keep_managed_fields = false;
  std::size_t max_object_size = std::size_t{64} << 20;
  std::size_t max_depth = 512;
};

struct Transcript {
  std::vector<std::string> lines;
  std::vector<std::string> texts;
  std::string error;
  // Of a list; of a watch whether it ended between two events.
  std::string end;
  bool operator==(const Transcript& other) const {
    return lines == other.lines && texts == other.texts && error == other.error && end == other.end;
  }
};

using Reads = Transcript(std::string_view bytes, const Settings& settings, std::size_t chunk);

}  // namespace json_fuzz

namespace ksr {
json_fuzz::Reads list_transcript, watch_transcript;
}
#ifndef ksr
namespace ksr_no_wide {
json_fuzz::Reads list_transcript, watch_transcript;
}
namespace ksr_portable {
json_fuzz::Reads list_transcript, watch_transcript;
}
#endif
