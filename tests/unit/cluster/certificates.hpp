// Certificates and keys made by OpenSSL itself, so that no test depends on a date.
#pragma once

#include <string>

namespace ksr::cluster::testing {

struct TestPair {
  std::string certificate;
  std::string key;
};

// A self-signed certificate of that name, and its key.
TestPair make_pair_of(const std::string& common_name);

}  // namespace ksr::cluster::testing
