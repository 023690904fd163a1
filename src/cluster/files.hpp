// `read_file` and `read_token_file` read the small files that a connection names: tokens, certificates, kubeconfigs;
// used when a stream is opened and by the credential sources. Any thread but the network thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/expected.hpp"

namespace ksr::cluster {

// A file, and what names it: "token_file", "client-key of user \"jane\" in /home/jane/.kube/config".
struct NamedFile {
  std::string role;
  std::string path;
  // For messages: "token_file /run/token", one line.
  std::string text() const;
};

inline constexpr std::size_t kMaxCredentialFileSize = std::size_t{1} << 20;
inline constexpr std::size_t kMaxKubeconfigSize = std::size_t{32} << 20;

// The content of a regular file. Blocks on the disk at most: a FIFO or a device is refused. The error has role, path
// and reason, never the content.
Expected<std::string> read_file(const NamedFile& file, std::size_t max_size);
// The same, without white space at both ends.
Expected<std::string> read_token_file(const NamedFile& file);

}  // namespace ksr::cluster
