// Functions that split a script line into words and parse their values; used by Script. On any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::testserver {

// Splits a script line at blanks; "double quotes" and braces {…} keep a word together, \" and \n inside quotes.
std::vector<std::string> split_words(std::string_view line);

// "800ms", "30s", "5m"; throws std::runtime_error that names what was expected.
std::chrono::milliseconds parse_duration(std::string_view text);
// A number, optionally with Ki or Mi; throws likewise.
std::uint64_t parse_size(std::string_view text);

}  // namespace ksr::testserver
