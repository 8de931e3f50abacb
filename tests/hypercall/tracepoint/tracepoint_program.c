/* SPDX-License-Identifier: BSD-2-Clause */
/* A program as libtracepoint's users write them: it knows tracepoint.h and nothing of who is behind it. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <tracepoint/tracepoint.h>
#include <unistd.h>

static tracepoint_provider_state provider = TRACEPOINT_PROVIDER_STATE_INIT;
static tracepoint_state greeted = TRACEPOINT_STATE_INIT, done = TRACEPOINT_STATE_INIT;

static void greet(unsigned short times, const char* whom) {
  if (!TRACEPOINT_ENABLED(&greeted)) return;
  unsigned bytes = (unsigned)strlen(whom) + 1, location = bytes << 16;
  struct iovec data[] = {{NULL, 0}, {&times, sizeof times}, {&location, sizeof location}, {(void*)whom, bytes}};
  tracepoint_write(&greeted, 4, data);
}

/* More than is kept. */
static void flood(void) {
  static char text[3000];
  memset(text, 'x', sizeof text - 1);
  for (int i = 0; i < 40000; ++i) greet(0, text);
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "";
  int error = tracepoint_open_provider(&provider);
  if (error == 0) error = tracepoint_connect(&greeted, &provider, "greeted u16 times; __rel_loc char[] whom");
  if (error == 0) error = tracepoint_connect(&done, &provider, "done");
  if (error != 0) fprintf(stderr, "tracepoints: %s\n", strerror(error));
  if (strcmp(how, "flood") == 0) flood();
  if (strcmp(how, "elsewhere") == 0 && chdir("/") != 0) return 1;
  if (strcmp(how, "parent") == 0) {
    pid_t other = fork();
    if (other == 0) execl("/proc/self/exe", argv[0], "child", NULL);
    waitpid(other, NULL, 0);
  }
  greet(1, "world");
  greet(2, "moon");
  pid_t child = fork(); /* whose end must not touch what is recorded here */
  if (child == 0) return 0;
  waitpid(child, NULL, 0);
  struct iovec nothing = {NULL, 0};
  if (TRACEPOINT_ENABLED(&done)) tracepoint_write(&done, 1, &nothing);
  tracepoint_close_provider(&provider);
  return 0;
}
