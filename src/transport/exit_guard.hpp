// OpenSSL cleans up in exit(), while the network thread may be using it. So TLS is given up before: connections are
// cut, and what OpenSSL made is left where it is. Plain connections go on to the end of the process.
#pragma once

#include <functional>
#include <memory>

namespace ksr::transport {

// Before the first use of OpenSSL by ours. Network thread or before it starts.
void guard_exit();

// Whether the process is on its way out and OpenSSL must not be called any more.
bool tls_is_gone();

// Deletes, as long as OpenSSL can be called.
struct DeleteUnlessGone {
  template <class T>
  void operator()(T* owned) const {
    if (!tls_is_gone()) delete owned;
  }
};

// A live user of OpenSSL; `cut` makes what is under way end. Network thread only.
class TlsUser {
 public:
  TlsUser();
  virtual ~TlsUser();
  TlsUser(const TlsUser&) = delete;
  TlsUser& operator=(const TlsUser&) = delete;
  virtual void cut() noexcept = 0;
};

}  // namespace ksr::transport
