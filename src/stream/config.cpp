#include "stream/config.hpp"

#include <algorithm>
#include <string>

#include "base/secrets.hpp"
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

bool is_known(std::string_view key) {
  const ConfigKeys keys = config_keys();
  return std::any_of(keys.begin(), keys.end(), [key](const ConfigKey& known) { return matches(known.name, key); });
}

// A key is shown in an error only when it is a word like other keys: the caller may have swapped key and secret.
std::string shown(std::string_view key, std::string_view value) {
  constexpr std::size_t kMaxShown = 32;
  const bool word =
      !key.empty() && key.size() <= kMaxShown && !is_known(value) &&
      std::all_of(key.begin(), key.end(), [](char c) { return is_lower(c) || c == '_' || c == '.' || c == '-'; });
  return word || is_known(key) ? one_line(without_confused_secret(key), kMaxShown * 2) : std::string("(not a name)");
}

}  // namespace

Expected<void> set_key(Config& config, std::string_view key, std::string_view value) {
  const ConfigKeys keys = config_keys();
  const ConfigKey* found = std::find_if(keys.begin(), keys.end(),
                                        [key](const ConfigKey& candidate) { return matches(candidate.name, key); });
  if (found == keys.end()) {
    return Error{Status::unknown_key, "config: unknown key " + shown(key, value) + "; ksr-config(5) lists the keys"};
  }
  const std::string_view rest = is_prefix_key(found->name) ? key.substr(std::string_view(found->name).size()) : "";
  if (Expected<void> set = found->set(config, rest, value); !set) {
    return std::move(set).error().within("config key " + shown(key, value));
  }
  if (found->scope == ConfigKey::Scope::client) config.client_key = found->name;
  return {};
}

}  // namespace ksr::stream
