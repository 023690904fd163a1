#include "cluster/harness/signing_key.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {

void write_signing_key(const std::filesystem::path& path) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "w"), BIO_free);
  if (!key || !file ||
      PEM_write_bio_PrivateKey_traditional(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    throw HarnessError("cannot write the key " + path.string());
}

}  // namespace ksr::clustertest
