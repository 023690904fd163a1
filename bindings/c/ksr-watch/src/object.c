#include "object.h"

slice object_field(const ksr_object* object, ksr_field field) {
  slice value;
  value.at = ksr_object_field(object, field, &value.len);
  return value;
}
