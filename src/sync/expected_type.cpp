#include "sync/expected_type.hpp"

namespace ksr::sync {

std::optional<Error> ExpectedType::check(const json::Item& item) {
  if (kind_.empty() && api_version_.empty()) {
    kind_ = item.kind;
    api_version_ = item.api_version;
    return std::nullopt;
  }
  if (item.kind == kind_ && item.api_version == api_version_) return std::nullopt;
  const auto shown = [](std::string_view text) { return std::string(text.substr(0, 100)); };
  Error error;
  error.status = Status::protocol;
  error.message = "object " + shown(item.name_space) + "/" + shown(item.name) + " is a " + shown(item.api_version) +
                  " " + shown(item.kind) + ", expected " + api_version_ + " " + kind_;
  return error;
}

void ExpectedType::forget() {
  kind_.clear();
  api_version_.clear();
}

}  // namespace ksr::sync
