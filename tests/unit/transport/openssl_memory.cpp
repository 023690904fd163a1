// OpenSSL for which there is no memory at its first use in a process; a program, since it is initialised once.
#include <cstdio>

#include "support/allocation_failure.hpp"
#include "transport/exit_guard.hpp"

namespace {

bool usable() {
  const ksr::transport::TlsUse use;
  return static_cast<bool>(use);
}

}  // namespace

int main() {
  // What the process has once is made, and OpenSSL is not initialised by it.
  ksr::transport::tls_unusable("TLS");
  {
    const ksr::testing::FailingAllocation no_memory(0);
    if (usable()) {
      std::puts("OpenSSL was initialised although there was no memory for it");
      return 1;
    }
  }
  const ksr::Error error = ksr::transport::tls_unusable("TLS");
  if (error.status != ksr::Status::out_of_memory) {
    std::printf("expected out_of_memory, got: %s\n", error.message.c_str());
    return 1;
  }
  if (!usable()) {
    std::puts("OpenSSL is not used although there is memory for it again");
    return 1;
  }
}
