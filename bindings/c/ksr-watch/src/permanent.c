#include "permanent.h"

enum { PROXY_AUTHENTICATION_REQUIRED = 407 };

int is_permanent(const ksr_error* error) {
  if (ksr_error_http_status(error) == PROXY_AUTHENTICATION_REQUIRED) return 1;
  switch (ksr_error_code(error)) {
    case KSR_E_TLS:
    case KSR_E_AUTH:
    case KSR_E_FORBIDDEN:
    case KSR_E_NOT_FOUND:
      return 1;
    default:
      return 0;
  }
}
