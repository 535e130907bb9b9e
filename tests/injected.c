/* Lets one file operation below a folder fail: the `at`-th of those since `inject` was called. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[4096];
static long at, count;
static int number;

void inject(const char *folder, long which, int error) {
    strncpy(root, folder, sizeof root - 1);
    at = which, number = error, count = 0;
}

long counted(void) { return count; }

/* Whether the operation is to fail now. */
static int due(const char *path) {
    char full[8192];
    if (!root[0] || !path) return 0;
    if (path[0] != '/') {
        char here[4096];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(full, sizeof full, "%s/%s", here, path);
        path = full;
    }
    if (strncmp(path, root, strlen(root))) return 0;
    if (++count != at) return 0;
    if (number < 0) { kill(getpid(), -number); pause(); }
    errno = number;
    return 1;
}

static int due_at(int descriptor) {
    char link[64], path[4096];
    if (!root[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return due(path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)

static mode_t mode_of(int flags, va_list args) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, int) : 0;
}
#define OPEN(name) int name(const char *path, int flags, ...) { REAL(name); va_list args; \
    va_start(args, flags); mode_t mode = mode_of(flags, args); va_end(args); \
    return due(path) ? -1 : real(path, flags, mode); }
#define OPENAT(name) int name(int dir, const char *path, int flags, ...) { REAL(name); va_list args; \
    va_start(args, flags); mode_t mode = mode_of(flags, args); va_end(args); \
    return (path[0] == '/' ? due(path) : due_at(dir)) ? -1 : real(dir, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

#define STAT(name, type) int name(const char *path, struct type *into) { \
    REAL(name); return due(path) ? -1 : real(path, into); }
STAT(stat, stat) STAT(lstat, stat) STAT(stat64, stat64) STAT(lstat64, stat64)
int fstat(int fd, struct stat *into) { REAL(fstat); return due_at(fd) ? -1 : real(fd, into); }
int fstat64(int fd, struct stat64 *into) { REAL(fstat64); return due_at(fd) ? -1 : real(fd, into); }
int fstatat(int fd, const char *path, struct stat *into, int flags) {
    REAL(fstatat); return (path[0] == '/' ? due(path) : 0) ? -1 : real(fd, path, into, flags); }
int fstatat64(int fd, const char *path, struct stat64 *into, int flags) {
    REAL(fstatat64); return (path[0] == '/' ? due(path) : 0) ? -1 : real(fd, path, into, flags); }

#define PATH(name) int name(const char *path) { REAL(name); return due(path) ? -1 : real(path); }
PATH(unlink) PATH(rmdir)
int mkdir(const char *path, mode_t mode) { REAL(mkdir); return due(path) ? -1 : real(path, mode); }
int rename(const char *from, const char *to) { REAL(rename); return due(to) ? -1 : real(from, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(renameat2); return due(to) ? -1 : real(a, from, b, to, flags); }
DIR *opendir(const char *path) { REAL(opendir); return due(path) ? NULL : real(path); }
DIR *fdopendir(int fd) { REAL(fdopendir); return due_at(fd) ? NULL : real(fd); }
struct dirent *readdir(DIR *dir) { REAL(readdir); return due_at(dirfd(dir)) ? NULL : real(dir); }
struct dirent64 *readdir64(DIR *dir) {
    REAL(readdir64); return due_at(dirfd(dir)) ? NULL : real(dir); }
ssize_t read(int fd, void *into, size_t size) { REAL(read); return due_at(fd) ? -1 : real(fd, into, size); }
ssize_t write(int fd, const void *from, size_t size) {
    REAL(write); return due_at(fd) ? -1 : real(fd, from, size); }
/* As on a network disk: what was written before may not have arrived, but the descriptor is gone. */
int close(int fd) {
    REAL(close);
    int failed = due_at(fd), why = errno, closed = real(fd);
    if (!failed) return closed;
    errno = why;
    return -1;
}
int fsync(int fd) { REAL(fsync); return due_at(fd) ? -1 : real(fd); }
int flock(int fd, int how) { REAL(flock); return due_at(fd) ? -1 : real(fd, how); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); return due_at(fd) ? -1 : real(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); return due_at(fd) ? -1 : real(fd, size); }
ssize_t readlink(const char *path, char *into, size_t size) {
    REAL(readlink); return strncmp(path, "/proc/", 6) && due(path) ? -1 : real(path, into, size); }
int unlinkat(int dir, const char *path, int flags) {
    REAL(unlinkat); return due_at(dir) ? -1 : real(dir, path, flags); }
