// Reading the small files that a connection names: tokens, certificates, kubeconfigs.
#pragma once

#include <cstddef>
#include <string>

#include "base/expected.hpp"

namespace ksr::cluster {

// A file, and what asked for it: "token_file", "client-key of user \"jane\" in /home/jane/.kube/config".
struct NamedFile {
  std::string role;
  std::string path;
};

inline constexpr std::size_t kMaxCredentialFileSize = std::size_t{1} << 20;
inline constexpr std::size_t kMaxKubeconfigSize = std::size_t{32} << 20;

// The whole of a regular file. Blocks on the disk at most: a FIFO or a device is refused, not waited for. The error
// names role, path and reason, never the content. Any thread.
Expected<std::string> read_file(const NamedFile& file, std::size_t max_size);
// The same, without white space at both ends.
Expected<std::string> read_token_file(const NamedFile& file);

}  // namespace ksr::cluster
