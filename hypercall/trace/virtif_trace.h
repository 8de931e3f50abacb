/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libvirtif-trace for C: Linux's user_events inside this process, in groups that do not see each other, and recordings
 * of them for trace-cmd. A file is what an open user_events_data is to the kernel's users.
 *
 * Everywhere: 0 or more is success, anything else a negative errno. Handles are opaque. Structs begin with their size,
 * which you set to sizeof. Strings are borrowed for the call. Nothing here throws, prints or aborts. NULL for a handle,
 * or for where something is to be put, is EFAULT where nothing else is said.
 *
 * Threads. Every call may come from any thread. Those that make, change or end something wait for each other;
 * virtif_trace_write waits for nobody and allocates nothing, but for the first of a thread, which does both: a thread
 * whose signal handlers write does so once before, elsewhere. A close ends what others must not be using any more.
 * pthread_cancel(3) waits for a call to end. A child of fork(2) has a copy of it all, and may use it when no other
 * thread was in a call; what a thread that had written before writes in the child says it was the parent's thread.
 */
#ifndef VIRTIF_TRACE_H
#define VIRTIF_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VIRTIF_TRACE_PUBLIC __attribute__((visibility("default")))

struct virtif_trace;           /* groups and their events; any number in a process */
struct virtif_trace_file;      /* a group, open to register and write */
struct virtif_trace_recording; /* what some events said, until it is stopped */

/* With the group of no name. Takes 10 ms, for its clock. ENOMEM, EAGAIN (PTHREAD_KEYS_MAX are open). */
VIRTIF_TRACE_PUBLIC int virtif_trace_open(struct virtif_trace** trace);
/* Also frees it. EBUSY: a file is open, or a recording not stopped; nothing happened. NULL is fine. Threads that wrote
 * are not amidst their end. */
VIRTIF_TRACE_PUBLIC int virtif_trace_close(struct virtif_trace* trace);

/* --- groups ---------------------------------------------------------------------------------------------------- */

/* Its events are listed under system "user_events.NAME". EEXIST, EINVAL (empty, "." or "..", a '/', ' ', ':' or a
 * control character), ENAMETOOLONG (above 255 characters), ENOMEM. */
VIRTIF_TRACE_PUBLIC int virtif_trace_group_create(struct virtif_trace* trace, const char* name);
/* ENOENT; EBUSY: a file of it is open, or an event of it in use; nothing was removed. */
VIRTIF_TRACE_PUBLIC int virtif_trace_group_remove(struct virtif_trace* trace, const char* name);
/* The names in the order they were made, each with its 0, as listxattr(2) has them. Returns their bytes; with `bytes` 0
 * nothing is written. ERANGE: they do not fit. */
VIRTIF_TRACE_PUBLIC ssize_t virtif_trace_group_list(struct virtif_trace* trace, char* names, size_t bytes);

/* --- files ----------------------------------------------------------------------------------------------------- */

/* `group`: NULL is that of no name. ENOENT, ENOMEM. */
VIRTIF_TRACE_PUBLIC int virtif_trace_file_open(struct virtif_trace* trace, const char* group,
                                               struct virtif_trace_file** file);
/* Unregisters what it registered and frees it. Nobody writes to it any more. NULL is fine. */
VIRTIF_TRACE_PUBLIC void virtif_trace_file_close(struct virtif_trace_file* file);

#define VIRTIF_TRACE_PERSIST 1u      /* the event stays when nobody uses it, until virtif_trace_delete */
#define VIRTIF_TRACE_MULTI_FORMAT 2u /* it may have the name of another whose fields differ, and is NAME.HEXID */

struct virtif_trace_reg {
  size_t size;
  const char* command; /* the kernel's language: "net_drop u32 reason; __rel_loc char[] ifname", 511 characters */
  uint32_t* word;      /* yours, aligned, good until it is unregistered: a bit of it says whether somebody records */
  uint32_t bit;        /* 0 to 31 */
  uint32_t flags;      /* VIRTIF_TRACE_* */
  int32_t index;       /* out: for virtif_trace_write to this file */
};

/* Non-zero: an event of this word is recorded. For any thread, and cheap enough for everywhere. */
#define VIRTIF_TRACE_ENABLED(word) __atomic_load_n((word), __ATOMIC_RELAXED)

/* The event is made if need be. Registering it again gives the same index. EINVAL: the command's grammar, a bit or flag
 * there is not; EADDRINUSE: the name has other fields, or that bit of that word is registered; EMFILE: 32767 events;
 * EFAULT: no command, or no aligned word. */
VIRTIF_TRACE_PUBLIC int virtif_trace_register(struct virtif_trace_file* file, struct virtif_trace_reg* reg);
/* The bit is cleared and not touched any more. The event goes with the last file that registered it, unless it
 * persists. ENOENT: this file did not register that bit. */
VIRTIF_TRACE_PUBLIC int virtif_trace_unregister(struct virtif_trace_file* file, uint32_t* word, uint32_t bit);
/* Deletes the event of the file's group in all its formats. ENOENT; EBUSY: it is in use, be it by this file. */
VIRTIF_TRACE_PUBLIC int virtif_trace_delete(struct virtif_trace_file* file, const char* name);

/* One record: the fields packed, without gaps, then what *_loc fields point to. Returns its bytes, also when a filter
 * or a full ring kept it out. EBADF: nobody records the event; EINVAL: shorter than its fields, or a negative index;
 * ENOENT: no such index; EFAULT: a *_loc field points outside, or a text has no 0 at its end; ENOMEM. */
VIRTIF_TRACE_PUBLIC ssize_t virtif_trace_write(struct virtif_trace_file* file, int32_t index, const struct iovec* iov,
                                               size_t iovcnt);

/* --- recordings ------------------------------------------------------------------------------------------------ */

#define VIRTIF_TRACE_OVERWRITE 1u /* a full ring loses its oldest records, not the newest */

struct virtif_trace_config {
  size_t size;
  const char* pattern; /* of "GROUP:EVENT", "*:tick" or "tick"; NULL: every event, those registered later as well */
  const char* filter;  /* in the language of the kernel's filter files; NULL: every record */
  uint32_t ring_kib;   /* of each thread, whole pages: 8 to 1048576 in steps of 4; 0: 1024 */
  uint32_t flags;      /* VIRTIF_TRACE_OVERWRITE */
};

/* `config` may be NULL. EBUSY: eight record already; EINVAL: ring_kib, flags, a filter that fits no event there is (or
 * the kernel's errno for such a filter); ENOMEM. */
VIRTIF_TRACE_PUBLIC int virtif_trace_record(struct virtif_trace* trace, const struct virtif_trace_config* config,
                                            struct virtif_trace_recording** recording);

struct virtif_trace_saved {
  size_t size;
  uint64_t events; /* in the file */
  uint64_t lost;   /* before they could be */
};

/* Ends the recording, writes it as a trace.dat and frees it. NULL as `path`: without a file; NULL as `saved` is fine.
 * EINVAL: saved's size, and it still records. After any other error, the host's errno, as ENOSPC, it records no more
 * and is still there, to be stopped again. A file that could not be begun took nothing; what one that failed later had
 * taken is gone, and the next stop counts it as lost. */
VIRTIF_TRACE_PUBLIC int virtif_trace_stop(struct virtif_trace_recording* recording, const char* path,
                                          struct virtif_trace_saved* saved);

#ifdef __cplusplus
}
#endif

#endif
