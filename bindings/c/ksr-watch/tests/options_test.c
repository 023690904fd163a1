/* The command line. */
#include "options.h"

#include "check.h"

enum { MOST = 16 };

static struct options options;
static struct text problem;
static char words[MOST][64];

/* Reads a command line given as words parted by blanks. */
static int read_line(const char* line) {
  char* argv[MOST];
  int argc = 0;
  options_free(&options);
  text_clear(&problem);
  while (*line) {
    size_t len = strcspn(line, " ");
    memcpy(words[argc], line, len);
    words[argc][len] = '\0';
    argv[argc] = words[argc];
    ++argc;
    line += len + (line[len] == ' ');
  }
  return options_read(&options, argc, argv, &problem);
}

static const char* value_of(const char* key) {
  const char* value = "(none)";
  size_t i;
  for (i = 0; i < options.setting_count; ++i) {
    if (strcmp(options.settings[i].key, key) == 0) value = options.settings[i].value;
  }
  return value;
}

#define CHECK_VALUE(key, expected) CHECK(strcmp(value_of(key), expected) == 0)

#define CHECK_REFUSED(line, expected) \
  do {                                \
    CHECK(!read_line(line));          \
    CHECK_TEXT(&problem, expected);   \
  } while (0)

static void options_become_settings(void) {
  CHECK(read_line("ksr-watch v1/pods -n prod -l app=web,a!=b --field-selector=x=y --limit 5 --server https://h:1"));
  CHECK_VALUE("resource", "v1/pods");
  CHECK_VALUE("namespace", "prod");
  CHECK_VALUE("label_selector", "app=web,a!=b");
  CHECK_VALUE("field_selector", "x=y");
  CHECK_VALUE("limit", "5");
  CHECK_VALUE("server", "https://h:1");
  CHECK(options.output == OUTPUT_TABLE && options.run_ms == -1 && options.one_namespace);
  CHECK(read_line("ksr-watch --token-file t --ca-file c --client-cert d --client-key k --transport http v1/pods"));
  CHECK_VALUE("token_file", "t");
  CHECK_VALUE("ca_file", "c");
  CHECK_VALUE("client_cert_file", "d");
  CHECK_VALUE("client_key_file", "k");
  CHECK_VALUE("transport", "http");
}

static void whom_to_act_as(void) {
  CHECK(read_line("ksr-watch pods --kubeconfig f --context c --as jane --as-group dev --as-group ops"));
  CHECK_VALUE("kubeconfig", "f");
  CHECK_VALUE("context", "c");
  CHECK_VALUE("impersonate_user", "jane");
  CHECK_VALUE("impersonate_groups", "dev,ops");
  CHECK(read_line("ksr-watch pods --as jane --as-group CN=admins,OU=x --as-group D\\b"));
  CHECK_VALUE("impersonate_groups", "CN=admins\\,OU=x,D\\\\b");
}

static void short_options_take_values_in_every_way(void) {
  CHECK(read_line("ksr-watch -nprod v1/pods -ojson"));
  CHECK_VALUE("namespace", "prod");
  CHECK(options.output == OUTPUT_JSON);
  CHECK(read_line("ksr-watch pods -Aw") && options.all_namespaces && options.by_change);
  CHECK(read_line("ksr-watch pods -wojson") && options.by_change && options.output == OUTPUT_JSON);
  CHECK(!read_line("ksr-watch pods -w=true"));
  CHECK(!read_line("ksr-watch pods -wx"));
  CHECK(!read_line("ksr-watch pods -An"));
  CHECK(read_line("ksr-watch -n=prod v1/pods -o=events"));
  CHECK_VALUE("namespace", "prod");
  CHECK(options.output == OUTPUT_EVENTS);
}

static void a_request_timeout(void) {
  CHECK(read_line("ksr-watch pods --request-timeout 20"));
  CHECK_VALUE("request_timeout", "20000ms");
  CHECK(read_line("ksr-watch pods --request-timeout=1m"));
  CHECK_VALUE("request_timeout", "60000ms");
  CHECK(read_line("ksr-watch pods --request-timeout=1m30s"));
  CHECK_VALUE("request_timeout", "90000ms");
  CHECK(read_line("ksr-watch pods --request-timeout=1.5s"));
  CHECK_VALUE("request_timeout", "1500ms");
  CHECK(read_line("ksr-watch pods --request-timeout=0"));
  CHECK_VALUE("request_timeout", "8760h");
  CHECK(read_line("ksr-watch pods --request-timeout=0s"));
  CHECK_VALUE("request_timeout", "8760h");
  CHECK(!read_line("ksr-watch pods --request-timeout=soon"));
}

static void formats_of_kubectl_in_upper_case(void) {
  CHECK(read_line("ksr-watch pods -o JSON") && options.output == OUTPUT_JSON);
  CHECK(read_line("ksr-watch pods -o Yaml --show-managed-fields") && options.output == OUTPUT_YAML);
  CHECK(options.show_managed_fields);
  CHECK(read_line("ksr-watch pods -o NAME") && options.output == OUTPUT_NAME);
  CHECK(!read_line("ksr-watch pods -o WIDE"));
  CHECK(!read_line("ksr-watch pods -o Events"));
}

static void a_name_selects_its_object(void) {
  CHECK(read_line("ksr-watch pods web"));
  CHECK_VALUE("resource", "pods");
  CHECK_VALUE("field_selector", "metadata.name=web");
  CHECK(read_line("ksr-watch deployments.apps/web"));
  CHECK_VALUE("resource", "deployments.apps");
  CHECK_VALUE("field_selector", "metadata.name=web");
  CHECK(read_line("ksr-watch apps/v1/deployments web"));
  CHECK_VALUE("resource", "apps/v1/deployments");
  CHECK_VALUE("field_selector", "metadata.name=web");
  CHECK(!read_line("ksr-watch pods  -n x"));
  CHECK(read_line("ksr-watch v1/pods") && !options.name);
  CHECK(read_line("ksr-watch /api/v1/pods") && !options.name);
}

static void how_tables_are_shown(void) {
  CHECK(read_line("ksr-watch pods -owide -w --no-headers --show-labels -La,b -L c --sort-by .x --columns A=/b"));
  CHECK(options.output == OUTPUT_TABLE && options.wide && options.by_change && options.no_headers);
  CHECK(options.show_labels && !strcmp(options.sort_by, ".x") && !strcmp(options.columns, "A=/b"));
  CHECK(slice_is(text_slice(&options.label_columns), "a,b,c"));
  CHECK(read_line("ksr-watch pods -o json-events") && options.output == OUTPUT_JSON_EVENTS && !options.wide);
  CHECK(read_line("ksr-watch pods -o yaml") && options.output == OUTPUT_YAML);
  CHECK(read_line("ksr-watch pods -o name") && options.output == OUTPUT_NAME);
}

static void without_a_namespace_the_context_tells(void) {
  CHECK(read_line("ksr-watch pods"));
  CHECK_VALUE("namespace", "@context");
  CHECK(options.one_namespace);
  CHECK(read_line("ksr-watch pods --namespace=a,b"));
  CHECK_VALUE("namespace", "a,b");
  CHECK(!options.one_namespace);
}

static void all_namespaces_outweigh_one(void) {
  CHECK(read_line("ksr-watch -A v1/pods -n prod"));
  CHECK_VALUE("namespace", "");
  CHECK(!options.one_namespace);
  CHECK(read_line("ksr-watch v1/pods -n a,b"));
  CHECK(!options.one_namespace);
}

static void any_key_can_be_set(void) {
  CHECK(read_line("ksr-watch v1/pods --set header.X-A=b=c --set=page_size=7 --insecure-skip-tls-verify --once --log"));
  CHECK_VALUE("header.X-A", "b=c");
  CHECK_VALUE("page_size", "7");
  CHECK_VALUE("insecure_skip_tls_verify", "true");
  CHECK(options.once && options.log);
  CHECK(read_line("ksr-watch v1/pods --insecure-skip-tls-verify=false --seconds 1.5"));
  CHECK_VALUE("insecure_skip_tls_verify", "false");
  CHECK(options.run_ms == 1500);
}

static void secrets_leave_the_command_line(void) {
  CHECK(read_line("ksr-watch v1/pods --token=hush --set password=hush --set header.Cookie=hush --set user_agent=me"));
  CHECK_VALUE("token", "hush");
  options_hide_secrets(&options);
  CHECK(strcmp(words[2], "--token=****") == 0);
  CHECK_VALUE("token", "****");
  CHECK_VALUE("password", "****");
  CHECK_VALUE("header.Cookie", "****");
  CHECK_VALUE("user_agent", "me");
}

static void wrong_usage_names_the_option(void) {
  CHECK_REFUSED("ksr-watch", "RESOURCE: is missing; say what to watch, such as v1/pods");
  CHECK_REFUSED("ksr-watch a b c", "c: only one RESOURCE, and one NAME of it, can be watched");
  CHECK_REFUSED("ksr-watch pod/a b", "b: there is no need for a name beside TYPE/NAME");
  CHECK_REFUSED("ksr-watch pod/", "pod/: expected a name behind the slash");
  CHECK_REFUSED("ksr-watch pods a -l x=y", "a: a name cannot be given together with a selector");
  CHECK_REFUSED("ksr-watch pods a -A", "a: a name is that of one namespace, not of all");
  CHECK_REFUSED("ksr-watch v1/pods --sever x", "--sever: no such option");
  CHECK_REFUSED("ksr-watch v1/pods --tokn=secret", "--tokn: no such option");
  CHECK_REFUSED("ksr-watch v1/pods -x", "-x: no such option");
  CHECK_REFUSED("ksr-watch v1/pods --server", "--server: needs a value");
  CHECK_REFUSED("ksr-watch v1/pods --once=yes", "--once: takes no value");
  CHECK_REFUSED("ksr-watch v1/pods -Ax", "-x: no such option");
  CHECK_REFUSED("ksr-watch v1/pods -A=x", "--all-namespaces: takes no value");
  CHECK_REFUSED("ksr-watch v1/pods --set limit", "--set: expected KEY=VALUE");
  CHECK_REFUSED("ksr-watch v1/pods --set =3", "--set: expected KEY=VALUE");
  CHECK_REFUSED("ksr-watch v1/pods --set delivery=thread", "--set delivery: is always manual in ksr-watch");
  CHECK_REFUSED("ksr-watch v1/pods --set resource=v1/nodes", "--set resource: is chosen by ksr; give RESOURCE");
  CHECK_REFUSED("ksr-watch v1/pods --set namespace=a", "--set namespace: is chosen by ksr; give --namespace");
  CHECK_REFUSED("ksr-watch v1/pods -o xml",
                "--output: expected table, wide, json, json-events, yaml, name, events or names");
  CHECK_REFUSED("ksr-watch v1/pods --seconds soon", "--seconds: expected a number of seconds, such as 30 or 0.5");
  CHECK_REFUSED("ksr-watch v1/pods --seconds -3", "--seconds: expected a number of seconds, such as 30 or 0.5");
  CHECK_REFUSED("ksr-watch v1/pods --seconds nan", "--seconds: expected a number of seconds, such as 30 or 0.5");
}

static void help_and_version_need_no_resource(void) {
  CHECK(read_line("ksr-watch --help") && options.help);
  CHECK(read_line("ksr-watch -h") && options.help);
  CHECK(read_line("ksr-watch --version") && options.version);
  CHECK(read_line("ksr-watch -- v1/pods") && !strcmp(options.resource, "v1/pods"));
}

int main(void) {
  options_become_settings();
  whom_to_act_as();
  short_options_take_values_in_every_way();
  a_request_timeout();
  formats_of_kubectl_in_upper_case();
  a_name_selects_its_object();
  how_tables_are_shown();
  without_a_namespace_the_context_tells();
  all_namespaces_outweigh_one();
  any_key_can_be_set();
  secrets_leave_the_command_line();
  wrong_usage_names_the_option();
  help_and_version_need_no_resource();
  options_free(&options);
  text_free(&problem);
  return check_result();
}
