#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::testserver {

// Splits a script line at blanks; "double quotes" and braces {…} hold a word together, \" and \n inside quotes.
std::vector<std::string> split_words(std::string_view line);

// "800ms", "30s", "5m"; throws std::runtime_error that names what was expected.
std::chrono::milliseconds parse_duration(std::string_view text);
// A plain number, or with Ki or Mi.
std::uint64_t parse_size(std::string_view text);

}  // namespace ksr::testserver
