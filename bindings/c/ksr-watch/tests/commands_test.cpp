// The commands' own parts, without a server: texts as Go and go-yaml write them, tables, files, command lines.
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "commands/answer_object.hpp"
#include "commands/arguments.hpp"
#include "commands/durations.hpp"
#include "commands/json_text.hpp"
#include "commands/manifests.hpp"
#include "commands/port_spec.hpp"
#include "commands/printing.hpp"
#include "commands/report.hpp"
#include "commands/sort_key.hpp"
#include "commands/table_text.hpp"
#include "commands/wait_condition.hpp"
#include "commands/yaml_text.hpp"

using namespace ksr;
using namespace ksr::commands;
namespace json = boost::json;

namespace {

int failures = 0;

void expect(const std::string& is, const std::string& should_be, int line) {
  if (is == should_be) return;
  ++failures;
  fprintf(stderr, "line %d: is\n%s\nexpected\n%s\n", line, is.c_str(), should_be.c_str());
}
#define EXPECT(is, should_be) expect(is, should_be, __LINE__)

std::string yaml(const char* text) {
  return yaml_text(json::parse(text));
}

void texts_of_yaml() {
  EXPECT(yaml(R"({"b":[{"c":1,"a":[[1,2],[]]},{}],"a":null})"),
         "a: null\nb:\n- a:\n  - - 1\n    - 2\n  - []\n  c: 1\n- {}\n");
  EXPECT(yaml(R"({"a10":true,"a9":"true","1":"1.0"})"), "\"1\": \"1.0\"\na9: \"true\"\na10: true\n");
  EXPECT(yaml(R"({"a":"one\n two\n","b":"x","c":"  x","d":"x\n\n","e":"\n"})"),
         "a: |\n  one\n   two\nb: x\nc: '  x'\nd: |+\n  x\n\ne: |2+\n\n");
  EXPECT(yaml(R"({"a":{"b":"x\ny"}})"), "a:\n  b: |-\n    x\n    y\n");
  EXPECT(yaml(R"({"a":"2020-01-01T00:00:00Z","b":"2020-13-01","c":"0x1f","d":"0o8","e":"1:30","f":"-"})"),
         "a: \"2020-01-01T00:00:00Z\"\nb: 2020-13-01\nc: \"0x1f\"\nd: 0o8\ne: \"1:30\"\nf: '-'\n");
  EXPECT(yaml(R"({"a":"\u0085\ud83d\ude00\t\u0001\u00e9"})"), "a: \"\\N\\U0001F600\\t\\x01\u00e9\"\n");
  EXPECT(yaml(R"({"a":1e21,"b":1234567.5,"c":0.00001,"d":3.0,"e":-7})"),
         "a: 1e+21\nb: 1.2345675e+06\nc: 1e-05\nd: 3\ne: -7\n");
  const json::value turning = json::parse(R"({"a\u202e":"x\u00ad\ny","b":["one\ntwo\n","\u2066 \"\\"]})");
  EXPECT(yaml_text(turning), "a\u202e: |-\n  x\u00ad\n  y\nb:\n- |\n  one\n  two\n- \u2066 \"\\\n");
  EXPECT(yaml_text(turning, true), "\"a\\u202E\": \"x\\xAD\\ny\"\nb:\n- |\n  one\n  two\n- \"\\u2066 \\\"\\\\\"\n");
  const std::string word(30, 'x'), key(129, 'k');
  EXPECT(yaml(("{\"a\":\"" + word + " " + word + " " + word + " " + word + "\"}").c_str()),
         "a: " + word + " " + word + " " + word + "\n  " + word + "\n");
  EXPECT(yaml(("{\"" + key + "\":\"v\"}").c_str()), "? " + key + "\n: v\n");
}

void texts_of_json() {
  EXPECT(json_text(json::parse(R"({"b":[],"a":{"c":"<\u2028\"\n"},"d":[1.0,1e-7]})")),
         "{\n    \"a\": {\n        \"c\": \"\\u003c\\u2028\\\"\\n\"\n    },\n    \"b\": [],\n    \"d\": [\n        "
         "1,\n        "
         "1e-7\n    ]\n}\n");
  EXPECT(json_body(json::parse(R"({"b": 2.0, "a": [1, {}]})")), R"({"a":[1,{}],"b":2})");
  EXPECT(std::to_string(parse_json_sequence(R"({"a":1} {"b":2})")->size()), "2");
  // The nearest double, not one beside it; and what is beyond all of them is no number.
  for (const char* number : {"124.63107063419261", "123456789.12345679", "0.1", "-2.5e-7", "1.7976931348623157e+308",
                             "5e-324", "9007199254740993", "18446744073709551615", "-9223372036854775808", "1e-7"}) {
    EXPECT(json_body(*parse_json(number)), number);
    EXPECT(json_body(*parse_json("[" + std::string(number) + "]")), "[" + std::string(number) + "]");
  }
  EXPECT(json_body(*parse_json("[123456789.123456789123456789,1e-400,-1e-400,1e2]")), "[123456789.12345679,0,-0,100]");
  for (const char* number : {"1e400", "-1e400", "1e309", "1.8e308"}) {
    const std::string text = R"({"a":[1,{"b":)" + std::string(number) + "}]}";
    EXPECT(parse_json(text) ? "parsed" : "refused", "refused");
    EXPECT(number_out_of_range(text), number);
    EXPECT(number_out_of_range(R"({"a":1} )" + text), number);
  }
  // Exponents that no 32 bits hold.
  EXPECT(json_body(*parse_json("[0e999999999999,-0.0E+00999999999999,1e-999999999999,-1e-2147483648,1e0000000000001,"
                               "\"0e999999999999\\\"0e999999999999\",3E0]")),
         "[0,-0,0,-0,10,\"0e999999999999\\\"0e999999999999\",3]");
  EXPECT(json_body((*parse_json_sequence("[1] [0e99999999999] [0e99999999999] 2"))[2]), "[0]");
  EXPECT(parse_json("[1e999999999999]") || parse_json("[0e999999999999 1]") ? "parsed" : "refused", "refused");
  EXPECT(number_out_of_range("[0e999999999999,-1.5e123456789012]"), "-1.5e123456789");
  EXPECT(number_out_of_range("[1,2"), "");
  EXPECT(number_out_of_range("a: 1e400"), "");
  EXPECT(parse_json("") || parse_json("[1] [2]") || parse_json("[1] x") ? "parsed" : "refused", "refused");
  EXPECT(parse_json_sequence(R"({"a":1} {"b")") ? "parsed" : "refused", "refused");
  // An API server passes on text that is no Unicode.
  EXPECT(json_body(std::get<json::value>(read_object("{\"kind\":\"K\",\"a\xff\":\"\\ud800\"}", "get"))),
         "{\"a\xef\xbf\xbd\":\"\xef\xbf\xbd\",\"kind\":\"K\"}");
  EXPECT(std::get<Failure>(read_object("{\"kind\":\"\xff\"", "get")).message, "get: the server's answer is not JSON");
}

void texts_that_are_no_unicode() {
  EXPECT(json_body(*parse_answer("{\"a\\ud800\":\"\xff\xe2\x82|\\udc00\\ud83d\\ude00\",\"b\":0e999999999999}")),
         "{\"a\ufffd\":\"\ufffd\ufffd\ufffd|\ufffd\U0001F600\",\"b\":0}");
  EXPECT(parse_answer("{\"a\\ud800\":}") || parse_answer("[1e999999999999]") ? "parsed" : "refused", "refused");
  const auto read = read_object(R"({"kind":"A","a":[1e999]})", "get of a");
  const Failure* failure = std::get_if<Failure>(&read);
  EXPECT(failure == nullptr ? "taken" : failure->message,
         "get of a: the server's answer has the number 1e999, which is out of range");
}

constexpr const char* kTable = R"({"kind":"Table","columnDefinitions":[
{"name":"Name","type":"string","format":"name","priority":0},{"name":"Count","type":"integer","priority":0},
{"name":"Note","type":"string","priority":1}],"rows":[
{"cells":["a\u001b[31m",1,"x"],"object":{"metadata":{"namespace":"here","labels":{"app":"web","b":"c"}}}},
{"cells":["two\nlines",1.5,null,"too many"],"object":{"metadata":{"namespace":"elsewhere"}}}]})";

std::string table(const TableStyle& style, const char* answer = kTable) {
  TableText text(style);
  text.add(json::parse(answer));
  return text.take_text();
}

void tables() {
  TableStyle style;
  EXPECT(table(style), "NAME      COUNT\na^[[31m   1\ntwo...    1.5\n");
  EXPECT(table(style, R"({"kind":"Table","columnDefinitions":[{"name":"a\u202e"},{"name":"b"}],
    "rows":[{"cells":["\u009b2J\u007f\tx",["\u2066"]]}]})"),
         "A\uFFFD        B\n\uFFFD2J^? x   [\"\uFFFD\"]\n");
  style.wide = style.with_namespace = true;
  EXPECT(table(style),
         "NAMESPACE   NAME      COUNT   NOTE\nhere        a^[[31m   1       x\nelsewhere   two...    1.5     \n");
  style = {};
  style.headers = false;
  style.show_labels = true;
  style.label_columns = {"app"};
  style.name_prefix = "kind/";
  EXPECT(table(style), "kind/a^[[31m   1     web   app=web,b=c\nkind/two...    1.5         <none>\n");
  EXPECT(table({}, R"({"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[]})"), "");
  EXPECT(table({}, R"({"kind":"ThingList","items":[{"metadata":{"name":"a"}}]})"), "NAME   AGE\na      <unknown>\n");
}

std::string names_in(const std::string& file) {
  const Expected<std::vector<Manifest>> manifests = read_manifests({file}, false);
  if (!manifests) return manifests.error().message;
  std::string names;
  for (const Manifest& manifest : *manifests) names += manifest.kind + "/" + manifest.name + " ";
  return names;
}

void files() {
  char directory[] = "/tmp/ksr-commands.XXXXXX";
  if (mkdtemp(directory) == nullptr) abort();
  const std::string file = std::string(directory) + "/file.yaml";
  const auto content = [&](const std::string& text) {
    std::ofstream(file) << text;
    return names_in(file);
  };
  const std::string a = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n";
  EXPECT(content(a), "A/a ");
  EXPECT(content("\xef\xbb\xbf---\n" + a + "--- # more\n# nothing\n---\n" + a), "A/a A/a ");
  EXPECT(content("apiVersion: v1\nkind: AList\nitems:\n- " +
                 std::string(R"({apiVersion: v1, kind: B, metadata: {name: b}})")),
         "B/b ");
  EXPECT(content(R"({"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}{"apiVersion":"v1","kind":"C"})"), "A/a C/ ");
  EXPECT(content("{apiVersion: v1, kind: A}"), "A/ ");
  EXPECT(content(a + "---\nkind: B\n"), "error parsing " + file + ", document 2: apiVersion not set");
  EXPECT(content("- a"), "error parsing " + file + ": is no object");
  // Told where the text ends; its last line is ended as the others.
  EXPECT(content("a: [b"), "error parsing " + file + ": is not valid YAML at line 2");
  EXPECT(content("a: \"b"), "error parsing " + file + ": is not valid YAML at line 2");
  EXPECT(content(a + "b: |\n  text"), "A/a ");
  EXPECT(content("# nothing\n"), "");
  const std::string separator = "; expected nothing but a comment after ---";
  EXPECT(content(a + "--- {apiVersion: v1, kind: B}\n"),
         "error parsing " + file + ": invalid Yaml document separator at line 4" + separator);
  EXPECT(content("--- !!map\n" + a),
         "error parsing " + file + ": invalid Yaml document separator at line 1" + separator);
  EXPECT(content("---- \n" + a), "error parsing " + file + ": invalid Yaml document separator at line 1" + separator);
  const std::string follows =
      "error parsing " + file + ": something follows the end of the document; expected a line --- before it";
  EXPECT(content(a + "...\nfoo bar\n"), follows);
  std::string with_returns = a + "---\n" + a;
  std::replace(with_returns.begin(), with_returns.end(), '\n', '\r');
  EXPECT(content(with_returns), "A/a A/a ");
  EXPECT(content("apiVersion: v1\rkind: A\rdata: [\r"), "error parsing " + file + ": is not valid YAML at line 4");
  const auto of_type = [&](const std::string& field, const std::string& expected) {
    return "error parsing " + file + ": " + field + ": expected " + expected;
  };
  EXPECT(content("apiVersion: v1\nkind: A\nmetadata: {name: 123}\n"),
         of_type("metadata.name", "a string, not a number"));
  EXPECT(content("apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: yes}\n"),
         of_type("metadata.namespace", "a string, not a boolean"));
  EXPECT(content("apiVersion: v1\nkind: A\nmetadata: [a]\n"), of_type("metadata", "a mapping, not a list"));
  EXPECT(content("apiVersion: 1\nkind: A\nmetadata: {name: a}\n"), of_type("apiVersion", "a string, not a number"));
  EXPECT(content("apiVersion: v1\nkind: {}\nmetadata: {name: a}\n"), of_type("kind", "a string, not a mapping"));
  EXPECT(content("apiVersion: v1\nkind: A\nmetadata: null\n"), "A/ ");
  EXPECT(content(a + "...\n# no more\n"), "A/a ");
  const std::string json = R"({"apiVersion":"v1","kind":"A","metadata":{"name":"a"}})";
  const std::string no_json = ": what follows its first JSON object is not JSON";
  EXPECT(content(json + "\n" + json.substr(0, 40)), "error parsing " + file + no_json);
  EXPECT(content(json + " garbage"), "error parsing " + file + no_json);
  EXPECT(content(json + "\n" + a), "error parsing " + file + no_json);
  EXPECT(content(json + ", " + json), "error parsing " + file + no_json);
  EXPECT(content(json + json + "\n---\n" + a + "---\n" + json), "A/a A/a A/a A/a ");
  EXPECT(content(json + "\n---\n" + json + " x"), "error parsing " + file + ", document 2" + no_json);
  EXPECT(content("apiVersion: v1\nkind: BList\nitems: [{metadata: {name: b}}, {apiVersion: v1, kind: C}]\n"),
         "B/b C/ ");
  EXPECT(content("apiVersion: v1\nkind: BList\nitems: [{kind: C}]\n"),
         "error parsing " + file + ": apiVersion not set");
  EXPECT(content("apiVersion: v1\nkind: List\nitems: [{metadata: {name: b}}]\n"),
         "error parsing " + file + ": apiVersion not set");
  EXPECT(content(a + "data: {a: \"" + std::string(1, '\0') + "\"}\n"),
         "error parsing " + file + ": has a control character at line 4");
  EXPECT(content(a + "data: {a: \"\xff\"}\n"), "error parsing " + file + ": has bytes that are not UTF-8 at line 4");
  EXPECT(content(a + "data: {null: b}\n"), "error parsing " + file + ": has a key that is null at line 4");
  EXPECT(read_document("a: b\n---\nc: d", "P").error().message,
         "error parsing P: something follows the end of the document; expected a line --- before it");
  content(a);
  EXPECT(names_in(file + "," + file), "A/a A/a ");
  EXPECT(names_in("\"" + file + "\"," + file), "A/a A/a ");
  EXPECT(names_in(file + ","), "the path \"\" does not exist");
  EXPECT(names_in("\"a,\"\"b\""), "the path \"a,?b\" does not exist");
  EXPECT(content(a + "spec: {key: \"a\\_\\N\"}\n"), "A/a ");
  EXPECT(names_in(std::string(directory) + "/none"), "the path \"" + std::string(directory) + "/none\" does not exist");
  EXPECT(names_in("https://example.org/x"), "-f https://example.org/x: is a URL; expected a file, a directory or -");
  remove(file.c_str());
  EXPECT(names_in(directory), "-f " + std::string(directory) + ": has no file that ends with .json, .yaml or .yml");
  remove(directory);
}

std::string read(std::vector<std::string> words) {
  words.insert(words.begin(), "ksr");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(&word[0]);
  Expected<Arguments> arguments = Arguments::read(static_cast<int>(argv.size()), argv.data());
  if (!arguments) return arguments.error().message;
  std::string text = name_of(arguments->command);
  for (const std::string& word : arguments->words) text += " " + word;
  for (const Setting& setting : arguments->settings) text += " " + setting.key + "=" + setting.value;
  for (std::size_t i = 1; i + 1 < arguments->watch_argv.size(); ++i)
    text += std::string(" ") + arguments->watch_argv[i];
  for (const std::string& word : words) text += word.find('*') != std::string::npos ? " hidden" : "";
  return text;
}

void command_lines() {
  EXPECT(read({"-n", "x", "get", "cm", "--", "-a"}), "get cm -a");
  EXPECT(read({"get", "--token", "t0p", "--set=header.X=abc", "--set", "transport=http"}),
         "get token=t0p header.X=abc transport=http hidden hidden");
  EXPECT(read({"--token", "t0p", "watch", "pods", "--once"}), "watch token=t0p --token t0p pods --once");
  EXPECT(read({"auth", "can-i", "get", "cm"}), "can-i get cm");
  EXPECT(read({"get", "--as-group", "CN=admins,OU=x", "--as-group=D\\b"}),
         "get impersonate_groups=CN=admins\\,OU=x,D\\\\b");
  EXPECT(read({"get", "--as-group", "a", "--as-group=b", "--insecure-skip-tls-verify"}),
         "get insecure_skip_tls_verify=true impersonate_groups=a,b");
  EXPECT(read({"get", "--insecure-skip-tls-verify=T", "--show-labels=1"}), "get insecure_skip_tls_verify=true");
  EXPECT(read({"get", "--insecure-skip-tls-verify=0", "-A=FALSE"}), "get insecure_skip_tls_verify=false");
  EXPECT(read({"get", "--show-labels=tRUE"}), "--show-labels: expected true or false");
  EXPECT(read({"get", "-f"}), "flag needs an argument: -f");
  EXPECT(read({"get", "-A="}), "unknown flag: -=");
  EXPECT(read({"get", "-A=yes"}), "--all-namespaces: expected true or false");
  EXPECT(read({"exec", "-it", "web", "-c=side", "--", "sh", "-c", "exit 7"}), "exec web sh -c exit 7");
  EXPECT(read({"logs", "-fp", "web", "-cside", "-lapp=web"}), "logs web");
  EXPECT(read({"logs", "-fc"}), "flag needs an argument: -c");
  EXPECT(read({"logs", "-fx"}), "unknown flag: -x");
  EXPECT(read({"logs", "-t", "web"}), "unknown flag: --tty");
  EXPECT(read({"get", "--now"}), "unknown flag: --now");
  EXPECT(read({"get", "--no-headers=maybe"}), "--no-headers: expected true or false");
  EXPECT(read({"get", "--set", "x"}), "--set: expected KEY=VALUE");
  EXPECT(read({"get", "--as-user-extra", "scopes=a=b"}), "get impersonate_extra.scopes=a=b");
  EXPECT(
      read({"get", "--as-user-extra", "a=x,y", "--as-user-extra=b=", "--as-user-extra=A=D\\z", "--as-user-extra=a="}),
      "get impersonate_extra.a=x\\,y,D\\\\z, impersonate_extra.b=");
  EXPECT(read({"get", "--as-user-extra=scopes"}), "--as-user-extra: expected KEY=VALUE");
  EXPECT(read({"get", "--set", "delivery=manual"}), "--set delivery: is chosen by ksr");
  EXPECT(read({"bake"}), "unknown command \"bake\"");
  EXPECT(read({"get", "cm", "-wA", "--transport", "http", "--once"}), "get cm");
  EXPECT(read({"get", "cm", "-w=false", "--seconds=3"}), "--seconds: goes with --watch alone");
  EXPECT(read({"delete", "cm", "-w"}), "unknown flag: --watch");
}

Arguments arguments_of(std::vector<std::string> words) {
  words.insert(words.begin(), "ksr");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(&word[0]);
  return *Arguments::read(static_cast<int>(argv.size()), argv.data());
}

void options_that_are_empty() {
  const auto selects = [](const std::vector<std::string>& words) {
    std::vector<std::string> line{"delete", "cm"};
    line.insert(line.end(), words.begin(), words.end());
    return std::string(arguments_of(line).selects() ? "selects" : "none");
  };
  EXPECT(selects({}), "none");
  EXPECT(selects({"-l", ""}), "none");
  EXPECT(selects({"--selector="}), "none");
  EXPECT(selects({"-l", " \t", "--field-selector", ""}), "none");
  EXPECT(selects({"--field-selector", ","}), "none");
  EXPECT(selects({"-l", "a=b", "-l", ""}), "none");
  EXPECT(selects({"-l", "a"}), "selects");
  EXPECT(selects({"-l", "", "--field-selector", "metadata.name=x"}), "selects");
  EXPECT(arguments_of({"get", "cm", "-l", " a=b "}).selector("--selector"), "a=b");
  EXPECT(arguments_of({"get", "cm", "-o="}).text("--output"), "=");
  EXPECT(arguments_of({"get", "cm", "--output="}).has_text("--output") ? "given" : "none", "none");
}

std::string format(const std::string& name) {
  const Expected<Format> read = format_of(arguments_of({"get", "cm", "-o", name}), true);
  return read ? std::to_string(static_cast<int>(*read)) : "refused";
}

void names_of_formats() {
  for (const auto& [name, same] : {std::pair("JSON", "json"), {"Yaml", "yaml"}, {"NAME", "name"}}) {
    EXPECT(format(name), format(same));
  }
  for (const char* name : {"json", "yaml", "name", "wide", "table"}) EXPECT(format(name) == "refused" ? name : "", "");
  for (const char* name : {"WIDE", "Table", "xml"}) EXPECT(format(name), "refused");
}

std::string duration(const char* text) {
  const Expected<Milliseconds> read = read_duration(text);
  return read ? std::to_string(read->count()) : "refused";
}

void durations() {
  EXPECT(duration("90"), "90000");
  EXPECT(duration("1h30m"), "5400000");
  EXPECT(duration("1.5h"), "5400000");
  EXPECT(duration("0.25s"), "250");
  EXPECT(duration("300ms"), "300");
  EXPECT(duration("+1m1s"), "61000");
  EXPECT(duration("+5"), "5000");
  EXPECT(duration("2500us"), "2");
  for (const char* text : {"100us", "1\xc2\xb5s", "1\xce\xbcs", "1ns", "0.1ms"}) EXPECT(duration(text), "1");
  for (const char* text : {"0", "0s", "0us"}) EXPECT(duration(text), "0");
  EXPECT(duration("876000h"), "3153600000000");
  for (const char* text : {"876000h1ns", "9999999999999999999999", "+", "++1s", "1\xc2\xb5", "1\xb5s"}) {
    EXPECT(duration(text), "refused");
  }
  for (const char* text : {"", "h", "5", "1x", "-1s", ".s", "1.2.3s", "9999999999999h", "1h 2m"}) {
    EXPECT(duration(text), std::string(text) == "5" ? "5000" : "refused");
  }
}

std::string spec(const char* text) {
  const Expected<PortSpec> read = parse_port_spec(text);
  if (!read) return read.error().message;
  const char* const kinds[] = {"given", "any", "as remote"};
  return std::string(kinds[static_cast<int>(read->how)]) + " " + std::to_string(read->local) + " " + read->remote;
}

constexpr const char* kService = R"({"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.1","ports":[
{"name":"web","port":80,"targetPort":"http"},{"name":"plain","port":81},{"name":"other","port":82,"targetPort":8082}]}})";
constexpr const char* kHeadless = R"({"spec":{"clusterIP":"None","ports":[{"port":80,"targetPort":"http"}]}})";

std::string remote(const char* text, const char* service) {
  const PodView pod = read_pod(json::parse(R"({"metadata":{"name":"web-0"},"spec":{"containers":[
{"name":"main"},{"name":"side","ports":[{"containerPort":9},{"name":"http","containerPort":8080}]}]}})"));
  const json::value object = service == nullptr ? json::value() : json::parse(service);
  const Expected<std::uint16_t> port = remote_port(text, service == nullptr ? nullptr : &object, pod);
  return port ? std::to_string(*port) : port.error().message;
}

void ports() {
  EXPECT(spec("80"), "as remote 80 80");
  EXPECT(spec("8080:80"), "given 8080 80");
  EXPECT(spec(":80"), "any 0 80");
  EXPECT(spec("0:http"), "any 0 http");
  EXPECT(spec("http"), "as remote 0 http");
  EXPECT(spec("8080:"), "expected REMOTE, LOCAL:REMOTE or :REMOTE in place of \"8080:\"");
  EXPECT(spec("1:2:3"), "expected REMOTE, LOCAL:REMOTE or :REMOTE in place of \"1:2:3\"");
  EXPECT(spec("0"), "\"0\": expected a remote port from 1 to 65535");
  EXPECT(spec("1:65536"), "\"1:65536\": expected a remote port from 1 to 65535");
  EXPECT(spec("65536:1"), "\"65536:1\": expected a local port from 0 to 65535");
  EXPECT(spec("http:1"), "\"http:1\": expected a local port from 0 to 65535");
  EXPECT(remote("80", nullptr), "80");
  EXPECT(remote("http", nullptr), "8080");
  EXPECT(remote("none", nullptr), "pod web-0 has no port named \"none\"");
  EXPECT(remote("80", kService), "8080");
  EXPECT(remote("web", kService), "8080");
  EXPECT(remote("plain", kService), "81");
  EXPECT(remote("82", kService), "8082");
  EXPECT(remote("83", kService), "service web does not have a port \"83\"");
  EXPECT(remote("80", kHeadless), "80");
}

void choices_of_pods() {
  const json::value pod = json::parse(R"({"metadata":{"name":"web-0","annotations":{
"kubectl.kubernetes.io/default-container":"side"}},"status":{"phase":"Running"},
"spec":{"initContainers":[{"name":"first"}],"containers":[{"name":"main"},{"name":"side","tty":true}]}})");
  PodView view = read_pod(pod);
  Report report;
  EXPECT(*choose_container(view, "", true, report), "side");
  EXPECT(*choose_container(view, "first", true, report), "first");
  EXPECT(choose_container(view, "none", true, report).error().message, "container none not found in pod web-0");
  view.default_container.clear();
  EXPECT(*choose_container(view, "", true, report), "main");
  EXPECT(view.find("side")->tty ? "tty" : "", "tty");
  std::vector<PodView> pods(4, view);
  pods[0].phase = "Pending";
  pods[1].deleting = true;
  pods[2].created = "2026-01-01T00:00:00Z";
  pods[3].created = "2026-01-02T00:00:00Z";
  pods[3].ready = true;
  EXPECT(best_of(pods) == &pods[3] ? "ready" : "", "ready");
  pods[2].ready = true;
  EXPECT(best_of(pods) == &pods[2] ? "older" : "", "older");
  pods.resize(2);
  EXPECT(best_of(pods) == nullptr ? "none" : "", "none");
}

void lines_of_errors() {
  Failure failure;
  failure.http_status = 404;
  failure.code = KSR_E_NOT_FOUND;
  failure.message = "GET of /x at S: the server answered 404";
  EXPECT(line_of(failure), "Error from server (NotFound): GET of /x at S: the server answered 404");
  failure.reason = "NotFound";
  failure.details = R"({"message":"pods \"x\" not found"})";
  EXPECT(line_of(failure, "doing: "), "Error from server (NotFound): doing: pods \"x\" not found");
  failure.reason = "Invalid";
  failure.details =
      R"({"message":"m","details":{"kind":"Pod","name":"x","causes":[{"field":"a","message":"b"},{"message":"c"}]}})";
  EXPECT(line_of(failure), "The Pod \"x\" is invalid: a: b; c");
  failure = {};
  failure.code = KSR_E_TRANSPORT;
  failure.http_status = 502;
  failure.message = "connect: refused";
  EXPECT(line_of(failure), "error: connect: refused");
}

constexpr const char* kPod =
    R"({"metadata":{"generation":3,"labels":{"a.b/c":"x"}},"spec":{"n":1.0,"ports":[{"p":1},{"p":2}]},
"status":{"phase":"Running","nothing":null,"conditions":[{"type":"Ready","status":"True"},
{"type":"Old","status":"True","observedGeneration":2},{"type":"New","status":"Maybe","observedGeneration":3}]}})";

std::string met(const std::string& text) {
  const auto condition = WaitCondition::parse(text);
  if (!condition) return condition.error().message;
  const auto is_met = condition->is_met(json::parse(kPod));
  if (!is_met) return is_met.error().message;
  return *is_met ? "yes" : "no";
}

void conditions() {
  EXPECT(met("condition=ready"), "yes");
  EXPECT(met("condition=Ready=false"), "no");
  EXPECT(met("condition=Old"), "no");
  EXPECT(met("condition=New=maybe"), "yes");
  EXPECT(met("condition=None"), "no");
  EXPECT(met("create"), "yes");
  EXPECT(met("Delete"), "no");
  EXPECT(met("jsonpath={.status.phase}=Running"), "yes");
  EXPECT(met("jsonpath='{.status.phase}'"),
         "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
  EXPECT(met("jsonpath=status.phase=\"Running\""), "yes");
  EXPECT(met("jsonpath={.spec.n}=1"), "yes");
  EXPECT(met("jsonpath={.status.nothing}"), "yes");
  EXPECT(met("jsonpath={.status.conditions[?(@.type=='Ready')].status}=True"), "yes");
  EXPECT(met("jsonpath={.spec.ports[*].p}=2"), "given jsonpath expression matches more than one value");
  EXPECT(met("jsonpath={.spec.ports[-1].p}=2"), "yes");
  EXPECT(met("jsonpath={.spec.ports[2].p}=2"), "array index out of bounds: index 2, length 2");
  EXPECT(met("jsonpath={.spec.ports}=2"), "jsonpath leads to a nested object or list which is not supported");
  EXPECT(met("jsonpath={.metadata.labels.a\\.b/c}=x"), "yes");
  EXPECT(met("jsonpath={.metadata.labels['a\\.b/c']}=x"), "yes");
  EXPECT(met("jsonpath={.metadata.labels['a.b/c']}=x"), "no");
  EXPECT(met("jsonpath="), "jsonpath expression cannot be empty");
  EXPECT(met("/metadata/labels/a.b~1c=x"), "yes");
  EXPECT(met("/spec/ports/1/p=2"), "yes");
  EXPECT(met("/spec/ports/2/p=2"), "no");
  EXPECT(met("/~2"), "expected a JSON pointer such as /status/phase, not \"/~2\"");
  EXPECT(met("ready"), "unrecognized condition: \"ready\"");
}

std::string met_by(const char* object, const char* text) {
  const auto is_met = WaitCondition::parse(text)->is_met(json::parse(object));
  if (!is_met) return is_met.error().message;
  return *is_met ? "yes" : "no";
}

void conditions_of_wrong_types() {
  const std::string error = ".status.conditions accessor error: ";
  EXPECT(met_by(R"({"status":{"conditions":"x"}})", "condition=Ready"),
         error + "x is of the type string, expected []interface{}");
  EXPECT(met_by(R"({"status":{"conditions":{"b":[1,null],"a":true}}})", "condition=Ready"),
         error + "map[a:true b:[1 <nil>]] is of the type map[string]interface {}, expected []interface{}");
  EXPECT(met_by(R"({"status":{"conditions":null}})", "condition=Ready"),
         error + "<nil> is of the type <nil>, expected []interface{}");
  EXPECT(met_by(R"({"status":1})", "condition=Ready"),
         error + "1 is of the type int64, expected map[string]interface{}");
  EXPECT(met_by(R"({"status":null})", "condition=Ready"), "no");
  EXPECT(met_by(R"({"status":{"conditions":[1,{"type":1},{"type":"Ready","status":1}]}})", "condition=Ready"), "no");
}

// What each finds in this object, as kubectl has it (cluster.commands compares).
constexpr const char* kPaths =
    R"({"a":[{"k":"a","n":1,"f":1.5},{"k":"z","n":2,"f":2.5,"only":null}],"i":7,"f":"text","t":true,"big":{"big":1},
"none":[],"null":null,"dot.key":"d","nest":[[1,2],[3]]})";

std::string found(const std::string& expression) {
  const auto path = JsonPath::parse(expression);
  if (!path) {
    const std::string& message = path.error().message;
    return message.compare(0, 8, "JSONPath") == 0 ? message.substr(message.find("\": ") + 3) : message;
  }
  const json::value value = json::parse(kPaths);
  const auto values = path->find(value);
  if (!values) return values.error().message;
  std::string text;
  for (const json::value* one : *values) text += (text.empty() ? "" : "|") + go_text(*one);
  return text;
}

void paths() {
  EXPECT(found("{.i}"), "7");
  EXPECT(found("i"), "7");
  EXPECT(found("{.dot\\.key}{"),
         "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
         "'{name1.name2}' or '{.name1.name2}'");
  EXPECT(found("{.dot\\.key}"), "d");
  EXPECT(found("{.big['big']}"), "1");
  EXPECT(found("{['i']}"), "");
  EXPECT(found("{.a[0]['k','n']}"), "a|1");
  EXPECT(found("{.a[0]['k', 'n'] }"), "a|1");
  EXPECT(found("{.a[0,1].k}"), "a|z");
  EXPECT(found("{.a[].k}"), "a");
  EXPECT(found("{.a[*].k}"), "a|z");
  EXPECT(found("{.a.*.k}"), "a|z");
  EXPECT(found("{.a[0:1].k}"), "a");
  EXPECT(found("{.a[-1:].k}"), "z");
  EXPECT(found("{.a[-2].k}"), "a");
  EXPECT(found("{.a[::2].k}"), "a");
  EXPECT(found("{.a[0:2:9223372036854775807].k}"), "a");
  EXPECT(found("{.a[1:1].k}"), "");
  EXPECT(found("{.none[*]}"), "");
  EXPECT(found("{.nest[*][0]}"), "1|3");
  EXPECT(found("{.null[0]}"), "");
  EXPECT(found("{.big..big}"), "1");
  EXPECT(found("{..f}"), "text|1.5|2.5");
  EXPECT(found("{.f.*}"), "116|101|120|116");
  EXPECT(found("{.a[2]}"), "array index out of bounds: index 2, length 2");
  EXPECT(found("{.a[-3]}"), "array index out of bounds: index -1, length 2");
  EXPECT(found("{.none[-1]}"), "array index out of bounds: index -1, length 0");
  EXPECT(found("{.a[9223372036854775807]}"), "array index out of bounds: index 9223372036854775807, length 2");
  EXPECT(found("{.a[0:3]}"), "array index out of bounds: index 2, length 2");
  EXPECT(found("{.a[1:0]}"), "starting index 1 is greater than ending index 0");
  EXPECT(found("{.a[0:2:0]}"), "step must be > 0");
  EXPECT(found("{.i[0]}"), "int64 is not array or slice");
  EXPECT(found("{.big[*]}"), "map[string]interface {} is not array or slice");
  EXPECT(found("{.a[\"i\"]}"), "invalid array index \"i\"");
  EXPECT(found("{.a[ 0 ]}"), "invalid array index  0");
  EXPECT(found("{.a[0:1:2:3]}"), "invalid array index 0:1:2:3");
  EXPECT(found("{.a[99999999999999999999]}"), "array index 99999999999999999999 is not a number");
  EXPECT(found("{.a[-]}"), "array index - is not a number");
  EXPECT(found("{.a[0}"), "unterminated array");
  EXPECT(found("{.a\\}"), "unclosed action");
  EXPECT(found("{....a}"), "invalid multiple recursive descent");
  EXPECT(found("{.a|b}"), "");
  EXPECT(found("{.a[0]|b}"), "unrecognized character in action: \"|\"");
  EXPECT(found("{.a b}"), "unrecognized identifier b");
  EXPECT(found("{.a range}"), "range and end are not supported");
  EXPECT(found("{.i \"x\\u00e9\\x41\\101\\n\"}"), "x\u00e9AA\n");
  EXPECT(found("{.i 'x\\q'}"), "unquote string 'x\\q' error invalid syntax");
  EXPECT(found("{.i 'x}"), "unterminated quoted string");
}

void filters() {
  EXPECT(found("{.a[?(@.k==\"a\")].n}"), "1");
  EXPECT(found("{.a[?( @.k == \"a\" )].n}"), "1");
  EXPECT(found("{.a[?(\"a\"==@.k)].n}"), "1");
  EXPECT(found("{.a[?(@.k=='a')].n}"), "1");
  EXPECT(found("{.a[?(@.k!='a')].n}"), "2");
  EXPECT(found("{.a[?(@.n>1)].k}"), "z");
  EXPECT(found("{.a[?(@.n>=1)].k}"), "a|z");
  EXPECT(found("{.a[?(@.n<2)].k}"), "a");
  EXPECT(found("{.a[?(@.n<=2)].k}"), "a|z");
  EXPECT(found("{.a[?(@.f>1.5)].k}"), "z");
  EXPECT(found("{.a[?(@.only)].k}"), "z");
  EXPECT(found("{.a[?(@.nothing)].k}"), "");
  EXPECT(found("{.a[?(@.nothing==1)].k}"), "");
  EXPECT(found("{.a[?(@.n==+1)].k}"), "a");
  EXPECT(found("{.a[?(@.n==-1)].k}"), "");
  EXPECT(found("{.nest[?(@[0]==3)]}"), "[3]");
  EXPECT(found("{.a[?(@.k==\"a)\")].n}"), "");
  EXPECT(found("{.a[?(@.n==\"1\")].k}"), "incompatible types for comparison");
  EXPECT(found("{.a[?(@.n==1.0)].k}"), "incompatible types for comparison");
  EXPECT(found("{.a[?(@.only==1)].k}"), "invalid type for comparison");
  EXPECT(found("{.a[?(@==1)].k}"), "invalid type for comparison");
  EXPECT(found("{.a[?(@.k=\"a\")].k}"), "unrecognized filter operator =");
  EXPECT(found("{.a[?(@.*==1)].k}"), "can only compare one element at a time");
  EXPECT(found("{.a[?(@.k==a)].k}"), "unrecognized identifier a");
  EXPECT(found("{.a[?(@.k==\"a\" || @.k==\"z\")].k}"), "unrecognized character in action: \"|\"");
  EXPECT(found("{.a[?(@.k==\"a\").k}"), "unclosed array expect ]");
  EXPECT(found("{.a[?(@.k==\"a\"]}"), "unterminated filter");
  EXPECT(found("{.a[?(@.n==1.2.3)]}"), "cannot parse number 1.2.3");
  EXPECT(found("{.f[?(@.k)]}"), "text is not array or slice and cannot be filtered");
}

std::string sorted(const char* values) {
  const JsonPath path = *read_sort_by("{.v}");
  std::vector<std::pair<SortKey, std::string>> keyed;
  const json::value all = json::parse(values);
  for (const json::value& value : all.as_array()) {
    keyed.emplace_back(SortKey(path, value), json::serialize(value));
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (const auto& one : keyed) text += one.second;
  return text;
}

void orders() {
  EXPECT(sorted(R"([{"v":"web-2"},{"v":"web-10"},{},{"v":null}])"), R"({}{"v":null}{"v":"web-10"}{"v":"web-2"})");
  EXPECT(sorted(R"([{"v":10},{"v":9.5},{"v":-1}])"), R"({"v":-1}{"v":9.5E0}{"v":10})");
  EXPECT(sorted(R"([{"v":"1Gi"},{"v":"1500M"},{"v":"3Mi"},{"v":"100m"},{"v":"1Ei"}])"),
         R"({"v":"100m"}{"v":"3Mi"}{"v":"1Gi"}{"v":"1500M"}{"v":"1Ei"})");
  EXPECT(sorted(R"([{"v":"10x"},{"v":"9"}])"), R"({"v":"10x"}{"v":"9"})");
  // Next to each other in 64 bits, and the same double.
  EXPECT(sorted(R"([{"v":9007199254740995},{"v":9007199254740993},{"v":9007199254740994},{"v":9007199254740992}])"),
         R"({"v":9007199254740992}{"v":9007199254740993}{"v":9007199254740994}{"v":9007199254740995})");
  EXPECT(sorted(R"([{"v":-9007199254740993},{"v":-9007199254740992},{"v":-9007199254740994}])"),
         R"({"v":-9007199254740994}{"v":-9007199254740993}{"v":-9007199254740992})");
  EXPECT(
      sorted(R"([{"v":1152921504606846977},{"v":1152921504606846976.0},{"v":1152921504606846975},{"v":0},{"v":-0.5}])"),
      R"({"v":-5E-1}{"v":0}{"v":1152921504606846975}{"v":1.152921504606847E18}{"v":1152921504606846977})");
  EXPECT(sorted(R"([{"v":18446744073709551615},{"v":9223372036854775807},{"v":1e300},{"v":-1e300}])"),
         R"({"v":-1E300}{"v":9223372036854775807}{"v":18446744073709551615}{"v":1E300})");
  EXPECT(sorted(R"([{"v":"9007199254740994"},{"v":"9007199254740993"},{"v":"9007199254740995"}])"),
         R"({"v":"9007199254740993"}{"v":"9007199254740994"}{"v":"9007199254740995"})");
  EXPECT(sorted(R"([{"v":"9007199254740994Ki"},{"v":"9007199254740993Ki"},{"v":"9223372036854775807"},{"v":"1.5Ei"},
{"v":"1729382256910270465"},{"v":"1729382256910270464m"}])"),
         R"({"v":"1729382256910270464m"}{"v":"1.5Ei"}{"v":"1729382256910270465"}{"v":"9223372036854775807"})"
         R"({"v":"9007199254740993Ki"}{"v":"9007199254740994Ki"})");
  // Equal ones stay as they were.
  EXPECT(sorted(R"([{"v":"0.1"},{"v":"100m"},{"v":"1e-1"},{"v":"+.10"},{"v":"0.000"},{"v":"-0"},{"v":"-1m"}])"),
         R"({"v":"-1m"}{"v":"0.000"}{"v":"-0"}{"v":"0.1"}{"v":"100m"}{"v":"1e-1"}{"v":"+.10"})");
}

}  // namespace

int main() {
  texts_of_yaml();
  texts_of_json();
  texts_that_are_no_unicode();
  tables();
  files();
  command_lines();
  options_that_are_empty();
  names_of_formats();
  durations();
  ports();
  choices_of_pods();
  lines_of_errors();
  conditions();
  conditions_of_wrong_types();
  paths();
  filters();
  orders();
  return failures == 0 ? 0 : 1;
}
