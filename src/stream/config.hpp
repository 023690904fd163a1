// `Config` holds all config keys of a stream as typed values; used by abi/ and Stream. A plain value, copied into each
// stream that it opens.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/expected.hpp"
#include "cluster/connection_options.hpp"
#include "delivery/delivery_options.hpp"
#include "json/field_filter.hpp"
#include "json/list_reader.hpp"
#include "sync/sync_options.hpp"

namespace ksr::stream {

struct Config {
  cluster::ConnectionOptions connection;
  cluster::QueryOptions query;
  // 0: all objects, by (namespace, name).
  std::size_t limit = 0;
  sync::Options sync;
  json::ReaderOptions reader;
  json::FieldOptions fields;
  delivery::Options delivery;
  // A key of the connection or the delivery that was set, which the streams of a client cannot have; NULL: none was.
  const char* client_key = nullptr;
  // Streams that ask for the same share one list, watch and cache.
  bool share = true;
};

// Sets one key. unknown_key or invalid; the message names the key and what it takes, never the value.
Expected<void> set_key(Config& config, std::string_view key, std::string_view value);

}  // namespace ksr::stream
