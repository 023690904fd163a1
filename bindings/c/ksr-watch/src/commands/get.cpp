#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/get_targets.hpp"
#include "commands/json_text.hpp"
#include "commands/list_pages.hpp"
#include "commands/printing.hpp"
#include "commands/sort_key.hpp"
#include "commands/table_text.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

class Get {
 public:
  Get(Session& session, Format format) : session_(session), format_(format) {}

  Expected<void> run() {
    Expected<std::vector<Target>> targets = find_targets();
    if (!targets) return targets.error();
    return as_table() ? print_tables(*targets) : print_objects(*targets);
  }

  Expected<std::vector<Target>> find_targets() {
    if (Expected<void> fine = check_options(); !fine) return fine.error();
    if (!arguments().has("--filename")) {
      const Expected<std::vector<TypeAndName>> named = session_.named();
      if (!named) return named.error();
      if (Expected<void> fine = check_named(*named); !fine) return fine.error();
      return session_.resolve(*named);
    }
    return session_.in_files();
  }

 private:
  const Arguments& arguments() const { return session_.arguments(); }
  bool as_table() const { return format_ == Format::standard || format_ == Format::wide; }

  Expected<void> check_options() {
    const std::string chunk = arguments().text("--chunk-size", "500");
    if (chunk.empty() || !std::all_of(chunk.begin(), chunk.end(), is_digit)) {
      return usage_error("--chunk-size: expected a number of objects, such as 500");
    }
    if (!arguments().has_text("--sort-by")) return {};
    sort_text_ = arguments().text("--sort-by");
    Expected<JsonPath> path = read_sort_by(sort_text_);
    if (!path) return path.error();
    sort_by_ = *std::move(path);
    // As kubectl's message has it.
    if (sort_text_.front() != '/' && sort_text_.front() != '{') {
      sort_text_ = "{" + std::string(sort_text_.front() == '.' ? "" : ".") + sort_text_ + "}";
    }
    return {};
  }

  Expected<void> check_named(const std::vector<TypeAndName>& named) const {
    if (named.empty()) {
      return usage_error("you must specify the type of resource to get, such as pods, or TYPE/NAME, or -f FILE");
    }
    const bool has_names = std::any_of(named.begin(), named.end(), [](const auto& one) { return !one.name.empty(); });
    if (has_names && arguments().selects()) {
      return usage_error("name cannot be provided when a selector is specified");
    }
    if (has_names && arguments().flag("--all-namespaces")) {
      return usage_error("a resource cannot be retrieved by name across all namespaces");
    }
    if (!has_names && arguments().has_text("--subresource")) {
      return usage_error("subresource cannot be used when bulk resources are specified");
    }
    return {};
  }

  // One object, or the pieces of a list; `take` gets each answer. Failures are reported.
  template <class Take>
  Expected<void> fetch(const Target& target, const char* accept, Take&& take) {
    Request request = session_.request(target.name.empty() ? "list" : "get", target);
    request.keys.emplace_back("accept", accept);
    request.keys.emplace_back("subresource", arguments().text("--subresource"));
    if (target.name.empty()) {
      request.keys.emplace_back("label_selector", arguments().selector("--selector"));
      request.keys.emplace_back("field_selector", arguments().selector("--field-selector"));
    }
    // Of all that is shown at once.
    if (sort_by_ && as_table()) request.keys.emplace_back("query.includeObject", "Object");
    const std::string chunk = sort_by_ ? "0" : arguments().text("--chunk-size", "500");
    if (target.name.empty() && chunk != "0") request.keys.emplace_back("query.limit", chunk);
    if (target.name.empty()) {
      const auto take_page = [&](json::value& page) { take(std::move(page)); };
      const Expected<std::optional<Failure>> failed = for_each_page(session_, std::move(request), target, take_page);
      if (!failed) return failed.error();
      if (*failed) session_.report().failure(**failed);
      return {};
    }
    Answer answer = session_.client().call_for_object(std::move(request));
    if (!answer.failed()) {
      take(std::move(answer.object()));
    } else if (answer.failure().reason != "NotFound" || !arguments().flag("--ignore-not-found")) {
      session_.report().failure(answer.failure());
    }
    return {};
  }

  // ---- tables

  struct Fetched {
    const cluster::Resource* resource;
    json::value value;
  };

  // The kind is shown where several were found.
  Expected<void> print_tables(const std::vector<Target>& targets) {
    std::vector<Fetched> answers;
    for (const Target& target : targets) {
      const Expected<void> fetched = fetch(target, "table", [&](json::value value) {
        answers.push_back({&target.resource, std::move(value)});
      });
      if (!fetched) return fetched.error();
    }
    const bool several = std::any_of(answers.begin(), answers.end(), [&](const Fetched& answer) {
      return answer.resource->display != answers.front().resource->display;
    });
    bool any = false;
    for (auto answer = answers.begin(); answer != answers.end();) {
      const cluster::Resource& resource = *answer->resource;
      TableText table(style_of(resource, several));
      auto first = answer;
      while (answer != answers.end() && answer->resource->display == resource.display) ++answer;
      if (Expected<void> added = add_to(table, first, answer, answers.size() == 1); !added) return added;
      const std::string text = table.take_text();
      if (text.empty()) continue;
      // A blank line between the tables of two resources.
      if (any && !arguments().flag("--no-headers")) session_.output().write("\n");
      any = true;
      session_.output().write(text);
    }
    if (!any && !session_.report().has_errors() && !arguments().flag("--ignore-not-found")) note_none(targets);
    return {};
  }

  // `is_only`: nothing else is shown. One row then needs no order, and of several without a value to sort by none is
  // shown, without an error: kubectl looks at no error of its SortingPrinter (k8s.io/kubectl/pkg/cmd/get, Run).
  Expected<void> add_to(TableText& table, std::vector<Fetched>::const_iterator first,
                        std::vector<Fetched>::const_iterator last, bool is_only) const {
    struct Row {
      SortKey key;
      TableRow row;
    };
    std::vector<Row> rows;
    std::vector<TableColumn> columns;
    bool sorts = sort_by_.has_value();
    for (auto answer = first; answer != last; ++answer) sorts = sorts && is_table(answer->value);
    for (auto answer = first; answer != last; ++answer) {
      if (!sorts) {
        table.add(answer->value);
        continue;
      }
      ServerTable read = read_table(answer->value);
      if (!read.columns.empty()) columns = std::move(read.columns);
      const json::array& from = array_at(answer->value, {"rows"});
      for (std::size_t i = 0; i < read.rows.size(); ++i) {
        const json::value* object = value_at(from[i], {"object"});
        rows.push_back({object == nullptr ? SortKey() : SortKey(*sort_by_, *object), std::move(read.rows[i])});
      }
    }
    if (!is_only || rows.size() > 1) {
      const Expected<void> sorted = sort(rows, [](const Row& row) -> const SortKey& { return row.key; });
      if (!sorted && is_only) return {};
      if (!sorted) return sorted;
    }
    for (const Row& row : rows) table.add_row(columns, row.row);
    return {};
  }

  template <class Items, class Key>
  Expected<void> sort(Items& items, Key&& key) const {
    const auto is_missing = [&](const auto& item) { return key(item).is_missing(); };
    if (!items.empty() && std::all_of(items.begin(), items.end(), is_missing)) {
      return usage_error("couldn't find any field with path " + in_quotes(sort_text_) + " in the list of objects");
    }
    std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    return {};
  }

  TableStyle style_of(const cluster::Resource& resource, bool several) const {
    TableStyle style;
    style.wide = format_ == Format::wide;
    style.headers = !arguments().flag("--no-headers");
    style.with_namespace = arguments().flag("--all-namespaces") && resource.namespaced != false;
    style.show_labels = arguments().flag("--show-labels");
    for (const std::string& list : arguments().all("--label-columns")) {
      // pflag: an empty text is an empty list.
      if (list.empty()) continue;
      for (const std::string_view name : split(list, ',')) style.label_columns.emplace_back(name);
    }
    if (several || arguments().flag("--show-kind")) style.name_prefix = one_cell(kind_prefix(resource)) + "/";
    return style;
  }

  void note_none(const std::vector<Target>& targets) {
    const bool in_namespaces = std::all_of(targets.begin(), targets.end(),
                                           [](const Target& target) { return target.resource.namespaced != false; });
    if (!in_namespaces || arguments().flag("--all-namespaces")) return session_.report().note("No resources found");
    const std::string& name = session_.default_namespace();
    session_.report().note("No resources found in " + (name.empty() ? "the" : name) + " namespace.");
  }

  // ---- objects

  Expected<void> print_objects(const std::vector<Target>& targets) {
    json::array objects;
    const bool single = targets.size() == 1 && !targets.front().name.empty();
    for (const Target& target : targets) {
      const Expected<void> fetched = fetch(target, "json", [&](json::value value) {
        if (!target.name.empty() || !is_list(value)) return objects.push_back(std::move(value));
        json::array* items = value.get_object()["items"].if_array();
        if (items == nullptr) return;
        name_items(value, *items);
        for (json::value& item : *items) objects.push_back(std::move(item));
      });
      if (!fetched) return fetched.error();
    }
    if (sort_by_ && !single) {
      std::vector<std::pair<SortKey, json::value>> keyed;
      for (json::value& object : objects) {
        SortKey key(*sort_by_, object);
        keyed.emplace_back(std::move(key), std::move(object));
      }
      if (Expected<void> sorted = sort(keyed, [](const auto& one) -> const SortKey& { return one.first; }); !sorted) {
        return sorted;
      }
      objects.clear();
      for (auto& one : keyed) objects.push_back(std::move(one.second));
    }
    if (objects.empty() && (single || arguments().flag("--ignore-not-found"))) return {};
    if (!arguments().flag("--show-managed-fields")) {
      for (json::value& object : objects) remove_managed_fields(object);
    }
    if (format_ == Format::name) {
      ObjectPrinter printer(session_, format_);
      for (json::value& object : objects) printer.print(std::move(object), "");
      return {};
    }
    json::value whole;
    if (single) {
      whole = std::move(objects.front());
    } else {
      whole = json::object{{"apiVersion", "v1"},
                           {"items", std::move(objects)},
                           {"kind", "List"},
                           {"metadata", json::object{{"resourceVersion", ""}}}};
    }
    session_.output().write(object_text(whole, format_));
    return {};
  }

  Session& session_;
  const Format format_;
  std::optional<JsonPath> sort_by_;
  std::string sort_text_;
};

}  // namespace

Expected<std::vector<Target>> find_targets_of_get(Session& session) {
  return Get(session, Format::standard).find_targets();
}

Expected<void> run_get(Session& session) {
  if (session.arguments().has_text("--raw")) return run_raw(session);
  const Expected<Format> format = format_of(session.arguments(), true);
  if (!format) return format.error();
  return Get(session, *format).run();
}

}  // namespace ksr::commands
