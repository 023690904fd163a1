#include "cluster/harness/text_files.hpp"

#include <fstream>
#include <iterator>

#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {

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
