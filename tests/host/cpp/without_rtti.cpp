#include "host/cpp/without_rtti.hpp"

#include <algorithm>

namespace ksr::testing {

void open_nothing() {
  const ksr::config config;
  const ksr::stream stream(config);
}

std::size_t count_names(const ksr::snapshot& view) {
  return static_cast<std::size_t>(
      std::count_if(view.begin(), view.end(), [](ksr::object_view object) { return !object.name().empty(); }));
}

}  // namespace ksr::testing
