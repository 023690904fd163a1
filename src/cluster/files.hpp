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

// A path for messages: one line, without what looks like a secret that stands in the place of a path.
std::string shown_path(const std::string& path);

inline constexpr std::size_t kMaxCredentialFileSize = std::size_t{1} << 20;
inline constexpr std::size_t kMaxKubeconfigSize = std::size_t{8} << 20;

// The content of a regular file. Blocks on the disk at most: a FIFO or a device is refused. The error has role, path
// and reason, never the content.
Expected<std::string> read_file(const NamedFile& file, std::size_t max_size);
// The content of a kubeconfig: read_file(), but /dev/null is empty, and a pipe is read to its end, for 10 s at most.
// What an anonymous pipe held (KUBECONFIG=<(command) of a shell, /dev/fd/3) is kept, since it cannot be read again; a
// named one is read again each time.
Expected<std::string> read_kubeconfig_file(const NamedFile& file);
// The same of a certificate, a key or a token, for which /dev/null is none.
Expected<std::string> read_credential_file(const NamedFile& file);
// Named or not.
bool is_pipe(const std::string& path);
// A pipe, or what a descriptor of a process is, such as /dev/fd/3: it cannot be looked at later.
bool is_read_once(const std::string& path);
// Of a file that holds one bearer token: without a byte order mark and without white space at both ends.
Expected<std::string> read_token_file(const NamedFile& file);

}  // namespace ksr::cluster
