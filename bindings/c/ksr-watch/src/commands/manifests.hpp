// `read_manifests` reads the objects of files, directories and standard input: YAML, with several documents, or JSON.
// Used by the commands that take -f. Main thread.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <vector>

#include "base/expected.hpp"

namespace ksr::commands {

struct Manifest {
  boost::json::object object;
  std::string api_version;
  std::string kind;
  // Empty with generateName.
  std::string name;
  std::string name_space;
  // The file; for messages.
  std::string source;
};

// "-": standard input. Of a directory the files that end with .json, .yaml or .yml, with `recursive` those below it
// too. A name may be several with commas between them, as for kubectl; one with a comma is in double quotes. The items
// of a List are objects of their own. The error names the file and the place; nothing in a file is left out.
Expected<std::vector<Manifest>> read_manifests(const std::vector<std::string>& names, bool recursive);

// The whole of a file or of standard input.
Expected<std::string> read_whole(const std::string& name);

// Whether a name can stand in the path of a request (k8s.io/apimachinery/pkg/api/validation/path).
bool is_path_segment(std::string_view name);
inline constexpr const char* kExpectedPathSegment =
    "invalid name; expected none of . and .., and neither / nor % in it";

// One document, YAML or JSON, as kubectl reads it (sigs.k8s.io/yaml). `source` is for messages.
Expected<boost::json::value> read_document(const std::string& text, const std::string& source);

}  // namespace ksr::commands
