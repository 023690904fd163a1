#include "stream/config.hpp"

#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "stream/config_keys.hpp"

namespace ksr::stream {
namespace {

bool is_prefix_key(std::string_view name) {
  return name.back() == '.';
}

bool matches(std::string_view name, std::string_view key) {
  return is_prefix_key(name) ? key.size() > name.size() && key.substr(0, name.size()) == name : key == name;
}

// A key is shown in an error only when it is a word: the caller may have swapped key and secret.
std::string shown(std::string_view key) {
  const bool word = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
  });
  return word ? std::string(key) : std::string("(not a name)");
}

}  // namespace

Expected<void> set_key(Config& config, std::string_view key, std::string_view value) {
  const ConfigKeys keys = config_keys();
  const ConfigKey* found = std::find_if(keys.begin(), keys.end(),
                                        [key](const ConfigKey& candidate) { return matches(candidate.name, key); });
  if (found == keys.end()) {
    return Error{Status::unknown_key, "config: unknown key " + shown(key) + "; ksr-config(5) lists the keys"};
  }
  const std::string_view rest = is_prefix_key(found->name) ? key.substr(std::string_view(found->name).size()) : "";
  if (Expected<void> set = found->set(config, rest, value); !set) {
    return std::move(set).error().within("config key " + shown(key));
  }
  return {};
}

}  // namespace ksr::stream
