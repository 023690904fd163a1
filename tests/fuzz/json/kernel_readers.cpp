// Compiled once for each way of skipping: `ksr` is defined as the namespace of all but the released one.
#include "fuzz/json/kernel_readers.hpp"

#include "unit/json/recorder.hpp"

namespace ksr {
namespace {

json::ReaderOptions options_of(const json_fuzz::Settings& settings) {
  json::ReaderOptions options;
  options.keep_managed_fields = settings.keep_managed_fields;
  options.max_object_size = settings.max_object_size;
  options.max_depth = settings.max_depth;
  return options;
}

}  // namespace

json_fuzz::Transcript list_transcript(std::string_view bytes, const json_fuzz::Settings& settings, std::size_t chunk) {
  const json::testing::ListRun run = json::testing::read_list(bytes, options_of(settings), chunk);
  return {run.lines, run.texts, run.error,
          run.meta.kind + "|" + run.meta.api_version + "|" + run.meta.resource_version + "|" + run.meta.continue_token};
}

json_fuzz::Transcript watch_transcript(std::string_view bytes, const json_fuzz::Settings& settings, std::size_t chunk) {
  const json::testing::WatchRun run = json::testing::read_watch(bytes, options_of(settings), chunk);
  return {run.lines, run.texts, run.error, run.at_boundary ? "at a boundary" : "within an event"};
}

}  // namespace ksr
