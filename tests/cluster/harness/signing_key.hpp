#pragma once

#include <filesystem>

namespace ksr::clustertest {

// Writes a new P-256 private key as PEM: kube-apiserver requires one to sign service account tokens.
void write_signing_key(const std::filesystem::path& path);

}  // namespace ksr::clustertest
