#include "cluster/kubectl/fixture.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string replaced(std::string text, const Replacements& replacements) {
  for (const auto& [name, value] : replacements) {
    const std::string mark = "@" + name + "@";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

void read_line(Fixture& fixture, const std::string& line) {
  const std::size_t space = line.find(' ');
  const std::string key = line.substr(0, space);
  const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
  if (key == "home") {
    fixture.home = value;
  } else if (key == "kubeconfig") {
    fixture.kubeconfig = value;
  } else if (key == "args") {
    fixture.arguments = words(value);
  } else if (key == "resource") {
    fixture.resource = value;
  } else if (key == "refused") {
    fixture.refused = true;
  } else if (key == "says") {
    fixture.says.push_back(value);
  } else if (!key.empty() && key != "#") {
    throw HarnessError("fixture " + fixture.name + ": unknown line: " + line);
  }
}

Fixture read_case(const std::string& name, const std::string& text) {
  Fixture fixture;
  fixture.name = name;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) read_line(fixture, line);
  return fixture;
}

Fixture lay_out(const fs::path& source, const fs::path& target, Replacements replacements) {
  replacements["DIR"] = target.string();
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source)) {
    if (!entry.is_regular_file()) continue;
    const fs::path place = target / fs::relative(entry.path(), source);
    fs::create_directories(place.parent_path());
    write_file(place, replaced(content_of(entry.path()), replacements));
    if (place.filename() == "plugin") fs::permissions(place, fs::perms::owner_all);
  }
  return read_case(source.filename().string(), content_of(target / "case"));
}

}  // namespace

std::vector<Fixture> lay_out_fixtures(const fs::path& directory, const Replacements& replacements) {
  std::vector<fs::path> sources;
  for (const fs::directory_entry& entry : fs::directory_iterator(KSR_KUBECONFIG_FIXTURES)) {
    sources.push_back(entry.path());
  }
  std::sort(sources.begin(), sources.end());
  std::vector<Fixture> fixtures;
  for (const fs::path& source : sources) {
    fixtures.push_back(lay_out(source, directory / source.filename(), replacements));
  }
  return fixtures;
}

}  // namespace ksr::clustertest
