// `TempDir` is a private directory that is removed by its destructor, unless it is kept for inspection; used by the
// harness and the tests. Lives on any one thread at a time.
#pragma once

#include <filesystem>
#include <string>

namespace ksr::clustertest {

class TempDir {
 public:
  explicit TempDir(const std::string& prefix);
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

void write_file(const std::filesystem::path& path, const std::string& content);
// At most the last `limit` bytes; empty when the file cannot be read.
std::string tail_of_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace ksr::clustertest
