/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How the link tells the kernel's table of calls what an app needs.
 *
 * The table (arch/<arch>/syscall_table.S) is cut into chunks of CALL_CHUNK
 * numbers.  zuk defines, when it links a kernel,
 *
 *     call_<name> = sys_<name>             for each handler that is to be in it,
 *     call_chunk_<n> = syscall_chunk_<n>   for each chunk up to the last one needed,
 *     call_bound = syscall_bound_<last>    the first number behind that chunk.
 *
 * Without these words a call is absent.
 */
#ifndef ABI_CALLS_H
#define ABI_CALLS_H

#define CALL_CHUNK 64

#endif
