// Feeds arbitrary bytes to all readers of src/json, at once and in chunks, and compares the results. The entry point is
// libFuzzer's; without it, replay_main.cpp calls it for the files of a corpus.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/json_pointer.hpp"
#include "unit/json/recorder.hpp"

namespace {

using namespace ksr::json;
using namespace ksr::json::testing;

void require(bool holds) {
  if (!holds) std::abort();
}

ReaderOptions options_of(std::uint8_t choice) {
  ReaderOptions options;
  options.keep_managed_fields = (choice & 1) != 0;
  options.max_object_size = (choice & 2) != 0 ? 100 : 100000;
  options.max_depth = (choice & 4) != 0 ? 8 : 512;
  return options;
}

void check_pointers(const std::string& text) {
  require(find_pointer(text, "") == text);
  find_pointer(text, "/metadata/annotations/k8s.io~1initial-events-end");
  find_pointer(text, "/items/0/a");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ReaderOptions options = options_of(data[0]);
  const std::size_t chunk = 1 + data[1] % 97;
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);

  const ListRun list = read_list(text, options);
  const ListRun list_split = read_list(text, options, chunk);
  require(list.lines == list_split.lines && list.error == list_split.error);
  const WatchRun watch = read_watch(text, options);
  const WatchRun watch_split = read_watch(text, options, chunk);
  require(watch.lines == watch_split.lines && watch.error == watch_split.error);
  for (const std::string& item : list.texts) check_pointers(item);
  for (const std::string& item : watch.texts) check_pointers(item);
  find_pointer(text, "/a/0/b");
  parse_api_status(text);
  return 0;
}
