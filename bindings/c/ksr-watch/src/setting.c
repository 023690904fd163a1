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

void setting_add_group(struct text* groups, slice group) {
  size_t i;
  if (groups->len) text_add_char(groups, ',');
  for (i = 0; i < group.len; ++i) {
    if (group.at[i] == ',' || group.at[i] == '\\') text_add_char(groups, '\\');
    text_add_char(groups, group.at[i]);
  }
}
