#include "setting.h"

int setting_is_secret(slice key) {
  static const char* const secrets[] = {
      "token", "password", "client_key_data", "headlamp_token", "headlamp_kubeconfig", "proxy_url"};
  size_t i;
  for (i = 0; i < sizeof secrets / sizeof secrets[0]; ++i) {
    if (slice_is(key, secrets[i])) return 1;
  }
  return slice_starts(key, "header.");
}

void setting_add_escaped(struct text* list, slice value) {
  size_t i;
  if (list->len) text_add_char(list, ',');
  for (i = 0; i < value.len; ++i) {
    if (value.at[i] == ',' || value.at[i] == '\\') text_add_char(list, '\\');
    text_add_char(list, value.at[i]);
  }
}
