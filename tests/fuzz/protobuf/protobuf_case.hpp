// What the fuzzers of ListReader and WatchReader for protobuf share: how an input is laid out, and messages around it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "json/list_reader.hpp"
#include "protobuf/schema.hpp"
#include "unit/protobuf/messages.hpp"

namespace protobuf_fuzz {

struct Kind {
  std::string api_version;
  std::string kind;
};

// A byte of settings, a kind, the size of the pieces in which the bytes are fed.
struct Case {
  // The rest is the message of one object; else it is all that a server sends.
  bool wrapped = false;
  bool odd = false;
  ksr::json::ReaderOptions options;
  Kind kind;
  std::size_t piece = 1;
  std::string bytes;
};

inline Case read_case(const std::uint8_t* data, std::size_t size) {
  ksr::fuzz::Input input(data, size);
  const std::uint8_t settings = input.byte();
  Case read;
  read.wrapped = (settings & 1) != 0;
  read.odd = (settings & 2) != 0;
  read.options.keep_managed_fields = (settings & 4) != 0;
  read.options.max_object_size = (settings & 8) != 0 ? 200 : 1 << 20;
  read.options.max_depth = (settings & 16) != 0 ? 5 : 100;
  const ksr::protobuf::Schema& schema = ksr::protobuf::built_in_schema();
  const std::size_t number = input.byte() * std::size_t{256} + input.byte();
  const ksr::protobuf::KindRow& row = schema.kinds[number % schema.kind_count];
  const std::string text(schema.texts + row.text, row.size);
  const std::size_t blank = text.find(' ');
  read.kind = {text.substr(0, blank), text.substr(blank + 1)};
  read.piece = 1 + input.byte();
  read.bytes = input.rest();
  return read;
}

}  // namespace protobuf_fuzz
