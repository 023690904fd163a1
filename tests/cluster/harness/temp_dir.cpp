#include "cluster/harness/temp_dir.hpp"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <system_error>

#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {

TempDir::TempDir(const std::string& prefix) {
  std::string pattern = (std::filesystem::temp_directory_path() / (prefix + ".XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw HarnessError("cannot make a temporary directory " + pattern + ": " + std::generic_category().message(errno));
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!kept_) std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) throw HarnessError("cannot write " + path.string());
}

std::string tail_of_file(const std::filesystem::path& path, std::size_t limit) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return text.size() > limit ? text.substr(text.size() - limit) : text;
}

}  // namespace ksr::clustertest
