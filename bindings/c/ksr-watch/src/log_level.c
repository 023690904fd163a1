#include "log_level.h"

const char* log_level_name(int32_t level) {
  switch (level) {
    case 3:
      return "error";
    case 4:
      return "warning";
    case 5:
      return "notice";
    case 6:
      return "info";
    default:
      return "debug";
  }
}
