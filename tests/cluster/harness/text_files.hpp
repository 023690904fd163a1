// Files that servers and programs read and write; used by the harness and the tests. On any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace ksr::clustertest {

void write_file(const std::filesystem::path& path, const std::string& content);
// At most the last `limit` bytes; empty when the file cannot be read.
std::string tail_of_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace ksr::clustertest
