// `check_each_way` holds what a reader of src/json reports of one input against the tree of an independent parser,
// whole and in pieces, and against its other ways of skipping; used by the fuzzers of lists and of watches. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "fuzz/json/dom.hpp"
#include "fuzz/json/kernel_readers.hpp"

namespace json_fuzz {

// One reader with each way of skipping.
struct Ways {
  Reads& native;
  Reads& narrow;
  Reads& bytewise;
};

inline void check_variants(const Ways& ways, std::string_view text, const Settings& settings, std::size_t chunk) {
  using ksr::fuzz::require;
  const std::size_t in_one = text.size() + 1;
  const Transcript whole = ways.native(text, settings, in_one);
  require(whole == ways.native(text, settings, chunk), "a split changes what is read");
  require(whole == ways.narrow(text, settings, in_one), "the narrow loops read something else");
  require(whole == ways.narrow(text, settings, chunk), "the narrow loops read something else in pieces");
  require(whole == ways.bytewise(text, settings, in_one), "bytewise reads something else");
}

// check_against_tree(text as_unicode, settings, what the reader reports).
template <typename CheckAgainstTree>
int check_each_way(const Ways& ways, const std::uint8_t* data, std::size_t size,
                   CheckAgainstTree&& check_against_tree) {
  // Below the readers' own limits for captured texts.
  if (size < 2 || size > 60000) return 0;
  ksr::fuzz::Input input(data, size);
  const std::uint8_t choice = input.byte();
  const std::size_t chunk = 1 + input.byte() % 97;
  const std::string text(input.rest());

  Settings settings;
  settings.keep_managed_fields = (choice & 1) != 0;
  check_against_tree(as_unicode(text), settings, ways.native(text, settings, chunk));
  check_variants(ways, text, settings, chunk);
  settings.max_object_size = (choice & 2) != 0 ? 1 + choice : 100000;
  settings.max_depth = (choice & 4) != 0 ? 8 : 512;
  check_variants(ways, text, settings, chunk);
  return 0;
}

}  // namespace json_fuzz
