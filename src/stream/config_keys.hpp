// `config_keys` is the table of config keys; used by set_key and compared with CONFIGURATION.md by a test. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/expected.hpp"
#include "stream/config.hpp"

namespace ksr::stream {

struct ConfigKey {
  // What a client has for all its streams; else what belongs to one stream.
  enum class Scope : std::uint8_t { client, stream };

  // A key that ends in '.' stands for all keys that begin with it: header.NAME.
  const char* name;
  const char* type;
  const char* standard;  // the default as text; "" for none
  // `rest`: what follows the '.' of such a key.
  Expected<void> (*set)(Config& config, std::string_view rest, std::string_view value);
  Scope scope = Scope::stream;
};

struct ConfigKeys {
  const ConfigKey* first;
  std::size_t count;
  const ConfigKey* begin() const noexcept { return first; }
  const ConfigKey* end() const noexcept { return first + count; }
};

ConfigKeys config_keys() noexcept;

}  // namespace ksr::stream
