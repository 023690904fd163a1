#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "duration.h"
#include "setting.h"

enum what {
  IS_SETTING,
  IS_SWITCH,
  IS_SET,
  IS_GROUP,
  IS_ALL_NAMESPACES,
  IS_OUTPUT,
  IS_BY_CHANGE,
  IS_NO_HEADERS,
  IS_SHOW_LABELS,
  IS_SHOW_MANAGED_FIELDS,
  IS_LABEL_COLUMNS,
  IS_COLUMNS,
  IS_SORT_BY,
  IS_REQUEST_TIMEOUT,
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
    {"--as-uid", 0, 1, IS_SETTING, "impersonate_uid"},
    {"--as-group", 0, 1, IS_GROUP, NULL},
    {"--server", 's', 1, IS_SETTING, "server"},
    {"--token", 0, 1, IS_SETTING, "token"},
    {"--token-file", 0, 1, IS_SETTING, "token_file"},
    {"--username", 0, 1, IS_SETTING, "username"},
    {"--password", 0, 1, IS_SETTING, "password"},
    {"--ca-file", 0, 1, IS_SETTING, "ca_file"},
    {"--certificate-authority", 0, 1, IS_SETTING, "ca_file"},
    {"--tls-server-name", 0, 1, IS_SETTING, "tls_server_name"},
    {"--client-cert", 0, 1, IS_SETTING, "client_cert_file"},
    {"--client-certificate", 0, 1, IS_SETTING, "client_cert_file"},
    {"--client-key", 0, 1, IS_SETTING, "client_key_file"},
    {"--insecure-skip-tls-verify", 0, 0, IS_SWITCH, "insecure_skip_tls_verify"},
    {"--transport", 0, 1, IS_SETTING, "transport"},
    {"--request-timeout", 0, 1, IS_REQUEST_TIMEOUT, NULL},
    {"--set", 0, 1, IS_SET, NULL},
    {"--output", 'o', 1, IS_OUTPUT, NULL},
    {"--watch", 'w', 0, IS_BY_CHANGE, NULL},
    {"--no-headers", 0, 0, IS_NO_HEADERS, NULL},
    {"--show-labels", 0, 0, IS_SHOW_LABELS, NULL},
    {"--show-managed-fields", 0, 0, IS_SHOW_MANAGED_FIELDS, NULL},
    {"--label-columns", 'L', 1, IS_LABEL_COLUMNS, NULL},
    {"--columns", 0, 1, IS_COLUMNS, NULL},
    {"--sort-by", 0, 1, IS_SORT_BY, NULL},
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
  if (strcmp(value, "resource") == 0) return refuse(reader, "--set resource", "is chosen by ksr; give RESOURCE");
  if (strcmp(value, "namespace") == 0) return refuse(reader, "--set namespace", "is chosen by ksr; give --namespace");
  add_setting(options, "--set", value, equals + 1);
  return 1;
}

/* Those of kubectl are taken in upper case too, as it takes them. */
static int is_output(const char* name, const char* value) {
  int is_of_kubectl = strcmp(name, "json") == 0 || strcmp(name, "yaml") == 0 || strcmp(name, "name") == 0;
  return (is_of_kubectl ? strcasecmp(name, value) : strcmp(name, value)) == 0;
}

static int read_output(struct options* options, struct reader* reader, const char* value) {
  static const char* const names[] = {"table", "json", "events", "names", "json-events", "yaml", "name"};
  int i;
  options->wide = strcmp(value, "wide") == 0;
  for (i = 0; i < 7; ++i) {
    if (!options->wide && !is_output(names[i], value)) continue;
    options->output = options->wide ? OUTPUT_TABLE : (enum output)i;
    return 1;
  }
  return refuse(reader, "--output", "expected table, wide, json, json-events, yaml, name, events or names");
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

/* 0 is none, as for the commands of ksr. */
static int read_request_timeout(struct options* options, struct reader* reader, const char* value) {
  int64_t ms;
  if (!duration_read(slice_of(value), &ms)) return refuse(reader, "--request-timeout", duration_expected);
  text_clear(&options->request_timeout);
  if (ms == 0) {
    text_add(&options->request_timeout, slice_of("8760h")); /* a year */
  } else {
    text_addf(&options->request_timeout, "%lldms", (long long)ms);
  }
  return 1;
}

static char yes[] = "true";
static char nothing[] = "";
static char of_context[] = "@context";

/* Given several times, an option has all its values. */
static void add_to_list(struct text* list, const char* value) {
  if (list->len) text_add_char(list, ',');
  text_add(list, slice_of(value));
}

static int apply(struct options* options, const struct option* option, struct reader* reader, char* value) {
  switch (option->what) {
    case IS_SETTING:
      if (option->letter == 'n') options->one_namespace = *value && !strchr(value, ',');
      /* As without it; to the library it would be all namespaces. */
      if (option->letter == 'n' && !*value) return 1;
      add_setting(options, option->name, option->key, value);
      return 1;
    case IS_SWITCH:
      add_setting(options, option->name, option->key, value);
      return 1;
    case IS_SET:
      return read_set(options, reader, value);
    case IS_GROUP:
      setting_add_escaped(&options->groups, slice_of(value));
      return 1;
    case IS_OUTPUT:
      return read_output(options, reader, value);
    case IS_BY_CHANGE:
      options->by_change = 1;
      return 1;
    case IS_NO_HEADERS:
      options->no_headers = 1;
      return 1;
    case IS_SHOW_LABELS:
      options->show_labels = 1;
      return 1;
    case IS_LABEL_COLUMNS:
      add_to_list(&options->label_columns, value);
      return 1;
    case IS_COLUMNS:
      options->columns = value;
      return 1;
    case IS_SORT_BY:
      options->sort_by = value;
      return 1;
    case IS_SHOW_MANAGED_FIELDS:
      options->show_managed_fields = 1;
      return 1;
    case IS_REQUEST_TIMEOUT:
      return read_request_timeout(options, reader, value);
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

static int refuse_unknown(struct reader* reader, slice name) {
  text_add(reader->problem, name);
  text_add(reader->problem, slice_of(": no such option"));
  return 0;
}

/* -x value, -xvalue, -x=value, -xy. */
static int read_letters(struct options* options, struct reader* reader, char* letters) {
  for (; *letters; ++letters) {
    char name[2] = {'-', *letters};
    slice whole = {name, sizeof name};
    const struct option* option = find_option(whole);
    char* value = letters[1] ? letters + (letters[1] == '=' ? 2 : 1) : NULL;
    if (!option) return refuse_unknown(reader, whole);
    if (option->takes_value) {
      if (!value && reader->next >= reader->argc) return refuse(reader, option->name, "needs a value");
      return apply(options, option, reader, value ? value : reader->argv[reader->next++]);
    }
    if (letters[1] == '=') return refuse(reader, option->name, "takes no value");
    if (!apply(options, option, reader, nothing)) return 0;
  }
  return 1;
}

/* `argument` starts with a dash: --name, --name=value, --name value, or letters. */
static int read_option(struct options* options, struct reader* reader, char* argument) {
  char* equals = strchr(argument, '=');
  slice name = {argument, equals ? (size_t)(equals - argument) : strlen(argument)};
  char* value = equals ? equals + 1 : NULL;
  const struct option* option;
  if (argument[1] != '-') return read_letters(options, reader, argument + 1);
  option = find_option(name);
  if (!option) return refuse_unknown(reader, name);
  if (!option->takes_value && value && option->what != IS_SWITCH) return refuse(reader, option->name, "takes no value");
  if (option->takes_value && !value) {
    if (reader->next >= reader->argc) return refuse(reader, option->name, "needs a value");
    value = reader->argv[reader->next++];
  }
  if (!value) value = option->what == IS_SWITCH ? yes : nothing;
  return apply(options, option, reader, value);
}

/* v1, v1beta1: what is before the slash is a version, not a type. */
static int is_version(const char* word, size_t len) {
  size_t i = 1;
  if (len < 2 || word[0] != 'v' || word[1] < '0' || word[1] > '9') return 0;
  while (i < len && word[i] >= '0' && word[i] <= '9') ++i;
  return i == len || strncmp(word + i, "alpha", 5) == 0 || strncmp(word + i, "beta", 4) == 0;
}

/* pod/web is the object of this name; v1/pods, apps/v1/deployments and /api/v1/pods are resources. */
static int split_name(struct options* options, struct reader* reader) {
  char* slash = strchr(options->resource, '/');
  if (!slash || slash == options->resource || strchr(slash + 1, '/')) return 1;
  if (is_version(options->resource, (size_t)(slash - options->resource))) return 1;
  if (options->name) return refuse(reader, options->name, "there is no need for a name beside TYPE/NAME");
  if (!slash[1]) return refuse(reader, options->resource, "expected a name behind the slash");
  *slash = '\0';
  options->name = slash + 1;
  return 1;
}

static int read_word(struct options* options, struct reader* reader, char* argument) {
  if (!options->resource) {
    options->resource = argument;
  } else if (!options->name) {
    options->name = argument;
  } else {
    return refuse(reader, argument, "only one RESOURCE, and one NAME of it, can be watched");
  }
  return 1;
}

static int read_all(struct options* options, struct reader* reader) {
  int only_resources = 0;
  while (reader->next < reader->argc) {
    char* argument = reader->argv[reader->next++];
    int is_option = !only_resources && argument[0] == '-' && argument[1];
    if (is_option && strcmp(argument, "--") == 0) {
      only_resources = 1;
    } else if (!(is_option ? read_option(options, reader, argument) : read_word(options, reader, argument))) {
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

/* Of one object, by its name. */
static int settle_name(struct options* options, struct reader* reader) {
  if (!split_name(options, reader)) return 0;
  if (!options->name) return 1;
  if (!*options->name) return refuse(reader, "NAME", "may not be empty");
  if (has_setting(options, "label_selector") || has_setting(options, "field_selector")) {
    return refuse(reader, options->name, "a name cannot be given together with a selector");
  }
  if (options->all_namespaces) return refuse(reader, options->name, "a name is that of one namespace, not of all");
  /* Escaped as base/field_selector.hpp does. */
  text_addf(&options->selector, "metadata.name=");
  for (const char* at = options->name; *at; ++at) {
    if (strchr("\\,=", *at)) text_add_char(&options->selector, '\\');
    text_add_char(&options->selector, *at);
  }
  text_cstr(&options->selector);
  add_setting(options, "NAME", "field_selector", options->selector.at);
  return 1;
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
  if (!settle_name(options, &reader)) return 0;
  add_setting(options, "RESOURCE", "resource", options->resource);
  if (options->groups.len) {
    text_cstr(&options->groups);
    add_setting(options, "--as-group", "impersonate_groups", options->groups.at);
  }
  if (options->request_timeout.len) {
    text_cstr(&options->request_timeout);
    add_setting(options, "--request-timeout", "request_timeout", options->request_timeout.at);
  }
  settle_namespace(options);
  return 1;
}

void options_add_context(struct options* options) {
  if (!options->context.len) return;
  text_cstr(&options->context);
  add_setting(options, "--context", "context", options->context.at);
}

void options_hide_secrets(struct options* options) {
  size_t i;
  for (i = 0; i < options->setting_count; ++i) {
    if (setting_is_secret(slice_of(options->settings[i].key)))
      memset(options->settings[i].value, '*', strlen(options->settings[i].value));
  }
}

void options_free(struct options* options) {
  free(options->settings);
  text_free(&options->groups);
  text_free(&options->context);
  text_free(&options->selector);
  text_free(&options->label_columns);
  text_free(&options->request_timeout);
  memset(options, 0, sizeof *options);
}
