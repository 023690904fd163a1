// `base64` encodes with padding; used by ConnectProxy and FixtureServers. Shares no code with the library under test.
// Pure: on any thread.
#pragma once

#include <openssl/evp.h>

#include <string>

namespace ksr::clustertest {

inline std::string base64(const std::string& bytes) {
  std::string encoded((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

}  // namespace ksr::clustertest
