#include <doctest/doctest.h>

#include <boost/json/basic_parser_impl.hpp>

#include <random>
#include <string>
#include <vector>

#include "fuzz/json/dom.hpp"
#include "json/field_filter.hpp"
#include "json/json_pointer.hpp"
#include "json/list_reader.hpp"
#include "json/unescape.hpp"
#include "json/watch_reader.hpp"
#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

using json_fuzz::Node;

std::vector<FieldPath> paths(std::string_view text) {
  Expected<std::vector<FieldPath>> parsed = parse_field_paths(text);
  REQUIRE(parsed);
  return *parsed;
}

FieldOptions keeping(std::string_view text) {
  FieldOptions options;
  options.keep = paths(text);
  return options;
}

FieldOptions dropping(std::string_view text) {
  FieldOptions options;
  options.drop = paths(text);
  return options;
}

FieldOptions reading(std::string_view columns, std::vector<std::size_t> index = {}) {
  FieldOptions options;
  options.columns = paths(columns);
  options.index = std::move(index);
  return options;
}

constexpr std::size_t kRoom = std::size_t{1} << 20;

std::string cut(const FieldOptions& options, const std::string& text) {
  FieldFilter filter(options, kRoom);
  Item item;
  item.text[0] = text;
  return text_of(filter.apply(item));
}

// "value|value" of the columns.
std::string columns(const FieldOptions& options, const std::string& text, std::size_t room = kRoom) {
  FieldFilter filter(options, room);
  Item item;
  item.text[0] = text;
  std::string all;
  for (const std::string_view value : filter.apply(item).columns->texts) all.append(value).append(1, '|');
  return all;
}

// "column:value ..." of one index after the other.
std::string values(const FieldOptions& options, const std::string& text, std::size_t room = kRoom) {
  FieldFilter filter(options, room);
  Item item;
  item.text[0] = text;
  const Item made = filter.apply(item);
  std::string all;
  for (const ItemColumns::Value& value : made.columns->values) {
    all += std::to_string(value.column) + ":";
    all.append(made.columns->texts[value.column].substr(value.begin, value.size)).append(1, ' ');
  }
  return all;
}

constexpr char kPodWithStatus[] =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"12",)"
    R"("labels":{"app":"x","b":"y"},"creationTimestamp":"t","annotations":{"long":"text"}},)"
    R"("spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i:1","env":[1,2]},{"name":"d"},{"name":"e","image":"i:2"}]},)"
    R"("status":{"phase":"Running","ready":true,"restarts":3,"none":null}})";

TEST_CASE("keep_fields: what is named and the identity, in the order of the text") {
  CHECK(cut(keeping("/status/phase /metadata/labels/app"), kPodWithStatus) ==
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"12",)"
        R"("labels":{"app":"x"},"creationTimestamp":"t"},"status":{"phase":"Running"}})");
  CHECK(cut(keeping("/nothing"), kPodWithStatus) ==
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"12",)"
        R"("creationTimestamp":"t"}})");
  // What is above a value, or a value where a container is expected, is no field that was named.
  CHECK(cut(keeping("/status/phase/x /status/ready/0"), R"({"metadata":{},"status":{"phase":"a","ready":true}})") ==
        "{}");
  CHECK(cut(keeping("/spec"), R"({"metadata":{"x":1},"spec":{"a":[{}, 1] } })") == R"({"spec":{"a":[{}, 1] }})");
}

TEST_CASE("keep_fields: elements keep their places") {
  CHECK(cut(keeping("/spec/containers/*/image"),
            R"({"spec":{"containers":[{"image":"1","n":1},{"n":2},{"image":"3"}]}})") ==
        R"({"spec":{"containers":[{"image":"1"},null,{"image":"3"}]}})");
  CHECK(cut(keeping("/a/2"), R"({"a":[0,1,2,3,4]})") == R"({"a":[null,null,2]})");
  CHECK(cut(keeping("/a/9"), R"({"a":[0,1,2,3,4]})") == "{}");
  CHECK(cut(keeping("/a/*/x"), R"({"a":{"p":{"x":1,"y":2},"q":{"y":3},"r":5}})") == R"({"a":{"p":{"x":1}}})");
  CHECK(cut(keeping("/a/01"), R"({"a":[0,1]})") == "{}");
}

TEST_CASE("drop_fields: all but what is named") {
  CHECK(cut(dropping("/metadata/annotations /spec/containers /status/none"), kPodWithStatus) ==
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"12",)"
        R"("labels":{"app":"x","b":"y"},"creationTimestamp":"t"},"spec":{"nodeName":"node-1"},)"
        R"("status":{"phase":"Running","ready":true,"restarts":3}})");
  CHECK(cut(dropping("/metadata /kind /spec /status"), kPodWithStatus) ==
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"12",)"
        R"("creationTimestamp":"t"}})");
  CHECK(cut(dropping("/a/*"), R"({"a":[1,2],"b":1})") == R"({"a":[],"b":1})");
  CHECK(cut(dropping("/a/0"), R"({"a":[1,2]})") == R"({"a":[null,2]})");
  CHECK(cut(dropping("/a/1"), R"({"a":[1,2]})") == R"({"a":[1]})");
  CHECK(cut(dropping("/a/*/x"), R"({"a":[{"x":1},2,{"y":[]}]})") == R"({"a":[{},2,{"y":[]}]})");
  CHECK(cut(dropping("/a/b"), R"({"a":{"b":1}})") == R"({"a":{}})");
}

TEST_CASE("where a name and * meet both count") {
  CHECK(cut(keeping("/a/b/x /a/*/y"), R"({"a":{"b":{"x":1,"y":2,"z":3},"c":{"x":4,"y":5}}})") ==
        R"({"a":{"b":{"x":1,"y":2},"c":{"y":5}}})");
  CHECK(cut(dropping("/a/b/x /a/*/y"), R"({"a":{"b":{"x":1,"y":2,"z":3},"c":{"x":4,"y":5}}})") ==
        R"({"a":{"b":{"z":3},"c":{"x":4}}})");
}

TEST_CASE("names with ~ and /, and names that are written with escapes") {
  CHECK(cut(keeping("/m/app~1name /m/x~0y"), R"({"m":{"app\/name":1,"\u0078~y":2,"app":3}})") ==
        R"({"m":{"app\/name":1,"\u0078~y":2}})");
}

TEST_CASE("of two equal keys the last counts, as in every parser") {
  CHECK(cut(keeping("/a/x"), R"({"a":{"x":1},"b":2,"a":{"y":1}})") == "{}");
  CHECK(cut(keeping("/a/x"), R"({"a":{"y":1},"a":{"x":1,"\u0078":2}})") == R"({"a":{"\u0078":2}})");
  CHECK(columns(reading("/a/x /b"), R"({"a":{"x":1},"b":2,"a":{"y":1},"b":[{"c":1,"c":2}]})") == R"(|[{"c":2}]|)");
}

TEST_CASE("a column is decoded text") {
  CHECK(columns(reading("/status/phase /status/ready /status/restarts /status/none /none /spec/nodeName"),
                kPodWithStatus) == "Running|true|3|||node-1|");
  CHECK(columns(reading("/a"), R"({"a":"\u00e9\n\"\ud83d\ude00"})") == "\u00e9\n\"\U0001f600|");
  CHECK(columns(reading("/a"), R"({"a":[1, {"b":2}]})") == R"([1, {"b":2}]|)");
  CHECK(columns(reading("/spec/containers/*/image /metadata/labels/*"), kPodWithStatus) == "i:1,i:2|x,y|");
  CHECK(columns(reading("/a/*"), R"({"a":["","b",null,""]})") == ",b,|");
  CHECK(columns(reading("/a/1 /a/*"), R"({"a":["x","y"]})") == "y|x,y|");
  // Twice the same, and one inside another.
  CHECK(columns(reading("/a /a /a/b"), R"({"a":{"b":"c"}})") == R"({"b":"c"}|{"b":"c"}|c|)");
}

TEST_CASE("columns are read before fields are dropped") {
  FieldOptions options = keeping("/status/phase");
  options.columns = paths("/spec/nodeName /spec/containers/*/name /status/phase /metadata/resourceVersion");
  CHECK(columns(options, kPodWithStatus) == "node-1|c,d,e|Running|12|");
  CHECK(cut(options, kPodWithStatus).find("node-1") == std::string::npos);
  options = dropping("/spec /metadata/labels");
  options.columns = paths("/spec/nodeName /metadata/labels/app");
  CHECK(columns(options, kPodWithStatus) == "node-1|x|");
}

TEST_CASE("columns have a bound together, at the end of a character") {
  CHECK(columns(reading("/a /b /c"), R"({"a":"12345","b":"\u00e9\u00e9\u00e9","c":"x"})", 8) == "12345|\u00e9||");
  CHECK(columns(reading("/a/*"), R"({"a":["12345","67","8"]})", 7) == "12345,6|");
  const std::string large(10'000'000, 'x');
  CHECK(columns(reading("/a /b"), R"({"a":")" + large + R"(","b":"y"})", 64 << 20) == large + "|y|");
}

TEST_CASE("an index has each value of a column once") {
  CHECK(
      values(
          reading("/status/phase /spec/containers/*/image /none /none/*", {1, 0, 2, 3}),
          R"({"spec":{"containers":[{"image":"b"},{"image":"a"},{"image":"b"},{"image":""}]},"status":{"phase":"P"}})") ==
      "1: 1:a 1:b 0:P 2: 3: ");
  CHECK(values(reading("/a/*", {0}), R"({"a":["x,y","x"]})") == "0:x 0:x,y ");
}

TEST_CASE("an index has no value of which nothing is left within the bound of the columns") {
  const FieldOptions options = reading("/a/*", {0});
  CHECK(values(options, R"({"a":["12345","67","8"]})", 7) == "0:12345 0:6 ");
  CHECK(values(options, R"({"a":["12345","67","8"]})", 6) == "0:12345 ");
  CHECK(values(options, R"({"a":["12345","67",""]})", 5) == "0:12345 ");
  CHECK(values(options, R"({"a":["12345","\u00e9"]})", 7) == "0:12345 ");
  // What is there, and empty, is found.
  CHECK(values(options, R"({"a":["12345","",""]})", 6) == "0: 0:12345 ");
  CHECK(values(options, R"({"a":["","67"]})", 1) == "0: ");
  CHECK(values(reading("/a/* /a/*", {0, 1}), R"({"a":["12","34"]})", 7) == "0:12 0:34 1:12 ");
  // As a column without `*`: what is left is empty.
  CHECK(values(reading("/b /a/*", {0, 1}), R"({"b":"123","a":["4"]})", 3) == "0:123 1: ");
}

TEST_CASE("the place of the resourceVersion in what is kept is known") {
  for (const FieldOptions& options : {keeping("/status"), dropping("/status"), keeping("/metadata"), dropping("/x/y"),
                                      dropping("/metadata/labels"), dropping("/metadata")}) {
    FieldFilter filter(options, kRoom);
    Item item;
    item.text[0] = kPodWithStatus;
    const Item made = filter.apply(item);
    CHECK(made.columns->sameness == Sameness::text);
    CHECK(made.text[0].substr(made.columns->version_begin, made.columns->version_size) == "12");
    CHECK(made.text[0][made.columns->version_begin - 1] == '"');
  }
}

TEST_CASE("what two states must have in common") {
  FieldOptions options = reading("/a");
  const auto sameness = [&] {
    FieldFilter filter(options, kRoom);
    Item item;
    item.text[0] = "{}";
    return filter.apply(item).columns->sameness;
  };
  CHECK(sameness() == Sameness::version);
  options.drop = paths("/b");
  CHECK(sameness() == Sameness::text);
  options.notify_columns = true;
  CHECK(sameness() == Sameness::columns);
}

TEST_CASE("whether the order of the views counts, and what is kept, is said of each item") {
  FieldOptions options = keeping("/q");
  options.columns = paths("/p /q");
  for (const bool ordered : {false, true}) {
    FieldFilter filter(options, kRoom, ordered);
    Item item;
    item.text[0] = R"({"p":"four","q":12})";
    const Item made = filter.apply(item);
    CHECK(made.columns->ordered_by_recency == ordered);
    CHECK(made.kept_size() == std::string_view(R"({"q":12})").size() + 4 + 2);
    CHECK(item.kept_size() == item.text_size());
  }
}

TEST_CASE("values of the keys") {
  const auto problem = [](std::string_view text) {
    const auto parsed = parse_field_paths(text);
    return parsed ? std::string() : parsed.error().message;
  };
  CHECK(problem("") == "");
  CHECK(problem("  /a\t/b/*/c~0~1  /  ") == "");
  CHECK(paths("  /a\t/b/*/c~0~1  / ").size() == 3);
  CHECK(paths("/b/*/c~0~1")[0][2].name == "c~/");
  CHECK(paths("/b/*/c~0~1")[0][1].any);
  CHECK(problem("a") == "expected JSON pointers such as /status/phase, separated by blanks");
  CHECK(problem("/a,/b~2") == "expected JSON pointers, in which ~0 stands for ~ and ~1 for /");
  CHECK(problem("/a~") == "expected JSON pointers, in which ~0 stands for ~ and ~1 for /");
  for (const char* text : {"/*", "/a /*", "/*/a"}) {
    CHECK(problem(text) == "expected JSON pointers that begin with the name of a member, such as /status/*, not /*");
  }
  CHECK(problem("/a\n/b") == "expected one line of text");
  std::string many;
  for (std::size_t i = 0; i < kMaxFieldPaths; ++i) many += " /a" + std::to_string(i);
  CHECK(problem(many) == "");
  CHECK(problem(many + " /a") == "expected at most 1000 JSON pointers");
}

TEST_CASE("1000 columns") {
  std::string pointers;
  std::string text = R"({"a":{)";
  std::string expected;
  for (std::size_t i = 0; i < kMaxFieldPaths; ++i) {
    pointers += "/a/k" + std::to_string(i * 7919 % 1000) + " ";
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
    expected += std::to_string(i * 7919 % 1000) + "|";
  }
  CHECK(columns(reading(pointers), text + "}}") == expected);
}

// ---- against Boost.JSON's parser ------------------------------------------------------------------------------------

using Place = std::vector<std::string>;

bool is_at(const FieldPath& path, const Place& place) {
  if (path.size() != place.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!path[i].any && path[i].name != place[i]) return false;
  }
  return true;
}

bool is_at(const std::vector<FieldPath>& all, const Place& place) {
  for (const FieldPath& path : all) {
    if (is_at(path, place)) return true;
  }
  return false;
}

// The rules, written down as simply as possible.
class Cutter {
 public:
  explicit Cutter(const FieldOptions& options) : options_(options) {}

  bool cut(Node& node, const Place& place, bool keeping) const {
    if (is_at(identity_, place)) return true;
    if (keeping && is_at(options_.keep, place)) return true;
    if (!keeping && is_at(options_.drop, place)) keeping = true;
    if (node.kind != Node::Kind::object && node.kind != Node::Kind::array) return !keeping;
    std::vector<std::pair<std::string, Node>> kept;
    std::size_t to_last = 0;
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      Place below = place;
      below.push_back(node.is_object() ? node.members[i].first : std::to_string(i));
      if (cut(node.members[i].second, below, keeping)) {
        kept.push_back(node.members[i]);
        to_last = kept.size();
      } else if (!node.is_object()) {
        kept.push_back({"", Node{Node::Kind::null, "null", {}}});
      }
    }
    kept.resize(to_last);
    node.members = kept;
    return !keeping || to_last > 0;
  }

 private:
  const FieldOptions& options_;
  const std::vector<FieldPath> identity_ = paths(
      "/kind /apiVersion /metadata/name /metadata/namespace /metadata/uid /metadata/resourceVersion "
      "/metadata/creationTimestamp /metadata/deletionTimestamp");
};

void collect(const Node& node, const std::string& pointer, const Place& place, const FieldPath& path,
             const std::string& text, std::vector<std::string>& found) {
  if (is_at(path, place)) {
    if (node.kind == Node::Kind::null) return;
    found.push_back(node.is_string() ? node.text : std::string(find_pointer(text, pointer).value()));
  }
  if (place.size() >= path.size()) return;
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const std::string name = node.is_object() ? node.members[i].first : std::to_string(i);
    std::string token;
    for (const char c : name) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    Place below = place;
    below.push_back(name);
    collect(node.members[i].second, pointer + "/" + token, below, path, text, found);
  }
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t bound) { return random_() % bound; }

  // Names are few, so that paths meet them.
  std::string name() { return kNames[below(std::size(kNames))]; }

  std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) {
      constexpr char kHex[] = "0123456789abcdef";
      if (below(8) == 0) {
        text += std::string("\\u00") + kHex[static_cast<unsigned char>(c) >> 4 & 15] + kHex[c & 15];
      } else {
        text += c;
      }
    }
    return text + "\"";
  }

  std::string space() { return spaces_ && below(4) == 0 ? std::string(below(3), " \n\t"[below(3)]) : ""; }

  std::string value(std::size_t depth) {
    switch (below(depth == 0 ? 5 : 9)) {
      case 0:
        return "null";
      case 1:
        return below(2) == 0 ? "true" : "false";
      case 2:
        return std::to_string(below(1000)) + (below(3) == 0 ? ".5e1" : "");
      case 3:
        return R"("\\\"{[,:]}\u00e9 and text )" + std::string(below(80), 'x') + "\"";
      case 4:
        return quoted(name());
      case 5:
      case 6: {
        std::string text = "[" + space();
        const std::size_t size = below(5);
        for (std::size_t i = 0; i < size; ++i) text += (i == 0 ? "" : ",") + space() + value(depth - 1) + space();
        return text + "]";
      }
      default:
        return object(depth);
    }
  }

  std::string object(std::size_t depth) {
    std::string text = "{" + space();
    std::vector<std::string> used;
    const std::size_t size = below(7);
    for (std::size_t i = 0; i < size; ++i) {
      const std::string key = name();
      if (std::find(used.begin(), used.end(), key) != used.end()) continue;
      text += (used.empty() ? "" : ",") + space() + quoted(key) + space() + ":" + space() + value(depth - 1) + space();
      used.push_back(key);
    }
    return text + "}";
  }

  std::string path() {
    std::string text = "/" + kPointers[below(std::size(kPointers) - 2)];
    for (std::size_t more = below(4); more > 0; --more) text += "/" + kPointers[below(std::size(kPointers))];
    return text;
  }

  std::string some_paths(std::size_t least) {
    std::string text;
    for (std::size_t count = least + below(4); count > 0; --count) text += path() + " ";
    return text;
  }

  void use_spaces(bool use) { spaces_ = use; }

 private:
  const std::string kNames[10] = {"metadata", "name", "uid", "resourceVersion", "kind", "a", "b", "c/d", "e~f", "1"};
  const std::string kPointers[13] = {
      "metadata", "name", "uid", "resourceVersion", "kind", "a", "b", "c~1d", "e~0f", "1", "0", "*", "*"};
  std::mt19937 random_;
  bool spaces_ = false;
};

TEST_CASE("random documents and fields agree with a tree of Boost.JSON's parser") {
  for (std::uint32_t seed = 1; seed <= 6000; ++seed) {
    Random random(seed);
    random.use_spaces(seed % 3 == 0);
    const std::string text = random.object(5);
    FieldOptions options;
    const std::string cuts = random.some_paths(1);
    if (seed % 2 == 0) options.keep = paths(cuts);
    if (seed % 4 == 1) options.drop = paths(cuts);
    const std::string read = random.some_paths(seed % 4 == 3 ? 1 : 0);
    options.columns = paths(read);
    CAPTURE(seed);
    CAPTURE(text);
    CAPTURE(cuts);
    CAPTURE(read);

    FieldFilter filter(options, kRoom);
    Item item;
    std::size_t at = 0;
    for (std::size_t piece = 0; piece < item.text.size(); ++piece) {
      const bool is_last = piece + 1 == item.text.size();
      const std::size_t size = is_last ? text.size() - at : random.below(text.size() - at + 1);
      item.text[piece] = std::string_view(text).substr(at, size);
      at += size;
    }
    // The second time nothing is new to it.
    filter.apply(item);
    const Item made = filter.apply(item);
    const std::string made_text = text_of(made);

    Node expected;
    std::string_view rest = text;
    REQUIRE(take_document(rest, expected) == json_fuzz::Parsed::whole);
    for (std::size_t c = 0; c < options.columns.size(); ++c) {
      std::vector<std::string> found;
      collect(expected, "", {}, options.columns[c], text, found);
      std::string joined;
      for (std::size_t i = 0; i < found.size(); ++i) joined += (i == 0 ? "" : ",") + found[i];
      REQUIRE(made.columns->texts[c] == joined);
    }
    if (!options.cuts()) {
      REQUIRE(made_text == text);
      continue;
    }
    const Place root;
    if (!Cutter(options).cut(expected, root, !options.keep.empty())) expected.members.clear();
    Node got;
    rest = made_text;
    REQUIRE(take_document(rest, got) == json_fuzz::Parsed::whole);
    REQUIRE(rest.empty());
    REQUIRE(got == expected);
    if (const Node* metadata = got.find("metadata"); metadata != nullptr && metadata->find("resourceVersion")) {
      const Node* version = metadata->find("resourceVersion");
      const std::string_view raw =
          std::string_view(made_text).substr(made.columns->version_begin, made.columns->version_size);
      std::string plain;
      unescape(raw, plain);
      if (version->is_string()) REQUIRE(plain == version->text);
    }
  }
}

// ---- behind the readers ---------------------------------------------------------------------------------------------

struct Filtering final : ListObserver, WatchObserver {
  explicit Filtering(const FieldOptions& options) : filter(options, kRoom) {}
  void take(const Item& item) {
    const Item made = filter.apply(item);
    result += text_of(made) + " " + std::string(made.columns->texts[0]) + "\n";
  }
  void on_item(const Item& item) override { take(item); }
  void on_event(EventType, const Item& item) override { take(item); }
  void on_bookmark(std::string_view, bool) override {}
  void on_error_event(const ApiStatus&) override {}
  void on_unknown_event(std::string_view) override {}
  void on_bad_item(const Error& error) override { result += error.message; }
  void on_bad_event(const Error& error, BadEvent) override { result += error.message; }
  FieldFilter filter;
  std::string result;
};

TEST_CASE("a list and a watch give the same, however their bytes are split") {
  FieldOptions options = keeping("/status/phase /metadata/labels");
  options.columns = paths("/spec/nodeName");
  const std::string metadata =
      R"("metadata":{"name":"a","managedFields":[{"x":1}],"namespace":"n","labels":{"l":"\u00e9"},"uid":"u","resourceVersion":"7"})";
  const std::string rest = metadata + R"(,"spec":{"nodeName":"n1","x":[[1],{"y":"}"}]},"status":{"phase":"P","z":{}}})";
  const std::string list =
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[{)" + rest + "]}";
  const std::string event = R"({"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1",)" + rest + "}";
  const std::string expected =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"n","labels":{"l":"\u00e9"},"uid":"u","resourceVersion":"7"},"status":{"phase":"P"}} n1)"
      "\n";
  for (std::size_t split = 0; split <= list.size(); ++split) {
    Filtering made(options);
    ListReader reader({}, made);
    REQUIRE(reader.feed(std::string_view(list).substr(0, split)));
    REQUIRE(reader.feed(std::string_view(list).substr(split)));
    REQUIRE(reader.finish());
    REQUIRE(made.result == expected);
  }
  for (std::size_t split = 0; split <= event.size(); ++split) {
    Filtering made(options);
    WatchReader reader({}, made);
    REQUIRE(reader.feed(std::string_view(event).substr(0, split)));
    REQUIRE(reader.feed(std::string_view(event).substr(split)));
    REQUIRE(made.result == expected);
  }
}

}  // namespace
}  // namespace ksr::json::testing
