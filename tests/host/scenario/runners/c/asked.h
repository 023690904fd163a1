/* A client of the scenario and its requests, which report on standard output how they have ended. */
#ifndef KSR_SCENARIO_ASKED_H
#define KSR_SCENARIO_ASKED_H

#include <ksr.h>

/* One step: its words after the name, as strtok_r has left them. Each answers with a line. */
void client_open(const char* name, int manual, char** rest);
void client_ask(ksr_client* client, char** rest);
void client_run(ksr_client* client, char** rest);
void client_begin(ksr_client* client, const char* request, char** rest);
void client_drained(ksr_client* client);
void request_give_up(const char* request);

/* NULL when there is none of that name; a client that was closed is still found. */
ksr_client* client_find(const char* name);

/* The descriptors of all clients, at most `size`; how many. */
size_t client_descriptors(int* descriptors, size_t size);
void client_dispatch_all(void);
void client_free_all(void);

#endif
