// SPDX-License-Identifier: BSD-2-Clause
// To be preloaded into a program: a thread that waits in epoll ends when a file asks it to. The file is
// $VIF_END_THREADS/NAME, where NAME is the thread's; it says `throw` or `cancel`, and is gone when it was heard.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/epoll.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

extern "C" __attribute__((visibility("default"))) int epoll_wait(int fd, epoll_event* events, int count, int patience) {
  using Wait = int(int, epoll_event*, int, int);
  static const auto real = reinterpret_cast<Wait*>(::dlsym(RTLD_NEXT, "epoll_wait"));
  const int got = real(fd, events, count, patience);
  const char* const folder = std::getenv("VIF_END_THREADS");
  char name[16] = {};
  if (folder == nullptr || ::pthread_getname_np(::pthread_self(), name, sizeof name) != 0) return got;
  const std::string path = std::string(folder) + "/" + name;
  std::FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return got;
  char word[16] = {};
  (void)!std::fgets(word, sizeof word, file);
  std::fclose(file);
  std::remove(path.c_str());
  if (std::strcmp(word, "throw") == 0) throw std::runtime_error("a test asked for it");
  ::pthread_exit(nullptr);
}
