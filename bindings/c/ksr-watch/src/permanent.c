#include "permanent.h"

int is_permanent(ksr_status code) {
  switch (code) {
    case KSR_E_TLS:
    case KSR_E_AUTH:
    case KSR_E_FORBIDDEN:
    case KSR_E_NOT_FOUND:
      return 1;
    default:
      return 0;
  }
}
