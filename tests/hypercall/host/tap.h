/* SPDX-License-Identifier: BSD-2-Clause */
/* Test Anything Protocol for the C tests: one line a check, a plan at the end, and an exit status. */
#ifndef VIRTIF_TESTS_TAP_H
#define VIRTIF_TESTS_TAP_H

#include <stdio.h>

static int tap_checks, tap_failures;

#define CHECK(condition, name)                                                     \
  do {                                                                             \
    int tap_ok = (condition) ? 1 : 0;                                              \
    tap_failures += !tap_ok;                                                       \
    printf("%sok %d - %s\n", tap_ok ? "" : "not ", ++tap_checks, name);            \
    if (!tap_ok) printf("# %s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
  } while (0)

static int tap_end(void) {
  printf("1..%d\n", tap_checks);
  return tap_failures != 0;
}

#endif
