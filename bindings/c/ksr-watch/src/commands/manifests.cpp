#include "commands/manifests.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <system_error>

#include "base/text.hpp"
#include "cluster/yaml_document.hpp"
#include "commands/json_text.hpp"
#include "commands/printing.hpp"

namespace ksr::commands {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// An API server takes 3 MiB in one request; a file may have many objects.
constexpr std::size_t kMaxFile = std::size_t{256} << 20;
constexpr cluster::YamlLimits kYamlLimits{512, 4'000'000, 4'000'000, std::chrono::seconds(60)};

Error wrong(const std::string& source, const std::string& what) {
  return {Status::invalid, "error parsing " + source + ": " + what};
}

// k8s.io/apimachinery/pkg/util/yaml/decoder.go, YAMLReader: a line of three dashes, alone or with a comment. Content
// after them, which YAML would allow, is refused.
Expected<std::vector<std::string>> documents_of(std::string_view text, const std::string& source) {
  std::vector<std::string> documents(1);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    if (line.substr(0, 3) != "---") {
      documents.back() += line;
      continue;
    }
    const std::string_view rest = trimmed(line.substr(3));
    if (!rest.empty() && rest.front() != '#') {
      return wrong(source, "invalid Yaml document separator at line " + std::to_string(number) +
                               "; expected nothing but a comment after ---");
    }
    documents.emplace_back();
  }
  // Its LineReader ends the last line too, which a block scalar at the end of a file then has.
  if (std::string& last = documents.back(); !last.empty() && last.back() != '\n') last += '\n';
  return documents;
}

// Of a StringSlice of pflag, which reads them as a line of CSV.
std::vector<std::string> names_in_list(std::string_view list) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '"' && quoted && list.substr(i + 1, 1) == "\"") {
      names.back() += list[++i];
    } else if (c == '"' && (quoted || names.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

bool has_json(std::string_view text) {
  const std::string_view begin = trimmed(text);
  return !begin.empty() && begin.front() == '{';
}

Expected<json::value> read_yaml(const std::string& text, const std::string& place) {
  // YAML would make a string of it.
  if (const std::string number = number_out_of_range(text); !number.empty()) {
    return wrong(place, "has the number " + one_line(number) + ", which is out of range");
  }
  try {
    const cluster::YamlDocument document(text, kYamlLimits);
    if (document.has_more()) {
      return wrong(place, has_json(text) ? "what follows its first JSON object is not JSON"
                                         : "something follows the end of the document; expected a line --- before it");
    }
    const std::string text_of_json = cluster::yaml_as_json(document.root(), "", kYamlLimits.max_json_values);
    if (std::optional<json::value> value = parse_json(text_of_json)) return *std::move(value);
    return wrong(place, is_utf8(text_of_json) ? "cannot be written as JSON" : "is not valid UTF-8");
  } catch (const cluster::YamlMismatch& mismatch) {
    return wrong(place, mismatch.what());
  }
}

const char* name_of_kind(const json::value& value) {
  switch (value.kind()) {
    case json::kind::bool_:
      return "a boolean";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "a mapping";
    default:
      return "a number";
  }
}

// Null stands for a field that is not set.
std::string problem_of_type(const json::value& whole, std::initializer_list<std::string_view> path, json::kind wanted) {
  const json::value* value = value_at(whole, path);
  if (value == nullptr || value->is_null() || value->kind() == wanted) return "";
  std::string name;
  for (const std::string_view field : path) name += (name.empty() ? "" : ".") + std::string(field);
  return name + ": expected " + (wanted == json::kind::string ? "a string" : "a mapping") + ", not " +
         name_of_kind(*value);
}

// What says which object it is; the server checks the rest.
std::string problem_of_types(const json::value& object) {
  using json::kind;
  for (const std::string& problem :
       {problem_of_type(object, {"apiVersion"}, kind::string), problem_of_type(object, {"kind"}, kind::string),
        problem_of_type(object, {"metadata"}, kind::object),
        problem_of_type(object, {"metadata", "name"}, kind::string),
        problem_of_type(object, {"metadata", "namespace"}, kind::string)}) {
    if (!problem.empty()) return problem;
  }
  return "";
}

class Reader {
 public:
  explicit Reader(bool recursive) : recursive_(recursive) {}

  Expected<void> read(const std::string& name) {
    if (name == "-") {
      if (std::exchange(stdin_read_, true)) return Error{Status::invalid, "-f -: standard input can be read once only"};
      return read_file(name);
    }
    if (name.rfind("http://", 0) == 0 || name.rfind("https://", 0) == 0) {
      return Error{Status::invalid, "-f " + one_line(name) + ": is a URL; expected a file, a directory or -"};
    }
    std::error_code failure;
    if (fs::is_directory(name, failure)) return read_directory(name);
    return read_file(name);
  }

  std::vector<Manifest> take() { return std::move(manifests_); }

 private:
  Expected<void> read_directory(const std::string& name) {
    std::vector<std::string> files;
    std::error_code failure;
    for (fs::recursive_directory_iterator entry(name, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      if (entry->is_directory(failure) && !recursive_) entry.disable_recursion_pending();
      const std::string extension = entry->path().extension().string();
      const bool is_manifest = extension == ".json" || extension == ".yaml" || extension == ".yml";
      if (is_manifest && !entry->is_directory(failure)) files.push_back(entry->path().string());
    }
    if (failure) return Error{Status::invalid, "-f " + one_line(name) + ": " + failure.message()};
    if (files.empty()) {
      return Error{Status::invalid, "-f " + one_line(name) + ": has no file that ends with .json, .yaml or .yml"};
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      if (Expected<void> read = read_file(file); !read) return read;
    }
    return {};
  }

  Expected<void> read_file(const std::string& name) {
    Expected<std::string> whole = read_whole(name);
    if (!whole) return whole.error();
    const std::string text = cluster::with_line_feeds(*std::move(whole));
    const std::string source = name == "-" ? "STDIN" : one_line(name);
    const Expected<std::vector<std::string>> documents = documents_of(without_byte_order_mark(text), source);
    if (!documents) return documents.error();
    std::size_t number = 0;
    for (const std::string& document : *documents) {
      ++number;
      const std::string place = documents->size() == 1 ? "" : ", document " + std::to_string(number);
      // What begins as JSON may be YAML all the same: a flow mapping.
      if (std::optional<std::vector<json::value>> values;
          has_json(document) && (values = parse_json_sequence(document))) {
        for (json::value& value : *values) {
          if (Expected<void> added = add(std::move(value), source, place); !added) return added;
        }
        continue;
      }
      Expected<json::value> value = read_yaml(document, source + place);
      if (!value) return value.error();
      if (value->is_null()) continue;
      if (Expected<void> added = add(*std::move(value), source, place); !added) return added;
    }
    return {};
  }

  Expected<void> add(json::value value, const std::string& source, const std::string& place) {
    Manifest manifest;
    manifest.source = source;
    manifest.api_version = text_at(value, {"apiVersion"});
    manifest.kind = text_at(value, {"kind"});
    if (!value.is_object()) return wrong(source + place, "is no object");
    if (const std::string problem = problem_of_types(value); !problem.empty()) return wrong(source + place, problem);
    for (const char* field : {"apiVersion", "kind"}) {
      if (text_at(value, {field}).empty()) return wrong(source + place, std::string(field) + " not set");
    }
    json::value* items = value.get_object().if_contains("items");
    const bool is_list = manifest.kind.size() > 3 && manifest.kind.compare(manifest.kind.size() - 4, 4, "List") == 0;
    if (is_list && items != nullptr && items->is_array()) {
      name_items(value, items->get_array());
      for (json::value& item : items->get_array()) {
        if (Expected<void> added = add(std::move(item), source, place); !added) return added;
      }
      return {};
    }
    manifest.name = text_at(value, {"metadata", "name"});
    manifest.name_space = text_at(value, {"metadata", "namespace"});
    manifest.object = std::move(value.get_object());
    manifests_.push_back(std::move(manifest));
    return {};
  }

  const bool recursive_;
  bool stdin_read_ = false;
  std::vector<Manifest> manifests_;
};

}  // namespace

Expected<std::string> read_whole(const std::string& name) {
  const auto failed = [&](int error) {
    const std::string what = error == ENOENT ? "the path " + in_quotes(name) + " does not exist"
                                             : "error reading " + in_quotes(name) + ": " + std::strerror(error);
    return Error{Status::invalid, what};
  };
  const int file = name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed(errno);
  std::string text;
  char buffer[1 << 16];
  int error = 0;
  while (true) {
    const ssize_t size = ::read(file, buffer, sizeof buffer);
    if (size == 0) break;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      error = errno;
      break;
    }
    text.append(buffer, static_cast<std::size_t>(size));
    if (text.size() > kMaxFile) {
      error = EFBIG;
      break;
    }
  }
  if (file != STDIN_FILENO) ::close(file);
  if (error != 0) return failed(error);
  return text;
}

bool is_path_segment(std::string_view name) {
  return name != "." && name != ".." && name.find_first_of("/%") == std::string_view::npos;
}

Expected<json::value> read_document(const std::string& text, const std::string& source) {
  if (std::optional<json::value> value = parse_json(without_byte_order_mark(text))) return *std::move(value);
  return read_yaml(text, source);
}

Expected<std::vector<Manifest>> read_manifests(const std::vector<std::string>& names, bool recursive) {
  Reader reader(recursive);
  for (const std::string& list : names) {
    for (const std::string& name : names_in_list(list)) {
      if (Expected<void> read = reader.read(name); !read) return read.error();
    }
  }
  return reader.take();
}

}  // namespace ksr::commands
