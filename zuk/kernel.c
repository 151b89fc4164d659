/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options -> objects -> kernel.elf, through `zig ld.lld` (kernel.h).
 *
 * In the cache: kernel/<id>.elf, where id is a hash of what is loaded into the
 * guest, and kernel/<key>, a symbolic link to it, where key is a hash of what
 * went into the link.  Both appear by rename, so a reader finds all or nothing.
 */
#include "zuk/kernel.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/calls.h"
#include "zuk/build.h"
#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/features.h"
#include "zuk/program.h"
#include "zuk/util.h"

/* A hash of abi/, given by make.  Without one (a test) all objects will do. */
#ifndef ZUK_ABI
#define ZUK_ABI ""
#endif

enum { LINK_TIMEOUT_MS = 60000 };
#define LINK_MEMORY (UINT64_C(4) << 30)

static const char *cache_file(const char *name) {
    const char *dir = path_join(cache_dir(), "kernel");
    return make_dirs(dir) ? path_join(dir, name) : NULL;
}

static uint64_t hash_file_state(uint64_t seed, const char *path) {
    struct stat st;
    uint64_t state[5] = {0};
    if (stat(path, &st) == 0) {
        state[0] = (uint64_t)st.st_size;
        state[1] = (uint64_t)st.st_mtim.tv_sec;
        state[2] = (uint64_t)st.st_mtim.tv_nsec;
        state[3] = (uint64_t)st.st_ino;
        state[4] = 1;
    }
    return hash64(hash64(seed, path, strlen(path) + 1), state, sizeof state);
}

uint64_t kernel_stamp(const char *arch) {
    const char *lib = lib_dir();
    if (lib == NULL) {
        return 0;
    }
    const char *dir = path_join(lib, arch);
    struct features all;
    features_all("", &all);
    struct feature_object *objects;
    size_t count = features_objects(&all, arch, &objects);
    uint64_t hash = hash_file_state(1, path_join(dir, "kernel.ld"));
    for (size_t i = 0; i < count; i++) {
        hash = hash_file_state(hash, path_join(dir, xasprintf("%s.o", objects[i].path)));
    }
    return hash | 1;
}

bool kernel_fits(const char *dir) {
    char word[sizeof ZUK_ABI] = "";
    FILE *file = fopen(path_join(dir, "abi"), "re");
    size_t size = file == NULL ? 0 : fread(word, 1, sizeof word - 1, file);
    if (file != NULL) {
        fclose(file);
    }
    return size == sizeof word - 1 && strcmp(word, ZUK_ABI) == 0;
}

/* The linker's command line. */
struct link {
    VEC(const char *) argv;
    const char *dir; /* of the objects */
    size_t first;    /* object in argv */
    uint64_t key;
};

/* Which handlers the table of calls leads to (abi/calls.h). */
static void plan_calls(const struct features *features, struct link *link) {
    const char **handlers;
    size_t count = features_handlers(features, &handlers);
    unsigned last = 0;
    for (size_t i = 0; i < count; i++) {
        *vec_push(&link->argv) = xasprintf("--defsym=call_%s=sys_%s", handlers[i], handlers[i]);
        link->key = hash64(link->key, handlers[i], strlen(handlers[i]) + 1);
        unsigned chunk = (unsigned)features_call_number(handlers[i]) / CALL_CHUNK;
        last = chunk > last ? chunk : last;
    }
    for (unsigned i = 0; i <= last; i++) {
        *vec_push(&link->argv) = xasprintf("--defsym=call_chunk_%u=syscall_chunk_%u", i, i);
    }
    *vec_push(&link->argv) = xasprintf("--defsym=call_bound=syscall_bound_%u", last);
}

static bool plan(const struct features *features, const char *arch, struct link *link) {
    *link = (struct link){0};
    const char *zig = pinned_zig();
    const char *lib = zig == NULL ? NULL : lib_dir();
    if (lib == NULL) {
        return false;
    }
    link->dir = path_join(lib, arch);
    const char *script = path_join(link->dir, "kernel.ld");
    if (is_file(script) && !kernel_fits(link->dir)) {
        diag_error("the kernel's objects in %s and this zuk are of different versions", link->dir);
        diag_hint("run make in zuk's source folder, or install it again; ZUK_LIB names another "
                  "folder");
        return false;
    }
    struct feature_object *objects;
    size_t count = features_objects(features, arch, &objects);
    const char *const fixed[] = {
        zig,
        "ld.lld",
        "-m",
        "elf_x86_64",
        "-static",
        "--gc-sections",
        "--build-id=none",
        "-z",
        "max-page-size=4096",
        "-z",
        "noexecstack",
        "-T",
        script,
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        *vec_push(&link->argv) = fixed[i];
    }
    /* app/fail.c stands before these, and calls them by __real_. */
    static const char *const refused[] = {"frame_alloc", "frame_alloc_zero", "frame_alloc_run",
                                          "heap_alloc"};
    for (size_t i = 0;
         features_listed(features->names, "FAIL") && i < sizeof refused / sizeof refused[0]; i++) {
        *vec_push(&link->argv) = xasprintf("--wrap=%s", refused[i]);
    }
    if (features_listed(features->names, "PROFILE")) { /* arch/<a>/profile.c stands before it */
        *vec_push(&link->argv) = "--wrap=trap_entry";
    }
    if (features_listed(features->names, "VDSO")) { /* app/vdso.c stands before these */
        *vec_push(&link->argv) = "--wrap=arch_app_enter";
        *vec_push(&link->argv) = "--wrap=clock_set_realtime";
    }
    link->key = hash_file_state(hash64(2, arch, strlen(arch)), zig);
    link->key = hash_file_state(link->key, script);
    plan_calls(features, link);
    link->first = link->argv.len;
    bool ok = true;
    if (!is_file(script)) {
        diag_error("the kernel's linker script is not there: %s", script);
        ok = false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = path_join(link->dir, xasprintf("%s.o", objects[i].path));
        bool twice = false; /* a file that serves two options is linked once */
        for (size_t k = link->first; k < link->argv.len; k++) {
            twice |= strcmp(link->argv.data[k], path) == 0;
        }
        if (twice) {
            continue;
        }
        if (!is_file(path)) {
            diag_error("the kernel's object for option %s is not there: %s", objects[i].option,
                       path);
            ok = false;
        }
        link->key = hash_file_state(link->key, path);
        *vec_push(&link->argv) = path;
    }
    if (!ok) {
        diag_hint("run make in zuk's source folder");
    } else if (count == 0) {
        diag_error("no kernel objects are known for %s", arch);
        ok = false;
    }
    return ok;
}

static bool write_command(const struct link *link, const char *work) {
    VEC(char) text = {0};
    for (size_t i = 0; i < link->argv.len; i++) {
        const char *word = link->argv.data[i] == NULL ? "" : shell_word(link->argv.data[i]);
        for (; *word != '\0'; word++) {
            *vec_push(&text) = *word;
        }
        const char *after =
            i + 1 < link->argv.len ? (i + 1 < link->first ? " " : " \\\n    ") : "\n";
        for (; *after != '\0'; after++) {
            *vec_push(&text) = *after;
        }
    }
    return write_file(path_join(work, "link.cmd"), text.data, text.len);
}

/* Hash of what the guest gets to see: addresses, permissions and contents.  False after
 * diag_error. */
static bool loaded_id(const char *path, uint64_t *id) {
    struct file_map map;
    if (!file_map(path, &map)) {
        return false;
    }
    struct elf_file f;
    const char *why = "holds no segments";
    bool ok = elf_file_open(map.data, map.size, &f, &why);
    uint64_t hash = 3;
    for (size_t i = 0; ok && i < f.segment_count; i++) {
        const Elf64_Phdr *p = &f.segments[i];
        if (p->p_type != PT_LOAD) {
            continue;
        }
        const uint8_t *bytes = elf_file_bytes(&f, p->p_offset, p->p_filesz);
        if (bytes == NULL) {
            ok = false;
            why = "is cut short";
            break;
        }
        uint64_t where[4] = {p->p_vaddr, p->p_paddr, p->p_memsz, p->p_flags};
        hash = hash64(hash64(hash, where, sizeof where), bytes, p->p_filesz);
    }
    if (!ok) {
        diag_error("the linked kernel %s %s", path, why);
    }
    file_unmap(&map);
    *id = hash;
    return ok;
}

/* Links to a file of our own, then gives it its name. */
static bool link_now(struct link *link, const char *key, const char **path, uint64_t *id) {
    const char *scratch = scratch_folder();
    if (scratch == NULL) {
        return false;
    }
    const char *fresh = path_join(scratch, "kernel.elf"), *name_link = path_join(scratch, "key");
    *vec_push(&link->argv) = "-o";
    *vec_push(&link->argv) = fresh;
    *vec_push(&link->argv) = NULL;
    char *err = NULL;
    int status = run_program(&(struct run){.argv = link->argv.data,
                                           .err = &err,
                                           .timeout_ms = LINK_TIMEOUT_MS,
                                           .memory_limit = LINK_MEMORY});
    link->argv.len -= 3;
    if (status != 0) {
        if (err != NULL && *err != '\0') {
            diag_pass(err);
        }
        diag_error("linking the kernel failed (%s)", status == -2 ? "no answer within 60 seconds"
                                                     : status == -1
                                                         ? strerror(errno)
                                                         : xasprintf("status %d", status));
        return false;
    }
    if (!loaded_id(fresh, id)) {
        return false;
    }
    const char *name = xasprintf("%016llx.elf", (unsigned long long)*id);
    *path = cache_file(name);
    if (*path == NULL || rename(fresh, *path) != 0 || symlink(name, name_link) != 0 ||
        rename(name_link, key) != 0) {
        diag_error("cannot write '%s': %s", key, strerror(errno));
        return false;
    }
    rmdir(scratch);
    return true;
}

/* Is it whole?  A host that lost power may have kept its name alone. */
static bool is_sound(const char *path, uint64_t id) {
    uint64_t now;
    bool was_quiet = diag_quiet;
    diag_quiet = true;
    bool sound = loaded_id(path, &now) && now == id;
    diag_quiet = was_quiet;
    return sound;
}

/* The cached kernel of that key: the link's target is its id. */
static bool find_linked(const char *key, const char **path, uint64_t *id) {
    char name[64];
    ssize_t n = readlink(key, name, sizeof name - 1);
    if (n <= 0) {
        return false;
    }
    name[n] = '\0';
    char *end;
    *id = strtoull(name, &end, 16);
    if (end != name + 16 || strcmp(end, ".elf") != 0) {
        return false;
    }
    *path = cache_file(name);
    return *path != NULL && is_file(*path) && is_sound(*path, *id);
}

bool kernel_link(const struct features *features, const char *arch, const char *work,
                 const char **path, uint64_t *id) {
    struct link link;
    if (!plan(features, arch, &link) || !write_command(&link, work)) {
        return false;
    }
    const char *key = cache_file(xasprintf("key-%016llx", (unsigned long long)link.key));
    if (key == NULL) {
        return false;
    }
    if (find_linked(key, path, id)) {
        diag_verbose("kernel %016llx from the cache", (unsigned long long)*id);
        return true;
    }
    if (!link_now(&link, key, path, id)) {
        return false;
    }
    diag_verbose("kernel %016llx linked from %zu objects", (unsigned long long)*id,
                 link.argv.len - link.first);
    return true;
}

const char *kernel_symbols(uint64_t kernel_id) {
    const char *path = cache_file(xasprintf("%016llx.elf", (unsigned long long)kernel_id));
    return path != NULL && is_file(path) ? path : NULL;
}
