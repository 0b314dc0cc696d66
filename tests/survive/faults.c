/*
 * Makes the files of one directory fail, by standing before libc's calls (LD_PRELOAD).
 *
 * FAULTS_DIR    the directory
 * FAULTS_MODE   count   nothing fails
 *               full    call number FAULTS_AT that needs space, and all after it, fail with ENOSPC
 *               once    call number FAULTS_AT fails with EIO
 *               broken  call number FAULTS_AT and all after it fail with EIO
 *               kill    the process is killed before call number FAULTS_AT
 *               power   the same, and of what was not synced by then a part, chosen by
 *                       FAULTS_SEED, never reached the disk
 * FAULTS_COUNT  a file that gets the number of calls at the end
 *
 * Calls are counted from 1. What is on the disk at a cut is, for each file, what it held when it
 * was last synced, with some of the writes since, whole or a part of 512 bytes' multiple. A file
 * that was deleted since its directory was last synced may be back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_unlink)(const char *);

enum { COUNT, FULL, ONCE, BROKEN, KILL, POWER };
static int mode = -1;
static const char *dir;
static long at, n_calls;
static unsigned long long seed;

struct change {
    off_t offset;
    size_t length;
    char *data; /* NULL when the file was cut to `offset` */
};

struct file {
    char path[1024];
    char *synced;
    size_t n_synced;
    struct change *changes;
    size_t n_changes;
    int is_gone;
};

static struct file files[256];
static int n_files;

__attribute__((constructor)) static void start(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    const char *names[] = {"count", "full", "once", "broken", "kill", "power"};
    const char *name = getenv("FAULTS_MODE");
    dir = getenv("FAULTS_DIR");
    for (int idx = 0; name && dir && idx < 6; idx++)
        if (!strcmp(name, names[idx])) mode = idx;
    const char *text = getenv("FAULTS_AT");
    at = text ? atol(text) : 0;
    text = getenv("FAULTS_SEED");
    seed = text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULTS_COUNT");
    if (mode < 0 || !path) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    char text[32];
    int length = snprintf(text, sizeof text, "%ld", n_calls);
    if (fd >= 0 && real_write(fd, text, length) == length) close(fd);
}

static unsigned long long state;
static unsigned long long chance(void) {
    if (!state) state = seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state >> 11;
}

static int is_inside(const char *path) {
    return mode >= 0 && !strncmp(path, dir, strlen(dir)) && !strstr(path, " (deleted)");
}

static int path_of(int fd, char *path, size_t size) {
    if (mode < 0) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_inside(path);
}

static char *read_all(const char *path, size_t *length) {
    *length = 0;
    struct stat it;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &it)) return NULL;
    char *data = malloc(it.st_size + 1);
    ssize_t got = pread(fd, data, it.st_size, 0);
    *length = got > 0 ? got : 0;
    /* Closing it would end the process's locks on the file, so it stays open. */
    return data;
}

/* What is known of a file; before its first change, what it holds. */
static struct file *file_of(const char *path) {
    for (int idx = 0; idx < n_files; idx++)
        if (!files[idx].is_gone && !strcmp(files[idx].path, path)) return &files[idx];
    if (n_files == 256) abort();
    struct file *it = &files[n_files++];
    snprintf(it->path, sizeof it->path, "%s", path);
    it->synced = read_all(path, &it->n_synced);
    return it;
}

static void note(const char *path, off_t offset, const void *data, size_t length) {
    if (mode != POWER || strstr(path, "-shm")) return;
    struct file *it = file_of(path);
    it->changes = realloc(it->changes, (it->n_changes + 1) * sizeof *it->changes);
    struct change *change = &it->changes[it->n_changes++];
    *change = (struct change){offset, length, NULL};
    if (data) {
        change->data = malloc(length);
        memcpy(change->data, data, length);
    }
}

static void synced(const char *path) {
    if (mode != POWER) return;
    if (!strcmp(path, dir)) {
        /* What was deleted by now stays so. */
        for (int idx = 0; idx < n_files; idx++)
            if (files[idx].is_gone) files[idx].path[0] = 0;
        return;
    }
    struct file *it = file_of(path);
    free(it->synced);
    it->n_changes = 0;
    it->synced = read_all(path, &it->n_synced);
}

/* Leaves on the disk what reached it. */
static void cut(void) {
    /* Of the changes that were not synced: none, a third, two thirds, all. */
    unsigned long long of_three = seed % 4;
    for (int idx = 0; idx < n_files; idx++) {
        struct file *it = &files[idx];
        if (!it->path[0]) continue;
        if (it->is_gone && (!access(it->path, F_OK) || chance() % 2)) continue;
        size_t size = it->n_synced, room = size;
        char *data = malloc(room + 1);
        if (size) memcpy(data, it->synced, size);
        for (size_t nth = 0; nth < it->n_changes; nth++) {
            struct change *change = &it->changes[nth];
            if (chance() % 3 >= of_three) continue;
            size_t length = change->length;
            if (of_three < 3 && length > 512 && chance() % 4 == 0)
                length = chance() % (length / 512) * 512;
            size_t stop = change->offset + length;
            if (!change->data) {
                stop = size = change->offset;
            }
            if (stop > room) {
                data = realloc(data, stop + 1);
                memset(data + room, 0, stop - room);
                room = stop;
            }
            if (stop > size) size = stop;
            if (change->data) memcpy(data + change->offset, change->data, length);
        }
        int fd = open(it->path, O_RDWR | O_CREAT | O_TRUNC, 0644);
        if (fd < 0 || real_write(fd, data, size) != (ssize_t)size) abort();
    }
}

/* Whether this call fails; errno is set then. */
static int fails(int needs_space) {
    if (mode == FULL && !needs_space) return 0;
    n_calls++;
    if (mode == COUNT || n_calls < at || (mode == ONCE && n_calls > at)) return 0;
    if (mode == KILL || mode == POWER) {
        if (mode == POWER) cut();
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    errno = mode == FULL ? ENOSPC : EIO;
    return 1;
}

ssize_t write(int fd, const void *data, size_t length) {
    char path[1024];
    if (!path_of(fd, path, sizeof path)) return real_write(fd, data, length);
    if (fails(1)) {
        /* The last of the space is taken. */
        if (mode == FULL && n_calls == at && length > 1) return real_write(fd, data, length / 2);
        return -1;
    }
    note(path, lseek(fd, 0, SEEK_CUR), data, length);
    return real_write(fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    char path[1024];
    if (path_of(fd, path, sizeof path)) {
        if (fails(1)) {
            if (mode == FULL && n_calls == at && length > 1)
                return real_pwrite(fd, data, length / 2, offset);
            return -1;
        }
        note(path, offset, data, length);
    }
    return real_pwrite(fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite64(fd, data, length, offset);
}

int ftruncate64(int fd, off_t length) {
    char path[1024];
    if (path_of(fd, path, sizeof path)) {
        if (fails(1)) return -1;
        note(path, length, NULL, 0);
    }
    return real_ftruncate(fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) {
    char path[1024];
    int is_ours = path_of(fd, path, sizeof path);
    if (is_ours && fails(0)) return -1;
    int res = real_fsync(fd);
    if (is_ours && !res) synced(path);
    return res;
}

int fdatasync(int fd) { return fsync(fd); }

int unlink(const char *path) {
    if (is_inside(path)) {
        if (fails(0)) return -1;
        if (mode == POWER && !strstr(path, "-shm") && !access(path, F_OK))
            file_of(path)->is_gone = 1;
    }
    return real_unlink(path);
}
