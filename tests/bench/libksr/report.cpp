#include "report.hpp"

#include <cstdio>

namespace ksr::bench {

void Report::add_json(const char* name, const std::string& json) {
  members_ += (members_.empty() ? "\"" : ",\"") + std::string(name) + "\":" + json;
}

void Report::add(const char* name, double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  add_json(name, text);
}

void Report::add(const char* name, std::uint64_t value) {
  add_json(name, std::to_string(value));
}
void Report::add(const char* name, const std::string& value) {
  add_json(name, '"' + value + '"');
}
void Report::print() const {
  std::printf("{%s}\n", members_.c_str());
}

}  // namespace ksr::bench
