// `yaml_text` writes JSON as YAML, as kubectl does (sigs.k8s.io/yaml, which writes with go-yaml v2). Used for -o yaml.
// Any thread.
#pragma once

#include <boost/json.hpp>

#include <string>

namespace ksr::commands {

std::string yaml_text(const boost::json::value& value);

}  // namespace ksr::commands
