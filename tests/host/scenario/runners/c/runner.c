/* The runner of the C interface, see README.md of the scenario. `runner manual` has its callbacks made by its own
 * thread. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"
#include "watched.h"

enum { MOST_STREAMS = 16, MOST_CLIENTS = 4, LONGEST_LINE = 4096 };

static struct watched* streams[MOST_STREAMS];
static size_t stream_count;
static int manual;

static struct watched* find(const char* name) {
  for (size_t i = 0; i < stream_count; ++i)
    if (strcmp(streams[i]->name, name) == 0) return streams[i];
  return NULL;
}

/* `client=NAME` is no key of the library's. */
static ksr_status set_words(ksr_config* config, char** rest, const char** client) {
  for (char* key = strtok_r(NULL, " ", rest); key; key = strtok_r(NULL, " ", rest)) {
    char* value = strchr(key, '=');
    if (!value) return KSR_E_INVALID;
    *value++ = '\0';
    if (strcmp(key, "client") == 0) {
      *client = value;
      continue;
    }
    const ksr_status status = ksr_config_set(config, key, value, NULL);
    if (status != KSR_OK) return status;
  }
  return KSR_OK;
}

static ksr_status open_stream(const char* name, int pours, char** rest) {
  struct watched* watched = calloc(1, sizeof *watched);
  ksr_config* config = NULL;
  if (!watched || stream_count == MOST_STREAMS) abort();
  snprintf(watched->name, sizeof watched->name, "%s", name);
  watched->pours = pours;
  ksr_status status = ksr_config_new(&config);
  const char* client = NULL;
  if (status == KSR_OK) status = set_words(config, rest, &client);
  if (status == KSR_OK && manual && !client) status = ksr_config_set(config, "delivery", "manual", NULL);
  if (status == KSR_OK) {
    watched_configure(config);
    status = client ? ksr_client_stream(client_find(client), config, watched, watched_destroy, &watched->stream, NULL)
                    : ksr_open(config, watched, watched_destroy, &watched->stream, NULL);
    if (status != KSR_OK && !watched->destroyed) say("broken %s not destroyed", name);
  }
  ksr_config_free(config);
  if (status == KSR_OK)
    streams[stream_count++] = watched;
  else
    free(watched);
  return status;
}

static ksr_status close_stream(struct watched* watched) {
  const ksr_status status = ksr_close(watched->stream);
  watched->closed = 1;
  if (!watched->destroyed) say("broken %s not destroyed by close", watched->name);
  return status;
}

static void until(const struct watched* watched, const char* name, uint64_t wanted) {
  const struct timespec pause = {0, 5 * 1000 * 1000};
  uint64_t value = 0;
  while (ksr_stat(watched->stream, name, &value) == KSR_OK && value < wanted) nanosleep(&pause, NULL);
}

static void tell_latest(const struct watched* watched) {
  const ksr_snapshot* snapshot = ksr_latest(watched->stream);
  if (!snapshot) {
    say("= none");
    return;
  }
  char* keys = keys_of(snapshot);
  say("= %" PRIu64 " %s", ksr_snapshot_sequence(snapshot), keys);
  free(keys);
  ksr_snapshot_release(snapshot);
}

static void tell_statistic(const struct watched* watched, const char* name) {
  uint64_t value = 0;
  const ksr_status status = ksr_stat(watched->stream, name, &value);
  if (status == KSR_OK)
    say("= %" PRIu64, value);
  else
    say("= %s", ksr_status_name(status));
}

static void answer_status(ksr_status status) {
  say("= %s", status == KSR_OK ? "ok" : ksr_status_name(status));
}

static void step_on(struct watched* watched, const char* verb, char** rest) {
  const char* word = strtok_r(NULL, " ", rest);
  if (strcmp(verb, "latest") == 0) {
    tell_latest(watched);
  } else if (strcmp(verb, "stat") == 0) {
    tell_statistic(watched, word);
  } else if (strcmp(verb, "synced") == 0) {
    answer_status(ksr_wait_synced(watched->stream, -1));
  } else if (strcmp(verb, "close") == 0) {
    answer_status(close_stream(watched));
  } else {
    if (strcmp(verb, "arm") == 0) watched->armed = 1;
    if (strcmp(verb, "cancel") == 0) ksr_cancel(watched->stream);
    if (strcmp(verb, "until") == 0) until(watched, word, strtoull(strtok_r(NULL, " ", rest), NULL, 10));
    answer_status(KSR_OK);
  }
}

static void step_on_client(ksr_client* client, const char* verb, char** rest) {
  const struct timespec pause = {0, 5 * 1000 * 1000};
  uint64_t value = 0;
  if (strcmp(verb, "ask") == 0) {
    client_ask(client, rest);
  } else if (strcmp(verb, "run") == 0) {
    client_run(client, rest);
  } else if (strcmp(verb, "begin") == 0) {
    const char* request = strtok_r(NULL, " ", rest);
    client_begin(client, request, rest);
  } else if (strcmp(verb, "drained") == 0) {
    client_drained(client);
  } else if (strcmp(verb, "close") == 0) {
    answer_status(ksr_client_close(client));
  } else if (strcmp(verb, "stat") == 0) {
    const ksr_status status = ksr_client_stat(client, strtok_r(NULL, " ", rest), &value);
    if (status == KSR_OK)
      say("= %" PRIu64, value);
    else
      answer_status(status);
  } else if (strcmp(verb, "until") == 0) {
    const char* name = strtok_r(NULL, " ", rest);
    const uint64_t wanted = strtoull(strtok_r(NULL, " ", rest), NULL, 10);
    while (ksr_client_stat(client, name, &value) == KSR_OK && value < wanted) nanosleep(&pause, NULL);
    answer_status(KSR_OK);
  } else {
    say("= unknown step");
  }
}

static void step(char* line) {
  char* rest = NULL;
  const char* verb = strtok_r(line, " ", &rest);
  const char* name = strtok_r(NULL, " ", &rest);
  const int pours = verb && strcmp(verb, "pour") == 0;
  if (!name)
    say("= unknown step");
  else if (pours || strcmp(verb, "open") == 0)
    answer_status(open_stream(name, pours, &rest));
  else if (strcmp(verb, "client") == 0)
    client_open(name, manual, &rest);
  else if (strcmp(verb, "give-up") == 0)
    request_give_up(name);
  else if (client_find(name))
    step_on_client(client_find(name), verb, &rest);
  else if (find(name))
    step_on(find(name), verb, &rest);
  else
    say("= no such stream");
}

/* Whole lines only, and not through stdio, whose buffer poll does not know of. Returns 0 at the end. */
static int read_steps(void) {
  static char buffer[LONGEST_LINE];
  static size_t filled;
  const ssize_t got = read(STDIN_FILENO, buffer + filled, sizeof buffer - filled);
  if (got <= 0) return 0;
  filled += (size_t)got;
  for (char* end = memchr(buffer, '\n', filled); end; end = memchr(buffer, '\n', filled)) {
    *end = '\0';
    step(buffer);
    filled -= (size_t)(end + 1 - buffer);
    memmove(buffer, end + 1, filled);
  }
  return 1;
}

static void dispatch_all(void) {
  for (size_t i = 0; i < stream_count; ++i)
    if (!streams[i]->closed) ksr_dispatch(streams[i]->stream);
  client_dispatch_all();
}

int main(int argc, char** argv) {
  manual = argc == 2 && strcmp(argv[1], "manual") == 0;
  for (;;) {
    struct pollfd waits[1 + MOST_STREAMS + MOST_CLIENTS] = {{STDIN_FILENO, POLLIN, 0}};
    int descriptors[MOST_CLIENTS];
    nfds_t count = 1;
    for (size_t i = 0; i < stream_count; ++i)
      waits[count++] = (struct pollfd){streams[i]->closed ? -1 : ksr_fd(streams[i]->stream), POLLIN, 0};
    const size_t clients = client_descriptors(descriptors, MOST_CLIENTS);
    for (size_t i = 0; i < clients; ++i) waits[count++] = (struct pollfd){descriptors[i], POLLIN, 0};
    if (poll(waits, count, -1) < 0) return 1;
    if (manual) dispatch_all();
    if (waits[0].revents && !read_steps()) break;
  }
  client_free_all();
  for (size_t i = 0; i < stream_count; ++i) free(streams[i]);
  return 0;
}
