// Packs a text as gzip.
#pragma once

#include <string>

namespace test {

std::string gzip(const std::string& text);

}  // namespace test
