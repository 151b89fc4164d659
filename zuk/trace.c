/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trace records -> JSON events (trace.h).
 */
#include "zuk/trace.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "abi/report.h"
#include "zuk/features.h"
#include "zuk/json.h"
#include "zuk/strace.h"
#include "zuk/util.h"

struct trace {
    struct output *output;
    bool broken; /* a write failed: has been said */
    VEC(uint32_t) threads;
};

static void put(struct trace *t, const char *text) {
    t->broken = t->broken || !output_write(t->output, text, strlen(text));
}

/* One event; takes the object. */
static void put_event(struct trace *t, json_t *event) {
    char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT);
    if (text != NULL) {
        put(t, ",\n");
        put(t, text);
    }
    free(text);
    json_decref(event);
}

struct trace *trace_open(const char *path, const char *app) {
    struct trace *t = xalloc(sizeof *t);
    t->output = output_open(path, 0666);
    if (t->output == NULL) {
        return NULL;
    }
    put(t, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
           "{\"name\":\"process_sort_index\",\"ph\":\"M\",\"pid\":1,\"args\":{\"sort_index\":0}}");
    put_event(t, json_pack("{s:s,s:s,s:i,s:{s:o}}", "name", "process_name", "ph", "M", "pid", 1,
                           "args", "name", json_text(app)));
    return t;
}

static void name_thread(struct trace *t, uint32_t thread) {
    for (size_t i = 0; i < t->threads.len; i++) {
        if (t->threads.data[i] == thread) {
            return;
        }
    }
    *vec_push(&t->threads) = thread;
    put_event(t, json_pack("{s:s,s:s,s:i,s:I,s:{s:s}}", "name", "thread_name", "ph", "M", "pid", 1,
                           "tid", (json_int_t)thread, "args", "name",
                           xasprintf("thread %" PRIu32, thread)));
}

void trace_call(struct trace *t, const uint8_t *record, size_t size) {
    struct report_trace r;
    if (t->broken || size < sizeof r) {
        return;
    }
    memcpy(&r, record, sizeof r);
    name_thread(t, r.thread);
    const struct strace_data data = {record + sizeof r, size - sizeof r, r.data_count};
    char *arguments = strace_call(&r.call, &data);
    const char *name = features_call_name(r.call.number);
    bool returned = r.call.result != INT64_MIN;
    /* times are in microseconds there */
    put_event(t,
              json_pack("{s:s,s:s,s:s,s:i,s:I,s:f,s:f,s:{s:o}}", "name",
                        name == NULL ? xasprintf("%" PRIu64, r.call.number) : name, "cat", "call",
                        "ph", returned ? "X" : "i", "pid", 1, "tid", (json_int_t)r.thread, "ts",
                        (double)r.time / 1e3, "dur", returned ? (double)r.duration / 1e3 : 0.0,
                        "args", "call", json_text(arguments == NULL ? "" : arguments)));
    free(arguments);
}

bool trace_close(struct trace *t) {
    put(t, "\n]}\n");
    if (t->broken) {
        output_abandon(t->output);
        return false;
    }
    return output_commit(t->output);
}
