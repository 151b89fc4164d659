/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Text for JSON (json.h).
 */
#include "zuk/json.h"

#include "zuk/util.h"

json_t *json_text(const char *text) {
    json_t *value = text == NULL ? json_null() : json_string(text);
    if (value != NULL) {
        return value;
    }
    char *ascii = xstrdup(text);
    for (char *p = ascii; *p != '\0'; p++) {
        *p = (unsigned char)*p < 0x80 ? *p : '?';
    }
    return json_string(ascii);
}
