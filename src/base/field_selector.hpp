// `name_selector` is the field selector of the object of a name; used by watches of one object and by the program.
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace ksr {

// "metadata.name=" and the name with a backslash before each character that a selector reads as its own
// (k8s.io/apimachinery pkg/fields/selector.go, EscapeValue).
inline std::string name_selector(std::string_view name) {
  std::string selector = "metadata.name=";
  for (const char character : name) {
    if (character == '\\' || character == ',' || character == '=') selector += '\\';
    selector += character;
  }
  return selector;
}

}  // namespace ksr
