// `yaml_text` writes JSON as YAML, as kubectl does (sigs.k8s.io/yaml, which writes with go-yaml v2). Used for -o yaml.
// Any thread.
#pragma once

#include <boost/json.hpp>

#include <string>

namespace ksr::commands {

// `on_terminal`: characters that a terminal would obey, or that reorder or hide text there, are escaped too.
std::string yaml_text(const boost::json::value& value, bool on_terminal = false);

}  // namespace ksr::commands
