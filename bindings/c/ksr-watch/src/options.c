#include "options.h"

#include <stdlib.h>
#include <string.h>

enum what {
  IS_SETTING,
  IS_SWITCH,
  IS_SET,
  IS_GROUP,
  IS_ALL_NAMESPACES,
  IS_OUTPUT,
  IS_SECONDS,
  IS_ONCE,
  IS_LOG,
  IS_HELP,
  IS_VERSION
};

struct option {
  const char* name;
  char letter;
  int takes_value;
  enum what what;
  const char* key; /* IS_SETTING and IS_SWITCH: the library's key */
};

static const struct option known[] = {
    {"--namespace", 'n', 1, IS_SETTING, "namespace"},
    {"--all-namespaces", 'A', 0, IS_ALL_NAMESPACES, NULL},
    {"--selector", 'l', 1, IS_SETTING, "label_selector"},
    {"--field-selector", 0, 1, IS_SETTING, "field_selector"},
    {"--limit", 0, 1, IS_SETTING, "limit"},
    {"--kubeconfig", 0, 1, IS_SETTING, "kubeconfig"},
    {"--context", 0, 1, IS_SETTING, "context"},
    {"--as", 0, 1, IS_SETTING, "impersonate_user"},
    {"--as-group", 0, 1, IS_GROUP, NULL},
    {"--server", 's', 1, IS_SETTING, "server"},
    {"--token", 0, 1, IS_SETTING, "token"},
    {"--token-file", 0, 1, IS_SETTING, "token_file"},
    {"--ca-file", 0, 1, IS_SETTING, "ca_file"},
    {"--client-cert", 0, 1, IS_SETTING, "client_cert_file"},
    {"--client-key", 0, 1, IS_SETTING, "client_key_file"},
    {"--insecure-skip-tls-verify", 0, 0, IS_SWITCH, "insecure_skip_tls_verify"},
    {"--transport", 0, 1, IS_SETTING, "transport"},
    {"--set", 0, 1, IS_SET, NULL},
    {"--output", 'o', 1, IS_OUTPUT, NULL},
    {"--seconds", 0, 1, IS_SECONDS, NULL},
    {"--once", 0, 0, IS_ONCE, NULL},
    {"--log", 0, 0, IS_LOG, NULL},
    {"--version", 0, 0, IS_VERSION, NULL},
    {"--help", 'h', 0, IS_HELP, NULL},
};

/* The rest of the command line. */
struct reader {
  int argc;
  char** argv;
  int next;
  struct text* problem;
};

static int refuse(struct reader* reader, const char* option, const char* why) {
  text_addf(reader->problem, "%s: %s", option, why);
  return 0;
}

static const struct option* find_option(slice name) {
  size_t i;
  for (i = 0; i < sizeof known / sizeof known[0]; ++i) {
    if (slice_is(name, known[i].name)) return &known[i];
    if (name.len == 2 && name.at[1] == known[i].letter) return &known[i];
  }
  return NULL;
}

static void add_setting(struct options* options, const char* option, const char* key, char* value) {
  struct setting setting;
  setting.option = option;
  setting.key = key;
  setting.value = value;
  options->settings = resize(options->settings, options->setting_count + 1, sizeof setting);
  options->settings[options->setting_count++] = setting;
}

static int read_set(struct options* options, struct reader* reader, char* value) {
  char* equals = strchr(value, '=');
  if (!equals || equals == value) return refuse(reader, "--set", "expected KEY=VALUE");
  *equals = '\0';
  if (strcmp(value, "delivery") == 0) return refuse(reader, "--set delivery", "is always manual in ksr-watch");
  add_setting(options, "--set", value, equals + 1);
  return 1;
}

static int read_output(struct options* options, struct reader* reader, const char* value) {
  static const char* const names[] = {"table", "json", "events", "names"};
  int i;
  for (i = 0; i < 4; ++i) {
    if (strcmp(value, names[i]) != 0) continue;
    options->output = (enum output)i;
    return 1;
  }
  return refuse(reader, "--output", "expected table, json, events or names");
}

static int read_seconds(struct options* options, struct reader* reader, const char* value) {
  char* end;
  double seconds = strtod(value, &end);
  if (end == value || *end || value[strspn(value, "0123456789.")] || !(seconds <= 1e9)) {
    return refuse(reader, "--seconds", "expected a number of seconds, such as 30 or 0.5");
  }
  options->run_ms = (int64_t)(seconds * 1000);
  return 1;
}

static char yes[] = "true";
static char nothing[] = "";
static char of_context[] = "@context";

static int apply(struct options* options, const struct option* option, struct reader* reader, char* value) {
  switch (option->what) {
    case IS_SETTING:
      if (option->letter == 'n') options->one_namespace = *value && !strchr(value, ',');
      add_setting(options, option->name, option->key, value);
      return 1;
    case IS_SWITCH:
      add_setting(options, option->name, option->key, value);
      return 1;
    case IS_SET:
      return read_set(options, reader, value);
    case IS_GROUP:
      if (options->groups.len) text_add_char(&options->groups, ',');
      text_add(&options->groups, slice_of(value));
      return 1;
    case IS_OUTPUT:
      return read_output(options, reader, value);
    case IS_SECONDS:
      return read_seconds(options, reader, value);
    case IS_ALL_NAMESPACES:
      options->all_namespaces = 1;
      return 1;
    case IS_ONCE:
      options->once = 1;
      return 1;
    case IS_LOG:
      options->log = 1;
      return 1;
    case IS_VERSION:
      options->version = 1;
      return 1;
    case IS_HELP:
      options->help = 1;
      return 1;
  }
  return 0;
}

/* `argument` starts with a dash: --name, --name=value, --name value, -x value, -xvalue, -x=value. */
static int read_option(struct options* options, struct reader* reader, char* argument) {
  int is_long = argument[1] == '-';
  char* equals = is_long ? strchr(argument, '=') : NULL;
  slice name = {argument, is_long ? (equals ? (size_t)(equals - argument) : strlen(argument)) : 2};
  char* value = equals ? equals + 1 : NULL;
  const struct option* option = find_option(name);
  if (!is_long && argument[2]) value = argument + (argument[2] == '=' ? 3 : 2);
  if (!option) {
    text_add(reader->problem, name);
    text_add(reader->problem, slice_of(": no such option"));
    return 0;
  }
  if (!option->takes_value && value && option->what != IS_SWITCH) return refuse(reader, option->name, "takes no value");
  if (option->takes_value && !value) {
    if (reader->next >= reader->argc) return refuse(reader, option->name, "needs a value");
    value = reader->argv[reader->next++];
  }
  if (!value) value = option->what == IS_SWITCH ? yes : nothing;
  return apply(options, option, reader, value);
}

static int read_resource(struct options* options, struct reader* reader, char* argument) {
  if (options->resource) return refuse(reader, argument, "only one RESOURCE can be watched");
  options->resource = argument;
  return 1;
}

static int read_all(struct options* options, struct reader* reader) {
  int only_resources = 0;
  while (reader->next < reader->argc) {
    char* argument = reader->argv[reader->next++];
    int is_option = !only_resources && argument[0] == '-' && argument[1];
    if (is_option && strcmp(argument, "--") == 0) {
      only_resources = 1;
    } else if (!(is_option ? read_option(options, reader, argument) : read_resource(options, reader, argument))) {
      return 0;
    }
  }
  return 1;
}

static int has_setting(const struct options* options, const char* key) {
  size_t i;
  for (i = 0; i < options->setting_count; ++i) {
    if (strcmp(options->settings[i].key, key) == 0) return 1;
  }
  return 0;
}

static void settle_namespace(struct options* options) {
  if (options->all_namespaces) {
    options->one_namespace = 0;
    add_setting(options, "--all-namespaces", "namespace", nothing);
  } else if (!has_setting(options, "namespace")) {
    options->one_namespace = 1;
    add_setting(options, "--namespace", "namespace", of_context);
  }
}

int options_read(struct options* options, int argc, char** argv, struct text* problem) {
  struct reader reader;
  reader.argc = argc;
  reader.argv = argv;
  reader.next = 1;
  reader.problem = problem;
  memset(options, 0, sizeof *options);
  options->run_ms = -1;
  if (!read_all(options, &reader)) return 0;
  if (options->help || options->version) return 1;
  if (!options->resource || !*options->resource) {
    return refuse(&reader, "RESOURCE", "is missing; say what to watch, such as v1/pods");
  }
  add_setting(options, "RESOURCE", "resource", options->resource);
  if (options->groups.len) {
    text_cstr(&options->groups);
    add_setting(options, "--as-group", "impersonate_groups", options->groups.at);
  }
  settle_namespace(options);
  return 1;
}

static int is_secret(const char* key) {
  static const char* const secrets[] = {
      "token", "password", "client_key_data", "headlamp_token", "headlamp_kubeconfig", "proxy_url"};
  size_t i;
  for (i = 0; i < sizeof secrets / sizeof secrets[0]; ++i) {
    if (strcmp(key, secrets[i]) == 0) return 1;
  }
  return slice_starts(slice_of(key), "header.");
}

void options_hide_secrets(struct options* options) {
  size_t i;
  for (i = 0; i < options->setting_count; ++i) {
    if (is_secret(options->settings[i].key))
      memset(options->settings[i].value, '*', strlen(options->settings[i].value));
  }
}

void options_free(struct options* options) {
  free(options->settings);
  text_free(&options->groups);
  memset(options, 0, sizeof *options);
}
